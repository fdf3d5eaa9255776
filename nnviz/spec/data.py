"""Data sets: toys in one and two dimensions, and the real sets that scikit-learn ships.

Every set says the shape of a sample and how many classes it has (0 classes: regression) without being made, so that a
job can be checked and its size estimated. Real sets reach the network standardized with the training part's mean and
deviation (numeric targets too); toys keep the coordinates they are drawn in.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec
from nnviz.spec.shapes import Shape

Points = Annotated[int, Field(ge=10, le=20_000, description="Number of points, training and test together.")]
Noise = Annotated[float, Field(ge=0, le=2, description="Standard deviation of the noise, in the unit of the plane.")]
TrainShare = Annotated[
    float, Field(ge=0.05, le=0.95, description="Share of the points used for training; the rest is the test set.")
]


class Moons(Spec):
    """Two half circles, one class each, interlocked."""

    kind: Literal["moons"] = "moons"
    points: Points = 500
    noise: Noise = 0.15
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Circles(Spec):
    """A ring around a ring: no straight line separates them."""

    kind: Literal["circles"] = "circles"
    points: Points = 500
    noise: Noise = 0.1
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Spirals(Spec):
    """k spiral arms around the origin, one class each."""

    kind: Literal["spirals"] = "spirals"
    arms: int = Field(3, ge=2, le=8, description="Number of arms and of classes.")
    turns: float = Field(0.75, ge=0.1, le=3, description="Full turns of each arm.")
    points: Points = 600
    noise: Noise = 0.04
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)

    @property
    def classes(self) -> int:
        return self.arms


class Blobs(Spec):
    """k normal clouds, one class each, their centers evenly on a circle of radius 2."""

    kind: Literal["blobs"] = "blobs"
    centers: int = Field(4, ge=2, le=10, description="Number of clouds and of classes.")
    points: Points = 500
    noise: Noise = 0.5
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)

    @property
    def classes(self) -> int:
        return self.centers


class XOR(Spec):
    """Class 1 where x and y have different signs: the set that no perceptron can learn (Minsky & Papert, 1969)."""

    kind: Literal["xor"] = "xor"
    points: Points = 500
    noise: Noise = 0.1
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Checkerboard(Spec):
    """k × k squares of alternating class on [−1, 1]²."""

    kind: Literal["checkerboard"] = "checkerboard"
    squares: int = Field(4, ge=2, le=10, description="Squares along each side.")
    points: Points = 1000
    noise: Noise = 0.0
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Curve(Spec):
    """y = f(x) + noise for one x in [−1, 1]."""

    model_config = ConfigDict(title="Curve (1-D regression)")
    kind: Literal["curve"] = "curve"
    function: Literal["sine", "step", "absolute", "cubic", "sinc", "line"] = Field(
        "sine", description="sin 2πx; sign x; |x|; 4x³ − 3x; sin(4πx)/(4πx); x."
    )
    points: Points = 200
    noise: Noise = 0.1
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (1,)
    classes: ClassVar[int] = 0


class Hills(Spec):
    """z = f(x, y) + noise over [−1, 1]²."""

    model_config = ConfigDict(title="Hills (2-D regression)")
    kind: Literal["hills"] = "hills"
    function: Literal["plane", "saddle", "hills", "ripples"] = Field(
        "hills", description="x + y; x² − y²; a hill and a hollow (normal bumps); sin(4r)/(4r)-like rings."
    )
    points: Points = 600
    noise: Noise = 0.05
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 0


class Digits(Spec):
    """1,797 handwritten digits of 8 × 8 pixels (Alpaydin & Kaynak, 1998; from scikit-learn)."""

    kind: Literal["digits"] = "digits"
    points: int = Field(1797, ge=50, le=1797, description="How many of the digits to use.")
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (1, 8, 8)
    classes: ClassVar[int] = 10


class Iris(Spec):
    """150 iris flowers, 4 lengths in cm, 3 species (Fisher, 1936; from scikit-learn)."""

    kind: Literal["iris"] = "iris"
    points: ClassVar[int] = 150
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (4,)
    classes: ClassVar[int] = 3


class Wine(Spec):
    """178 wines, 13 chemical measurements, 3 cultivars (Forina et al., 1988; from scikit-learn)."""

    kind: Literal["wine"] = "wine"
    points: ClassVar[int] = 178
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (13,)
    classes: ClassVar[int] = 3


class BreastCancer(Spec):
    """569 tumors, 30 measurements of cell nuclei, malignant or benign (Street et al., 1993; from scikit-learn)."""

    kind: Literal["breast_cancer"] = "breast_cancer"
    points: ClassVar[int] = 569
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (30,)
    classes: ClassVar[int] = 2


class Diabetes(Spec):
    """442 patients, 10 measurements, progression after a year as a number (Efron et al., 2004; from scikit-learn). The
    network learns the standardized number, so losses are in units of its standard deviation."""

    model_config = ConfigDict(title="Diabetes (regression)")
    kind: Literal["diabetes"] = "diabetes"
    points: ClassVar[int] = 442
    train_share: TrainShare = 0.7
    shape: ClassVar[Shape] = (10,)
    classes: ClassVar[int] = 0


Data = Annotated[
    Moons
    | Circles
    | Spirals
    | Blobs
    | XOR
    | Checkerboard
    | Curve
    | Hills
    | Digits
    | Iris
    | Wine
    | BreastCancer
    | Diabetes,
    Field(discriminator="kind"),
]
