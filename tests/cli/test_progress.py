"""The bar, on a terminal."""

import fcntl
import pty
import struct
import sys
import termios

import pytest

from nnviz.cli.progress import Progress
from nnviz.runs import Store
from tests.cli.conftest import QUICK, Command


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
        drawn = screen.read(10_000).decode()
    assert "20/20" in drawn
    assert "loss=" in drawn
