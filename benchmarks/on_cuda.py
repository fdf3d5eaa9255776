"""Checks and figures of a CUDA device in one command; needs torch, numpy, pandas, scikit-learn and pydantic alone.

    python benchmarks/on_cuda.py [--device cuda] [--seconds 300] [--steps 40] [--rounds 3]

1. Checks: what the engine promises of a device, each in a line. Where pytest is installed, the tests that need CUDA
   run too.
2. Presets: every training of every page for a few steps, on the device and on the CPU. Losses may differ by what
   float32 rounds otherwise: by BOUND of the larger one at each step. Where masks or noise are drawn on the device they
   are other numbers; there the mean loss over the steps may differ by DRAWN_BOUND.
3. Times: probes against none, 64 trainings as an ensemble against one after another, and memory.

Sections that would begin after the time is over are left out, and said so. The exit status is 1 if a check or a preset
fails. With `--device cpu` it runs anywhere. It is not called cuda.py, as torch would import that from this folder in
place of NVIDIA's package of that name.
"""

import argparse
import importlib.util
import math
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the package need not be installed

import ensembles  # noqa: E402
import probes  # noqa: E402
import torch  # noqa: E402

from nnviz.engine import Diverged, run  # noqa: E402
from nnviz.presets import PAGES  # noqa: E402
from nnviz.records import Record, Scalar  # noqa: E402
from nnviz.spec.base import replace_many  # noqa: E402
from nnviz.spec.ensembles import ensemble_of  # noqa: E402
from nnviz.spec.jobs import Training  # noqa: E402
from nnviz.spec.landscapes import Landscape, RandomPlane, TrainedModel  # noqa: E402
from nnviz.spec.learners import Supervised  # noqa: E402

BOUND = 0.02
"""Of the larger loss, at each of the first steps, where both devices compute with the same numbers."""
DRAWN_BOUND = 0.5
"""Of the larger mean loss, where each device draws its own masks or noise."""
SMALL = {"learner.data.points": 100, "steps": 30, "evaluate_every": 10}


@dataclass
class Report:
    """Lines that have been printed, and how many of them failed."""

    until: float
    failures: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def check(self, name: str, test: Callable[[], str]) -> None:
        """Runs a check, which returns a remark or raises AssertionError."""
        if time.monotonic() > self.until:
            self.left_out.append(name)
            return
        started = time.perf_counter()
        try:
            words = test()
        except ModuleNotFoundError as error:
            words = f"left out, as {error.name} is not installed"
        except Exception as error:
            words = f"FAILED: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self.failures.append(name)
        print(f"  {name}: {words or 'ok'} ({time.perf_counter() - started:.1f} s)", flush=True)


def training(device: str, **changes: object) -> Training:
    """A small training on the device."""
    return replace_many(Training(), {**SMALL, "device": device, **changes})


def records(job: Training, checkpoint: bytes | None = None) -> list[Record]:
    """All records of a run."""
    with run(job, checkpoint) as running:
        return [record for found in running for record in found]


def losses(found: list[Record], site: str = "batch") -> dict[tuple[int, int], float]:
    """Losses by step and member."""
    return {
        (r.step, r.member): r.value for r in found if isinstance(r, Scalar) and (r.quantity, r.site) == ("loss", site)
    }


def differ(one: dict, other: dict) -> float:
    """The largest difference, relative to the larger number."""
    assert one.keys() == other.keys(), "other steps"
    return max(abs(one[k] - other[k]) / max(abs(one[k]), abs(other[k]), 1e-6) for k in one)


