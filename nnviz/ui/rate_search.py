"""Learning rates for all racers, found by the same budget for each."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from nnviz.runs import RunError, RunView
from nnviz.spec.jobs import Descent, RateSearch
from nnviz.ui import runtime
from nnviz.ui.buttons import button
from nnviz.ui.complaints import complain
from nnviz.ui.experiment import Asked, derive
from nnviz.ui.session import memory


def search_of(asked: Asked) -> list[RunView]:
    """The search that fits what is asked for, if there is one: the same race, but for its learning rates."""
    kept = memory(f"search:{asked.state.page}")
    if not asked.jobs or "run" not in kept:
        return []
    try:
        view = runtime.store().view(kept["run"])
    except RunError:
        kept.clear()
        return []
    return [view] if _unrated(view.job.race) == _unrated(asked.jobs[0]) else []


def better(rates: Sequence[float | None], final: np.ndarray, race: Descent, shown: Sequence[RunView]) -> list:
    """The rates (racers,) that a search has found, final heights (racers, rates); None for racers that came lower with
    the rate they have, in the race that is shown."""
    now = shown[0].snapshot("race") if shown and shown[0].job == race and not shown[0].status.live else {}
    if not now:
        return list(rates)
    lowest = np.min(final, axis=1, where=np.isfinite(final), initial=np.inf)
    return [
        None if own < least else rate for rate, own, least in zip(rates, now["heights"][:, -1], lowest, strict=True)
    ]


def tuning(asked: Asked, found: list[RunView], shown: Sequence[RunView]) -> None:
    """A button that starts a search and one that takes over what it has found; `shown` is the race shown."""
    kept = memory(f"search:{asked.state.page}")
    race = asked.jobs[0] if asked.jobs else None
    if kept.pop("taken", False):
        st.rerun()  # the form is no part of the fragment that the button is in

    def start() -> None:
        kept.clear()
        try:
            kept["run"] = runtime.pool().submit([RateSearch(race=race)])[0]
        except RunError as error:
            kept["problem"] = str(error)

    def take() -> None:
        arrays = found[0].snapshot("rate_search")
        rates = [float(f"{arrays['rates'][i]:.4g}") if i >= 0 else None for i in arrays["best"].tolist()]
        derive(asked.state, [race.rated(better(rates, arrays["final"], race, shown))])
        kept["taken"] = True

    busy = bool(found) and found[0].status.live
    button(
        "Tune learning rates",
        start,
        icon=":material/tune:",
        key=f"{asked.state.page}:tune",
        disabled=race is None or busy,
        help=f"Runs every racer with the same {RateSearch().rates} learning rates from {RateSearch().low:g} to "
        f"{RateSearch().high:g} for as many steps as the race has, and shows the final height of each.",
    )
    if busy:
        status = found[0].status
        st.progress(status.step / status.steps, f"{status.step} of {status.steps} racers", width=170)
    elif found:
        button(
            "Use the best",
            take,
            icon=":material/done_all:",
            key=f"{asked.state.page}:tuned",
            type="primary",
            help="Gives every racer the rate at which its point ended lowest; one that came lower with the rate it has "
            "keeps that.",
        )
    if "problem" in kept:
        complain(kept["problem"])


def _unrated(race: Descent) -> Descent:
    return race.rated([1.0] * len(race.racers))
