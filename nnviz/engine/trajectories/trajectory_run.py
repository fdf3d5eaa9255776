"""A race: several methods go down one surface from one start, step by step together."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import randomness
from nnviz.engine.optim.schedules import factor
from nnviz.engine.running_job import ReplayedJob
from nnviz.engine.trajectories import exit_reasons, quadratic_rates, surfaces
from nnviz.engine.trajectories.basins import Basins
from nnviz.engine.trajectories.critical_points import critical, lowest
from nnviz.engine.trajectories.nearest_minimum import distances
from nnviz.engine.trajectories.point_optimizers import REMEMBERED, PointOptimizers
from nnviz.records import Metric, Record, Scalar, Snapshot
from nnviz.spec.optimizers import Adam, AdamW
from nnviz.spec.surfaces import AnySurface
from nnviz.spec.trajectories import Trajectories

FAR = 1e8
"""A point whose coordinate is larger has left for good: what comes after is no number any more."""
FIRST_PICTURE = 500
"""Steps to the first picture; each next one comes after twice as many."""
POINTS = 121
"""Heights along each side of the picture."""
PLAIN = 400
"""Points of a plain that are recorded, at most."""
LOOKED = 16
"""Steps after which it is looked who has left."""
PARTS = ("gradient", *REMEMBERED)


class TrajectoryRun(ReplayedJob):
    """A race that runs: each `next` is one step of every optimizer. An optimizer that leaves for infinity, or whose
    update is no number, stops there.

    Snapshots: "surface", "race" and, on a quadratic, "phase" at the start, "race" after FIRST_PICTURE · 2ⁿ steps and at
    the end; with a grid also "basins".
    """

    def __init__(self, job: Trajectories, checkpoint: bytes | None = None) -> None:
        super().__init__(job, checkpoint)
        start = torch.tensor([job.start], dtype=torch.float64)
        self._noise = randomness.generator(job.seed, "noise")
        self.point_optimizers = PointOptimizers(job, start)
        self._basins = Basins(job) if job.grid else None
        self._gone = [-1] * len(job.optimizers)
        self._exit = [""] * len(job.optimizers)
        self._looked = 0
        self._path: list[Tensor] = [self.point_optimizers.points[:, 0]]
        self._parts: dict[str, list[Tensor]] = {name: [] for name in PARTS}
        # Who has a part, and the tensors in which a part is found after each step: those of the movers stay the same.
        self._who: dict[str, list[int]] = {}
        self._kept: dict[str, list[Tensor]] = {}

    @property
    def metric(self) -> Metric:
        """The height of the optimizer that came lowest."""
        return Metric("height", None, "lowest height", higher_is_better=False)

    def _work(self) -> list[Record]:
        records = self._begin() if self.is_new else []
        rate = factor(self.job.schedule, self.done, self.job.steps)
        noise = torch.randn(1, 2, dtype=torch.float64, generator=self._noise) if self.job.noise else None
        self._step(rate, noise)
        if self._basins:
            self._basins.advance(rate, noise)
        self.done += 1
        return records + self._trajectories_so_far() if self.done == self.job.steps or _is_due(self.done) else records

    def _look(self) -> list[Record]:
        return self._trajectories_so_far() if self.done else self._begin()

    def _begin(self) -> list[Record]:
        """What is known before the first step."""
        records: list[Record] = [
            Snapshot(0, "surface", picture(self.job.surface)),
            Snapshot(0, "trajectories", self._trajectories()),
        ]
        if found := quadratic_rates.phase(self.job):
            records.append(Snapshot(0, "phase", found))
        return records

    def _trajectories_so_far(self) -> list[Record]:
        """The race up to the present step."""
        records: list[Record] = [Snapshot(self.done, "trajectories", self._trajectories())]
        arrays = records[0].arrays
        for i, (height, distance) in enumerate(zip(arrays["heights"][:, -1], arrays["distance"][:, -1], strict=True)):
            records += [
                Scalar(self.done, "height", float(height), str(i + 1), i),
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
            for i in self._who["gradient"][len(point_optimizers.gradient_based) :]
        ]
        gradients = point_optimizers.gradients[:, 0]
        self._parts["gradient"].append(torch.cat([gradients, *own]) if own else gradients)
        for name, tensors in self._kept.items():
            self._parts[name].append(torch.cat(tensors))
        if len(self._path) - self._looked >= LOOKED:
            self._look_who_left()

    def _find_parts(self) -> None:
        point_optimizers = self.point_optimizers
        others = [
            i
            for i, m in enumerate(point_optimizers.each)
            if i not in point_optimizers.gradient_based and "gradient" in m.parts
        ]
        self._who = {"gradient": point_optimizers.gradient_based + others}
        for name in REMEMBERED:
            optimizers = [i for i in point_optimizers.gradient_based if name in point_optimizers.each[i].parts]
            if optimizers:
                self._who[name] = optimizers
                self._kept[name] = [point_optimizers.each[i].parts[name] for i in optimizers]

    def _look_who_left(self) -> None:
        """Not at every step: to look takes as long as the step of an optimizer."""
        if self._looked == len(self._path):
            return
        away = ~(torch.stack(self._path[self._looked :]).abs() <= FAR).all(-1)  # (steps, optimizers); nan is away too
        for i in away.any(0).nonzero().flatten().tolist():
            if self._gone[i] < 0:
                self._gone[i] = step = self._looked + int(away[:, i].nonzero()[0])
                self._exit[i] = self._reason(i, step) if step else "no_value"
                self.point_optimizers.stop(i)
        self._looked = len(self._path)

    def _reason(self, optimizer: int, step: int) -> str:
        who = self._who.get("gradient", [])
        gradient = self._parts["gradient"][step - 1][who.index(optimizer)] if optimizer in who else None
        before, after = (self._path[at][optimizer] for at in (step - 1, step))
        return exit_reasons.reason(self.job.optimizers[optimizer].method, self.job.surface, before, after, gradient)

    def _trajectories(self) -> dict[str, np.ndarray]:
        """points (optimizers, steps + 1, 2), heights and distance to the nearest optimum (optimizers, steps + 1), gone
        (optimizers,): the step at which an optimizer has left, or −1, and exit (optimizers,): why, one of
        `exits.REASONS`, or ""; parts (optimizers, steps, 2) as they are after each step, nan if there are none, and so
        those corrected for bias (`_corrected`); measured and predicted rate (optimizers,) as `theory.rates` has them.

        The gradient is the one that the step used. From `gone` on there is nan."""
        self._look_who_left()
        points = torch.stack(self._path, 1)
        for i, step in enumerate(self._gone):
            if step >= 0:
                points[i, step:] = torch.nan
        flat = points.reshape(-1, 2)
        heights = surfaces.values(self.job.surface, flat).reshape(points.shape[:2])
        distance = distances(self.job.surface, flat).reshape(points.shape[:2])
        arrays = {
            "points": points.numpy(),
            "heights": heights.numpy(),
            "distance": distance.numpy(),
            "gone": np.array(self._gone, np.int32),
            "exit": np.array(self._exit),
        }
        gone = np.array([step if step >= 0 else self.done + 1 for step in self._gone])
        for name, optimizers in self._who.items():
            if optimizers:
                arrays[name] = np.full((len(self._gone), self.done, 2), np.nan, np.float32)
                arrays[name][optimizers] = torch.stack(self._parts[name], 1).float().numpy()
                arrays[name][np.arange(self.done)[None] >= gone[:, None]] = np.nan
        return arrays | self._corrected(arrays) | quadratic_rates.rates(self.job, arrays["distance"])

    def _corrected(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What Adam and AdamW make of momentum and second moment: divided by 1 − βᵗ, nan for all other optimizers."""
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


