"""A progress bar on standard error, drawn from the run file as any other watcher would."""

import os
import sys
from contextlib import suppress
from typing import Self

from tqdm import tqdm

from nnviz.runs import RunError, RunFile

INTERVAL = 0.25  # seconds between two drawings
INTERVAL_LOGGED = 5.0  # the same where standard error is no terminal, and each drawing stays


class Progress:
    """The bar of one run: steps done, steps a second, main metric, and loss if there is one; `line` of several."""

    def __init__(self, file: RunFile, line: int = 0) -> None:
        self._file, self._steps = file, file.job.steps
        self._seen, self._values = 0, {}
        tqdm.monitor_interval = 0  # no thread of tqdm's own: nothing here waits longer than INTERVAL
        self._bar = tqdm(
            total=self._steps,
            initial=file.status().step,
            desc=file.id,
            unit=f" {file.job.counts}",
            file=sys.stderr,
            position=line,
            mininterval=INTERVAL if sys.stderr.isatty() else INTERVAL_LOGGED,
            **_width(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.show()
        with suppress(OSError, ValueError):
            self._bar.refresh()
            self._bar.close()

    def show(self) -> None:
        """Draw what the file holds now. A standard error that is closed is no reason to stop training."""
        with suppress(RunError, OSError, ValueError):
            status = self._file.status()
            told = {}
            if (result := self._file.result()) is not None:
                told[result.label] = result.words
            if (loss := self._file.latest("loss", "test", "train", "batch")) is not None:
                told["loss"] = f"{loss:.4g}"  # last, where a narrow terminal cuts the line
            if status.state == "paused":
                told["state"] = "paused"
            self._bar.set_postfix(told, refresh=False)
            self._bar.update(status.step - self._bar.n)


def _width() -> dict[str, object]:
    """As wide as the terminal, whatever becomes of it; some terminals of no person say that they are 0 wide."""
    with suppress(OSError, ValueError):
        if os.get_terminal_size(sys.stderr.fileno()).columns == 0:
            return {"ncols": 80, "nrows": 24}
    return {"dynamic_ncols": True}
