"""How the app feels: start, click, live drawing, scrubbing, and what watching costs the training.

    python benchmarks/app.py [--rounds 5] [--seconds 6]

Starts the app on an empty store, drives it in headless Chromium (software rendering) and prints medians over the
rounds. The training speed watched and unwatched alternates on one run.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from nnviz.runs import Store

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
LONG = "?steps=1000000&learner.model.hidden=" + "%5B%7B%22width%22%3A256%7D%2C%7B%22width%22%3A256%7D%5D"
BOARD = "document.querySelector('.nnviz-board')"


def chromium() -> str:
    names = [os.environ.get("NNVIZ_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next((shutil.which(n) for n in names if n and shutil.which(n)), None) or sys.exit("no Chromium found")


def serve(home: str) -> tuple[subprocess.Popen, str]:
    """The app on a free port, as soon as it answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    app = Path(__file__).parents[1] / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.headless=true", f"--server.port={port}"]
    server = subprocess.Popen(
        command, cwd=app.parent, env={**os.environ, "NNVIZ_HOME": home}, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(url + "/_stcore/health", timeout=1)
            return server, url
        except OSError:
            time.sleep(0.1)
    sys.exit("the app did not start")


def drawn(page: Page, condition: str, timeout: float = 60_000) -> None:
    """Waits until the board's published state meets a condition on its dataset `d`."""
    page.wait_for_function(
        f"() => {{ const b = {BOARD}; if (!b) return false; const d = b.dataset; return {condition} }}", timeout=timeout
    )


def first_paint(page: Page, url: str) -> float:
    """Seconds from asking for the page to its first text."""
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("h1.nnviz-title", timeout=60_000)
    return time.perf_counter() - started


def click_to_curve(page: Page) -> float:
    """Seconds from pressing Run to a board that shows a later step."""
    drawn(page, "+d.step === 0 && d.busy === 'false'")
    started = time.perf_counter()
    page.get_by_role("button", name="Run", exact=True).click()
    drawn(page, "+d.step > 0 && d.busy === 'false'")
    return time.perf_counter() - started


def updates_a_second(page: Page, seconds: float) -> float:
    """Board drawings a second while the run is live."""
    before, started = page.evaluate(f"+{BOARD}.dataset.drawn"), time.perf_counter()
    page.wait_for_timeout(seconds * 1000)
    return (page.evaluate(f"+{BOARD}.dataset.drawn") - before) / (time.perf_counter() - started)


def scrub(page: Page, moves: int = 40) -> list[float]:
    """Milliseconds from each move of the time slider to the drawn pictures."""
    slider = page.locator(".nnviz-board input[type=range]").first
    slider.focus()
    times = []
    for _ in range(moves):
        step = page.evaluate(f"{BOARD}.dataset.step")
        milliseconds = page.evaluate(
            """([step]) => new Promise(done => {
                const b = document.querySelector('.nnviz-board'), s = b.querySelector('input[type=range]');
                const begun = performance.now();
                s.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true}));
                const look = () => b.dataset.step !== step && b.dataset.busy === 'false'
                    ? done(performance.now() - begun) : requestAnimationFrame(look);
                requestAnimationFrame(look);
                setTimeout(() => done(5000), 5000);
            })""",
            [step],
        )
        times.append(milliseconds)
    return times


def drag(page: Page, moves: int = 60) -> list[float]:
    """Milliseconds from where the drag of a start to its new trajectories on the map, one for each answer."""
    page.get_by_role("button", name="Twelve on Rosenbrock", exact=True).click()
    drawn(page, "d.newest === '500' && d.busy === 'false'")
    plot = "document.querySelector('[data-figure=map] .nnviz-plot')"
    start = f"{plot}?.data?.find((trace) => trace.uid === 'start')"
    page.wait_for_function(start)
    page.wait_for_timeout(2000)
    x, y = page.evaluate(
        f"""() => {{
            const {{xaxis, yaxis}} = {plot}._fullLayout, box = {plot}.getBoundingClientRect(), {{x, y}} = {start};
            return [box.left + xaxis._offset + xaxis.d2p(x[0]), box.top + yaxis._offset + yaxis.d2p(y[0])];
        }}"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    for move in range(moves):
        page.mouse.move(x + 2 * move, y + 0.5 * move)
        page.wait_for_timeout(50)
    page.mouse.up()
    page.wait_for_timeout(1500)
    return page.evaluate("window.nnviz.boards['board-optimizers'].picks.slice(1, -1)")


def speed(home: str, run: str, seconds: float) -> float:
    """Steps a second of a run, from its file."""
    file = Store(home).open(run)
    before, started = file.status().step, time.perf_counter()
    time.sleep(seconds)
    return (file.status().step - before) / (time.perf_counter() - started)


def watch(page: Page, address: str, home: str, run: str, args: argparse.Namespace, where: str) -> None:
    """Prints the speed of a run while a browser shows it, against its speed while none does, in turns."""
    ratios, watched, alone = [], [], []
    for _ in range(args.rounds):
        page.goto(address)
        drawn(page, "d.busy === 'false'")
        page.wait_for_timeout(1500)
        watched.append(speed(home, run, args.seconds))
        page.goto("about:blank")
        page.wait_for_timeout(1500)
        alone.append(speed(home, run, args.seconds))
        ratios.append(watched[-1] / alone[-1])
    print(
        f"training while watched, {where}: {statistics.median(ratios):.2f}× unwatched "
        f"({statistics.median(watched):.0f} against {statistics.median(alone):.0f} steps/s)"
    )


def give_the_worker_a_core() -> bool:
    """Keeps the first core for the app's workers and everything else here off it: what a free core is worth.

    The browser's threads come in bursts that fill more cores than one. Only Linux lets us; False elsewhere.
    """
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return False
    first, *others = sorted(os.sched_getaffinity(0))
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        is_worker = "nnviz.runs.workers.worker" in process.cmdline()
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {first} if is_worker else set(others))
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    args = parser.parse_args()
    home = tempfile.mkdtemp(prefix="nnviz-benchmark-")
    server, url = serve(home)
    try:
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            cold = first_paint(page, url)
            drawn(page, "d.busy === 'false'")
            warm = [first_paint(page, url) for _ in range(args.rounds)]
            print(f"first paint: {cold:.2f} s for the server's first page, {statistics.median(warm):.2f} s after that")
            clicks = []
            for i in range(args.rounds):
                page.goto(f"{url}/?seed={100 + i}")
                clicks.append(click_to_curve(page))
                page.get_by_role("button", name="Stop", exact=True).click()
            print(f"click to first moved curve: {statistics.median(clicks):.2f} s (worst {max(clicks):.2f} s)")

            page.goto(f"{url}/?seed=7&steps=3000")
            click_to_curve(page)
            page.get_by_text("finished").wait_for(timeout=120_000)
            drawn(page, "+d.history === +d.stepsKnown", 120_000)
            page.wait_for_timeout(1500)
            moves = sorted(scrub(page))
            print(f"scrubbing: p50 {statistics.median(moves):.0f} ms, p90 {moves[int(len(moves) * 0.9)]:.0f} ms a move")

            page.goto(f"{url}/optimizers")
            drawn(page, "+d.newest > 0 && d.busy === 'false'")
            moves = sorted(drag(page))
            print(f"dragging the start of 12 optimizers: p50 {statistics.median(moves):.0f} ms to the new paths")

            page.goto(f"{url}/{LONG}")
            click_to_curve(page)
            print(f"updates at the default setting: {updates_a_second(page, args.seconds):.1f} a second")
            rates = page.locator("[class*=st-key-drawing-rate]")
            rates.get_by_text("4", exact=True).click()
            page.wait_for_timeout(2000)
            print(f"updates at the smooth setting: {updates_a_second(page, args.seconds):.1f} a second")
            rates.get_by_text("2", exact=True).click()
            page.get_by_role("button", name="Keep running", exact=True).click()
            address = page.url
            run = address.split("run=")[1].split("&")[0]
            watch(page, address, home, run, args, f"all sharing {os.cpu_count()} cores")
            if give_the_worker_a_core():
                watch(page, address, home, run, args, "the browser and the app kept off the worker's core")
            browser.close()
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
