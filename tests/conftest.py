"""Runs the tests of whole folders in several processes: those in a browser, which mostly wait, beside all others."""

from pathlib import Path

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One for each logical core and at least two for folders; none for files and single tests, which are done before
    a second process has started."""
    is_folder = any(Path(str(arg).split("::")[0]).is_dir() for arg in config.args)
    return max(2, psutil.cpu_count(logical=True) or 1) if is_folder else 0


class _BrowserBesides(LoadScopeScheduling):
    """All tests in a browser go to one process: they share browser and app, and two at a time would be too slow for
    what they say about rates. (The groups of pytest-xdist 3.8 are lost on pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _BrowserBesides(config, log)
