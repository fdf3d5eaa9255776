"""A race: several methods go down one surface from one start, step by step together."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import randomness, surfaces
from nnviz.engine.analysis.critical import critical, lowest
from nnviz.engine.analysis.nearest import distances
from nnviz.engine.descent import exits, theory
from nnviz.engine.descent.basins import Basins
from nnviz.engine.descent.movers import REMEMBERED, Movers
from nnviz.engine.running import ReplayedJob
from nnviz.engine.schedules import factor
from nnviz.records import Metric, Record, Scalar, Snapshot
from nnviz.spec.descent import Descent
from nnviz.spec.optimizers import Adam, AdamW
from nnviz.spec.surfaces import AnySurface

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


class Race(ReplayedJob):
    """A race that runs: each `next` is one step of every racer. A racer that leaves for infinity, or whose update is
    no number, stops there.

    Snapshots: "surface", "race" and, on a quadratic, "phase" at the start, "race" after FIRST_PICTURE · 2ⁿ steps and at
    the end; with a grid also "basins".
    """

    def __init__(self, job: Descent, checkpoint: bytes | None = None) -> None:
        super().__init__(job, checkpoint)
        start = torch.tensor([job.start], dtype=torch.float64)
        self._noise = randomness.generator(job.seed, "noise")
        self.movers = Movers(job, start)
        self._basins = Basins(job) if job.grid else None
        self._gone = [-1] * len(job.racers)
        self._exit = [""] * len(job.racers)
        self._looked = 0
        self._path: list[Tensor] = [self.movers.points[:, 0]]
        self._parts: dict[str, list[Tensor]] = {name: [] for name in PARTS}
        # Who has a part, and the tensors in which a part is found after each step: those of the movers stay the same.
        self._who: dict[str, list[int]] = {}
        self._kept: dict[str, list[Tensor]] = {}

    @property
    def metric(self) -> Metric:
        """The height of the racer that came lowest."""
        return Metric("height", None, "lowest height", higher_is_better=False)

    def _work(self) -> list[Record]:
        records = self._begin() if self.is_new else []
        rate = factor(self.job.schedule, self.done, self.job.steps)
        noise = torch.randn(1, 2, dtype=torch.float64, generator=self._noise) if self.job.noise else None
        self._step(rate, noise)
        if self._basins:
            self._basins.advance(rate, noise)
        self.done += 1
        return records + self._race_so_far() if self.done == self.job.steps or _is_due(self.done) else records

    def _look(self) -> list[Record]:
        return self._race_so_far() if self.done else self._begin()

    def _begin(self) -> list[Record]:
        """What is known before the first step."""
        records: list[Record] = [Snapshot(0, "surface", picture(self.job.surface)), Snapshot(0, "race", self._race())]
        if found := theory.phase(self.job):
            records.append(Snapshot(0, "phase", found))
        return records

    def _race_so_far(self) -> list[Record]:
        """The race up to the present step."""
        records: list[Record] = [Snapshot(self.done, "race", self._race())]
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
        movers = self.movers
        movers.advance(rate, noise)
        self._path.append(movers.points[:, 0])
        if self.done == 0:
            self._find_parts()
        own = [movers.each[i].parts["gradient"] for i in self._who["gradient"][len(movers.led) :]]
        gradients = movers.gradients[:, 0]
        self._parts["gradient"].append(torch.cat([gradients, *own]) if own else gradients)
        for name, tensors in self._kept.items():
            self._parts[name].append(torch.cat(tensors))
        if len(self._path) - self._looked >= LOOKED:
            self._look_who_left()

    def _find_parts(self) -> None:
        movers = self.movers
        others = [i for i, m in enumerate(movers.each) if i not in movers.led and "gradient" in m.parts]
        self._who = {"gradient": movers.led + others}
        for name in REMEMBERED:
            racers = [i for i in movers.led if name in movers.each[i].parts]
            if racers:
                self._who[name] = racers
                self._kept[name] = [movers.each[i].parts[name] for i in racers]

    def _look_who_left(self) -> None:
        """Not at every step: to look takes as long as the step of a racer."""
        if self._looked == len(self._path):
            return
        away = ~(torch.stack(self._path[self._looked :]).abs() <= FAR).all(-1)  # (steps, racers); nan is away too
        for i in away.any(0).nonzero().flatten().tolist():
            if self._gone[i] < 0:
                self._gone[i] = step = self._looked + int(away[:, i].nonzero()[0])
                self._exit[i] = self._reason(i, step) if step else "no_value"
                self.movers.stop(i)
        self._looked = len(self._path)

    def _reason(self, racer: int, step: int) -> str:
        who = self._who.get("gradient", [])
        gradient = self._parts["gradient"][step - 1][who.index(racer)] if racer in who else None
        before, after = (self._path[at][racer] for at in (step - 1, step))
        return exits.reason(self.job.racers[racer].method, self.job.surface, before, after, gradient)

    def _race(self) -> dict[str, np.ndarray]:
        """points (racers, steps + 1, 2), heights and distance to the nearest optimum (racers, steps + 1), gone
        (racers,): the step at which a racer has left, or −1, and exit (racers,): why, one of `exits.REASONS`, or "";
        parts (racers, steps, 2) as they are after each step, nan if there are none, and so those corrected for bias
        (`_corrected`); measured and predicted rate (racers,) as `theory.rates` has them.

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
        for name, racers in self._who.items():
            if racers:
                arrays[name] = np.full((len(self._gone), self.done, 2), np.nan, np.float32)
                arrays[name][racers] = torch.stack(self._parts[name], 1).float().numpy()
                arrays[name][np.arange(self.done)[None] >= gone[:, None]] = np.nan
        return arrays | self._corrected(arrays) | theory.rates(self.job, arrays["distance"])

    def _corrected(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What Adam and AdamW make of momentum and second moment: divided by 1 − βᵗ, nan for all other racers."""
        found = {}
        t = np.arange(1, self.done + 1)[:, None]
        for name, beta in (("momentum", "beta1"), ("second_moment", "beta2")):
            if name in arrays:
                table = np.full_like(arrays[name], np.nan)
                for i, racer in enumerate(self.job.racers):
                    if isinstance(racer.method, Adam | AdamW) and not racer.method.amsgrad:
                        table[i] = arrays[name][i] / (1 - getattr(racer.method, beta) ** t)
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
