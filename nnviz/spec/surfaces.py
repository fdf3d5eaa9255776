"""Surfaces f(x, y) that a point can roll down."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from nnviz.spec.base import Spec
from nnviz.spec.formulas import parse, show

View = tuple[float, float, float, float]
"""What part of the plane is shown: smallest and largest x, smallest and largest y."""
LOG = {"log": True}


class Surface(Spec):
    """A function of two numbers. Where it has no bound below it says so."""

    view: ClassVar[View] = (-5.0, 5.0, -5.0, 5.0)
    start: ClassVar[tuple[float, float]] = (-4.0, 3.0)
    """The default start of trajectories."""

    @property
    def window(self) -> View:
        """The part of the plane that is shown."""
        return self.view


class Quadratic(Surface):
    """½(λ u² + λ/κ v²): trajectories have a closed form; u, v are x, y rotated by an angle."""

    model_config = ConfigDict(title="Quadratic bowl")
    start: ClassVar[tuple[float, float]] = (-4.0, 2.0)
    kind: Literal["quadratic"] = "quadratic"
    curvature: float = Field(
        1.0, gt=0, le=1000, title="λ", description="Largest curvature, across the valley.", json_schema_extra=LOG
    )
    condition: float = Field(
        20.0, ge=1, le=10_000, title="κ", description="Condition number λ₁/λ₂.", json_schema_extra=LOG
    )
    angle: float = Field(0.0, ge=0, le=90, description="Angle between the valley and the x axis, in degrees.")

    @property
    def eigenvalues(self) -> tuple[float, float]:
        """Curvatures along the two axes of the bowl, the larger first."""
        return self.curvature, self.curvature / self.condition


class Ravine(Surface):
    """x²/20 + y²: steep in y, nearly flat in x; the gradient rarely points towards the minimum."""

    view: ClassVar[View] = (-10.0, 10.0, -5.0, 5.0)
    start: ClassVar[tuple[float, float]] = (-7.0, 2.0)
    kind: Literal["ravine"] = "ravine"


class Saddle(Surface):
    """½(x² − y²): a minimum along x, a maximum along y. With ¼y⁴ added there are minima at (0, ±1)."""

    view: ClassVar[View] = (-2.0, 2.0, -2.0, 2.0)
    start: ClassVar[tuple[float, float]] = (-1.5, 0.001)
    kind: Literal["saddle"] = "saddle"
    bounded: bool = Field(True, description="Add ¼y⁴, so that f is bounded below.")


class MonkeySaddle(Surface):
    """x³ − 3xy²: three descending and three ascending valleys; the curvature at the saddle is 0. With ½(x² + y²)² added
    f is bounded below."""

    view: ClassVar[View] = (-2.2, 2.2, -2.2, 2.2)
    start: ClassVar[tuple[float, float]] = (0.9, 0.02)
    kind: Literal["monkey_saddle"] = "monkey_saddle"
    bounded: bool = Field(True, description="Add ½(x² + y²)², so that f is bounded below.")


class Rosenbrock(Surface):
    """(a − x)² + b(y − x²)²: a curved valley, easy to find and slow to follow (Rosenbrock, 1960)."""

    view: ClassVar[View] = (-2.0, 2.0, -1.0, 3.0)
    start: ClassVar[tuple[float, float]] = (-1.2, 1.0)
    kind: Literal["rosenbrock"] = "rosenbrock"
    a: float = Field(1.0, ge=0, le=1.5, description="The minimum is at (a, a²).")
    b: float = Field(100.0, gt=0, le=1000, description="Steepness of the valley's walls.", json_schema_extra=LOG)


class Beale(Surface):
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²: plateaus and steep walls (Beale, 1958)."""

    view: ClassVar[View] = (-4.5, 4.5, -4.5, 4.5)
    start: ClassVar[tuple[float, float]] = (-2.0, 2.0)
    kind: Literal["beale"] = "beale"


class Himmelblau(Surface):
    """(x² + y − 11)² + (x + y² − 7)²: four minima of equal depth (Himmelblau, 1972)."""

    start: ClassVar[tuple[float, float]] = (-0.5, -1.0)
    kind: Literal["himmelblau"] = "himmelblau"


class Rastrigin(Surface):
    """2A + x² − A cos 2πx + y² − A cos 2πy: a bowl with many local minima (Rastrigin, 1974)."""

    view: ClassVar[View] = (-5.12, 5.12, -5.12, 5.12)
    start: ClassVar[tuple[float, float]] = (-3.4, 2.6)
    kind: Literal["rastrigin"] = "rastrigin"
    amplitude: float = Field(10.0, ge=0, le=20, title="A", description="Amplitude of the ripples.")


