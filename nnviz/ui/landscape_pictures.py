"""Pictures of landscapes, each from what is known of a network (`Sight`); None where a network has none of the kind."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from nnviz import figures
from nnviz.runs import RunView
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import Line, RandomPlane
from nnviz.spec.optimizers import SGD
from nnviz.ui.experiment import LETTERS
from nnviz.ui.live import Picture
from nnviz.ui.race_pictures import SCALES, Figure
from nnviz.ui.sights import Sight

Arrays = Mapping[str, np.ndarray]

MEASURES = {
    "train_loss": "train loss",
    "test_loss": "test loss",
    "train_accuracy": "train accuracy",
    "test_accuracy": "test accuracy",
}
"""What may be the height of a landscape."""

SHOWS = {
    "path": "path",
    "path in space": "path",
    "off the plane": "path",
    "on the plane": "path",
    "plane": "plane",
    "plane in space": "plane",
    "lines": "lines",
    "line": "line",
    "sharpness": "curvature",
    "trace": "curvature",
}
"""Which kind of view each picture shows."""


def drawn(sights: Sequence[Sight], *, measure: str, scale: str) -> tuple[Mapping[str, Picture], Mapping[str, Picture]]:
    """Pictures of each network, on one scale of heights, and those of both together."""
    log = SCALES[scale]
    # A logarithm makes a deep pit look like a narrow one: lines, whose shape is what is looked at, have it on request.
    logs = {"plane": log, "path_plane": log, "lines": bool(log)}
    heights = {
        name: figures.height_scale(*(sight.snapshot(name) for sight in sights), measure=measure, log_height=wanted)
        for name, wanted in logs.items()
    }

    def way(run: RunView) -> tuple[Arrays, Arrays, Arrays]:
        return run.snapshot("path_plane"), run.snapshot("path"), run.snapshot("training")

    def path_map(run: RunView) -> Figure:
        return figures.path_map(*way(run), measure, heights=heights["path_plane"], note=_note(run.job))

    def path_space(run: RunView) -> Figure:
        return figures.path_space(*way(run), measure, heights=heights["path_plane"])

    def truth(run: RunView) -> Figure:
        return figures.plane_truth(run.snapshot("training"), run.snapshot("path"), measure, log=log)

    def plane_map(run: RunView) -> Figure:
        return figures.loss_map(run.snapshot("plane"), measure, heights=heights["plane"], note=_note(run.job))

    def plane_space(run: RunView) -> Figure:
        return figures.loss_space(run.snapshot("plane"), measure, heights=heights["plane"])

    def lines(run: RunView) -> Figure:
        return figures.loss_lines(run.snapshot("lines"), measure, heights=heights["lines"])

    def sharpness(run: RunView) -> Figure:
        found = run.snapshot("curvature")
        return figures.sharpness(found, limit_words=_limit(run.job), no_theory=str(found.get("no_limit", "")))

    each = {
        "path": path_map,
        "path in space": path_space,
        "off the plane": lambda run: figures.path_residuals(run.snapshot("path")),
        "on the plane": truth,
        "plane": plane_map,
        "plane in space": plane_space,
        "lines": lines,
        "sharpness": sharpness,
        "trace": lambda run: figures.hessian_trace(run.snapshot("curvature")),
    }
    shown = {kind for sight in sights for kind in sight.runs}
    pictures = {n: _still(partial(_of, SHOWS[n], picture)) for n, picture in each.items() if SHOWS[n] in shown}
    return pictures, {"line": _still(partial(_line, log=log))} if "line" in shown else {}


def behind(sights: Sequence[Sight]) -> list[str]:
    """The pictures that are still of what was asked for before."""
    found = []
    for letter, sight in zip(LETTERS if len(sights) > 1 else ("",), sights, strict=False):
        for name, kind in SHOWS.items():
            if kind in sight.awaited:
                found.append(name if name == "line" else f"{name} {letter}".strip())
    return found


def _of(kind: str, picture: Callable[[RunView], Figure], sight: Sight) -> Figure:
    """The picture of whichever run shows the kind now, with what that run's own job says of it."""
    run = sight.run(kind)
    return None if run is None else picture(run)


def _line(sights: Mapping[str, Sight], log: bool | None) -> Figure:
    """Loss on the way from one network to another; None where there is no line."""
    run = next(iter(sights.values())).run("line")
    if run is None:
        return None
    names = LETTERS if len(sights) > 1 else _ends(run.job)
    return figures.loss_line(run.snapshot("line"), names, log=log)


def _ends(job: Landscape) -> tuple[str, str]:
    """The two networks on a line by what tells them apart."""
    if job.other is not None:
        return "this network", "the other"
    line = next((view for view in job.views if isinstance(view, Line)), Line())
    network = job.network
    seed = network.seed if network.weights_seed is None else network.weights_seed
    return f"weights of seed {seed}", f"of seed {line.seed}"


def _limit(job: Landscape) -> str:
    """The curvature that the learning rate can bear, as a formula."""
    method = job.network.learner.optimizer
    if not isinstance(method, SGD):
        return "2/η"
    rate = "((1 + 2β)η)" if method.nesterov else "((1 − d)η)" if method.momentum and method.dampening else "η"
    words = f"(2 + 2β)/{rate}" if method.momentum else "2/η"
    return f"{words} − weight decay" if method.weight_decay else words


def _still(picture: Picture) -> Picture:
    """The picture, told to the board as one that holds the whole training: it is not asked for step by step."""

    def whole(shown: object) -> Figure:
        figure = picture(shown)
        if figure is not None and not figure["layout"]["meta"].get("x_is_step"):
            figure["layout"]["meta"]["reveals"] = True
        return figure

    return whole


def _note(job: Landscape) -> str:
    """What is the same all over a map, though training changes it."""
    model, view = job.network.learner.model, job.views[0]
    said = []
    if isinstance(view, RandomPlane) and not view.vectors and model.vectors:
        said.append(f"{model.vectors} fixed")
    if model.statistics:
        said.append(f"{model.statistics} fixed")
    return " · ".join(said)
