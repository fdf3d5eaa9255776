"""Runs the tests of whole folders in several processes: those in a browser, which mostly wait, beside all others."""

import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

RUNS = tuple(
    f"test_app_{name}" for name in ("again", "clicks", "gans", "gans_images", "look", "run", "variants", "wrong")
)
"""About half of the work in a browser; the other half is the board and the pages that start by themselves."""


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One for each logical core and one more, since tests wait for browsers and workers; none for files and single
    tests, which are done before a second process has started."""
    is_folder = any(Path(str(arg).split("::")[0]).is_dir() for arg in config.args)
    return 1 + max(2, psutil.cpu_count(logical=True) or 1) if is_folder else 0


class _BrowsersBesides(LoadScopeScheduling):
    """Files stay together, whose tests share servers and workers; the tests in a browser are two such groups, each with
    one browser and one app. They take longest and so begin first. (The groups of pytest-xdist 3.8 are lost on
    pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        if not file.startswith("tests/browser/"):
            return file
        return "browser, runs" if Path(file).stem in RUNS else "browser, board"


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _BrowsersBesides(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that all processes end at about the same time."""
    folders = ("tests/browser/", "tests/test_pages.py", "tests/ui/", "tests/runs/", "tests/cli/", "tests/ground_truth/")

    def place(item: pytest.Item) -> int:
        return next((i for i, name in enumerate(folders) if item.nodeid.startswith(name)), len(folders))

    items.sort(key=place)


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
