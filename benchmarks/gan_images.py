"""How good GANs on images get in how many seconds, how long a step takes, and what watching one costs.

    python benchmarks/gan_images.py quality [--seconds 30] [--seeds 1]
    python benchmarks/gan_images.py steps
    python benchmarks/gan_images.py watching [--rounds 5]
    python benchmarks/gan_images.py images --device cuda

quality: after 10, 20 and 30 seconds of optimization on one thread (evaluations not counted) the fraction of samples
that a classifier gives p > 0.9, classes covered, diversity; the same of real images. steps: milliseconds a step by
size and width on one thread, and as the page estimates them. watching: 32 × 32 pixels with all probes every 10 steps
and pictures every 50 against the bare learner (medians over rounds that alternate). images: images a second at 64 × 64
pixels by precision and memory format.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from nnviz.engine import learners, run
from nnviz.engine.learners import Learning
from nnviz.records import Scalar
from nnviz.spec.data.images import DigitImages, Glyphs, Shapes
from nnviz.spec.estimates import seconds_of_image_step
from nnviz.spec.jobs import Training
from nnviz.spec.learners import ImageAdversarial
from nnviz.spec.models import MLP, DCGANDiscriminator, DCGANGenerator, Hidden
from nnviz.spec.optimizers import Adam

FOREVER = 1_000_000
MARKS = (5, 10, 20, 30, 60, 120, 180)
"""Seconds."""


def _adam(lr: float) -> dict[str, Any]:
    adam = Adam(lr=lr, beta1=0.5, beta2=0.999)
    return {"generator_optimizer": adam, "discriminator_optimizer": adam}


def _mlp() -> MLP:
    return MLP(hidden=(Hidden(width=256, activation={"kind": "leaky_relu", "slope": 0.2}),) * 2)


QUALITY: dict[str, dict[str, Any]] = {
    "8 px, classes by projection": {},
    "8 px, classes by concatenation": {"conditional": "concatenation"},
    "8 px, no classes": {"conditional": "none"},
    "8 px, no classes, Adam 1e-3": {"conditional": "none", **_adam(1e-3)},
    "8 px, no classes, Adam 2e-4": {"conditional": "none", **_adam(2e-4)},
    "8 px, no classes, MLP 256, Adam 2e-4": {
        "conditional": "none",
        "generator": _mlp(),
        "discriminator": _mlp(),
        **_adam(2e-4),
    },
    "16 px, classes by projection": {"data": DigitImages(size=16)},
    "16 px, classes by concatenation": {"data": DigitImages(size=16), "conditional": "concatenation"},
    "16 px, no classes, Adam 2e-4": {"data": DigitImages(size=16), "conditional": "none", **_adam(2e-4)},
    "shapes 16 px, classes": {"data": Shapes()},
    "letters 16 px, classes": {"data": Glyphs()},
}


def dcgan(size: int, width: int, **changes: Any) -> ImageAdversarial:
    """A pair of that width on color images of that size."""
    networks = {"generator": DCGANGenerator(width=width), "discriminator": DCGANDiscriminator(width=width)}
    return ImageAdversarial(data=Shapes(size=size, count=500), **networks, **changes)


def built(learner: ImageAdversarial, seed: int = 0, device: str = "cpu") -> tuple[Learning, Callable[[], object]]:
    """The learner, and a function that does its next step."""
    learning = learners.build(learner, seed, FOREVER, torch.device(device))
    numbers = iter(range(1, FOREVER))
    return learning, lambda: learning.step(next(numbers))


def cpu_seconds(step: Callable[[], object], steps: int) -> float:
    """CPU time of so many steps: what else runs on the machine does not count."""
    started = time.thread_time()
    for _ in range(steps):
        step()
    return time.thread_time() - started


def quality(seconds: float, seeds: int, only: str) -> None:
    """Prints measures of samples after seconds of optimization."""
    for name, changes in QUALITY.items():
        if only not in name:
            continue
        for seed in range(seeds):
            learning, step = built(ImageAdversarial(**changes), seed)
            real = {r.quantity: r.value for r in learning.begin() if isinstance(r, Scalar)}
            spent, steps, line = 0.0, 0, []
            for mark in (m for m in MARKS if m <= seconds):
                while spent < mark:
                    spent += cpu_seconds(step, 5)
                    steps += 5
                line.append(f"{mark} s: {_of_samples(learning, steps)}")
            reference = f"real {real['confident_fraction']:.2f} (diversity {real['diversity']:.2f})"
            print(
                f"{name}, seed {seed}: {spent / steps * 1e3:.1f} ms a step, {reference}; {'; '.join(line)}", flush=True
            )


def _of_samples(learning: Learning, step: int) -> str:
    found = {r.quantity: r.value for r in learning.evaluate(step) if isinstance(r, Scalar) and r.site == "generated"}
    covered, diversity = found["classes_covered"], found.get("diversity", 0)
    return f"{found['confident_fraction']:.2f} ({covered:.0f} classes, diversity {diversity:.2f})"


def steps() -> None:
    """Prints the time of a step by size and width."""
    for size in (8, 16, 32, 64):
        for width in (16, 32, 64) if size < 64 else (16, 32):
            learner = dcgan(size, width)
            _, step = built(learner)
            cpu_seconds(step, 2)
            found = statistics.median(cpu_seconds(step, 1) for _ in range(10 if size < 64 else 4))
            estimate = seconds_of_image_step(learner)
            print(f"{size} px, width {width}: {found * 1e3:.1f} ms a step, estimated {estimate * 1e3:.1f}", flush=True)


def watching(rounds: int) -> None:
    """Prints what probes and pictures cost."""
    learner = dcgan(32, 32)
    _, plain = built(learner)
    under_way = run(Training(learner=learner, steps=FOREVER, evaluate_every=50, device="cpu"))
    ratios = []
    for step in (plain, lambda: next(under_way)):
        cpu_seconds(step, 2)  # the first ones warm up, and train the classifier
    under_way.evaluate_now()
    for _ in range(rounds):
        # Two evaluations, of which one is brief.
        seen, bare = cpu_seconds(lambda: next(under_way), 100), cpu_seconds(plain, 100)
        ratios.append(seen / bare)
        print(f"{bare * 10:.1f} ms a step, watched {seen * 10:.1f}", flush=True)
    print(f"with probes and pictures: {statistics.median(ratios):.3f}× bare ({min(ratios):.3f} to {max(ratios):.3f})")


def images(device: str) -> None:
    """Prints images a second on a device, by wall time."""
    for changes in ({}, {"channels_last": True}, {"precision": "bfloat16", "channels_last": True}):
        for batch in (64, 256):
            _, step = built(dcgan(64, 64, batch_size=batch, **changes), device=device)
            for _ in range(10):
                step()
            started = time.perf_counter()
            for _ in range(50):
                measured = step()
            float(measured["loss", "generator"])  # waits for the device
            rate = 50 * batch / (time.perf_counter() - started)
            print(f"batch {batch}, {changes or 'float32'}: {rate:,.0f} images a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("quality", "steps", "watching", "images"))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="", help="settings whose name has this in it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    if chosen.what != "images":
        torch.set_num_threads(1)
    match chosen.what:
        case "quality":
            quality(chosen.seconds, chosen.seeds, chosen.only)
        case "steps":
            steps()
        case "watching":
            watching(chosen.rounds)
        case "images":
            images(chosen.device)


if __name__ == "__main__":
    main()
