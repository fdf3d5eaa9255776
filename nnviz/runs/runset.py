"""RunSet: the runs that a page shows side by side, or that are trained together, found again or started."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnviz.runs.errors import RunError
from nnviz.runs.reading.run_view import RunView
from nnviz.runs.storage.run_file import RunFile
from nnviz.runs.storage.status import LIVE, State
from nnviz.runs.storage.store import Store
from nnviz.runs.workers.pool import Pool
from nnviz.spec.base import fingerprint
from nnviz.spec.jobs import Job, dump, load

STOPPED = (State.STOPPED, State.LOST)


@dataclass
class RunSetState:
    """The state of a run set between two uses; plain values."""

    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    """Ids of runs by entry and part."""
    jobs: dict[str, str] = field(default_factory=dict)
    """What each entry is asked for, as JSON; runs that are shown for their own sake have none."""
    previous: dict[str, dict[str, str]] = field(default_factory=dict)
    """What was shown last and complete, for what its successors do not have yet."""
    extras: dict[str, dict[str, str]] = field(default_factory=dict)
    """Runs by entry and part that were asked for besides the entry's job."""
    started: list[str] = field(default_factory=list)
    """Runs that the set has started and is responsible for."""
    computed: dict[str, str] = field(default_factory=dict)
    """Runs of jobs that are made again when they are needed, by fingerprint, finished or not."""


@dataclass(frozen=True)
class EntryView:
    """One of the jobs of a set as all of its runs show it; read like a RunView.

    `runs` are RunViews by part, `previous` those that were shown last, for what the new ones do not have yet.
    """

    id: str
    job: Job
    runs: Mapping[str, RunView]
    previous: Mapping[str, RunView] = field(default_factory=dict)
    step: int | None = None

    def at(self, step: int | None) -> "EntryView":
        """The same seen from another step."""
        return replace(self, step=step)

    @property
    def key(self) -> str:
        """The ids of the job's own runs in one text; those of jobs that are trained besides come and go."""
        return self.runs[""].id if "" in self.runs else "+".join(run.id for run in self.runs.values())

    def run(self, part: str = "") -> RunView | None:
        """The run that shows this part: what there was before, as long as the new one is computed and has nothing to
        show. None where there is nothing of the kind and none is to come."""
        new, old = self.runs.get(part), self.previous.get(part)
        if new is None or not new.job.shows or new.snapshot(new.job.shows):
            return new
        if not new.status.live:
            return None
        return old if old is not None and old.snapshot(old.job.shows) else new

    def snapshot(self, quantity: str) -> dict[str, np.ndarray]:
        """The newest snapshot of `quantity`, of whichever part has it; {} when there is none."""
        for run in (*map(self.run, self.runs), *self.runs.values()):
            if run is not None and (found := run.snapshot(quantity)):
                return found
        return {}

    @property
    def outdated_parts(self) -> set[str]:
        """Parts that are shown as they were before."""
        return {part for part, new in self.runs.items() if (shown := self.run(part)) and shown is not new}


