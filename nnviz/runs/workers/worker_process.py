"""A worker process as the one that started it sees it."""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PACKAGE = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "nnviz.runs.workers.worker")


class Process:
    """A worker process and what it has said of its runs: `runs` holds the state of each that it has not ended, `needs`
    the bytes that each may take.

    `on_message(process, message)` is called from a thread of this object, and `on_exit(process)` once when it has
    ended.
    """

    def __init__(
        self,
        on_message: Callable[["Process", dict[str, Any]], None],
        on_exit: Callable[["Process"], None],
        command: Sequence[str] = COMMAND,
        *,
        trains: bool = True,
    ) -> None:
        path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            bufsize=1,
            env={**os.environ, "PYTHONPATH": path},  # the app may be started from elsewhere
        )
        self.pid = self._process.pid
        self.trains = trains
        self.ready = threading.Event()
        self.runs: dict[str, str] = {}
        self.needs: dict[str, int] = {}
        self._initial_memory = 0
        self.import_error = ""
        self._stderr_tail: deque[str] = deque(maxlen=50)
        self._on_message, self._on_exit = on_message, on_exit
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self._errors.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def active(self) -> int:
        """How many of its runs are not paused."""
        return sum(state != "paused" for state in self.runs.values())

    @property
    def reserved(self) -> int:
        """Bytes that its runs may take."""
        return sum(self.needs[run_id] for run_id in self.runs)

    @property
    def used_bytes(self) -> int:
        """Bytes that its runs have taken of those, at most."""
        return min(self.reserved, max(0, self._memory() - self._initial_memory))

    def _memory(self) -> int:
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    @property
    def stderr_tail(self) -> str:
        """The end of what it wrote to stderr."""
        return "".join(self._stderr_tail)

    @property
    def code(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        return self._process.poll()

    def send(self, needs: Mapping[Path, int], grace: float | None, *, is_preview: bool) -> None:
        """Hand it a group of runs, with the bytes that each needs. A dying process says so by `on_exit`, not here."""
        self.runs.update({path.stem: "queued" for path in needs})
        self.needs = {run_id: self.needs[run_id] for run_id in self.runs if run_id in self.needs}
        self.needs.update({path.stem: need for path, need in needs.items()})
        group = {"runs": [str(path) for path in needs], "grace": grace, "is_preview": is_preview}
        with suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(group) + "\n")
            self._process.stdin.flush()

    def close_stdin(self) -> None:
        """Close its stdin: it stops its runs and ends."""
        with suppress(OSError, ValueError):
            self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._reader.join(1.0)
        self._errors.join(1.0)
        return True

    def kill(self) -> None:
        """End it at once; what it has committed stays."""
        self._process.kill()

    def _read(self) -> None:
        with self._process.stdout as lines:
            for line in lines:
                try:
                    message = json.loads(line)
                except ValueError:
                    continue
                if "ready" in message:
                    self._initial_memory = self._memory()
                    self.ready.set()
                elif "broken" in message:
                    self.import_error = str(message["broken"])
                self._on_message(self, message)
        self._process.wait()
        self._errors.join(1.0)
        self.close_stdin()
        self._on_exit(self)

    def _read_errors(self) -> None:
        with self._process.stderr as lines:
            self._stderr_tail.extend(lines)
