"""Losses: what training makes small. p is the prediction, y the target; all are means over the batch.

On classes, the squared and absolute losses compare the raw outputs with one-hot targets (one output and 0/1 for two
classes), as a lesson in why cross-entropy is used.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec


class MSE(Spec):
    """Mean of (p − y)²: its minimum over a constant p is the mean of y."""

    kind: Literal["mse"] = "mse"
    fits: ClassVar[tuple[str, ...]] = ("classes", "numbers")


class MAE(Spec):
    """Mean of |p − y|: its minimum over a constant p is the median of y."""

    kind: Literal["mae"] = "mae"
    fits: ClassVar[tuple[str, ...]] = ("classes", "numbers")


class RMSE(Spec):
    """√MSE, in the unit of y."""

    kind: Literal["rmse"] = "rmse"
    fits: ClassVar[tuple[str, ...]] = ("classes", "numbers")


class Huber(Spec):
    """½(p − y)² within δ, δ(|p − y| − ½δ) beyond (Huber, 1964): squared near 0, absolute for outliers."""

    kind: Literal["huber"] = "huber"
    delta: float = Field(
        1.0, gt=0, le=100, title="δ", description="Where the square turns into a line.", json_schema_extra={"log": True}
    )
    fits: ClassVar[tuple[str, ...]] = ("classes", "numbers")


class CrossEntropy(Spec):
    """−ln softmax(z)ᵧ over the classes. Its gradient in the outputs z is softmax(z) − y."""

    model_config = ConfigDict(title="Cross-entropy")
    kind: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of the target spread over all classes (Szegedy et al., 2016)."
    )
    fits: ClassVar[tuple[str, ...]] = ("classes",)


class BinaryCrossEntropy(Spec):
    """−y ln σ(z) − (1 − y) ln(1 − σ(z)): one output for two classes, one against the rest for more."""

    model_config = ConfigDict(title="Binary cross-entropy")
    kind: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    fits: ClassVar[tuple[str, ...]] = ("classes",)


Loss = Annotated[MSE | MAE | RMSE | Huber | CrossEntropy | BinaryCrossEntropy, Field(discriminator="kind")]