class RunSet:
    """The runs of some jobs side by side, each of which may have several parts.

    A job whose runs are kept for the library trains in lock-step with the others that have not trained yet; the rest is
    computed by itself at once. `state` is where it remembers what it shows.
    """

    def __init__(self, store: Store, pool: Callable[[], Pool], state: RunSetState) -> None:
        self._store, self._pool, self.state = store, pool, state
        self.problems: list[str] = []
        """What went wrong since the set was taken up, one line each."""

    @property
    def ids(self) -> list[str]:
        """The runs shown, in order, each once."""
        return list(dict.fromkeys(run for own in self.state.entries.values() for run in own.values()))

    def ensure(self, jobs: Mapping[str, Job], *, until: int | None = None, patience: float = 0.0) -> None:
        """Makes the set one of these jobs, by entry: runs that are shown already or have finished are taken, what is
        missing is started, and what is no longer wanted is given up.

        Trainings that are started pause after the step `until`. Waits at most `patience` seconds for what was started.
        """
        order = list(jobs.values())
        wanted = {id: job.parts(order, place) for place, (id, job) in enumerate(jobs.items())}
        started_now: list[str] = []
        entries: dict[str, dict[str, str]] = {id: {} for id in jobs}
        missing: list[tuple[str, str, Job]] = []
        for id, parts in wanted.items():
            for part, job in parts.items():
                mark = fingerprint(job)
                if job.retention == "history":
                    run = self._find_training(id, mark, entries)
                    if run is None:
                        missing.append((id, part, job))
                        continue
                else:
                    run = self._find_or_compute(job, mark, started_now)
                if run is not None:
                    entries[id][part] = run
        if missing:
            for (id, part, _), run in zip(missing, self._submit([job for *_, job in missing], until), strict=False):
                entries[id][part] = run
        for id, job in jobs.items():
            for part, run in self.state.extras.get(id, {}).items():
                if (view := self._view_or_none(run)) and view.job.belongs_to(job):
                    entries[id][part] = run
        self.state.entries = entries
        self.state.jobs = {id: dump(job) for id, job in jobs.items()}
        self.retire()
        self._wait(started_now, patience)

    def show(self, runs: Mapping[str, str]) -> None:
        """Shows these runs, by entry, whatever their jobs."""
        self.state.entries = {id: {"": run} for id, run in runs.items()}
        self.state.jobs = {}
        self.retire()

    def start(self, jobs: Mapping[str, Job], until: int | None = None) -> None:
        """Trains these jobs anew, in lock-step, and shows them."""
        started = self._pool().submit(list(jobs.values()), until=until)
        self.state.started += started
        self.show(dict(zip(jobs, started, strict=True)))

    def branch(self, jobs: Mapping[str, Job]) -> None:
        """Goes on from where the runs shown are, each as the job of its entry, and shows those."""
        runs = [self.state.entries[id][""] for id in jobs]
        self.show(dict(zip(jobs, self._pool().branch(runs, list(jobs.values())), strict=True)))

    def resume(self, runs: Sequence[str], *, alone: bool = False) -> None:
        """Goes on with runs that are over, in lock-step unless each is to go on `alone`."""
        for group in [[run] for run in runs] if alone else [runs]:
            self._pool().resume(*group)

    def cancel(self, run: str) -> None:
        """Stops a run."""
        self._store.open(run).cancel()

    def clear(self) -> None:
        """Shows nothing any more: what is made next is found among finished runs or started."""
        self.state.entries = {}

    def add(self, entry: str, part: str, job: Job) -> None:
        """Starts one more part of an entry. It is shown whenever it belongs to the entry's job. Raises RunError."""
        run = self._pool().submit([job])[0]
        self.state.started.append(run)
        self.state.extras.setdefault(entry, {})[part] = run
        self.state.entries.setdefault(entry, {})[part] = run

    def accompany(self, wanted: Mapping[str, Mapping[str, Job]]) -> None:
        """Trains these jobs besides the entries' own, by entry and part: found among finished runs or started. What was
        asked for besides before, and is no longer, is given up."""
        started: list[str] = []
        extras: dict[str, dict[str, str]] = {}
        for id, parts in wanted.items():
            for part, job in parts.items():
                if (run := self._find_or_compute(job, fingerprint(job), started)) is not None:
                    extras.setdefault(id, {})[part] = run
        before, self.state.extras = self.state.extras, extras
        for id, own in self.state.entries.items():
            for part in before.get(id, {}):
                own.pop(part, None)
            own.update(extras.get(id, {}))
        self._resume_with_own(extras)
        if before != extras:
            self.retire()

    def _resume_with_own(self, extras: Mapping[str, Mapping[str, str]]) -> None:
        """Goes on with stopped runs of `extras` whose entry's own run goes on."""
        for id, runs in extras.items():
            own = self._view_or_none(self.state.entries.get(id, {}).get("", ""))
            if own is None or own.status.state != State.RUNNING:
                continue
            for run in runs.values():
                if (view := self._view_or_none(run)) and view.status.state in STOPPED:
                    self.resume([run])

    def views(self) -> list[EntryView]:
        """The entries as they are now. One whose only run could not be started, or cannot be read, is left out, and of
        the latter that is said; of several parts those are left out alone."""
        found = []
        for id, runs in list(self.state.entries.items()):
            now = self._read(runs)
            old = {
                part: view for part, run in self.state.previous.get(id, {}).items() if (view := self._view_or_none(run))
            }
            if "" in now:
                found.append(EntryView(id, now[""].job, now, old))
            elif id in self.state.jobs and "" not in (job := load(self.state.jobs[id])).parts():
                found.append(EntryView(id, job, now, old))
            else:
                del self.state.entries[id]
        return found

    def control(self, method: str, *arguments: object) -> None:
        """Calls a method of every run that is live: "play", "pause", "step", "cancel", "pin"."""
        for file in self._live():
            getattr(file, method)(*arguments)

    def step_epoch(self) -> None:
        """Every run that is live goes to the step at which the first of them ends its epoch."""
        files = self._live()
        until = min((file.epoch_end for file in files), default=0)
        for file in files:
            file.set_until(until)

    def _live(self) -> list[RunFile]:
        return [file for run in self.ids if (file := self._store.open(run)).status().live]

    @property
    def is_missing(self) -> bool:
        """Whether a run that is to be shown cannot be read: it was deleted, or is damaged."""
        return any(self._view_or_none(run) is None for own in self.state.entries.values() for run in own.values())

    def keep_as_previous(self) -> None:
        """What is shown is complete: it stays in sight until what comes after it has something to show."""
        self.state.previous = {id: dict(runs) for id, runs in self.state.entries.items()}
        self.retire()

    def retire(self) -> None:
        """Gives up the runs that the set has started and nobody waits for any more.

        Trainings that have taken a step stay in the library; those that were only waiting are deleted once they have
        stopped, as is everything unfinished, and what is kept for a moment, unless it is still in sight.
        """
        wanted = {*self.ids, *(run for own in self.state.extras.values() for run in own.values())}
        still_shown = {run for own in self.state.previous.values() for run in own.values()}
        left = []
        for run in self.state.started:
            try:
                if run in wanted or self._is_pending_removal(run, run in still_shown):
                    left.append(run)
            except RunError:
                if self._store.path(run).exists():
                    left.append(run)  # out of reach for now
        self.state.started = left

    def _is_pending_removal(self, run: str, is_still_shown: bool) -> bool:
        """Whether a run that is not wanted must be looked at again."""
        file = self._store.open(run)
        status, retention = file.status(), file.job.retention
        if retention == "history" and (status.step or status.state not in (*STOPPED, *LIVE)):
            return False
        if retention == "cache" and status.state == State.FINISHED:
            return False
        # It is not resumed: a page that comes back to its job starts a new run.
        self.state.computed = {mark: other for mark, other in self.state.computed.items() if other != run}
        if status.live and not status.cancelled:
            file.cancel()
        if status.live or is_still_shown:
            return True
        self._store.delete(run)
        return False

    def _find_training(self, id: str, mark: str, taken: Mapping[str, Mapping[str, str]]) -> str | None:
        """A training of a job: the one that is shown under this entry, another one shown, or the newest finished."""
        used = {run for own in taken.values() for run in own.values()}
        own = [self.state.entries.get(id, {}).get(""), *self.ids]
        for run in [run for run in own if run and run not in used]:
            view = self._view_or_none(run)
            if view is not None and _fingerprint_without_parent(view) == mark and not _is_stopped_untrained(view):
                return run
        found = self._store.find(mark)
        return found if found and self._view_or_none(found) else None

    def _find_or_compute(self, job: Job, mark: str, started_now: list[str]) -> str | None:
        """A run of a job that is made again when it is needed: known, found, or started."""
        run = self.state.computed.get(mark)
        if run is None or self._view_or_none(run) is None:
            run = self._store.find(mark)
            run = run if run and self._view_or_none(run) else None
        if run is None:
            started = self._submit([job], None)
            started_now += started
            run = started[0] if started else None
        if run is not None:
            self.state.computed[mark] = run
        return run

    def _submit(self, jobs: Sequence[Job], until: int | None) -> list[str]:
        try:
            runs = self._pool().submit(jobs, until=until)
        except RunError as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))
            return []
        self.state.started += runs
        return runs

    def _read(self, runs: Mapping[str, str]) -> dict[str, RunView]:
        found = {}
        for part, run in runs.items():
            try:
                found[part] = self._view(run)
            except RunError as error:
                if not part and str(error) not in self.problems:
                    self.problems.append(str(error))
        return found

    def _view_or_none(self, run: str) -> RunView | None:
        try:
            return self._view(run)
        except RunError:
            return None

    def _view(self, run: str) -> RunView:
        view = self._store.view(run)
        if view.job.shows:
            view.snapshot(view.job.shows)  # a damaged one is found out here
        return view

    def _wait(self, runs: Sequence[str], patience: float) -> None:
        """A moment, so that what is quick is there when it is looked at."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any((v := self._view_or_none(run)) and v.status.live for run in runs):
            time.sleep(0.004)


def _fingerprint_without_parent(view: RunView) -> str:
    """The fingerprint of a run's job, whatever it went on from."""
    job = view.job
    return fingerprint(job.model_copy(update={"parent": None}) if job.parent else job)


def _is_stopped_untrained(view: RunView) -> bool:
    """Whether a run was stopped before its first step."""
    return view.status.step == 0 and view.status.state in STOPPED
