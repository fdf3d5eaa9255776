"""Status and control of a run."""

import json
import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum

from nnviz.records import Divergence, EarlyStop


class State(StrEnum):
    """Where a run is. What else there is to know of an end is in the status: its step, `divergence`, `early_stop`,
    `error`."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED_EARLY = "stopped early"
    """Its test loss no longer improved: what early stopping is to do."""
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"
    LOST = "lost"
    """A live run whose worker has given no sign for LOST_AFTER seconds."""


LIVE = (State.QUEUED, State.RUNNING, State.PAUSED)
DONE = (State.FINISHED, State.STOPPED_EARLY)
"""Ends that the job asked for: there is nothing left to resume."""
ENDED = tuple(state for state in State if state not in LIVE)
READY = "ready"
"""What a run is called that waits for its first step: it has not been paused."""
LOST_AFTER = 10.0  # seconds without a heartbeat


def state_word(state: str, step: int) -> str:
    """What the state of a run after so many steps is called."""
    return READY if state == State.PAUSED and not step else str(state)


@dataclass(frozen=True, slots=True)
class Status:
    """How a run stands.

    Times are seconds since 1970. `error` is one line for people or empty, `divergence` how a diverged run ended,
    `early_stop` how one ended whose test loss no longer improved, `reason` what a queued run waits for, such as a
    download (empty: its worker begins with it in a moment), `sharing` how many other groups of runs have turns in a
    running one's worker, `until` the step that it runs to (None: the end).
    """

    state: State
    step: int
    steps: int
    heartbeat: float
    error: str
    divergence: Divergence | None
    early_stop: EarlyStop | None
    info: dict
    started: float | None
    ended: float | None
    steps_per_second: float
    pinned: bool
    reason: str
    sharing: int
    until: int | None
    cancelled: bool
    viewed: float
    title: str

    @property
    def live(self) -> bool:
        """True while a worker holds the run or it waits for one."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Control:
    """Control of a run: to run until a step (None: the end), to stop, to be kept; when it was last looked at."""

    until: int | None
    cancel: bool
    pinned: bool
    viewed: float


_STATUS = """
SELECT state, step, steps, heartbeat, error, divergence, early_stop, info, started, ended, steps_per_second, pinned,
    reason, sharing, until, cancel, viewed, title
FROM status, control, job
"""


def read_status(connection: sqlite3.Connection) -> Status:
    """The status as it reads now; a live state with a stale heartbeat reads as lost."""
    row = connection.execute(_STATUS).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("malformed: the status is missing")
    state, step, steps, heartbeat, error, how, early, info, started, ended, speed, pinned, *more = row
    reason, sharing, until, cancel, viewed, title = more
    if state in LIVE and time.time() - heartbeat > LOST_AFTER:
        state, error = "lost", error or f"no heartbeat from the worker for more than {LOST_AFTER:.0f} s"
    try:
        state, plain = State(state), json.loads(info)
        divergence = None if how is None else Divergence.parse(json.loads(how))
        early_stop = None if early is None else EarlyStop(**json.loads(early))
    except (ValueError, KeyError, TypeError) as wrong:
        raise sqlite3.DatabaseError(
            f"malformed: state, info, divergence or early stop of the run cannot be read ({wrong})"
        ) from wrong
    return Status(
        state=state,
        step=step,
        steps=steps,
        heartbeat=heartbeat,
        error=error,
        divergence=divergence,
        early_stop=early_stop,
        info=plain,
        started=started,
        ended=ended,
        steps_per_second=speed if state == "running" else 0.0,
        pinned=bool(pinned),
        reason=reason if state == "queued" else "",
        sharing=sharing if state == "running" else 0,
        until=until,
        cancelled=bool(cancel),
        viewed=viewed,
        title=title,
    )


def read_control(connection: sqlite3.Connection) -> Control:
    """The control values."""
    row = connection.execute("SELECT until, cancel, pinned, viewed FROM control").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("malformed: the control is missing")
    return Control(row[0], bool(row[1]), bool(row[2]), row[3])
