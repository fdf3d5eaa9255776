"""Learning rates for all optimizers, found by the same budget for each."""

from collections.abc import Sequence

import numpy as np

from nnviz.runs import RunError, RunView
from nnviz.runs.runset import EntryView, RunSet
from nnviz.spec.trajectories import RateSearch, Trajectories
from nnviz.spec.variants import Variant, apply, differing
from nnviz.ui.buttons import button
from nnviz.ui.form.page_form import FormResult

PART = "rates"
"""The part of an entry that its search is."""


def better(rates: Sequence[float | None], final: np.ndarray, trajectories: Trajectories, shown: RunView | None) -> list:
    """The rates (optimizers,) that a search has found, final heights (optimizers, rates); None for optimizers that came
    lower with the rate they have, in the run that is shown."""
    now = shown.snapshot("trajectories") if shown and shown.job == trajectories and not shown.status.live else {}
    if not now:
        return list(rates)
    lowest = np.min(final, axis=1, where=np.isfinite(final), initial=np.inf)
    return [None if own < least else rate for rate, own, least in zip(rates, now["values"][:, -1], lowest, strict=True)]


def tuning(request: FormResult, runset: RunSet, entries: Sequence[EntryView]) -> None:
    """A button that starts a search for each job shown, and one that applies the best rates found."""
    state, jobs = request.state, request.jobs
    found = {entry.id: entry.runs[PART] for entry in entries if PART in entry.runs}

    def start() -> None:
        state.stored.problem = ""
        try:
            for id, trajectories in jobs.items():
                runset.add(id, PART, RateSearch(trajectories=trajectories))
        except RunError as error:
            state.stored.problem = str(error)

    def take() -> None:
        shown = {entry.id: entry.runs.get("") for entry in entries}
        first, *others = (_rated(trajectories, found.get(id), shown.get(id)) for id, trajectories in jobs.items())
        before, variants = next(iter(jobs.values())), []
        for variant, other in zip(state.variants, others, strict=True):
            left = {path: variant.differences[path] for path in apply(before, variant.differences).left}
            variants.append(Variant(variant.id, {**left, **differing(other, first)}))
        state.with_changes(first, variants)
        state.stored.needs_redraw = True  # the form is no part of what the button is in

    is_busy = any(run.status.live for run in found.values())
    button(
        "Tune learning rates",
        start,
        icon=":material/tune:",
        key=f"{state.page}:tune",
        disabled=not jobs or is_busy,
        help=f"Runs every optimizer with the same {RateSearch().rates} learning rates from {RateSearch().low:g} to "
        f"{RateSearch().high:g} for the same number of steps, and shows the final value of f for each.",
    )
    if found and not is_busy:
        button(
            "Use best rates",
            take,
            icon=":material/done_all:",
            key=f"{state.page}:tuned",
            type="primary",
            disabled=not jobs,
            help="Sets every optimizer to the learning rate with the lowest final value; one whose current rate is "
            "better keeps it.",
        )


def _rated(trajectories: Trajectories, search: RunView | None, shown: RunView | None) -> Trajectories:
    """The job with the best rates that its search has found."""
    arrays = search.snapshot("rate_search") if search else {}
    if not arrays:
        return trajectories
    rates = [float(f"{arrays['rates'][i]:.4g}") if i >= 0 else None for i in arrays["best"].tolist()]
    return trajectories.rated(better(rates, arrays["final"], trajectories, shown))
