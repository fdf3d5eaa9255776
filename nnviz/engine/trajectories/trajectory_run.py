"""Trajectories of several optimizers on one surface from one start, in lock-step."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import randomness
from nnviz.engine.optim.schedules import factor
from nnviz.engine.running_job import ReplayedJob
from nnviz.engine.trajectories import exit_reasons, quadratic_rates, surfaces
from nnviz.engine.trajectories.basins import Basins
from nnviz.engine.trajectories.critical_points import find_critical_points, minimum_value
from nnviz.engine.trajectories.nearest_minimum import distance_to_minimum
from nnviz.engine.trajectories.point_optimizers import STATE_KEYS, PointOptimizers
from nnviz.records import Metric, Record, Scalar, Snapshot
from nnviz.spec.optimizers import Adam, AdamW
from nnviz.spec.surfaces import AnySurface
from nnviz.spec.trajectories import Trajectories

DIVERGENCE_LIMIT = 1e8
"""A point with a larger coordinate has diverged: its optimizer stops there."""
FIRST_SNAPSHOT = 500
"""Steps to the first snapshot; each next one comes after twice as many."""
SURFACE_RESOLUTION = 121
"""Values of f along each side of the view."""
MAX_FLAT_REGION_POINTS = 400
"""Points of a flat region that are recorded, at most."""
EXIT_CHECK_EVERY = 16
"""Steps between two checks which optimizers have diverged."""
PARTS = ("gradient", *STATE_KEYS)


class TrajectoryRun(ReplayedJob):
    """A running Trajectories job: each `next` is one step of every optimizer. An optimizer that diverges, or whose
    update is not a number, stops there.

    Snapshots: "surface", "trajectories" and, on a quadratic, "phase" at the start, "trajectories" after
    FIRST_SNAPSHOT · 2ⁿ steps and at the end; with a grid also "basins".
    """

    def __init__(self, job: Trajectories, checkpoint: bytes | None = None) -> None:
        super().__init__(job, checkpoint)
        start = torch.tensor([job.start], dtype=torch.float64)
        self._noise = randomness.generator(job.seed, "noise")
        self.point_optimizers = PointOptimizers(job, start)
        self._basins = Basins(job) if job.grid else None
        self._left_at = [-1] * len(job.optimizers)
        self._exit_reasons = [""] * len(job.optimizers)
        self._checked_until = 0
        self._path: list[Tensor] = [self.point_optimizers.points[:, 0]]
        self._parts: dict[str, list[Tensor]] = {name: [] for name in PARTS}
        # By part: the optimizers that have it, and the tensors that hold it after each step.
        self._optimizers_with: dict[str, list[int]] = {}
        self._part_tensors: dict[str, list[Tensor]] = {}

    @property
    def metric(self) -> Metric:
        """The lowest value of f of all optimizers."""
        return Metric("value", None, "lowest value", higher_is_better=False)

    def _work(self) -> list[Record]:
        records = self._begin() if self.is_new else []
        rate = factor(self.job.schedule, self.done, self.job.steps)
        noise = torch.randn(1, 2, dtype=torch.float64, generator=self._noise) if self.job.noise else None
        self._step(rate, noise)
        if self._basins:
            self._basins.advance(rate, noise)
        self.done += 1
        return (
            records + self._progress_records()
            if self.done == self.job.steps or _is_snapshot_step(self.done)
            else records
        )

    def _current_records(self) -> list[Record]:
        return self._progress_records() if self.done else self._begin()

    def _begin(self) -> list[Record]:
        """The records of step 0."""
        records: list[Record] = [
            Snapshot(0, "surface", surface_arrays(self.job.surface)),
            Snapshot(0, "trajectories", self._trajectory_arrays()),
        ]
        if found := quadratic_rates.phase_diagram(self.job):
            records.append(Snapshot(0, "phase", found))
        return records

    def _progress_records(self) -> list[Record]:
        """The trajectories up to the current step."""
        records: list[Record] = [Snapshot(self.done, "trajectories", self._trajectory_arrays())]
        arrays = records[0].arrays
        for i, (value, distance) in enumerate(zip(arrays["values"][:, -1], arrays["distance"][:, -1], strict=True)):
            records += [
                Scalar(self.done, "value", float(value), str(i + 1), i),
                Scalar(self.done, "distance", float(distance), str(i + 1), i),
            ]
        if self._basins:
            records.append(Snapshot(self.done, "basins", self._basins.arrays()))
        return records

    def _step(self, rate: float, noise: Tensor | None) -> None:
        point_optimizers = self.point_optimizers
        point_optimizers.advance(rate, noise)
        self._path.append(point_optimizers.points[:, 0])
        if self.done == 0:
            self._find_parts()
        own = [
            point_optimizers.each[i].parts["gradient"]
            for i in self._optimizers_with["gradient"][len(point_optimizers.gradient_based) :]
        ]
        gradients = point_optimizers.gradients[:, 0]
        self._parts["gradient"].append(torch.cat([gradients, *own]) if own else gradients)
        for name, tensors in self._part_tensors.items():
            self._parts[name].append(torch.cat(tensors))
        if len(self._path) - self._checked_until >= EXIT_CHECK_EVERY:
            self._find_exits()

    def _find_parts(self) -> None:
        point_optimizers = self.point_optimizers
        others = [
            i
            for i, m in enumerate(point_optimizers.each)
            if i not in point_optimizers.gradient_based and "gradient" in m.parts
        ]
        self._optimizers_with = {"gradient": point_optimizers.gradient_based + others}
        for name in STATE_KEYS:
            optimizers = [i for i in point_optimizers.gradient_based if name in point_optimizers.each[i].parts]
            if optimizers:
                self._optimizers_with[name] = optimizers
                self._part_tensors[name] = [point_optimizers.each[i].parts[name] for i in optimizers]

    def _find_exits(self) -> None:
        """Not at every step: the check takes as long as the step of an optimizer."""
        if self._checked_until == len(self._path):
            return
        is_outside = ~(torch.stack(self._path[self._checked_until :]).abs() <= DIVERGENCE_LIMIT).all(
            -1
        )  # (steps, optimizers); True for nan
        for i in is_outside.any(0).nonzero().flatten().tolist():
            if self._left_at[i] < 0:
                self._left_at[i] = step = self._checked_until + int(is_outside[:, i].nonzero()[0])
                self._exit_reasons[i] = self._reason(i, step) if step else "no_value"
                self.point_optimizers.stop(i)
        self._checked_until = len(self._path)

    def _reason(self, optimizer: int, step: int) -> str:
        with_gradient = self._optimizers_with.get("gradient", [])
        gradient = (
            self._parts["gradient"][step - 1][with_gradient.index(optimizer)] if optimizer in with_gradient else None
        )
        before, after = (self._path[at][optimizer] for at in (step - 1, step))
        return exit_reasons.exit_reason(
            self.job.optimizers[optimizer].method, self.job.surface, before, after, gradient
        )

    def _trajectory_arrays(self) -> dict[str, np.ndarray]:
        """points (optimizers, steps + 1, 2), values of f and distance to the nearest global minimum (optimizers, steps
        + 1), left_at (optimizers,): the step at which an optimizer diverged, or −1, and exit_reason (optimizers,): one
        of `exit_reasons.REASONS`, or ""; parts (optimizers, steps, 2) after each step, nan where an optimizer has none,
        and those corrected for bias (`_corrected`); measured and predicted rate (optimizers,), see
        `quadratic_rates.rates`.

        The gradient is the one that the step used. From `left_at` on all are nan."""
        self._find_exits()
        points = torch.stack(self._path, 1)
        for i, step in enumerate(self._left_at):
            if step >= 0:
                points[i, step:] = torch.nan
        flat = points.reshape(-1, 2)
        values = surfaces.values(self.job.surface, flat).reshape(points.shape[:2])
        distance = distance_to_minimum(self.job.surface, flat).reshape(points.shape[:2])
        arrays = {
            "points": points.numpy(),
            "values": values.numpy(),
            "distance": distance.numpy(),
            "left_at": np.array(self._left_at, np.int32),
            "exit_reason": np.array(self._exit_reasons),
        }
        left_at = np.array([step if step >= 0 else self.done + 1 for step in self._left_at])
        for name, optimizers in self._optimizers_with.items():
            if optimizers:
                arrays[name] = np.full((len(self._left_at), self.done, 2), np.nan, np.float32)
                arrays[name][optimizers] = torch.stack(self._parts[name], 1).float().numpy()
                arrays[name][np.arange(self.done)[None] >= left_at[:, None]] = np.nan
        return arrays | self._corrected(arrays) | quadratic_rates.rates(self.job, arrays["distance"])

    def _corrected(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """First and second moment of Adam and AdamW divided by 1 − βᵗ; nan for all other optimizers."""
        found = {}
        t = np.arange(1, self.done + 1)[:, None]
        for name, beta in (("momentum", "beta1"), ("second_moment", "beta2")):
            if name in arrays:
                table = np.full_like(arrays[name], np.nan)
                for i, optimizer in enumerate(self.job.optimizers):
                    if isinstance(optimizer.method, Adam | AdamW) and not optimizer.method.amsgrad:
                        table[i] = arrays[name][i] / (1 - getattr(optimizer.method, beta) ** t)
                found[f"{name}_corrected"] = table
        return found


def _is_snapshot_step(step: int) -> bool:
    """Whether there is a snapshot after this step; `evaluate_now` changes nothing in that."""
    doublings, rest = divmod(step, FIRST_SNAPSHOT)
    return step > 0 and rest == 0 and doublings.bit_count() == 1


@cache
def surface_arrays(surface: AnySurface) -> dict[str, np.ndarray]:
    """x and y (k,), z = f (k, k) by row of y, the fields of `CriticalPoints`, each (n, 2), of a flat region some points
    only; omitted (3,), and the value at the global minimum (0 or 1,)."""
    x, y = surfaces.grid(surface.window, SURFACE_RESOLUTION)
    with torch.no_grad():
        z = surfaces.function(surface)(
            x[None, :].expand(SURFACE_RESOLUTION, SURFACE_RESOLUTION),
            y[:, None].expand(SURFACE_RESOLUTION, SURFACE_RESOLUTION),
        )
    found = find_critical_points(surface)
    thinned = found._replace(flat_region=_thin_grid(found.flat_region))
    return {
        "x": x.numpy(),
        "y": y.numpy(),
        "z": z.numpy(),
        **{name: np.asarray(points) for name, points in thinned._asdict().items()},
        "minimum_value": minimum_value(surface).numpy(),
    }


def _thin_grid(nodes: Tensor) -> Tensor:
    """Every k-th of the nodes (n, 2) of a grid along both axes, at most MAX_FLAT_REGION_POINTS in all."""
    ranks = torch.stack([torch.unique(part, return_inverse=True)[1] for part in nodes.unbind(1)], 1)
    stride = max(1, -int(-((len(nodes) / MAX_FLAT_REGION_POINTS) ** 0.5) // 1))
    return nodes[(ranks % stride == 0).all(1)]
