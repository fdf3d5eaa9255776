"""Waiting: a group of runs that no worker has taken on yet."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from nnviz.runs.errors import RunError
from nnviz.runs.storage.run_file import RunFile


class WaitingGroup:
    """Runs that wait together. `files` are those that still do: the cancelled and the unwatched leave."""

    def __init__(self, files: Sequence[RunFile], grace: float | None, *, until: int | None = None) -> None:
        """`until` is the step that they run to."""
        self.files = list(files)
        self.needs = {file.path: file.job.estimate().training_bytes for file in files}
        """Bytes of memory of each."""
        self.reason = ""
        """What they wait for, in a line."""
        is_kept = any(file.job.retention == "history" for file in files)
        self.is_preview = is_kept and until == 0
        """Whether they only show their initial state until somebody lets them go on."""
        self.trains = is_kept and not self.is_preview
        self._grace = grace
        self._viewed = -1.0
        self._viewed_at = time.monotonic()

    def refresh(self) -> None:
        """Keep the heartbeats fresh and record what they wait for; drop those that were cancelled."""
        controls = {}
        for file in list(self.files):
            try:
                controls[file.id] = file.wait(self.reason)
            except RunError:
                self.files.remove(file)  # removed or damaged: nothing can be said in it
        viewed = max((control.viewed for control in controls.values()), default=0.0)
        if viewed != self._viewed:
            self._viewed, self._viewed_at = viewed, time.monotonic()
        unwatched = (
            self._grace is not None
            and time.monotonic() - self._viewed_at > self._grace
            and not any(control.pinned for control in controls.values())
        )
        for file in list(self.files):
            if controls[file.id].cancel or unwatched:
                quietly(file.give_up, "stopped", f"stopped: no viewer for {self._grace:g} s" if unwatched else "")
                self.files.remove(file)

    def give_up(self, state: str, message: str, log: str | None = None) -> None:
        """End all of them."""
        for file in self.files:
            quietly(file.give_up, state, message, log)


def quietly(action: Callable[..., Any], *args: Any) -> None:
    """Do `action` though the run file may be gone, damaged or out of reach, which somebody else is told."""
    with suppress(RunError, OSError):
        action(*args)
