"""Waiting: a group of runs that no worker has taken on yet."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from nnviz.runs.errors import RunError
from nnviz.runs.storage.run_file import RunFile


class Waiting:
    """Runs that wait together. `files` are those that still do: the cancelled and the unwatched leave."""

    def __init__(self, files: Sequence[RunFile], grace: float | None) -> None:
        self.files = list(files)
        self.is_quick = all(file.job.retention != "history" for file in files)
        self._grace = grace
        self._seen = -1.0
        self._seen_at = time.monotonic()

    def look(self, position: int) -> None:
        """Keep the heartbeats fresh and say how many groups wait before this one; see who is not wanted any more."""
        controls = {}
        for file in list(self.files):
            try:
                controls[file.id] = file.wait(position)
            except RunError:
                self.files.remove(file)  # removed or damaged: nothing can be said in it
        seen = max((control.seen for control in controls.values()), default=0.0)
        if seen != self._seen:
            self._seen, self._seen_at = seen, time.monotonic()
        unwatched = (
            self._grace is not None
            and time.monotonic() - self._seen_at > self._grace
            and not any(control.pinned for control in controls.values())
        )
        for file in list(self.files):
            if controls[file.id].cancel or unwatched:
                quietly(file.give_up, "stopped", f"stopped: nobody watched for {self._grace:g} s" if unwatched else "")
                self.files.remove(file)

    def give_up(self, state: str, message: str, log: str | None = None) -> None:
        """End all of them."""
        for file in self.files:
            quietly(file.give_up, state, message, log)


def quietly(action: Callable[..., Any], *args: Any) -> None:
    """Do `action` though the run file may be gone, damaged or out of reach, which somebody else is told."""
    with suppress(RunError, OSError):
        action(*args)
