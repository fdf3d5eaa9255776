"""Pictures of landscapes, each from the RunView of one view; None where there is none of the kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnviz import figures
from nnviz.runs import RunView
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import Line, RandomPlane
from nnviz.spec.optimizers import SGD, Adam, AdamW, RMSprop
from nnviz.ui.page import Choice, Figure

Arrays = Mapping[str, np.ndarray]

MEASURES = {
    "train_loss": "train loss",
    "test_loss": "test loss",
    "train_accuracy": "train accuracy",
    "test_accuracy": "test accuracy",
}
"""What may be the height of a landscape."""

MEASURE = Choice("measure", "Measure", MEASURES, shared=True)


def scale_of(quantity: str) -> Callable[..., object]:
    """One scale for the heights of all networks' pictures of this kind."""

    def scale(runs: Sequence[RunView], measure: str, log: bool | None) -> object:
        # A logarithm makes a deep pit look like a narrow one: lines, whose shape is what is looked at, have it on
        # request.
        wanted = bool(log) if quantity == "lines" else log
        return figures.shared_scale(*(run.snapshot(quantity) for run in runs), measure=measure, log=wanted)

    return scale


def _path_snapshots(run: RunView) -> tuple[Arrays, Arrays, Arrays]:
    return run.snapshot("path_plane"), run.snapshot("path"), run.snapshot("training")


def path_map(run: RunView, measure: str, scale: object, **_choices: object) -> Figure:
    """The plane of the training path from above."""
    return figures.path_map(*_path_snapshots(run), measure, scale=scale, note=_note(run.job))


def path_surface_3d(run: RunView, measure: str, scale: object, **_choices: object) -> Figure:
    """The plane of the training path 3-D."""
    return figures.path_surface_3d(*_path_snapshots(run), measure, scale=scale)


def projection_residuals(run: RunView, log: bool | None) -> Figure:
    """How far the path is off its plane."""
    return figures.projection_residuals(run.snapshot("path"), log=log)


def training_against_projection(run: RunView, measure: str, log: bool | None) -> Figure:
    """The true loss against that of the plane below it."""
    return figures.training_against_projection(run.snapshot("training"), run.snapshot("path"), measure, log=log)


def plane_map(run: RunView, measure: str, scale: object, **_choices: object) -> Figure:
    """A random plane from above."""
    return figures.loss_map(run.snapshot("plane"), measure, scale=scale, note=_note(run.job))


def plane_surface_3d(run: RunView, measure: str, scale: object, **_choices: object) -> Figure:
    """A random plane 3-D."""
    return figures.loss_surface_3d(run.snapshot("plane"), measure, scale=scale)


def lines(run: RunView, measure: str, scale: object, **_choices: object) -> Figure:
    """Random lines."""
    return figures.loss_lines(run.snapshot("lines"), measure, scale=scale)


def line(run: RunView, log: bool | None) -> Figure:
    """Loss on the way from one network to another."""
    return figures.loss_line(run.snapshot("line"), _ends(run.job), log=log)


def sharpness(run: RunView, **chosen: Any) -> Figure:
    """The largest eigenvalues of the Hessian."""
    found = run.snapshot("curvature")
    reason = str(found.get("no_limit", ""))
    return figures.sharpness(found, limit_formula=_limit(run.job), no_limit_reason=reason, **chosen)


def adaptive_sharpness(run: RunView, **chosen: Any) -> Figure:
    """The largest eigenvalue of the Hessian as the optimizer rescales it."""
    return figures.adaptive_sharpness(run.snapshot("curvature"), limit_formula=_adaptive_limit(run.job), **chosen)


def trace(run: RunView, **chosen: Any) -> Figure:
    """The trace of the Hessian."""
    return figures.hessian_trace(run.snapshot("curvature"), **chosen)


def _ends(job: Landscape) -> tuple[str, str]:
    """The two networks on a line by what tells them apart."""
    if job.other is not None:
        return "first network", "other network"
    line = next((view for view in job.views if isinstance(view, Line)), Line())
    network = job.network
    seed = network.seed if network.weights_seed is None else network.weights_seed
    return f"model seed {seed}", f"model seed {line.seed}"


def _limit(job: Landscape) -> str:
    """The curvature that the learning rate can bear, as a formula."""
    method = job.network.learner.optimizer
    if not isinstance(method, SGD):
        return "2/η"
    rate = "((1 + 2β)η)" if method.nesterov else "((1 − d)η)" if method.momentum and method.dampening else "η"
    words = f"(2 + 2β)/{rate}" if method.momentum else "2/η"
    return f"{words} − weight decay" if method.weight_decay else words


def _adaptive_limit(job: Landscape) -> str:
    """The limit of the preconditioned curvature, as a formula."""
    match method := job.network.learner.optimizer:
        case Adam() | AdamW():
            decay = "(2 − ηλ)(1 + β₁)" if isinstance(method, AdamW) and method.weight_decay else "(2 + 2β₁)"
            return f"{decay}/((1 − β₁)η)"
        case RMSprop() if method.momentum:
            return "(2 + 2β)/η"
    return "2/η"


def _note(job: Landscape) -> str:
    """What is the same all over a map, though training changes it."""
    model, view = job.network.learner.model, job.views[0]
    notes = []
    if isinstance(view, RandomPlane) and not view.vectors and model.vectors:
        notes.append(f"{model.vectors} fixed")
    if model.statistics:
        notes.append(f"{model.statistics} fixed")
    return " · ".join(notes)
