"""Curvature of the training loss along a training, and how much of it the learning rate can bear."""

import copy
from collections.abc import Iterator

import numpy as np

from nnviz.engine.analysis import landscape
from nnviz.engine.analysis.quadratic import stability_limit
from nnviz.engine.randomness import generator
from nnviz.engine.survey.retraining import Trained
from nnviz.engine.survey.slices import Told
from nnviz.spec.landscapes import Curvature
from nnviz.spec.learners import Supervised
from nnviz.spec.optimizers import SGD

TOLERANCE = 1e-3
"""Residuals of eigenvectors at which the Lanczos method ends, as a share of the largest eigenvalue. The eigenvalue's
own error is about the square of that."""

COST = 100
"""Units of progress for each step that is looked at, as `Curvature.units` counts them."""


def curvature(view: Curvature, trained: Trained) -> Iterator[Told]:
    """Snapshot "curvature": steps (n,), eigenvalues and errors (n, k), lowest, trace, trace_error and limit (n,), nan
    where nothing is known yet; `no_limit` says why theory has none.

    Every step's Hessian is that of the loss over the training samples in evaluation mode.
    """
    places = np.unique(np.linspace(0, len(trained.steps) - 1, view.points).round().astype(int))
    module = copy.deepcopy(trained.module)
    x, y = trained.heights.data["train"]
    size = sum(p.numel() for p in module.parameters())
    k = min(view.eigenvalues, size)
    reason = no_limit(trained.network.learner)
    arrays = {
        "steps": np.array([trained.steps[place] for place in places], np.int64),
        "eigenvalues": np.full((len(places), k), np.nan),
        "errors": np.full((len(places), k), np.nan),
        **{name: np.full(len(places), np.nan) for name in ("lowest", "trace", "trace_error")},
        "limit": np.array([np.nan if reason else _limit(trained, place) for place in places]),
        "no_limit": np.array(reason),
    }
    told = 0
    for level in landscape.coarse_to_fine([len(places)]):
        for index in level.flatten().tolist():
            module.load_state_dict(trained.states[places[index]])
            product = landscape.hessian(module, trained.heights.loss, x, y)
            like = landscape.as_vector(list(module.parameters()))
            draws = generator(view.seed, "curvature", trained.steps[places[index]])
            top = landscape.lanczos(product, like, draws, k=k, tolerance=TOLERANCE)
            low = landscape.lanczos(lambda v, of=product: -of(v), like, draws, k=1, tolerance=TOLERANCE)
            total = landscape.trace(product, like, draws, probes=view.probes)
            arrays["eigenvalues"][index] = top.values.double().cpu().numpy()
            arrays["errors"][index] = top.residuals.double().cpu().numpy()
            arrays["lowest"][index] = -float(low.values[0])
            arrays["trace"][index], arrays["trace_error"][index] = total
            told += COST
            yield COST, {"curvature": {name: values.copy() for name, values in arrays.items()}}
    yield view.units - told, {}


def no_limit(learner: Supervised) -> str:
    """Why theory has no bound on the curvature for this training, in a few words; empty where it has one."""
    if not isinstance(learner.optimizer, SGD):
        return "2/η is for plain descent and momentum: this optimizer rescales the gradient"
    if learner.model.batch_norm:
        return "no line: batch norm trains on another surface than the evaluated one"
    if learner.model.dropout:
        return "no line: dropout trains on another surface than the evaluated one"
    if learner.l1 or learner.l2:
        return "no line: the penalty adds curvature of its own"
    return ""


def _limit(trained: Trained, place: int) -> float:
    """2 / η, (2 + 2β) / η with momentum, (2 + 2β) / ((1 + 2β) η) with Nesterov's, less the weight decay, which is
    curvature that the optimizer adds."""
    sgd, rate = trained.network.learner.optimizer, trained.rates[place]
    if rate <= 0:
        return float("nan")
    damped = 1 - sgd.dampening if sgd.momentum else 1.0
    return float(stability_limit([1.0], sgd.momentum, sgd.nesterov)) / (rate * damped) - sgd.weight_decay
