"""Pictures of a race, each from its RunView; None where a race has none of the kind."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnviz import figures
from nnviz.runs import RunView
from nnviz.spec.base import label, summary
from nnviz.spec.descent import Descent, Racer
from nnviz.spec.methods import STATE
from nnviz.spec.optimizers import SGD, Adamax
from nnviz.ui.page import Choice, Figure

FEW = 6
"""Racers whose names have room in full."""


def _racers(job: Descent) -> dict[str, str]:
    found = {str(i): f"{i + 1} · {racer.name}" for i, racer in enumerate(job.racers)}
    return {"": "none", **found}


RACER = Choice("racer", "Step of", _racers, default="", shared=True)
"""Whose step is taken apart."""


def _chosen(run: RunView, racer: str) -> int | None:
    return int(racer) if racer and int(racer) < len(run.job.racers) else None


def contour_map(run: RunView, log: bool | None, racer: str) -> Figure:
    """The surface from above, with all paths and the chosen racer's step as arrows."""
    surface, race, chosen = run.snapshot("surface"), run.snapshot("race"), _chosen(run, racer)
    words = _state_words(run, chosen) if chosen is not None else None
    return figures.contour_map(
        surface, race, names(run), log_height=log, note=run.job.conditions, chosen=chosen, words=words
    )


def surface_3d(run: RunView, log: bool | None) -> Figure:
    """The surface in space."""
    return figures.surface_3d(run.snapshot("surface"), run.snapshot("race"), names(run), log_height=log)


def heights(run: RunView, **chosen: Any) -> Figure:
    """Height over steps."""
    surface = run.snapshot("surface")
    lowest = surface.get("lowest", ())
    optimum = float(lowest[0]) if len(lowest) else None
    return figures.heights(run.snapshot("race"), names(run), optimum, _bottom(surface), **chosen)


def _bottom(surface: Mapping[str, np.ndarray]) -> tuple[float, float, float] | None:
    """x, y and f of the lowest place of the map; None where it has no finite height."""
    z = np.asarray(surface.get("z", ()), float)
    if not np.isfinite(z).any():
        return None
    row, column = np.unravel_index(np.argmin(np.where(np.isfinite(z), z, np.inf)), z.shape)
    return float(surface["x"][column]), float(surface["y"][row]), float(z[row, column])


def distances(run: RunView, **chosen: Any) -> Figure:
    """Distance to the optimum over steps."""
    return figures.distances(run.snapshot("race"), names(run), **chosen)


def step_parts(run: RunView, racer: str, log: bool | None) -> Figure:
    """The chosen racer's step taken apart."""
    chosen = _chosen(run, racer)
    if chosen is None:
        return None
    method = run.job.racers[chosen].method
    return figures.step_parts(
        run.snapshot("race"),
        chosen,
        run.job.racers[chosen].name,
        summary(type(method)),
        words=_state_words(run, chosen),
        squared=not isinstance(method, Adamax),
        log=log,
    )


def phase(run: RunView) -> Figure:
    """Learning rate and momentum on the quadratic, theory and racers."""
    found = run.snapshot("phase")
    return figures.phase_diagram(found, _momentum_racers(run), conditions=run.job.conditions) if found else None


def basins(run: RunView, racer: str) -> Figure:
    """At which minimum each start arrives; of the first racer unless one is chosen."""
    found, index = run.snapshot("basins"), _chosen(run, racer) or 0
    return figures.basin_map(found, index, names(run)[index]) if found else None


def arrivals(run: RunView, racer: str) -> Figure:
    """After how many steps each start arrives."""
    found, index = run.snapshot("basins"), _chosen(run, racer) or 0
    return figures.basin_steps(found, index, names(run)[index]) if found else None


def rate_search(run: RunView, log: bool | None) -> Figure:
    """Final height over learning rate, from the RunView of a search."""
    found = run.snapshot("rate_search")
    if not found:
        return None
    lowest = found["lowest"]
    optimum = float(lowest[0]) if len(lowest) else None
    return figures.rate_search(
        found["rates"], found["final"], _unrated(run.job.race.racers), found["best"], optimum, log=log
    )


def _state_words(run: RunView, racer: int) -> Mapping[str, str]:
    """What a racer's method keeps from step to step, by the part that it plays."""
    return STATE.get(type(run.job.racers[racer].method), {})


def names(run: RunView) -> list[str]:
    """The racers in words; many of them as their number in the form and their method, so that all names fit."""
    return called(run.job.racers)


def called(racers: Sequence[Racer]) -> list[str]:
    """See `names`."""
    if len(racers) <= FEW:
        return [racer.name for racer in racers]
    return [f"{number} {label(type(racer.method))}" for number, racer in enumerate(racers, 1)]


def _unrated(racers: Sequence[Racer]) -> list[str]:
    """The racers in words, without the learning rates that a search puts in their place."""
    return [re.sub(r" η=[^\s,]+,?", "", name) for name in called(racers)]


def _momentum_racers(run: RunView) -> list[dict[str, object]]:
    """Racers with a place on the phase diagram, plain and momentum descent: with measured and predicted rates."""
    race = run.snapshot("race")
    found = []
    for i, racer in enumerate(run.job.racers):
        method = racer.method
        if isinstance(method, SGD) and method.dampening == 0 and "measured_rate" in race:
            found.append(
                {
                    "name": racer.name,
                    "alpha": method.lr,
                    "beta": method.momentum,
                    "nesterov": method.nesterov,
                    "color": i,
                    "predicted": float(race["predicted_rate"][i]),
                    "measured": float(race["measured_rate"][i]),
                }
            )
    return found
