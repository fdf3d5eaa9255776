"""Runs the tests of whole folders in several processes: those in a browser, which mostly wait, beside all others."""

import functools
import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

STARTED = ("test_app_landscape", "test_app_optimizers")
"""Pages that start by themselves, looked at in a browser beside the board: about half of what there is in a browser."""
PAGES = ("tests/test_pages.py", "tests/test_panels.py", "tests/ui/")
"""Tests of pages without a browser share one pool of workers in a process, whose start takes seven CPU seconds."""


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One for each logical core and one more, since tests wait for browsers and workers; none for files and single
    tests, which are done before a second process has started."""
    is_folder = any(Path(str(arg).split("::")[0]).is_dir() for arg in config.args)
    return 1 + max(2, psutil.cpu_count(logical=True) or 1) if is_folder else 0


class _BrowsersBesides(LoadScopeScheduling):
    """Files stay together, whose tests share servers and workers; the tests in a browser are two such groups, each with
    one browser and one app, and those of pages a third. They take longest and so begin first. (The groups of
    pytest-xdist 3.8 are lost on pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        if file.startswith(PAGES):
            return "pages"
        if not file.startswith("tests/browser/"):
            return file
        name = Path(file).stem
        return "browser, runs" if name.startswith("test_app_") and name not in STARTED else "browser, board"


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _BrowsersBesides(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that all processes end at about the same time."""
    folders = ("tests/browser/", *PAGES, "tests/runs/", "tests/cli/", "tests/ground_truth/")

    def place(item: pytest.Item) -> int:
        return next((i for i, name in enumerate(folders) if item.nodeid.startswith(name)), len(folders))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Test modules and what they import stay to the end; each full collection of garbage would look through all their
    objects again, which takes a fifth of the time of tests that do not wait."""
    gc.disable()
    collected = yield
    gc.collect()
    gc.freeze()
    gc.enable()
    return collected


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names each test that was run again, with what had failed: a race that shows once in many runs is not lost."""
    again = terminalreporter.getreports("rerun")
    if again:
        terminalreporter.section("run again")
    for report in again:
        terminalreporter.line(f"{report.nodeid} ({report.when}): {reason(report)}")


def reason(report: pytest.TestReport) -> str:
    """What went wrong, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else report.longreprtext
    return next((line.strip() for line in said.splitlines() if line.strip()), "no reason given")


@pytest.fixture(scope="session", autouse=True)
def packages_are_searched_once() -> Iterator[None]:
    """Each new AppTest looks into the metadata of every installed package for components, which takes several times as
    long as drawing a form does."""
    with pytest.MonkeyPatch.context() as patch:
        if "streamlit.testing.v1" in sys.modules:
            from streamlit.components.v2 import manifest_scanner

            once = functools.cache(manifest_scanner.scan_component_manifests)
            patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield
