"""The bar, on a terminal."""

import fcntl
import io
import pty
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress

import pytest

from nnviz.cli.progress_bar import Progress
from nnviz.runs import Store
from tests.cli.conftest import QUICK, Command


def _pieces(screen: io.RawIOBase) -> Iterator[str]:
    """What a terminal shows, which comes in pieces; its end, once nobody writes to it, is an error on Linux."""
    with suppress(OSError):
        while piece := screen.read(10_000):
            yield piece.decode()


@pytest.mark.parametrize("size", [(0, 0), (30, 110)])
def test_progress_is_drawn_on_a_terminal(size: tuple[int, int], nnviz: Command) -> None:
    run = nnviz("run", "job.json", *QUICK).run
    shown, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    with open(terminal, "w") as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        with Progress(Store().open(run)):
            pass
    with open(shown, "rb", buffering=0) as screen:
        drawn = "".join(_pieces(screen))
    assert "20/20" in drawn
    assert "test accuracy=" in drawn
    assert ("loss=" in drawn) == (size[1] > 80)
