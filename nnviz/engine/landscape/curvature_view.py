"""Curvature of the training loss over a training, and the stability limit of the learning rate."""

import copy
from collections.abc import Generator, Iterator
from typing import TypeVar

import numpy as np

from nnviz.engine import landscape
from nnviz.engine.landscape import adaptive_stability
from nnviz.engine.landscape.retraining import Trained
from nnviz.engine.landscape.slice_views import Progress
from nnviz.engine.randomness import generator
from nnviz.engine.theory.quadratic import stability_limit
from nnviz.spec.augmentation import NoAugmentation
from nnviz.spec.clipping import NoClipping
from nnviz.spec.landscapes import Curvature
from nnviz.spec.learners import Learner
from nnviz.spec.optimizers import SGD

Found = TypeVar("Found")

TOLERANCE = 1e-3
"""Residuals of eigenvectors at which the Lanczos method ends, as a fraction of the largest eigenvalue. The error of the
eigenvalue is about the square of that."""

UNITS_PER_STEP = 100
"""Units of progress per evaluated step, as `Curvature.units` counts them."""


def curvature(view: Curvature, trained: Trained) -> Iterator[Progress]:
    """Snapshot "curvature": steps (n,), eigenvalues and errors (n, k), smallest_eigenvalue, trace, trace_error and
    limit (n,), nan where nothing is known yet or there is no limit; `no_limit` is the reason for none at the last step.
    For optimizers that rescale the gradient also preconditioned, preconditioned_error and preconditioned_limit (n,):
    the largest eigenvalue of the Hessian preconditioned as the optimizer does.

    Every step's Hessian is that of the loss over the training samples in evaluation mode.
    """
    places = np.unique(np.linspace(0, len(trained.steps) - 1, view.points).round().astype(int)).tolist()
    module = copy.deepcopy(trained.module)
    x, y = trained.evaluated.data["train"]
    like = landscape.as_vector(trained.weights())
    k = min(view.eigenvalues, len(like))
    arrays = {
        "steps": np.array([trained.steps[place] for place in places], np.int64),
        "eigenvalues": np.full((len(places), k), np.nan),
        "errors": np.full((len(places), k), np.nan),
        **{name: np.full(len(places), np.nan) for name in ("smallest_eigenvalue", "trace", "trace_error")},
        "limit": np.array([limit(trained.learners[place], trained.rates[place]) for place in places]),
        "no_limit": np.array(no_limit(trained.learners[-1])),
    }
    if any(scale is not None for scale in trained.preconditioners):
        arrays |= {name: np.full(len(places), np.nan) for name in ("preconditioned", "preconditioned_error")}
        limits = [adaptive_limit(trained.learners[place], trained.rates[place]) for place in places]
        arrays["preconditioned_limit"] = np.array(limits)
    units_done = 0
    for level in landscape.coarse_to_fine([len(places)]):
        for index in level.flatten().tolist():
            module.load_state_dict(trained.states[places[index]])
            product = landscape.hessian(module, trained.evaluated.loss, x, y)
            draws = generator(view.seed, "curvature", trained.steps[places[index]])
            largest = yield from _with_turns(
                landscape.interruptible_lanczos(product, like, draws, k=k, tolerance=TOLERANCE)
            )
            smallest = yield from _with_turns(
                landscape.interruptible_lanczos(lambda v, of=product: -of(v), like, draws, k=1, tolerance=TOLERANCE)
            )
            trace = yield from _with_turns(landscape.interruptible_trace(product, like, draws, probes=view.probes))
            arrays["eigenvalues"][index] = landscape.in_double(largest.values).cpu().numpy()
            arrays["errors"][index] = landscape.in_double(largest.residuals).cpu().numpy()
            arrays["smallest_eigenvalue"][index] = -float(smallest.values[0])
            arrays["trace"][index], arrays["trace_error"][index] = trace
            if (scale := trained.preconditioners[places[index]]) is not None:
                decay = adaptive_stability.decay_in_gradient(trained.learners[places[index]].optimizer)
                rescaled = adaptive_stability.preconditioned(product, scale, decay)
                sharpest = yield from _with_turns(
                    landscape.interruptible_lanczos(rescaled, like, draws, k=1, tolerance=TOLERANCE)
                )
                arrays["preconditioned"][index] = float(sharpest.values[0])
                arrays["preconditioned_error"][index] = float(sharpest.residuals[0])
            units_done += UNITS_PER_STEP
            yield UNITS_PER_STEP, {"curvature": {name: values.copy() for name, values in arrays.items()}}
    yield view.units - units_done, {}


def _with_turns(work: landscape.Interruptible[Found]) -> Generator[Progress, None, Found]:
    """The result of interruptible work, which yields to other jobs in between."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value
        yield 0, {}


def no_limit(learner: Learner) -> str:
    """Why there is no stability limit of the curvature for this training, in a few words; empty where there is one."""
    sgd = learner.optimizer
    if not isinstance(sgd, SGD):
        return "no stability limit: 2/η holds for SGD, and this optimizer rescales the gradient"
    return _no_limit_of_any(learner)


def adaptive_limit(learner: Learner, rate: float) -> float:
    """The stability limit of the preconditioned Hessian's largest eigenvalue; nan where there is none."""
    return float("nan") if _no_limit_of_any(learner) else adaptive_stability.limit(learner.optimizer, rate)


def _no_limit_of_any(learner: Learner) -> str:
    if what := learner.model.changes_training_loss:
        return f"no stability limit: training with {what} minimizes another loss"
    if not isinstance(learner.augmentation, NoAugmentation):
        return "no stability limit: training on changed inputs minimizes another loss"
    if learner.l1 or learner.l2:
        return "no stability limit: the penalty adds curvature of its own"
    if not isinstance(learner.clipping, NoClipping):
        return "no stability limit: clipping shortens the steps where the curvature is above it"
    sgd = learner.optimizer
    if isinstance(sgd, SGD) and sgd.momentum and sgd.dampening == 1:
        return "no stability limit: with a dampening of 1 only the first gradient counts"
    return ""


def limit(learner: Learner, rate: float) -> float:
    """The stability limit: the largest curvature at which gradient descent with learning rate η converges; nan where
    there is none.

    2 / η, (2 + 2β) / η with momentum, (2 + 2β) / ((1 + 2β) η) with Nesterov's; dampening d makes it (1 − d) η, and
    weight decay adds to the curvature, so it is subtracted.
    """
    if rate <= 0 or no_limit(learner):
        return float("nan")
    sgd = learner.optimizer
    damped = 1 - sgd.dampening if sgd.momentum else 1.0
    return float(stability_limit([1.0], sgd.momentum, sgd.nesterov)) / (rate * damped) - sgd.weight_decay