def checks(device: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is promised of a device."""

    def is_that_of_the_cpu() -> str:
        gap = differ(losses(records(training(device))), losses(records(training("cpu"))))
        assert gap <= BOUND, f"losses differ by {gap:.2g}"
        return f"losses differ by at most {gap:.1e}"

    def probes_change_nothing() -> str:
        watched, bare = (losses(records(training(device, **more))) for more in ({}, {"probes": []}))
        gap = differ(watched, bare)
        assert gap <= 1e-5, f"losses differ by {gap:.2g}"
        return f"losses differ by {gap:.1e}"

    def is_resumed(target: str) -> Callable[[], str]:
        def test() -> str:
            running = run(training(device))
            list(islice(running, 10))
            rest = losses([r for found in running for r in found])
            again = run(training(device))
            list(islice(again, 10))
            gap = differ(rest, losses(records(training(target), again.checkpoint())))
            assert gap <= BOUND, f"losses differ by {gap:.2g}"
            return f"losses differ by {gap:.1e}"

        return test

    def divergence_is_traced() -> str:
        wild = {"learner.loss": {"kind": "mse"}, "learner.optimizer.lr": 10.0, "learner.batch_size": 70, "steps": 1000}
        wild |= {"learner.data": {"kind": "hills", "points": 100}, "learner.model.hidden": []}
        wild |= {"learner.optimizer.momentum": 0.99}
        try:
            records(replace_many(Training(), {**wild, "device": device}))
        except Diverged as error:
            return str(error)
        raise AssertionError("it has not diverged")

    def a_slice_is_that_of_the_cpu() -> str:
        network = TrainedModel(learner=training(device).learner, steps=20)
        there, here = (
            next(
                r.arrays
                for r in reversed(records(Landscape(network=network, views=(RandomPlane(resolution=9),), device=where)))
                if r.quantity == "plane"
            )
            for where in (device, "cpu")
        )
        gap = float(abs(there["train_loss"] - here["train_loss"]).max() / abs(here["train_loss"]).max())
        assert gap <= BOUND, f"losses differ by {gap:.2g}"
        return f"losses differ by at most {gap:.1e} of the largest"

    def ensembles_are_their_members() -> str:
        job = ensemble_of(training(device), 4)
        together = losses(records(job))
        alone = {
            (step, member): value
            for member in range(4)
            for (step, _), value in losses(records(Training.parse({**job.member(member), "probes": []}))).items()
        }
        gap = differ(together, alone)
        assert gap <= BOUND, f"losses differ by {gap:.2g}"
        return f"losses differ by at most {gap:.1e}"

    def tests_of_cuda_pass() -> str:
        if importlib.util.find_spec("pytest") is None:
            return "left out, as pytest is not installed"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "tests/engine"]
        done = subprocess.run([*command, "-k", "cuda"], cwd=ROOT, capture_output=True, text=True, check=False)
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        assert done.returncode == 0, f"{last}\n{done.stdout[-500:]}"
        return last

    yield "a training is that of the CPU", is_that_of_the_cpu
    yield "probes change no loss", probes_change_nothing
    yield "a checkpoint is resumed on the device", is_resumed(device)
    yield "a checkpoint is resumed on the CPU", is_resumed("cpu")
    yield "a divergence is traced back", divergence_is_traced
    yield "a loss landscape is that of the CPU", a_slice_is_that_of_the_cpu
    yield "an ensemble is its members", ensembles_are_their_members
    if device.startswith("cuda"):
        yield "tests that need CUDA", tests_of_cuda_pass


def trainings(steps: int) -> dict[str, Training]:
    """Every training that a page starts from or offers, each once, shortened."""
    found: dict[str, Training] = {}
    for page in PAGES.values():
        offered = [("default", page.default)]
        offered += [(preset.title, job) for preset in page.examples for job in preset.jobs]
        for number, (title, job) in enumerate(offered):
            if isinstance(job, Training):
                short = replace_many(job, {"steps": steps, "evaluate_every": steps})
                if short not in found.values():
                    found[f"{page.title} · {title} ({number})"] = short
    return found


def draws_on_device(job: Training) -> bool:
    """Whether masks or noise are drawn on the device, so that they are others there than on the CPU."""
    return not isinstance(job.learner, Supervised) or job.learner.model.changes_training_loss == "dropout"


def compared(job: Training, device: str) -> str:
    """A preset on both devices, in words."""
    there, here = ([*_until_divergence(job.model_copy(update={"device": where}))] for where in (device, "cpu"))
    first, second = (
        [r.value for r in found if isinstance(r, Scalar) and r.quantity == "loss" and r.step] for found in (there, here)
    )
    assert first, "it has no loss"
    assert all(map(math.isfinite, first)) == all(map(math.isfinite, second)), "one device has diverged alone"
    if draws_on_device(job) and device != "cpu":
        means = [sum(values) / len(values) for values in (first, second)]
        gap, bound, words = abs(means[0] - means[1]) / max(map(abs, means)), DRAWN_BOUND, "mean loss differs by"
    else:
        pairs = [(a, b) for a, b in zip(first, second, strict=True) if math.isfinite(a) and math.isfinite(b)]
        gap = max(abs(a - b) / max(abs(a), abs(b), 1e-3) for a, b in pairs)
        bound, words = BOUND, "losses differ by at most"
    assert gap <= bound, f"{words} {gap:.2g}, more than {bound:g}"
    return f"{words} {gap:.1e}"


def _until_divergence(job: Training) -> Iterator[Record]:
    try:
        with run(job) as running:
            for found in running:
                yield from found
    except Diverged as error:
        yield from error.records


def probe_overhead(device: str, rounds: int) -> str:
    """The time of an update with all probes every 10 steps, over that with none."""
    cases = {name: probes.prepare(probes.WATCHED[name], device) for name in list(probes.WATCHED)[:2]}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            seconds = probes.seconds(*case, number * 100, 100)
            _synchronize(device)
            if number:
                taken[name].append(seconds)
    bare, watched = (sorted(values)[len(values) // 2] for values in taken.values())
    return f"{bare * 1e4:.0f} µs a step without, {watched / bare:.3f}× with everything every 10 steps"


def _synchronize(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def memory(device: str) -> str:
    """The most that torch has allocated so far."""
    if not device.startswith("cuda"):
        return "measured on CUDA devices alone"
    return f"{torch.cuda.max_memory_allocated(device) / 2**20:,.0f} MB allocated at most"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=300.0, help="no section begins later")
    parser.add_argument("--steps", type=int, default=40, help="of each preset")
    parser.add_argument("--rounds", type=int, default=3, help="of the times")
    args = parser.parse_args()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        print(
            "--device must be available here, got cuda: torch finds no CUDA device; use --device cpu", file=sys.stderr
        )
        return 2
    card = torch.cuda.get_device_name(args.device) if args.device.startswith("cuda") else platform.processor()
    print(f"{time.strftime('%Y-%m-%d')} · {args.device} · {card or platform.machine()} · torch {torch.__version__}")
    report = Report(time.monotonic() + args.seconds)
    print("checks")
    for name, test in checks(args.device):
        report.check(name, test)
    print("times")
    report.check("probes", lambda: probe_overhead(args.device, args.rounds))
    for name, learner in ensembles.CASES.items():
        print(f"  64 × {name}")
        timing = SimpleNamespace(members=64, rounds=args.rounds, steps=50, eager=2, device=args.device)
        report.check("ensemble", lambda learner=learner, t=timing: ensembles.compare(learner, **vars(t)) or "")
    print(f"presets, {args.steps} steps each, against the CPU")
    for name, job in trainings(args.steps).items():
        report.check(name, lambda job=job: compared(job, args.device))
    report.check("memory", lambda: memory(args.device))
    if report.left_out:
        print(f"left out, as {args.seconds:g} s were over: {', '.join(report.left_out)}")
    print(f"{len(report.failures)} failed" + (f": {', '.join(report.failures)}" if report.failures else ""))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
