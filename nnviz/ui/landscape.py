"""The form of a landscape: the network and its training, and what is looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from nnviz.runs import RunError
from nnviz.spec.base import SpecError, get_at, item_type, label, options, replace_many, summary
from nnviz.spec.jobs import Experiment, Job, Landscape
from nnviz.spec.landscapes import Line, Network
from nnviz.spec.preset import Preset
from nnviz.spec.wording import in_words
from nnviz.ui import forms, runtime, session
from nnviz.ui.experiment import LETTERS, Asked, compared, explain, open_job, pressed, say
from nnviz.ui.library import library

VIEWS = options(item_type(Landscape.model_fields["views"].annotation))

SHARED = {
    "Data and training": [
        "network.learner.data",
        "network.learner.loss",
        "network.steps",
        "network.seed",
    ],
    "Schedule, penalties": ["network.learner.schedule", "network.learner.l1", "network.learner.l2"],
    "Samples, device": ["samples", "device"],
}
COMPARED = [
    "network.learner.model",
    "network.learner.optimizer",
    "network.learner.batch_size",
    "network.learner.clipping",
    "network.step",
    "network.weights_seed",
]


def landscape(page: str, default: Landscape, trained: Job, *, examples: Sequence[Preset] = ()) -> Asked:
    """Draws the examples and the form; what is asked for. Networks are taken from runs of the kind of `trained`, which
    are told by how they differ from it."""
    state = session.enter(page, default)
    _adopt(state)
    pressed(state, examples)
    say(*state.problems)
    problem, jobs = "", ()
    with st.sidebar:
        library(state, "Take a network from a run", default=trained, take=take)
        try:
            jobs = _form(state)
        except SpecError as error:
            problem = str(error)  # said over the pictures, where it is seen
        open_job(state)
    if jobs:
        state.remember(jobs, runs=False)
        explain(jobs, examples)
    return Asked(state, jobs, problem)


def _adopt(state: session.PageState) -> None:
    """Runs that another page has handed over, or that a link names, mean their networks; or the landscapes that they
    are."""
    if given := session.handed(state.page):
        try:
            take(state, given)
        except RunError as error:
            state.problems.append(str(error))
    named = session.memory(f"named:{state.page}")
    if named.setdefault("read", False):
        return
    named["read"] = True
    runs, alone = state.runs, state.names_only_runs
    state.runs = []
    try:
        jobs = [runtime.store().view(run).job for run in runs[:2]]
        if not (jobs and alone):
            return
        if all(isinstance(job, Experiment) for job in jobs):
            take(state, runs)
        else:
            state.restart([state.check(job) for job in jobs])
    except (RunError, SpecError) as error:
        state.problems.append(str(error))


def take(state: session.PageState, runs: Sequence[str]) -> None:
    """The networks of one or two runs, as they are now, in place of those in the form. Raises RunError."""
    base = state.chosen[0]
    jobs = [base.model_copy(update={"network": network_of(run), "other": None}) for run in runs[:2]]
    paths = [path for group in SHARED.values() for path in group]
    differing = [path for path in paths if get_at(jobs[0], path) != get_at(jobs[-1], path)]
    words = ", ".join(in_words(jobs[0], path) for path in differing)
    state.restart(
        jobs, problems=[f"two networks are compared under the same settings; B takes A's {words}"] * bool(words)
    )


def network_of(run: str) -> Network:
    """The network of a run at its last step, and how it came about. Raises RunError where that is not known."""
    view = runtime.store().view(run)
    job, until = _trained(run, view.job), view.status.step
    if view.status.state == "diverged" and (saved := runtime.store().open(run).checkpoint()):
        until = saved[0]  # the last step at which its weights were finite
    last, before, seen = job, [], {run}
    while job.parent:
        parent, step = job.parent.run, job.parent.step
        if parent in seen:
            raise RunError(f"run {run} goes on from itself: it is damaged")
        seen.add(parent)
        try:
            job = _trained(parent, runtime.store().view(parent).job)
        except RunError:
            raise RunError(
                f"run {run} went on from run {parent}, which is not in the store any more: its training cannot be "
                "repeated; take another run"
            ) from None
        before.insert(0, {"learner": job.learner, "steps": job.steps, "seed": job.seed, "until": step})
    step = until if until < last.steps else None
    try:
        return Network.parse(
            {"learner": last.learner, "steps": last.steps, "step": step, "seed": last.seed, "before": before}
        )
    except SpecError as error:
        raise RunError(f"the training of run {run} cannot be repeated: {error}") from None


def _trained(run: str, job: Job) -> Experiment:
    if not isinstance(job, Experiment):
        raise RunError(f"a network is taken from a run of kind {Experiment().kind}, got {job.kind} in run {run}")
    return job


def _form(state: session.PageState) -> tuple[Landscape, ...]:
    key, bases = state.key, state.jobs
    first = bases[0]
    two = compared(state, "Draws A and B side by side, on the same data, with one scale of heights.")
    origin = st.container()
    chosen = forms.choose(first, SHARED, key=key, opened=["Data and training"])
    views = _views(first, key)
    bases = (first, bases[-1]) if two else (first,)
    # All widgets come before anything can be wrong: those that are not drawn would forget what they hold.
    drawn = [
        forms.choose(base, {letter: COMPARED}, key=f"{key}:{letter}", opened=[letter])
        for letter, base in zip(LETTERS if two else ("Network",), bases, strict=False)
    ]
    if not views:
        raise SpecError("nothing is looked at: switch on one of the views, such as “Random plane”")
    jobs = []
    for own, base in zip(drawn, bases, strict=True):
        job = replace_many(base, {**chosen, **own, "views": views})
        jobs.append(job if _is_same_training(job, base) else replace_many(job, {"network.before": []}))
    with origin:
        _origin(jobs)
    return tuple(jobs)


def _is_same_training(job: Landscape, base: Landscape) -> bool:
    """Whether the form has left the training as it was: else what came before belongs to another experiment."""
    return all(
        getattr(job.network, name) == getattr(base.network, name) for name in ("learner", "seed", "weights_seed")
    )


def _origin(jobs: Sequence[Landscape]) -> None:
    """Settings that the form has no widgets for."""
    for letter, job in zip(LETTERS if len(jobs) > 1 else ("",), jobs, strict=True):
        if before := job.network.before:
            steps = " and ".join(f"{stretch.until:,}" for stretch in before)
            of = f"{letter}: its" if letter else "Its"
            st.caption(f"{of} training went on under other settings at step {steps}, and is repeated so.")
    if len(jobs) == 1 and jobs[0].other and any(isinstance(view, Line) for view in jobs[0].views):
        st.caption("The line leads to another network, which came with the job.")


def _views(base: Landscape, key: str) -> list[Mapping[str, Any]]:
    """An expander for each kind of view, with a switch."""
    known = {view.kind: view for view in base.views}
    drawn = []
    for kind, cls in VIEWS.items():
        switch = f"{key}:show:{kind}"
        is_on = kind in known if session.value(switch) is None else session.value(switch)
        icon = f":material/visibility{'' if is_on else '_off'}:"
        with st.expander(label(cls), key=f"{key}:view:{kind}", icon=icon):
            shows = st.toggle("Show", kind in known, key=switch, help=summary(cls))
            values = forms.fields(known.get(kind, cls()), key=f"{key}:{kind}")
        if shows:
            drawn.append({"kind": kind, **values})
    return drawn
