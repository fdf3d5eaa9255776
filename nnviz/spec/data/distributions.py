"""Distributions in the plane that a generator learns: fresh samples are drawn from them at every step."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.base import Spec
from nnviz.spec.shapes import Shape

CELLS = 32
"""Cells along each side of a drawn density."""

WINDOW = 3.0
"""The pictures show [−WINDOW, WINDOW]², and a drawn density covers it."""

DOT = "0" * (CELLS**2 // 2 + CELLS // 2) + "1" + "0" * (CELLS**2 // 2 - CELLS // 2 - 1)
"""What is left of a drawing that has been cleared: a density cannot be 0 everywhere."""

STROKE = 0.3
"""Width of a line drawn by hand."""

Sigma = Annotated[float, Field(ge=0.01, le=1, title="σ", description="Standard deviation around each center or curve.")]


class Distribution(Spec):
    """A probability density p(x, y)."""

    shape: ClassVar[Shape] = (2,)

    @property
    def modes(self) -> int:
        """Number of separate modes; 0 where the density has no separate ones."""
        return 0


class Ring(Distribution):
    """Gaussians evenly on a circle."""

    model_config = ConfigDict(title="Ring of Gaussians")
    kind: Literal["ring"] = "ring"
    count: int = Field(8, ge=1, le=24, title="Gaussians", description="Number of Gaussians, all equally likely.")
    radius: float = Field(2.0, ge=0.1, le=2.5, description="Radius of the circle of centers.")
    sigma: Sigma = 0.1

    @property
    def modes(self) -> int:
        return self.count


class GaussianGrid(Distribution):
    """Gaussians on a square grid."""

    model_config = ConfigDict(title="Grid of Gaussians")
    kind: Literal["grid"] = "grid"
    side: int = Field(5, ge=2, le=7, description="Gaussians along each side, all equally likely.")
    spacing: float = Field(1.0, ge=0.1, le=2, description="Distance between neighboring centers.")
    sigma: Sigma = 0.05

    @property
    def modes(self) -> int:
        return self.side**2


class Crescents(Distribution):
    """Two half circles of radius 1.5, interlocked."""

    model_config = ConfigDict(title="Two moons")
    kind: Literal["crescents"] = "crescents"
    sigma: Sigma = 0.1


class SpiralCurve(Distribution):
    """One spiral arm from the origin to radius 2.2, equally likely along its length."""

    model_config = ConfigDict(title="Spiral")
    kind: Literal["spiral"] = "spiral"
    turns: float = Field(1.5, ge=0.25, le=3, description="Full turns of the arm.")
    sigma: Sigma = 0.08


class Segment(Distribution):
    """A straight line from (−2, −1) to (2, 1), equally likely along its length."""

    model_config = ConfigDict(title="Line")
    kind: Literal["line"] = "line"
    sigma: Sigma = 0.08


def _letter() -> str:
    """A letter N, so that there is something to see before anything has been drawn."""
    rows = []
    for row in range(CELLS):
        cells = ["0"] * CELLS
        if 6 <= row < 26:
            for column in (8, 9, 22, 23, 8 + (row - 6) * 14 // 20, 9 + (row - 6) * 14 // 20):
                cells[column] = "9"
        rows.append("".join(cells))
    return "".join(rows)


class Drawn(Distribution):
    """A density drawn by hand: constant within each of 32 × 32 cells over [−3, 3]²."""

    kind: Literal["drawn"] = "drawn"
    density: str = Field(
        _letter(),
        max_length=CELLS**2,
        json_schema_extra={"is_drawn": True},
        description="One digit, 0 to 9, for each cell, row by row from the top left: its relative density.",
    )

    @model_validator(mode="after")
    def _is_a_density(self) -> "Drawn":
        rule = f"Drawn.density must have {CELLS} × {CELLS} = {CELLS**2:,} digits from 0 to 9, not all of them 0"
        if len(self.density) != CELLS**2:
            raise ValueError(f"{rule}, got {len(self.density):,} characters; draw it again")
        if wrong := re.search(r"[^0-9]", self.density, re.ASCII):
            raise ValueError(f"{rule}, got {wrong[0]!r}; draw it again")
        if not self.density.strip("0"):
            raise ValueError(f"{rule}, got only 0; draw something")
        return self

    def with_stroke(self, points: Sequence[tuple[float, float]]) -> "Drawn":
        """With a line of width `STROKE` drawn through points of the plane: 9 in its cells, less at its edge. A drawing
        that is only a dot begins anew."""
        cell = 2 * WINDOW / CELLS
        cells = [int(digit) for digit in self.density if self.density != DOT] or [0] * CELLS**2
        ends = list(pairwise(points)) or [(points[0], points[0])]
        for row, column in product(range(CELLS), repeat=2):
            x, y = (column + 0.5) * cell - WINDOW, WINDOW - (row + 0.5) * cell
            apart = min(_distance((x, y), *end) for end in ends)
            digit = round(9 * min(1.0, max(0.0, 1 + (STROKE / 2 - apart) / cell)))
            cells[row * CELLS + column] = max(cells[row * CELLS + column], digit)
        return self.model_copy(update={"density": "".join(map(str, cells))})


def _distance(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    """Of a point from the straight line between two."""
    across, up = end[0] - start[0], end[1] - start[1]
    length = across**2 + up**2
    along = ((point[0] - start[0]) * across + (point[1] - start[1]) * up) / length if length else 0.0
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - start[0] - along * across, point[1] - start[1] - along * up)


PlaneDistribution = Annotated[
    Ring | GaussianGrid | Crescents | SpiralCurve | Segment | Drawn, Field(discriminator="kind")
]
