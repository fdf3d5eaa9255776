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
    """½(p − y)² for |p − y| ≤ δ, else δ(|p − y| − ½δ) (Huber, 1964): quadratic near 0, linear for outliers."""

    kind: Literal["huber"] = "huber"
    delta: float = Field(
        1.0,
        gt=0,
        le=100,
        title="δ",
        description="Error at which the loss changes from quadratic to linear.",
        json_schema_extra={"log": True},
    )
    fits: ClassVar[tuple[str, ...]] = ("classes", "numbers")


class CrossEntropy(Spec):
    """−ln softmax(z)ᵧ over the classes. Its gradient with respect to the logits z is softmax(z) − y, with y one-hot."""

    model_config = ConfigDict(title="Cross-entropy")
    kind: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Fraction of the target probability spread over all classes (Szegedy et al., 2016).",
    )
    fits: ClassVar[tuple[str, ...]] = ("classes",)


class BinaryCrossEntropy(Spec):
    """−y ln σ(z) − (1 − y) ln(1 − σ(z)): one output for two classes; one output per class (one-vs-rest) for more."""

    model_config = ConfigDict(title="Binary cross-entropy")
    kind: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    fits: ClassVar[tuple[str, ...]] = ("classes",)


Loss = Annotated[MSE | MAE | RMSE | Huber | CrossEntropy | BinaryCrossEntropy, Field(discriminator="kind")]
