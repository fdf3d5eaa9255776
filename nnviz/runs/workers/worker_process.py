"""A worker process as its parent sees it."""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "nnviz.runs.workers.worker")


class Process:
    """A worker process and what it has said of its runs: `runs` holds the state of each that it has not ended.

    `heard(process, run_id, state)` is called from a thread of this object, and `gone(process)` once when it has ended.
    """

    def __init__(
        self,
        heard: Callable[["Process", str, str], None],
        gone: Callable[["Process"], None],
        command: Sequence[str] = COMMAND,
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
        self.ready = threading.Event()
        self.runs: dict[str, str] = {}
        self.broken = ""
        self._last_words: deque[str] = deque(maxlen=50)
        self._heard, self._gone = heard, gone
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self._errors.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def active(self) -> int:
        """How many of its runs are not paused."""
        return sum(state != "paused" for state in self.runs.values())

    @property
    def last_words(self) -> str:
        """The end of what it wrote to stderr."""
        return "".join(self._last_words)

    @property
    def code(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        return self._process.poll()

    def send(self, paths: Sequence[Path], grace: float | None) -> None:
        """Hand it a group of runs. A process that is dying says so by `gone`, not here."""
        self.runs.update({path.stem: "queued" for path in paths})
        with suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps({"runs": [str(path) for path in paths], "grace": grace}) + "\n")
            self._process.stdin.flush()

    def hang_up(self) -> None:
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
                    said = json.loads(line)
                except ValueError:
                    continue
                if "ready" in said:
                    self.ready.set()
                elif "broken" in said:
                    self.broken = str(said["broken"])
                elif "run" in said:
                    self._heard(self, said["run"], said["state"])
        self._process.wait()
        self._errors.join(1.0)
        self.hang_up()
        self._gone(self)

    def _read_errors(self) -> None:
        with self._process.stderr as lines:
            self._last_words.extend(lines)
