"""Predicted and measured convergence rates of optimizers on a quadratic."""

import numpy as np

from nnviz.engine.theory import quadratic
from nnviz.spec.optimizers import SGD
from nnviz.spec.surfaces import Quadratic
from nnviz.spec.trajectories import Trajectories

ALPHA_RANGE = (0.005, 5.0)
"""Learning rates of the phase diagram, times λ."""


def phase_diagram(job: Trajectories) -> dict[str, np.ndarray]:
    """Convergence rate over learning rate and momentum, as `quadratic.phase` gives it, and `best_gradient_descent`
    (3,), the best (α, β = 0, rate) of gradient descent without momentum; {} for other surfaces."""
    if not isinstance(job.surface, Quadratic):
        return {}
    steep, _ = job.surface.eigenvalues
    alphas = np.geomspace(*ALPHA_RANGE, 140) / steep
    nesterov = [r.method.nesterov for r in job.optimizers if isinstance(r.method, SGD) and r.method.momentum]
    found = quadratic.phase_diagram(
        job.surface.eigenvalues, alphas, np.linspace(0, 0.99, 110), nesterov=bool(nesterov) and all(nesterov)
    )
    return found | {"best_gradient_descent": np.array(quadratic.best_gradient_descent(job.surface.eigenvalues))}


def rates(job: Trajectories, distance: np.ndarray) -> dict[str, np.ndarray]:
    """Error factor per step of each optimizer (optimizers,): measured over the last steps of `distance` (optimizers,
    steps + 1), and predicted for SGD on a quadratic; nan where there is none. The prediction assumes exact gradients
    and a constant learning rate, so there is none with noise, clipping or a schedule."""
    measured = np.array([quadratic.measured_rate(row) for row in distance])
    predicted = np.full(len(job.optimizers), np.nan)
    if job.conditions or not isinstance(job.surface, Quadratic):
        return {"measured_rate": measured, "predicted_rate": predicted}
    for i, optimizer in enumerate(job.optimizers):
        m = optimizer.method
        if isinstance(m, SGD) and not (m.dampening or m.weight_decay):
            predicted[i] = quadratic.rate(job.surface.eigenvalues, m.lr, m.momentum, m.nesterov)
    return {"measured_rate": measured, "predicted_rate": predicted}
