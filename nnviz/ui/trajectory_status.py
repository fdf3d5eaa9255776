"""The status line of trajectories, what theory says, and the places of their time slider."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz.figures.trajectories.trajectory_lines import EXITS
from nnviz.runs import RunView
from nnviz.runs.runset import EntryView
from nnviz.spec.number_format import format_number
from nnviz.spec.trajectories import Trajectories
from nnviz.spec.variants import LETTERS
from nnviz.ui.page import Event
from nnviz.ui.trajectory_pictures import names

POSITIONS = 400
"""Places of the time slider."""


def started_at(event: Event, job: Trajectories) -> Trajectories:
    """The job started from the point chosen on its map, rounded to a thousandth of the picture."""
    left, right, bottom, top = job.surface.window
    ((x, y),) = event.points
    return job.model_copy(update={"x": _rounded(x, right - left), "y": _rounded(y, top - bottom)})


def _rounded(value: float, span: float) -> float:
    digits = max(0, int(np.ceil(-np.log10(span / 1000)))) if span > 0 else 3
    return float(f"{value:.{digits}f}")


def while_dragged(job: Trajectories, steps: int) -> Trajectories:
    """The job while its start is dragged: at most so many of its steps, and no basins."""
    return job.model_copy(update={"steps": min(job.steps, steps), "grid": 0})


def positions(entries: Sequence[EntryView], jobs: Sequence[Trajectories]) -> list[int]:
    """Steps for the time slider, evenly over the longest run, or over the steps that it has done so far."""
    last = 0
    for run in _trajectories(entries):
        points = run.snapshot("trajectories").get("points")
        last = max(last, points.shape[1] - 1 if points is not None else 0)
    if not any(run.status.live for run in _trajectories(entries)):
        last = max([last, *(job.steps for job in jobs)])  # while the start is dragged there is less of it
    return np.unique(np.linspace(0, last, min(last, POSITIONS) + 1).round().astype(int)).tolist()


def _trajectories(entries: Sequence[EntryView]) -> list[RunView]:
    return [run for entry in entries if (run := entry.run())]


def status(entries: Sequence[EntryView]) -> str:
    """For each run, the optimizer with the lowest value and those that diverged."""
    runs = _trajectories(entries)
    letters = LETTERS if len(runs) > 1 else ("",)
    lines = [f"{letter} {_run_status(run)}".strip() for letter, run in zip(letters, runs, strict=False)]
    return " &nbsp;&nbsp; ".join(lines)


def _run_status(view: RunView) -> str:
    s, parts = view.status, []
    if trajectories := view.snapshot("trajectories"):
        labels = names(view)
        last = trajectories["values"][:, -1]
        if not np.isfinite(trajectories["values"][:, 0]).any():
            start = ", ".join(map(format_number, view.job.start))
            return f":red-badge[no value at the start] f({start}) is not a finite number: choose another start"
        if not s.live and np.isfinite(last).any():
            best = int(np.nanargmin(last))
            parts.append(
                f":green-badge[lowest f after {s.step:,} steps] {format_number(last[best], 4)} ({labels[best]})"
            )
        exits: dict[str, list[str]] = {}
        for name, step, reason in zip(
            labels, trajectories["left_at"].tolist(), trajectories["exit_reason"].tolist(), strict=True
        ):
            if step >= 0:
                exits.setdefault(reason, []).append(f"{name} at step {step}")
        parts += [f":red-badge[{EXITS[reason][1]}] {', '.join(optimizers)}" for reason, optimizers in exits.items()]
    return " &nbsp;&nbsp; ".join(parts)


def theory(entries: Sequence[EntryView]) -> str:
    """What theory says of the first job's quadratic, if it is one."""
    phase: Mapping[str, np.ndarray] = entries[0].snapshot("phase")
    if "best_gradient_descent" not in phase:
        return ""
    stability_limit, (optimal_rate, _, error_factor), (rate, momentum, optimal_factor) = (
        phase["stability_limit"][0],
        phase["best_gradient_descent"],
        phase["best"],
    )
    kind = "Nesterov's momentum" if phase["nesterov"] else "momentum"
    limits = (
        f"plain gradient descent is stable for η < 2/λ = {format_number(stability_limit, 4)}; its optimal learning "
        f"rate {format_number(optimal_rate, 4)} gives an "
        f"error factor of {error_factor:.3f} per step; optimal {kind} (β = {momentum:.3f}, η = "
        f"{format_number(rate, 4)}) gives {optimal_factor:.3f}."
    )
    unlike = entries[0].job.conditions
    about = (
        f"The theory does not apply here: {unlike}. Otherwise, for this quadratic:"
        if unlike
        else "Theory for this quadratic:"
    )
    return f"{about} {limits}"
