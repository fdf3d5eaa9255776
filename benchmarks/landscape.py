"""The time of a 51 × 51 slice: the usual loop against `landscape.evaluate_slice`, alternating in one run, on one
thread.

    python benchmarks/landscape.py [--points 51] [--rounds 3] [--sampled 150]

The usual loop, as in public loss-landscape code: at each point set every parameter, then evaluate the data in batches
of 128 and sum up loss and correct predictions. The batches are cut once beforehand; a DataLoader would add to it.
To save time the loop is run at `--sampled` random points of the grid in each round, and its time scaled to all of them;
`evaluate_slice` computes the whole grid. Times are the process's CPU time, which what else the machine
does disturbs least. Ratios are medians over the rounds; errors are over the sampled points.
"""

import argparse
import random
import statistics
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnviz.engine import data, device, landscape, losses, models
from nnviz.spec.activations import ReLU
from nnviz.spec.data import Digits, Moons
from nnviz.spec.models import MLP, Hidden

CASES: dict[str, tuple[Sequence[int], str, float]] = {
    "2-8-8-8-2, 400 points of two moons": ((2, 8, 8, 8, 2), "moons", 30),
    "64-32-32-10, digits": ((64, 32, 32, 10), "digits", 10),
    "784-128-64-10, 1,000 random samples": ((784, 128, 64, 10), "random", 7),
}
"""Widths, data, and the target ratio."""


def samples(name: str) -> tuple[Tensor, Tensor]:
    """Inputs (n, …) and classes (n,)."""
    if name == "random":
        drawn = torch.Generator().manual_seed(0)
        return torch.randn(1000, 784, generator=drawn), torch.randint(0, 10, (1000,), generator=drawn)
    whole = data.build(Moons(points=400) if name == "moons" else Digits(), 0)
    return whole.inputs, whole.targets


def network(widths: Sequence[int], x: Tensor, y: Tensor) -> nn.Module:
    """ReLU layers, trained for 200 full batches."""
    hidden = tuple(Hidden(width=width, activation=ReLU()) for width in widths[1:-1])
    built = models.build(MLP(hidden=hidden), x.shape[1:], widths[-1], 0)
    optimizer = torch.optim.Adam(built.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        F.cross_entropy(built(x), y).backward()
        optimizer.step()
    return built


@torch.no_grad()
def loop(
    module: nn.Module, batches: Sequence[tuple[Tensor, Tensor]], directions: Sequence[Sequence[Tensor]], points: Tensor
) -> list[tuple[float, float]]:
    """Loss and accuracy at each point (points, 2), by the usual loop."""
    module.eval()
    center = [p.data.clone() for p in module.parameters()]
    found = []
    for a, b in points.tolist():
        for p, w, d, e in zip(module.parameters(), center, *directions, strict=True):
            p.data = w + (a * d + b * e)
        total, correct, n = 0.0, 0, 0
        for x, y in batches:
            outputs = module(x)
            total += F.cross_entropy(outputs, y).item() * len(y)
            correct += (outputs.argmax(1) == y).sum().item()
            n += len(y)
        found.append((total / n, correct / n))
    for p, w in zip(module.parameters(), center, strict=True):
        p.data = w
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=51)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sampled", type=int, default=150)
    args = parser.parse_args()
    device.set_threads(0)
    axis = torch.linspace(-1, 1, args.points)
    shape = (args.points, args.points)
    grid_points = torch.cartesian_prod(torch.arange(args.points), torch.arange(args.points))
    picker = random.Random(0)
    for name, (widths, kind, aim) in CASES.items():
        x, y = samples(kind)
        module = network(widths, x, y)
        batches = list(zip(x.split(128), y.split(128), strict=True))
        drawn = torch.Generator().manual_seed(1)
        weights = list(module.parameters())
        directions = [landscape.filter_normalized(weights, landscape.random_direction(module, drawn)) for _ in range(2)]
        ratios, loop_times, slice_times, error, accuracy_error = [], [], [], 0.0, 0.0
        for round_number in range(args.rounds + 1):
            picked = grid_points[picker.sample(range(len(grid_points)), min(args.sampled, len(grid_points)))]
            started = time.process_time()
            expected = torch.tensor(loop(module, batches, directions, axis[picked])).T
            middle = time.process_time()
            blocks = landscape.evaluate_slice(
                module,
                losses.MeanCrossEntropy(),
                {"all": (x, y)},
                directions,
                [axis, axis],
                accuracy=landscape.accuracy,
            )
            found = landscape.grid(blocks, shape)
            ended = time.process_time()
            at = tuple(picked.T)
            off = (found.losses["all"][at] - expected[0]).abs() / expected[0].clamp_min(1)
            error = max(error, float(off.max()))
            accuracy_error = max(accuracy_error, float((found.accuracies["all"][at] - expected[1]).abs().max()))
            if round_number:  # the first warms up
                loop_times.append((middle - started) / len(picked))
                slice_times.append((ended - middle) / len(grid_points))
                ratios.append(loop_times[-1] / slice_times[-1])
        print(
            f"{name}: {statistics.median(ratios):.1f}× (rounds {min(ratios):.1f} to {max(ratios):.1f}; target {aim}×); "
            f"{statistics.median(loop_times) * 1e6:.0f} vs. {statistics.median(slice_times) * 1e6:.1f} µs per point; "
            f"largest error of max(1, loss) {error:.1e}, of accuracy {accuracy_error:.1e}"
        )


if __name__ == "__main__":
    main()