class Ackley(Surface):
    """−20 e^(−0.2 r) − e^(mean cos 2πx) + 20 + e: a funnel in a rippled plateau (Ackley, 1987)."""

    start: ClassVar[tuple[float, float]] = (-3.3, 2.6)
    kind: Literal["ackley"] = "ackley"


class StyblinskiTang(Surface):
    """½Σ(x⁴ − 16x² + 5x): four minima of unequal depth (Styblinski & Tang, 1990)."""

    model_config = ConfigDict(title="Styblinski–Tang")
    start: ClassVar[tuple[float, float]] = (0.4, 0.8)
    kind: Literal["styblinski_tang"] = "styblinski_tang"


class ThreeHumpCamel(Surface):
    """2x² − 1.05x⁴ + x⁶/6 + xy + y²: one deep minimum between two shallow ones."""

    model_config = ConfigDict(title="Three-hump camel")
    view: ClassVar[View] = (-2.5, 2.5, -2.5, 2.5)
    start: ClassVar[tuple[float, float]] = (-2.2, 1.5)
    kind: Literal["three_hump_camel"] = "three_hump_camel"


class Cliff(Surface):
    """A plateau that drops at x = 0 into a shallow bowl around (3, 0): a single step at the cliff can be very long, as
    in recurrent networks (Pascanu et al., 2013, arXiv:1211.5063)."""

    model_config = ConfigDict(title="Plateau with a cliff")
    view: ClassVar[View] = (-5.0, 8.0, -4.0, 4.0)
    start: ClassVar[tuple[float, float]] = (-2.0, 1.5)
    kind: Literal["cliff"] = "cliff"
    height: float = Field(4.0, gt=0, le=20, description="Height of the cliff.")
    steepness: float = Field(
        20.0,
        gt=0,
        le=200,
        description="Inverse width of the cliff; its largest slope is height · steepness / 4.",
        json_schema_extra=LOG,
    )


class Formula(Surface):
    """A formula of your own: numbers, x, y, pi, e, + − * / **, and functions such as sin, exp, sqrt, abs."""

    model_config = ConfigDict(title="Custom f(x, y)")
    view: ClassVar[View] = (-3.0, 3.0, -3.0, 3.0)
    start: ClassVar[tuple[float, float]] = (-2.0, 1.0)
    kind: Literal["formula"] = "formula"
    text: str = Field(
        "x**2 + 2*y**2 + sin(3*x)*cos(3*y)", max_length=10_000, title="f(x, y)", description="Example: x**4 - x*y."
    )
    low_x: float = Field(-3.0, ge=-1e6, lt=1e6, title="x from", description="Left edge of the plot.")
    high_x: float = Field(3.0, gt=-1e6, le=1e6, title="x to", description="Right edge of the plot.")
    low_y: float = Field(-3.0, ge=-1e6, lt=1e6, title="y from", description="Lower edge of the plot.")
    high_y: float = Field(3.0, gt=-1e6, le=1e6, title="y to", description="Upper edge of the plot.")

    @field_validator("text")
    @classmethod
    def _is_a_formula(cls, text: str) -> str:
        return show(parse(text))

    @model_validator(mode="after")
    def _edges_in_order(self) -> "Formula":
        for axis, low, high in (("x", self.low_x, self.high_x), ("y", self.low_y, self.high_y)):
            if not high - low >= 1e-6:
                raise ValueError(f"Formula.high_{axis} must be above low_{axis} = {low:g}, got {high:g}")
        return self

    @property
    def window(self) -> View:
        """The part of the plane that is shown."""
        return self.low_x, self.high_x, self.low_y, self.high_y


AnySurface = Annotated[
    Quadratic
    | Ravine
    | Saddle
    | MonkeySaddle
    | Rosenbrock
    | Beale
    | Himmelblau
    | Rastrigin
    | Ackley
    | StyblinskiTang
    | ThreeHumpCamel
    | Cliff
    | Formula,
    Field(discriminator="kind"),
]


def inside(surface: Surface, point: Sequence[float]) -> bool:
    """Whether a point lies in the part of the plane that is shown."""
    left, right, bottom, top = surface.window
    return left <= point[0] <= right and bottom <= point[1] <= top
