"""Runs the tests of whole folders in two processes: those in a browser, which mostly wait, beside all others."""

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two for folders; none for files and single tests, which are done before a second process has started."""
    return 2 if any(Path(str(arg).split("::")[0]).is_dir() for arg in config.args) else 0
