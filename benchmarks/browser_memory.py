"""What pages take of a browser's memory: four GANs on 64 × 64 pixels, scrubbed over all of their steps.

    python benchmarks/browser_memory.py [--steps 300] [--every 10] [--home FOLDER]

Trains the four in a fresh store, or takes them from the folder where they have been trained before; then opens an empty
page, the Playground and their page in headless Chromium (software rendering, 1440 × 900), each in a browser of its own,
and takes the page of images to each picture and back. Prints megabytes of the process that shows the page (what is its
own alone), of all processes of the browser (each shared page counted by its share), and of the heap of its scripts.
With --steps 31 --every 1 the training takes a tenth of the time; the pictures are as many, and of early images, which
are noisier.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.app import BOARD, FLAGS, chromium, drawn, serve
from nnviz.presets import gans_images
from nnviz.spec.base import replace_many
from nnviz.ui import links

SIZE = 64
SMALLER = {"learner.data": {"kind": "shapes", "size": SIZE}} | {
    f"learner.{network}.width": 16 for network in ("generator", "discriminator")
}
SEEDS = range(4)
PAUSE = 150
"""Milliseconds at each picture."""


class Megabytes(NamedTuple):
    """What a page takes."""

    renderer: float
    browser: float
    scripts: float

    def __str__(self) -> str:
        return f"{self.renderer:,.0f} MB, all processes {self.browser:,.0f} MB, scripts {self.scripts:,.0f} MB"


def measured(page: Page) -> Megabytes:
    """Of the browser that this process has started."""
    renderer = whole = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            kind, command = process.memory_full_info(), process.cmdline()
        except psutil.Error:
            continue
        if not any("chrom" in part for part in command[:1]):
            continue
        whole += kind.pss / 1e6
        renderer += kind.uss / 1e6 if "--type=renderer" in command else 0
    heap = page.context.new_cdp_session(page).send("Runtime.getHeapUsage")
    return Megabytes(renderer, whole, heap["usedSize"] / 1e6)


def scrubbed(page: Page) -> None:
    """To each picture, and back."""
    count = int(page.evaluate(f"{BOARD}.dataset.stepsKnown"))
    for place in (*range(count), *reversed(range(count))):
        page.evaluate(
            """([place, count]) => {
                const slider = document.querySelector('.nnviz-slider');
                slider.value = +slider.min + (slider.max - slider.min) * place / (count - 1);
                slider.dispatchEvent(new Event('input'));
            }""",
            [place, count],
        )
        page.wait_for_timeout(PAUSE)


def trained(page: Page) -> None:
    """Presses Run where there is no picture of the last step yet, and waits for it."""
    drawn(page, "d.busy === 'false' && d.newest !== ''", 240_000)
    if page.evaluate(f"{BOARD}.dataset.newest") == "0":
        page.get_by_role("button", name="Run", exact=True).first.click()
    page.get_by_text("finished").first.wait_for(timeout=1_800_000)
    drawn(page, "d.busy === 'false' && d.history === d.stepsKnown", 240_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=10, help="steps from picture to picture")
    parser.add_argument("--home", type=Path, help="where the four have been trained, or are to be kept")
    chosen = parser.parse_args()
    first = replace_many(gans_images.DEFAULT, SMALLER | {"steps": chosen.steps, "evaluate_every": chosen.every})
    jobs = [replace_many(first, {"seed": seed}) for seed in SEEDS]
    address = f"/gans_images?{urlencode(links.query(jobs, gans_images.DEFAULT))}"
    server, url = serve(str(chosen.home or tempfile.mkdtemp(prefix="nnviz-benchmark-")))
    try:
        with sync_playwright() as playwright:
            pages: dict[str, tuple[str, Callable[[Page], object]]] = {
                "an empty page": ("about:blank", lambda _: None),
                "the Playground": (url, lambda page: drawn(page, "d.busy === 'false'")),
                "four variants": (f"{url}{address}", trained),
            }
            for name, (place, until) in pages.items():
                browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(place)
                until(page)
                page.wait_for_timeout(3000)
                print(f"{name}: {measured(page)}", flush=True)
                if until is trained:
                    scrubbed(page)
                    print(f"{name}, scrubbed to all pictures and back: {measured(page)}", flush=True)
                    page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
                    page.wait_for_timeout(3000)
                    print(f"{name}, garbage collected: {measured(page)}", flush=True)
                browser.close()
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
