"""The time of optimizers on surfaces: many starts as one batch against one start at a time, and twelve optimizers.

    python benchmarks/trajectories.py [--rounds 7] [--starts 100] [--steps 1000] [--loops 2] [--loop-steps 100]

(a) Eleven elementwise optimizers on Rosenbrock's function from many starts, each optimizer's starts as one parameter,
against the loop as it is usually written: one start, one nn.Parameter, one torch.optim object, backward, step. The loop
is timed on a few starts and steps and scaled to all of them, which the output says; the ratio is the median over
rounds that time both. Paths of the loop are compared with those of the batch to the last bit.

(b) Twelve optimizers over 500 steps, from the job to the last snapshot, as after dragging the start.
"""

import argparse
import statistics
import time

import torch
from torch import Tensor, nn

from nnviz.engine import device
from nnviz.engine.optim import optimizers
from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.point_optimizers import PointOptimizers
from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.spec.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RAdam,
    RMSprop,
)
from nnviz.spec.point_optimizers import UncorrectedAdam
from nnviz.spec.surfaces import Ravine, Rosenbrock
from nnviz.spec.trajectories import Trajectories, TrajectorySpec

ELEVEN = (
    SGD(lr=0.0005),
    SGD(lr=0.0002, momentum=0.9),
    SGD(lr=0.0002, momentum=0.9, nesterov=True),
    Adagrad(lr=0.3),
    Adadelta(),
    RMSprop(),
    Adam(lr=0.05),
    AdamW(lr=0.05),
    NAdam(),
    RAdam(lr=0.0005),
    Adamax(),
)
TWELVE = (
    *(SGD(lr=0.05), SGD(lr=0.02, momentum=0.9), SGD(lr=0.02, momentum=0.9, nesterov=True)),
    *(Adagrad(lr=0.3), Adadelta(), RMSprop(lr=0.05), Adam(lr=0.1), UncorrectedAdam(lr=0.1)),
    *(AdamW(lr=0.1), NAdam(lr=0.1), RAdam(lr=0.1), Adamax(lr=0.1)),
)


def batch(starts: Tensor, steps: int, recorded: int) -> tuple[float, Tensor]:
    """Seconds for all steps of all starts, and the first `recorded` points of the trajectories (recorded, optimizers,
    starts, 2)."""
    job = Trajectories(surface=Rosenbrock(), optimizers=tuple(TrajectorySpec(method=m) for m in ELEVEN), steps=steps)
    started = time.perf_counter()
    point_optimizers, path = PointOptimizers(job, starts), []
    for _ in range(steps):
        point_optimizers.advance(1.0, None)
        path.append(point_optimizers.points)
    return time.perf_counter() - started, torch.stack(path[:recorded])


def loop(starts: Tensor, steps: int) -> tuple[float, Tensor]:
    """Seconds for these starts one after the other, and their paths (steps, optimizers, starts, 2)."""
    f = surfaces.function(Rosenbrock())
    paths = torch.empty(steps, len(ELEVEN), len(starts), 2, dtype=torch.float64)
    started = time.perf_counter()
    for i, method in enumerate(ELEVEN):
        for j, start in enumerate(starts):
            w = nn.Parameter(start.clone())
            optimizer = optimizers.build(method, [w])
            for step in range(steps):
                optimizer.zero_grad()
                f(w[0], w[1]).backward()
                optimizer.step()
                paths[step, i, j] = w.detach()
    return time.perf_counter() - started, paths


def seconds_of_twelve(steps: int = 500) -> float:
    """Seconds from a job to the last snapshot."""
    job = Trajectories(surface=Ravine(), optimizers=tuple(TrajectorySpec(method=m) for m in TWELVE), steps=steps)
    started = time.perf_counter()
    for _ in TrajectoryRun(job):
        pass
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--loops", type=int, default=2, help="starts of the loop that are timed, one after the other")
    parser.add_argument("--loop-steps", type=int, default=100, help="steps of the loop that are timed")
    args = parser.parse_args()
    device.set_threads(0)
    starts = torch.rand(args.starts, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 - 1.5
    scale = args.starts / args.loops * args.steps / args.loop_steps
    batches, loops, times, same = [], [], [], True
    for number in range(args.rounds + 1):
        seconds, path = batch(starts, args.steps, args.loop_steps)
        taken, paths = loop(starts[: args.loops], args.loop_steps)
        same &= torch.equal(path[:, :, : args.loops], paths)
        seconds_of_run = seconds_of_twelve()
        if number:  # the first warms up
            batches.append(seconds)
            loops.append(taken * scale)
            times.append(seconds_of_run * 1e3)
    ratios = sorted(a / b for a, b in zip(loops, batches, strict=True))
    print(
        f"{len(ELEVEN)} optimizers × {args.starts} starts × {args.steps} steps: {statistics.median(batches):.2f} s as "
        f"one batch; one start at a time {statistics.median(loops):.0f} s (scaled from {args.loops} starts × "
        f"{args.loop_steps} steps)"
    )
    print(f"ratio: {statistics.median(ratios):.0f}× (rounds {ratios[0]:.0f} to {ratios[-1]:.0f}), target 150×")
    print(f"paths equal to the last bit: {'yes' if same else 'NO'}")
    print(f"12 optimizers × 500 steps: {statistics.median(times):.0f} ms (rounds {min(times):.0f} to {max(times):.0f})")


if __name__ == "__main__":
    main()
