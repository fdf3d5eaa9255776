"""How several trainings share the app's workers: first pictures, fractions of the steps, and a store of many runs.

    python benchmarks/turns.py [--tabs 4] [--seconds 6] [--runs 1000]

Each tab is a small network, first as a preview, then trained, as a page does it. Ratios count; all is on one machine.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nnviz.runs import Pool, Store
from nnviz.spec.base import fingerprint
from nnviz.spec.jobs import Training

LONG = Training(steps=1_000_000, device="cpu")


def job(seed: int) -> Training:
    """A small network that nobody has trained."""
    return LONG.model_copy(update={"seed": seed})


def until(condition: Callable[[], bool], seconds: float = 120.0) -> float:
    """Seconds until it holds."""
    started = time.perf_counter()
    while not condition():
        if time.perf_counter() - started > seconds:
            raise SystemExit(f"nothing came in {seconds:g} s")
        time.sleep(0.002)
    return time.perf_counter() - started


def first_picture(store: Store, run: str) -> float:
    """Seconds to a run's first picture."""
    return until(lambda: bool(store.view(run).steps))


def first_steps(store: Store, run: str) -> float:
    """Seconds to the first step that is seen."""
    return until(lambda: store.open(run).status().step > 0)


def steps(store: Store, runs: list[str]) -> list[int]:
    return [store.open(run).status().step for run in runs]


def speed(store: Store, runs: list[str], seconds: float) -> list[float]:
    """Steps a second of each."""
    before, started = steps(store, runs), time.perf_counter()
    time.sleep(seconds)
    elapsed = time.perf_counter() - started
    return [(after - was) / elapsed for after, was in zip(steps(store, runs), before, strict=True)]


def tabs(args: argparse.Namespace) -> None:
    """Tabs that are opened one after the other, each of which trains on."""
    with tempfile.TemporaryDirectory(prefix="nnviz-benchmark-") as home:
        store = Store(home)
        pool = Pool(store, grace=None)
        try:
            [warm] = pool.submit([job(99)], until=0)
            first_picture(store, warm)
            store.open(warm).play()
            first_steps(store, warm)
            store.open(warm).cancel()
            until(lambda: not store.open(warm).status().live)
            runs, alone = [], 1.0
            for number in range(args.tabs):
                started = time.perf_counter()
                [run] = pool.submit([job(number)], until=0)
                until(lambda run=run: bool(store.view(run).steps))
                shown = time.perf_counter() - started
                until(lambda run=run: store.open(run).status().state == "paused")
                store.open(run).play()
                moved = first_steps(store, run)
                runs.append(run)
                own = speed(store, runs, args.seconds)
                if number == 0:
                    alone = own[0]
                print(
                    f"tab {number + 1}: first picture after {shown:.2f} s, first step {moved:.2f} s after Run; "
                    f"fraction of the steps of one alone: {', '.join(f'{each / alone:.2f}' for each in own)} "
                    f"(together {sum(own) / alone:.2f})"
                )
        finally:
            pool.shutdown()


def library(args: argparse.Namespace) -> None:
    """What a page asks of a store of many finished runs."""
    with tempfile.TemporaryDirectory(prefix="nnviz-benchmark-") as home:
        store = Store(Path(home) / "runs")
        for seed in range(args.runs):
            file = store.create(job(seed))
            file.write(state="finished", step=10)
            file.close()
        wanted, other = fingerprint(job(args.runs // 2)), fingerprint(job(args.runs + 1))
        for which in ("without an index", "the next process"):
            fresh = Store(store.home)
            for name, ask in {
                "a run that is there": partial(fresh.find, wanted),
                "one that is not": partial(fresh.find, other),
                "the list": fresh.list,
            }.items():
                elapsed = []
                for _ in range(6):
                    started = time.perf_counter()
                    ask()
                    elapsed.append((time.perf_counter() - started) * 1000)
                then = statistics.median(elapsed[1:])
                print(f"{args.runs:,} runs, {which}: {name}: first {elapsed[0]:.1f} ms, then {then:.2f} ms")
            time.sleep(2.5)  # the folder's time is trusted a while after its last change


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tabs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--runs", type=int, default=1000)
    args = parser.parse_args()
    tabs(args)
    library(args)


if __name__ == "__main__":
    main()
