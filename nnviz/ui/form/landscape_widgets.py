"""Widgets of a landscape: what is looked at; and networks taken from runs."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from nnviz.runs import RunError
from nnviz.runs.runset import EntryView
from nnviz.runs.storage.status import DONE
from nnviz.spec.base import SpecError, item_type, label, options, summary
from nnviz.spec.jobs import Job, Landscape, Training
from nnviz.spec.landscapes import Line, TrainedModel, View
from nnviz.spec.number_format import format_number
from nnviz.spec.variants import LETTERS
from nnviz.ui import runtime
from nnviz.ui.form import spec_widgets
from nnviz.ui.page import JobsFromRuns, ListEditor, Replace

VIEWS = options(item_type(Landscape.model_fields["views"].annotation))


def jobs_with_networks(runs: Sequence[str], base: Landscape) -> JobsFromRuns:
    """The networks of runs, as they are now, looked at as `base` does. Raises RunError."""
    return JobsFromRuns([base.model_copy(update={"network": network_of(run), "other": None}) for run in runs])


def network_of(run: str) -> TrainedModel:
    """The network of a run at its last step, with early stopping at its best, and how it came about. Raises RunError
    where that is not known."""
    view = runtime.store().view(run)
    job, until = _trained(run, view.job), view.status.step
    if view.status.state == "diverged" and (saved := runtime.store().open(run).checkpoint()):
        until = saved[0]  # the last step at which its weights were finite
    is_best = view.status.state in DONE and view.best is not None
    if is_best:
        until = view.best[0]
    last, before, seen = job, [], {run}
    while job.parent:
        parent, step = job.parent.run, job.parent.step
        if parent in seen:
            raise RunError(f"run {run} is its own parent: its file is damaged")
        seen.add(parent)
        try:
            job = _trained(parent, runtime.store().view(parent).job)
        except RunError:
            raise RunError(
                f"run {run} was resumed from run {parent}, which has been deleted: its training cannot be repeated; "
                "choose another run"
            ) from None
        if is_best and until < step:  # the best step came before the run was resumed
            last, before = job, []
        else:
            before.insert(0, {"learner": job.learner, "steps": job.steps, "seed": job.seed, "until": step})
    step = until if until < last.steps else None
    try:
        return TrainedModel.parse(
            {"learner": last.learner, "steps": last.steps, "step": step, "seed": last.seed, "before": before}
        )
    except SpecError as error:
        raise RunError(f"the training of run {run} cannot be repeated: {error}") from None


def _trained(run: str, job: Job) -> Training:
    if job.shown_as != Training().shown_as:
        raise RunError(f"a network is taken from a run of kind {Training().kind}, got {job.shown_as} in run {run}")
    return job


def completed(job: Landscape, initial: Sequence[Landscape]) -> Landscape:
    """What came before the training belongs to it: with other settings it is another training. `initial` are the jobs
    that the form started from."""
    parts = ("learner", "seed", "weights_seed")
    same = [
        other.network.before
        for other in initial
        if all(getattr(job.network, name) == getattr(other.network, name) for name in parts)
    ]
    if job.network.before in (same or [()]):
        return job
    return job.model_copy(update={"network": job.network.model_copy(update={"before": same[0] if same else ()})})


def remarks(jobs: Sequence[Landscape]) -> list[str]:
    """What there are no widgets for."""
    found = []
    for letter, job in zip(LETTERS if len(jobs) > 1 else ("",), jobs, strict=False):
        if before := job.network.before:
            steps = " and ".join(f"{phase.until:,}" for phase in before)
            of = f"{letter}: its" if letter else "Its"
            found.append(f"{of} training was resumed with other settings at step {steps} and is repeated that way.")
    if len(jobs) == 1 and jobs[0].other and any(isinstance(view, Line) for view in jobs[0].views):
        found.append("The second network of the line is the one given in the job.")
    return found


def _draw_views(views: Sequence[View], key: str, _replace: Replace) -> list[dict[str, Any]]:
    """An expander for each kind of view, with a switch."""
    known = {view.kind: view for view in views}
    on = {view["kind"] for view in _read_views(views, key)}
    for kind, cls in VIEWS.items():
        icon = f":material/visibility{'' if kind in on else '_off'}:"
        with st.expander(label(cls), key=f"{key}:view:{kind}", icon=icon):
            st.toggle("Show", kind in known, key=f"{key}:show:{kind}", help=summary(cls))
            spec_widgets.fields(known.get(kind, cls()), key=f"{key}:{kind}")
    return _read_views(views, key)


def _read_views(views: Sequence[View], key: str) -> list[dict[str, Any]]:
    known, reader = {view.kind: view for view in views}, spec_widgets.WidgetReader()
    return [
        {"kind": kind, **spec_widgets.fields(known.get(kind, cls()), key=f"{key}:{kind}", on=reader)}
        for kind, cls in VIEWS.items()
        if reader.toggle("Show", kind in known, key=f"{key}:show:{kind}")
    ]


VIEW_LIST = ListEditor(_draw_views, _read_views)


def positions(entries: Sequence[EntryView], _jobs: Sequence[Landscape]) -> list[int]:
    """Steps of training for the time slider."""
    found: set[int] = set()
    for entry in entries:
        found |= set(entry.snapshot("training").get("steps", [0]))
    return sorted(int(step) for step in found)


def status(entries: Sequence[EntryView]) -> str:
    """What the networks that are looked at have come to."""
    letters = LETTERS if len(entries) > 1 else ("",)
    return " &nbsp;&nbsp; ".join(map(_network_status, entries, letters))


def _network_status(entry: EntryView, letter: str) -> str:
    training = entry.snapshot("training")
    if not training:
        return ""
    words = [f"step {training['steps'][-1]:,}"]
    for part in ("train", "test"):
        if f"{part}_loss" in training:
            accuracy = training.get(f"{part}_accuracy")
            accuracy_text = "" if accuracy is None else f", accuracy {accuracy[-1]:.1%}"
            words.append(f"{part} loss {format_number(training[f'{part}_loss'][-1], 3)}{accuracy_text}")
    if size := next((run.status.info.get("parameters") for run in entry.runs.values()), None):
        words.append(f"{size:,} parameters")
    return f":green-badge[{f'{letter} trained'.strip()}] " + " · ".join(words)
