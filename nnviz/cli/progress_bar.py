"""A progress bar on standard error, from the run file alone."""

import os
import sys
from contextlib import suppress
from typing import Self

from tqdm import tqdm

from nnviz.runs import RunError, RunFile

INTERVAL = 0.25  # seconds between two updates
INTERVAL_LOGGED = 5.0  # the same where standard error is not a terminal, so that each update adds a line


class Progress:
    """The bar of one run: steps done, steps per second, metric, and loss if there is one; `line` is its line on
    screen."""

    def __init__(self, file: RunFile, line: int = 0) -> None:
        self._file, self._steps = file, file.job.steps
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
        """Update the bar from the run file. A closed standard error must not stop the training."""
        with suppress(RunError, OSError, ValueError):
            status = self._file.status()
            postfix = {}
            if (result := self._file.result()) is not None:
                postfix[result.label] = result.words
            if (loss := self._file.latest("loss", "test", "train", "batch")) is not None:
                postfix["loss"] = f"{loss:.4g}"  # last, since a narrow terminal cuts the line
            if status.state == "paused":
                postfix["state"] = "paused"
            if status.early_stop is not None:
                postfix["stopped early, best step"] = str(status.early_stop.best_step)
            self._bar.set_postfix(postfix, refresh=False)
            self._bar.update(status.step - self._bar.n)


def _width() -> dict[str, object]:
    """The width of the terminal, updated when it changes; 80 columns where it claims to have 0, as some
    pseudo-terminals."""
    with suppress(OSError, ValueError):
        if os.get_terminal_size(sys.stderr.fileno()).columns == 0:
            return {"ncols": 80, "nrows": 24}
    return {"dynamic_ncols": True}
