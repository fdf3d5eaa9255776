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

    def __init__(self, members: Sequence[Member], grace: float | None) -> None:
        self.members = list(members)
        self.grace = grace

    @property
    def under_way(self) -> list[Member]:
        """Members that are not over."""
        return [m for m in self.members if not m.over]

    def poll(self) -> None:
        """Read what is wanted; stop those who are cancelled, and all if nobody has watched for the time of grace."""
        for member in self.under_way:
            member.poll()
            if member.cancelled:
                member.end("stopped")
        watched = self.under_way
        if self.grace is None or not watched or any(m.pinned for m in watched):
            return
        if time.monotonic() - max(m.seen_at for m in watched) > self.grace:
            for member in watched:
                member.end("stopped", f"stopped: nobody watched for {self.grace:g} s")

    def turn(self, seconds: float) -> bool:
        """Train for about `seconds`. False if there is nothing to do: all are paused or over."""
        members = self.under_way
        until = min((m.until for m in members if m.until is not None), default=None)
        running = [m for m in members if m.allow(until)]
        busy = bool(running)
        deadline = time.monotonic() + seconds
        while running:
            last = min(m.step for m in running)  # one that was resumed from further back closes up first
            for member in running:
                if member.step == last:
                    member.advance()
            if time.monotonic() > deadline:
                break
            running = [m for m in running if not m.over and (until is None or m.step < until)]
        now = time.monotonic()
        if any(m.is_due(now) for m in members):  # all at once: side by side they show the same step
            for member in members:
                member.commit(now)
        for member in members:
            member.allow(until)  # one that has come to the step it was to run to looks at it now
        return busy


class Scheduler:
    """Drives groups until `close`. `add` and `close` may be called from any thread, the rest from one."""

    def __init__(
        self,
        engine: Engine,
        diverged: type[BaseException],
        *,
        tell: Callable[[str, str], None] = lambda *_: None,
        owner: str = "",
    ) -> None:
        """`engine` is `nnviz.engine.run`, `diverged` what it raises; `tell` hears of every change of a run's state."""
        self._engine, self._diverged, self._tell, self._owner = engine, diverged, tell, owner
        self._wake = threading.Condition()
        self._waiting: list[tuple[list[Path], float | None]] = []
        self._groups: list[Group] = []
        self._told: dict[str, str] = {}
        self._closing: str | None = None

    def add(self, paths: Sequence[Path], grace: float | None = GRACE) -> None:
        """Take on the runs at `paths` as one group. `grace` None: they go on though nobody watches."""
        with self._wake:
            self._waiting.append((list(paths), grace))
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
            self._take_on()
            busy = False
            for group in self._groups:
                group.poll()
                busy |= group.turn(SLICE)
            self._report()
            if not busy:
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

    def _take_on(self) -> None:
        with self._wake:
            waiting, self._waiting = self._waiting, []
        for paths, grace in waiting:
            members = []
            for path in paths:
                try:
                    members.append(Member(path, self._engine, self._diverged, self._owner))
                except (RunError, OSError) as error:
                    with suppress(RunError, OSError):
                        RunFile(path).give_up("failed", f"failed: {error}")
                    self._tell(path.stem, "failed")
            group = Group(members, grace)
            self._groups.append(group)  # before the start, which may take long: heartbeats begin
            for member in members:
                member.start()

    def _report(self) -> None:
        """Tell of changes, and forget the runs that are over."""
        for group in self._groups:
            for member in group.members:
                self._report_on(member)
            group.members = [m for m in group.members if not m.over]
        self._groups = [g for g in self._groups if g.members]

    def _report_on(self, member: Member) -> None:
        if self._told.get(member.id) == member.state:
            return
        self._told[member.id] = member.state
        if member.over:
            del self._told[member.id]
        self._tell(member.id, member.state)
