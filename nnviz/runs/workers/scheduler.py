"""Scheduler: several groups of runs in one process, turn by turn; the members of a group in lock-step."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nnviz.runs.errors import RunError
from nnviz.runs.storage.run_file import RunFile
from nnviz.runs.workers.member import Engine, Member

SLICE = 0.02  # seconds of one group's turn; also how often what is wanted is looked up
GRACE = 60.0  # seconds that a run goes on though nobody watches
CLOSED = "stopped: the app was closed"


class Group:
    """Runs that train in lock-step: one step each in turn.

    They run until the earliest of the steps that is wanted of any, so that pausing or stepping all of them, one file
    after another, leaves all at the same step.
    """

    def __init__(self, members: Sequence[Member], grace: float | None, is_preview: bool = False) -> None:
        self.members = list(members)
        self.grace = grace
        self.is_preview = is_preview
        """Whether another worker takes the runs on when they are to make a step."""
        self.seconds = 0.0
        """Time that it is charged with; the group that has had the least is next."""
        self.was_ready = False

    @property
    def active(self) -> list[Member]:
        """Members that are not over."""
        return [m for m in self.members if not m.is_over]

    @property
    def until(self) -> int | None:
        """The step to run to; None: to the end."""
        return min((m.until for m in self.active if m.until is not None), default=None)

    @property
    def can_step(self) -> bool:
        """Whether a member may make its next step."""
        until = self.until
        return any(until is None or until > m.step for m in self.active)

    @property
    def is_ready(self) -> bool:
        """Whether there is anything to do."""
        return self.can_step or any(m.state == "queued" for m in self.active)

    def poll(self) -> None:
        """Read what is wanted; pause those who are to wait, stop those who are cancelled, and all if nobody has watched
        for the time of grace."""
        for member in self.active:
            member.poll()
            if member.cancelled:
                member.end("stopped")
        watched = self.active
        if not watched or (self.is_preview and self.can_step):
            return
        for member in watched:
            member.allow(self.until)
        if self.grace is None or any(m.pinned for m in watched):
            return
        if time.monotonic() - max(m.viewed_at for m in watched) > self.grace:
            for member in watched:
                member.end("stopped", f"stopped: no viewer for {self.grace:g} s")

    def turn(self, seconds: float, sharing: int = 0) -> None:
        """Build members and train for about `seconds`: one step at least, once all are built. `sharing` other groups
        have turns too."""
        deadline = time.monotonic() + seconds
        for member in self.active:
            member.sharing = sharing
            if member.state == "queued":
                if time.monotonic() > deadline:
                    return
                member.start()
        until = self.until
        running = [m for m in self.active if m.allow(until)]
        while running:
            last = min(m.step for m in running)  # one that was resumed from further back closes up first
            for member in running:
                if member.step == last:
                    member.advance()
            if time.monotonic() > deadline:
                break
            running = [m for m in running if not m.is_over and (until is None or m.step < until)]
        now = time.monotonic()
        members = self.active
        if any(m.is_due(now) for m in members):  # all at once: side by side they show the same step
            for member in members:
                member.commit(now)
        for member in members:
            member.allow(until)  # one that has come to the step it was to run to looks at it now


class Scheduler:
    """Drives groups until `close`. `add` and `close` may be called from any thread, the rest from one.

    Groups are charged by time, building included: the one that has had the least is next, so that one whose step takes
    long waits until the others have had as much. One that comes, or goes on after a pause, has had no less than they.
    """

    def __init__(
        self,
        engine: Engine,
        diverged: type[BaseException],
        *,
        on_state: Callable[[str, str], None] = lambda *_: None,
        on_release: Callable[[list[str]], None] = lambda *_: None,
        owner: str = "",
    ) -> None:
        """`engine` is `nnviz.engine.run`, `diverged` what it raises; `on_state` hears of every change of a run's state,
        `on_release` of previews that are to go on and have been let go of."""
        self._engine, self._diverged, self._on_state, self._owner = engine, diverged, on_state, owner
        self._on_release = on_release
        self._wake = threading.Condition()
        self._waiting: list[tuple[list[Path], float | None, bool]] = []
        self._groups: list[Group] = []
        self._least_seconds = 0.0  # seconds of the group that had the least when there was one to choose last
        self._reported: dict[str, str] = {}
        self._closing: str | None = None

    def add(self, paths: Sequence[Path], grace: float | None = GRACE, *, is_preview: bool = False) -> None:
        """Take on the runs at `paths` as one group. `grace` None: they go on though nobody watches. Those of a preview
        are let go of, to be taken on by another worker, when they are to make their first step."""
        with self._wake:
            self._waiting.append((list(paths), grace, is_preview))
            self._wake.notify()

    def close(self, message: str) -> None:
        """Stop all runs with this message, and `loop` with them."""
        with self._wake:
            self._closing = message
            self._wake.notify()

    @property
    def closing(self) -> bool:
        """True once `close` has been called."""
        return self._closing is not None

    def loop(self) -> None:
        """Work until `close`."""
        while self._closing is None:
            self._add_waiting()
            for group in self._groups:
                group.poll()
            self._hand_over()
            ready = self._ready()
            if ready:
                group = min(reversed(ready), key=lambda g: g.seconds)  # of several the newest
                started = time.monotonic()
                group.turn(SLICE, len(ready) - 1)
                group.seconds += time.monotonic() - started
            self._report()
            if not ready:
                with self._wake:
                    if not self._waiting and self._closing is None:
                        self._wake.wait(SLICE if self._groups else None)
        for group in self._groups:
            for member in group.members:
                member.end("stopped", self._closing)
        self._report()

    def heartbeat(self) -> None:
        """Keep the runs' heartbeats fresh through long steps; called from another thread about twice a second."""
        for group in list(self._groups):
            for member in list(group.members):
                member.heartbeat()

    def _add_waiting(self) -> None:
        with self._wake:
            waiting, self._waiting = self._waiting, []
        for paths, grace, is_preview in waiting:
            members = []
            for path in paths:
                try:
                    members.append(Member(path, self._engine, self._diverged, self._owner))
                except (RunError, OSError) as error:
                    with suppress(RunError, OSError):
                        RunFile(path).give_up("failed", f"failed: {error}")
                    self._on_state(path.stem, "failed")
            self._groups.append(Group(members, grace, is_preview))
        self._report()

    def _ready(self) -> list[Group]:
        """The groups that have something to do."""
        ready = []
        for group in self._groups:
            is_ready = group.is_ready
            if is_ready:
                ready.append(group)
                if not group.was_ready:
                    group.seconds = max(group.seconds, self._least_seconds)
            group.was_ready = is_ready
        self._least_seconds = min((group.seconds for group in ready), default=self._least_seconds)
        return ready

    def _hand_over(self) -> None:
        """Let go of previews that are to go on."""
        for group in [group for group in self._groups if group.is_preview and group.can_step]:
            members = group.active
            for member in members:
                member.hand_over()
            handed = [member.id for member in members if member.state == "handed over"]
            group.members = [member for member in group.members if member.id not in handed]
            for run_id in handed:
                self._reported.pop(run_id, None)
            if handed:
                self._on_release(handed)

    def _report(self) -> None:
        """Tell of changes, and forget the runs that are over."""
        for group in self._groups:
            for member in group.members:
                self._report_on(member)
            group.members = [m for m in group.members if not m.is_over]
        self._groups = [g for g in self._groups if g.members]

    def _report_on(self, member: Member) -> None:
        if self._reported.get(member.id) == member.state:
            return
        self._reported[member.id] = member.state
        if member.is_over:
            del self._reported[member.id]
        self._on_state(member.id, member.state)
