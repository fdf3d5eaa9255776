"""Real data sets that scikit-learn ships. Inputs and numeric targets reach the network standardized with the training
part's mean and deviation."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec
from nnviz.spec.data.label_noise import LabelNoise
from nnviz.spec.data.train_fraction import TrainFraction
from nnviz.spec.shapes import Shape


class Digits(Spec):
    """1,797 handwritten digits of 8 × 8 pixels (Alpaydin & Kaynak, 1998; from scikit-learn)."""

    kind: Literal["digits"] = "digits"
    points: int = Field(
        1797, ge=50, le=1797, title="samples", description="Number of digits used, training and test together."
    )
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (1, 8, 8)
    classes: ClassVar[int] = 10


class Iris(Spec):
    """150 iris flowers, 4 lengths in cm, 3 species (Fisher, 1936; from scikit-learn)."""

    kind: Literal["iris"] = "iris"
    points: ClassVar[int] = 150
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (4,)
    classes: ClassVar[int] = 3


class Wine(Spec):
    """178 wines, 13 chemical measurements, 3 cultivars (Forina et al., 1988; from scikit-learn)."""

    kind: Literal["wine"] = "wine"
    points: ClassVar[int] = 178
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (13,)
    classes: ClassVar[int] = 3


class BreastCancer(Spec):
    """569 tumors, 30 measurements of cell nuclei, malignant or benign (Street et al., 1993; from scikit-learn)."""

    kind: Literal["breast_cancer"] = "breast_cancer"
    points: ClassVar[int] = 569
    train_fraction: TrainFraction = 0.7
    label_noise: LabelNoise = 0.0
    shape: ClassVar[Shape] = (30,)
    classes: ClassVar[int] = 2


class Diabetes(Spec):
    """442 patients, 10 measurements, disease progression after one year as a number (Efron et al., 2004; from
    scikit-learn). The target is standardized: predicting its mean has an MSE of 1."""

    model_config = ConfigDict(title="Diabetes (regression)")
    kind: Literal["diabetes"] = "diabetes"
    points: ClassVar[int] = 442
    train_fraction: TrainFraction = 0.7
    shape: ClassVar[Shape] = (10,)
    classes: ClassVar[int] = 0
    label_noise: ClassVar[float] = 0.0
