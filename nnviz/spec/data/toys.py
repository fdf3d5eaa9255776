"""Toy data in one and two dimensions. They keep the coordinates they are drawn in."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec
from nnviz.spec.data.label_noise import LabelNoise
from nnviz.spec.data.train_fraction import TrainFraction
from nnviz.spec.shapes import Shape

Points = Annotated[
    int, Field(ge=10, le=20_000, title="samples", description="Number of samples, training and test together.")
]
Noise = Annotated[
    float, Field(ge=0, le=2, description="Standard deviation of the noise, in the units of the coordinates.")
]


class Moons(Spec):
    """Two interlocking half circles, one per class."""

    kind: Literal["moons"] = "moons"
    points: Points = 500
    noise: Noise = 0.15
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Circles(Spec):
    """Two concentric circles, one per class: not linearly separable."""

    kind: Literal["circles"] = "circles"
    points: Points = 500
    noise: Noise = 0.1
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Spirals(Spec):
    """k spiral arms around the origin, one per class."""

    kind: Literal["spirals"] = "spirals"
    arms: int = Field(3, ge=2, le=8, description="Number of arms, one per class.")
    turns: float = Field(0.75, ge=0.1, le=3, description="Full turns per arm.")
    points: Points = 600
    noise: Noise = 0.04
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (2,)

    @property
    def classes(self) -> int:
        return self.arms


class Blobs(Spec):
    """k Gaussian clusters, one per class, with centers evenly spaced on a circle of radius 2."""

    kind: Literal["blobs"] = "blobs"
    centers: int = Field(4, ge=2, le=10, description="Number of clusters, one per class.")
    points: Points = 500
    noise: Noise = 0.5
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (2,)

    @property
    def classes(self) -> int:
        return self.centers


class XOR(Spec):
    """Class 1 where x₁ and x₂ have different signs: a single-layer perceptron cannot learn it (Minsky & Papert,
    1969)."""

    kind: Literal["xor"] = "xor"
    points: Points = 500
    noise: Noise = 0.1
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Checkerboard(Spec):
    """k × k squares of alternating classes on [−1, 1]²."""

    kind: Literal["checkerboard"] = "checkerboard"
    squares: int = Field(4, ge=2, le=10, description="Squares along each side.")
    points: Points = 1000
    noise: Noise = 0.0
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Curve(Spec):
    """y = f(x) + noise for x in [−1, 1]."""

    model_config = ConfigDict(title="Curve (1-D regression)")
    kind: Literal["curve"] = "curve"
    function: Literal["sine", "step", "absolute", "cubic", "sinc", "line"] = Field(
        "sine",
        description="sine: sin 2πx; step: sign x; absolute: |x|; cubic: 4x³ − 3x; sinc: sin(4πx)/(4πx); line: x.",
    )
    points: Points = 200
    noise: Noise = 0.1
    train_fraction: TrainFraction = 0.7
    shape: ClassVar[Shape] = (1,)
    classes: ClassVar[int] = 0
    label_noise: ClassVar[float] = 0.0


class Hills(Spec):
    """y = f(x₁, x₂) + noise on [−1, 1]²."""

    model_config = ConfigDict(title="Hills (2-D regression)")
    kind: Literal["hills"] = "hills"
    function: Literal["plane", "saddle", "hills", "ripples"] = Field(
        "hills",
        description="plane: x₁ + x₂; saddle: x₁² − x₂²; hills: a Gaussian hill and a Gaussian hollow; "
        "ripples: sin(2πr)/(2πr) with r the distance from the origin.",
    )
    points: Points = 600
    noise: Noise = 0.05
    train_fraction: TrainFraction = 0.7
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 0
    label_noise: ClassVar[float] = 0.0
