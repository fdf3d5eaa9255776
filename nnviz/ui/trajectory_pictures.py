"""Pictures of trajectories, each from their RunView; None where there is none of the kind."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnviz import figures
from nnviz.runs import RunView
from nnviz.spec.base import summary
from nnviz.spec.optimizers import SGD, Adamax
from nnviz.spec.point_optimizers import STATE
from nnviz.spec.trajectories import Trajectories, TrajectorySpec, short_names
from nnviz.ui.page import Choice, Figure

MAX_FULL_NAMES = 6
"""Optimizers whose names have room in full."""


def _optimizers(job: Trajectories) -> dict[str, str]:
    found = {str(i): f"{i + 1} · {optimizer.name}" for i, optimizer in enumerate(job.optimizers)}
    return {"": "none", **found}


OPTIMIZER = Choice("optimizer", "Inspect one update of", _optimizers, default="", shared=True, index_in="optimizers")
"""Whose step is taken apart."""


def _optimizer_index(run: RunView, optimizer: str) -> int | None:
    return int(optimizer) if optimizer and int(optimizer) < len(run.job.optimizers) else None


def contour_map(run: RunView, log: bool | None, optimizer: str) -> Figure:
    """The surface from above, with all paths and the chosen optimizer's step as arrows."""
    surface, trajectories, chosen = (
        run.snapshot("surface"),
        run.snapshot("trajectories"),
        _optimizer_index(run, optimizer),
    )
    words = _state_words(run, chosen) if chosen is not None else None
    return figures.contour_map(
        surface, trajectories, names(run), log=log, note=run.job.conditions, selected=chosen, state_names=words
    )


def surface_3d(run: RunView, log: bool | None) -> Figure:
    """The surface in space."""
    return figures.surface_3d(run.snapshot("surface"), run.snapshot("trajectories"), names(run), log=log)


def function_values(run: RunView, **chosen: Any) -> Figure:
    """Height over steps."""
    surface = run.snapshot("surface")
    lowest = surface.get("minimum_value", ())
    optimum = float(lowest[0]) if len(lowest) else None
    return figures.function_values(run.snapshot("trajectories"), names(run), optimum, _bottom(surface), **chosen)


def _bottom(surface: Mapping[str, np.ndarray]) -> tuple[float, float, float] | None:
    """x, y and f of the lowest place of the map; None where it has no finite height."""
    z = np.asarray(surface.get("z", ()), float)
    if not np.isfinite(z).any():
        return None
    row, column = np.unravel_index(np.argmin(np.where(np.isfinite(z), z, np.inf)), z.shape)
    return float(surface["x"][column]), float(surface["y"][row]), float(z[row, column])


def distances_to_minimum(run: RunView, **chosen: Any) -> Figure:
    """Distance to the optimum over steps."""
    return figures.distances_to_minimum(run.snapshot("trajectories"), names(run), **chosen)


def update_parts(run: RunView, optimizer: str, log: bool | None) -> Figure:
    """The chosen optimizer's step taken apart."""
    chosen = _optimizer_index(run, optimizer)
    if chosen is None:
        return None
    method = run.job.optimizers[chosen].method
    return figures.update_parts(
        run.snapshot("trajectories"),
        chosen,
        run.job.optimizers[chosen].name,
        summary(type(method)),
        state_names=_state_words(run, chosen),
        squared=not isinstance(method, Adamax),
        log=log,
    )


def phase_diagram(run: RunView) -> Figure:
    """Learning rate and momentum on the quadratic, theory and optimizers."""
    found = run.snapshot("phase")
    return figures.phase_diagram(found, _momentum_optimizers(run), conditions=run.job.conditions) if found else None


def basin_map(run: RunView, optimizer: str) -> Figure:
    """At which minimum each start arrives; of the first optimizer unless one is chosen."""
    found, index = run.snapshot("basins"), _optimizer_index(run, optimizer) or 0
    return figures.basin_map(found, index, names(run)[index]) if found else None


def basin_arrival_steps(run: RunView, optimizer: str) -> Figure:
    """After how many steps each start arrives."""
    found, index = run.snapshot("basins"), _optimizer_index(run, optimizer) or 0
    return figures.basin_arrival_steps(found, index, names(run)[index]) if found else None


def rate_search(run: RunView, log: bool | None) -> Figure:
    """Final height over learning rate, from the RunView of a search."""
    found = run.snapshot("rate_search")
    if not found:
        return None
    lowest = found["minimum_value"]
    optimum = float(lowest[0]) if len(lowest) else None
    return figures.rate_search(
        found["rates"], found["final"], _unrated(run.job.trajectories.optimizers), found["best"], optimum, log=log
    )


def _state_words(run: RunView, optimizer: int) -> Mapping[str, str]:
    """What an optimizer's method keeps from step to step, by the part that it plays."""
    return STATE.get(type(run.job.optimizers[optimizer].method), {})


def names(run: RunView) -> list[str]:
    """The optimizers in words; many of them only by what tells them apart, so that all names fit."""
    return optimizer_names(run.job.optimizers)


def optimizer_names(optimizers: Sequence[TrajectorySpec]) -> list[str]:
    """See `names`."""
    if len(optimizers) <= MAX_FULL_NAMES:
        return [optimizer.name for optimizer in optimizers]
    return short_names(optimizers)


def _unrated(optimizers: Sequence[TrajectorySpec]) -> list[str]:
    """The optimizers in words, without the learning rates that a search puts in their place."""
    names = [optimizer.named([name for name in optimizer.settings if name != "lr"]) for optimizer in optimizers]
    return [f"{i} · {name}" if names.count(name) > 1 else name for i, name in enumerate(names, 1)]


def _momentum_optimizers(run: RunView) -> list[dict[str, object]]:
    """Optimizers with a place on the phase diagram, plain and momentum descent: with measured and predicted rates."""
    trajectories = run.snapshot("trajectories")
    found = []
    for i, optimizer in enumerate(run.job.optimizers):
        method = optimizer.method
        if isinstance(method, SGD) and method.dampening == 0 and "measured_rate" in trajectories:
            found.append(
                {
                    "name": optimizer.name,
                    "alpha": method.lr,
                    "beta": method.momentum,
                    "nesterov": method.nesterov,
                    "color": i,
                    "predicted": float(trajectories["predicted_rate"][i]),
                    "measured": float(trajectories["measured_rate"][i]),
                }
            )
    return found