def _is_due(step: int) -> bool:
    """Whether there is a picture after this step, whoever looks in between."""
    doublings, rest = divmod(step, FIRST_PICTURE)
    return step > 0 and rest == 0 and doublings.bit_count() == 1


@cache
def picture(surface: AnySurface) -> dict[str, np.ndarray]:
    """x and y (k,), heights z (k, k) by row of y, level points and curves as `Critical` has them, each (n, 2), of a
    plain a few of its points; left_out (3,), and the lowest height of a minimum (0 or 1,)."""
    x, y = surfaces.grid(surface.window, POINTS)
    with torch.no_grad():
        z = surfaces.height(surface)(x[None, :].expand(POINTS, POINTS), y[:, None].expand(POINTS, POINTS))
    found = critical(surface)
    few = found._replace(plain=_few(found.plain))
    return {
        "x": x.numpy(),
        "y": y.numpy(),
        "z": z.numpy(),
        **{name: np.asarray(points) for name, points in few._asdict().items()},
        "lowest": lowest(surface).numpy(),
    }


def _few(nodes: Tensor) -> Tensor:
    """Every so manyth of the nodes (n, 2) of a grid along both its sides."""
    ranks = torch.stack([torch.unique(part, return_inverse=True)[1] for part in nodes.unbind(1)], 1)
    every = max(1, -int(-((len(nodes) / PLAIN) ** 0.5) // 1))
    return nodes[(ranks % every == 0).all(1)]
