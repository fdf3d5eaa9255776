"""A browser, and apps to look at with it. Tests wait on what a page publishes, never on time."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from pprint import pformat
from urllib.parse import urlsplit

import pytest

from tests.browser.board import DEMO
from tests.browser.messages import Desk, furnish
from tests.browser.player import SCREEN, AppServer, Player, leave, visiting

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WITHOUT_WEBGL = """
const { getContext } = HTMLCanvasElement.prototype;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.includes("webgl") ? null : getContext.call(this, kind, ...more);
};
"""
COARSE_SCENES = """
let plotly;
Object.defineProperty(window, "Plotly", {
  get: () => plotly,
  set: (made) => {
    plotly = made;
    plotly.setPlotConfig({ plotGlPixelRatio: 0.25 });
  },
});
"""
"""Scenes in space have a sixty-fourth of the pixels: without a graphics card each of them is computed."""
Serve = Callable[..., str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the environment says CI=true, a test in a browser may fail once: browser, app and worker share the cores
    with whatever else such a machine does, and one hiccup must not cost all. Nowhere else, since a race in the app
    fails now and then too, and would never be seen."""
    if os.environ.get("CI") != "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator:
    """Adds to the report of a test that failed what its page showed then."""
    report = yield
    player = getattr(item, "funcargs", {}).get("player")
    if report.failed and isinstance(player, Player):
        with suppress(Exception):
            report.sections.append(("the page", pformat(player.everything(), width=110)))
    return report


def _chromium() -> str | None:
    named = os.environ.get("NNVIZ_CHROMIUM")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A headless Chromium: NNVIZ_CHROMIUM, or the system's own. Without one tests skip, but fail where CI is set."""
    executable = _chromium()
    if executable is None:
        why = "no Chromium found; set NNVIZ_CHROMIUM to its executable"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def context(browser) -> Iterator:
    """A browser context that tests share, so that it fetches plotly.js once."""
    context = browser.new_context(**SCREEN)
    yield context
    context.close()


@pytest.fixture(scope="session")
def tab(context) -> Iterator:
    """A page that tests share, one after the other: its process has read plotly.js and Streamlit's scripts before."""
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def page(tab, request: pytest.FixtureRequest) -> Iterator:
    """The shared page at no address, light and of 1440 × 900; the test fails if a script of the page threw.

    Scenes in space stay empty unless the test is marked `webgl`: without a graphics card each takes a second.
    """
    session = tab.context.new_cdp_session(tab)
    scenes = COARSE_SCENES if request.node.get_closest_marker("webgl") else WITHOUT_WEBGL
    session.send("Page.addScriptToEvaluateOnNewDocument", {"source": scenes})
    tab.set_default_timeout(60_000)
    tab.set_viewport_size(SCREEN["viewport"])
    tab.emulate_media(color_scheme="light", reduced_motion=SCREEN["reduced_motion"])
    errors: list[str] = []

    def note(error: Exception) -> None:
        errors.append(str(error))

    tab.on("pageerror", note)
    yield tab
    session.detach()  # with it goes its script
    leave(tab)
    tab.remove_listener("pageerror", note)
    assert not errors, errors


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, subprocess.Popen]]:
    """All servers that were started, by address."""
    servers: dict[str, subprocess.Popen] = {}
    yield servers
    for server in servers.values():
        end(server)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, subprocess.Popen]) -> Iterator[Serve]:
    """`serve(app_file, env={}, options=[]) -> url` starts a Streamlit server, which ends after the module's tests."""
    before = set(servers)
    yield partial(start, tmp_path_factory, servers)
    for url in servers.keys() - before:
        end(servers.pop(url))


def start(
    folders: pytest.TempPathFactory,
    servers: dict[str, subprocess.Popen],
    app_file: Path | str,
    env: Mapping[str, str] | None = None,
    options: list[str] | None = None,
    path: str = "",
    port: int = 0,
) -> str:
    """Starts a Streamlit server, at a free port unless one is given, and enters it into `servers`; its address, once it
    answers."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    log = folders.mktemp("server") / "log.txt"
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(app_file),
        "--server.headless=true",
        "--server.port",
        str(port),
    ]
    command += ["--server.fileWatcherType=none", *(options or [])]
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=whole, stdout=out, stderr=out, start_new_session=True)
    url = f"http://127.0.0.1:{port}{path}"
    servers[url] = server
    until = time.monotonic() + 60
    while not _healthy(f"{url}/_stcore/health"):
        if server.poll() is not None or time.monotonic() > until:
            pytest.fail(f"the app did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)
    return url


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def end(server: subprocess.Popen) -> None:
    """First politely; the group too, since an app may have started workers."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if server.poll() is not None:
            break
        os.killpg(server.pid, number)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, subprocess.Popen]) -> AppServer:
    """The real app with a store that is empty at first, shared by all tests that need none of their own."""
    home = tmp_path_factory.mktemp("home")
    return AppServer(start(tmp_path_factory, servers, ROOT / "app.py", {"NNVIZ_HOME": str(home)}), home)


@pytest.fixture
def restart(
    app_server: AppServer, tmp_path_factory: pytest.TempPathFactory, servers: dict[str, subprocess.Popen]
) -> Callable[[], None]:
    """`restart()` ends the server that all tests share, and starts another one at its address for its store."""

    def again() -> None:
        end(servers[app_server.url])
        home, port = {"NNVIZ_HOME": str(app_server.home)}, urlsplit(app_server.url).port
        assert start(tmp_path_factory, servers, ROOT / "app.py", home, port=port) == app_server.url

    return again


@pytest.fixture
def player(page, app_server: AppServer) -> Iterator[Player]:
    """The shared page on the real app, at no address yet."""
    with visiting(page, app_server) as player:
        yield player


@pytest.fixture(scope="module")
def stage(browser, tmp_path_factory) -> Iterator:
    """A page for all boards, which loads plotly.js once; it fails if a script of it threw."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(COARSE_SCENES)
    furnish(page, tmp_path_factory.mktemp("static"))
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def board(stage, request: pytest.FixtureRequest) -> Desk:
    """A board that has heard of nothing yet."""
    return Desk(stage, request.node.name)


@pytest.fixture(scope="session")
def boards(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, subprocess.Popen]) -> str:
    """The address of an app with nothing but boards; what it shows is said in the address."""
    return start(tmp_path_factory, servers, DEMO)
