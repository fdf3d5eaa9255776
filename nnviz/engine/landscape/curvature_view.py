"""Curvature of the training loss along a training, and how much of it the learning rate can bear."""

import copy
from collections.abc import Generator, Iterator
from typing import TypeVar

import numpy as np

from nnviz.engine import landscape
from nnviz.engine.landscape.retraining import Trained
from nnviz.engine.landscape.slice_views import Progress
from nnviz.engine.randomness import generator
from nnviz.engine.theory.quadratic import stability_limit
from nnviz.spec.clipping import NoClipping
from nnviz.spec.landscapes import Curvature
from nnviz.spec.learners import Learner
from nnviz.spec.optimizers import SGD

Found = TypeVar("Found")

TOLERANCE = 1e-3
"""Residuals of eigenvectors at which the Lanczos method ends, as a share of the largest eigenvalue. The eigenvalue's
own error is about the square of that."""

COST = 100
"""Units of progress for each step that is looked at, as `Curvature.units` counts them."""


def curvature(view: Curvature, trained: Trained) -> Iterator[Progress]:
    """Snapshot "curvature": steps (n,), eigenvalues and errors (n, k), lowest, trace, trace_error and limit (n,), nan
    where nothing is known yet or theory has no limit; `no_limit` says why it has none at the last step.

    Every step's Hessian is that of the loss over the training samples in evaluation mode.
    """
    places = np.unique(np.linspace(0, len(trained.steps) - 1, view.points).round().astype(int)).tolist()
    module = copy.deepcopy(trained.module)
    x, y = trained.heights.data["train"]
    like = landscape.as_vector(trained.weights())
    k = min(view.eigenvalues, len(like))
    arrays = {
        "steps": np.array([trained.steps[place] for place in places], np.int64),
        "eigenvalues": np.full((len(places), k), np.nan),
        "errors": np.full((len(places), k), np.nan),
        **{name: np.full(len(places), np.nan) for name in ("lowest", "trace", "trace_error")},
        "limit": np.array([limit(trained.learners[place], trained.rates[place]) for place in places]),
        "no_limit": np.array(no_limit(trained.learners[-1])),
    }
    told = 0
    for level in landscape.coarse_to_fine([len(places)]):
        for index in level.flatten().tolist():
            module.load_state_dict(trained.states[places[index]])
            product = landscape.hessian(module, trained.heights.loss, x, y)
            draws = generator(view.seed, "curvature", trained.steps[places[index]])
            top = yield from _meanwhile(landscape.lanczos_piecewise(product, like, draws, k=k, tolerance=TOLERANCE))
            low = yield from _meanwhile(
                landscape.lanczos_piecewise(lambda v, of=product: -of(v), like, draws, k=1, tolerance=TOLERANCE)
            )
            total = yield from _meanwhile(landscape.trace_piecewise(product, like, draws, probes=view.probes))
            arrays["eigenvalues"][index] = landscape.in_double(top.values).cpu().numpy()
            arrays["errors"][index] = landscape.in_double(top.residuals).cpu().numpy()
            arrays["lowest"][index] = -float(low.values[0])
            arrays["trace"][index], arrays["trace_error"][index] = total
            told += COST
            yield COST, {"curvature": {name: values.copy() for name, values in arrays.items()}}
    yield view.units - told, {}


def _meanwhile(work: landscape.Piecewise[Found]) -> Generator[Progress, None, Found]:
    """What the work finds; others have their turn between its pieces."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value
        yield 0, {}


def no_limit(learner: Learner) -> str:
    """Why theory has no bound on the curvature for this training, in a few words; empty where it has one."""
    sgd = learner.optimizer
    if not isinstance(sgd, SGD):
        return "2/η is for plain descent and momentum: this optimizer rescales the gradient"
    if what := learner.model.trains_on_another_surface:
        return f"no line: {what} trains on another surface than the evaluated one"
    if learner.l1 or learner.l2:
        return "no line: the penalty adds curvature of its own"
    if not isinstance(learner.clipping, NoClipping):
        return "no line: clipping holds steps short where the curvature is too much"
    if sgd.momentum and sgd.dampening == 1:
        return "no line: with a dampening of 1 no gradient counts after the first"
    return ""


def limit(learner: Learner, rate: float) -> float:
    """The largest curvature that descent at this rate η can bear; nan where theory has none.

    2 / η, (2 + 2β) / η with momentum, (2 + 2β) / ((1 + 2β) η) with Nesterov's; dampening d makes it (1 − d) η, and
    weight decay is curvature that the optimizer adds, so it is taken off.
    """
    if rate <= 0 or no_limit(learner):
        return float("nan")
    sgd = learner.optimizer
    damped = 1 - sgd.dampening if sgd.momentum else 1.0
    return float(stability_limit([1.0], sgd.momentum, sgd.nesterov)) / (rate * damped) - sgd.weight_decay
