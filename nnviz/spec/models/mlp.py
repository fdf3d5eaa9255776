"""Multilayer perceptrons."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.activations import Activation, ReLU, Tanh
from nnviz.spec.base import Spec
from nnviz.spec.dropouts import Dropout, NoDropout
from nnviz.spec.initializers import HeNormal, Initializer, PyTorchDefault
from nnviz.spec.models.family import SHOWN_UNITS, Family, Size
from nnviz.spec.norms import GroupNorm, NoNorm, Norm
from nnviz.spec.shapes import Shape, numbers

Width = Annotated[int, Field(ge=1, le=8192, description="Neurons in the layer.")]
Skip = Annotated[
    bool,
    Field(
        title="skip connections",
        description="Add the input of a hidden layer to its output where both have the same width (He et al., 2016, "
        "arXiv:1512.03385): a path for the gradient around each layer.",
    ),
]
Bias = Annotated[
    bool, Field(description="Whether layers have biases. A layer directly followed by batch norm never has one.")
]

MAP_POINTS = 24
"""Points along each side of the small picture of what a unit computes over one or two inputs."""


class Hidden(Spec):
    """A hidden layer."""

    width: Width = 8
    activation: Activation = Tanh()


class Feedforward(Family):
    """Fully connected hidden layers one after another, then a linear output. Inputs of any shape are flattened."""

    takes: ClassVar[str] = "inputs of any shape"
    has_diagram: ClassVar[bool] = True

    @model_validator(mode="after")
    def _groups_fit(self) -> "Feedforward":
        if isinstance(self.norm, GroupNorm):
            for layer in self.hidden:
                if layer.width % self.norm.groups:
                    raise ValueError(
                        f"norm.groups must divide the width of every hidden layer, got {self.norm.groups} for a layer "
                        f"of {layer.width}; choose another number of groups or other widths"
                    )
        return self

    @property
    def least_batch(self) -> int:
        return self.norm.least_batch if self.hidden else 1

    @property
    def has_dropout(self) -> bool:
        return self.dropout.input_rate > 0 or (self.dropout.rate > 0 and bool(self.hidden))

    @property
    def changes_training_loss(self) -> str:
        if self.norm.least_batch > 1:
            return "batch norm"
        return "dropout" if self.has_dropout else ""

    @property
    def vectors(self) -> str:
        if self.norm.affine and self.hidden:
            return f"biases and norm's scale{'' if self.norm.kind == 'rms' else ' and shift'}"
        return "biases" if self.bias else ""

    @property
    def statistics(self) -> str:
        return "batch norm's statistics" if self.norm.kind == "batch" and self.hidden else ""

    @classmethod
    def accepts(cls, inputs: Shape) -> bool:
        return numbers(inputs) > 0

    def output_shape(self, inputs: Shape, outputs: int) -> Shape:  # noqa: ARG002
        return (outputs,)

    def widths(self, inputs: Shape, outputs: int) -> list[int]:
        """Numbers that go in, units of each hidden layer, outputs."""
        return [numbers(inputs), *(h.width for h in self.hidden), outputs]

    def features(self, inputs: Shape) -> int:
        return self.widths(inputs, 0)[-2]

    def size(self, inputs: Shape, outputs: int) -> Size:
        widths = self.widths(inputs, outputs)
        weights = sum(a * b for a, b in pairwise(widths))
        biases = (sum(widths[1:-1]) * (not self.norm.replaces_bias) + widths[-1]) * self.bias
        slopes = sum(h.activation.kind == "prelu" for h in self.hidden)  # one a layer
        norms = sum(self.norm.parameters(width) for width in widths[1:-1])
        parameters = weights + biases + norms + slopes
        shown = [min(w, SHOWN_UNITS) for w in widths]
        maps = sum(shown[1:]) * MAP_POINTS**2 * 2 if widths[0] <= 2 else 0
        picture = maps + 4 * sum(a * b for a, b in pairwise(shown))
        return Size(parameters, parameters, sum(widths), len(widths) - 1, picture)

    def function(self) -> Mapping[str, Any]:
        return {
            "hidden layers": len(self.hidden),
            "widths": [layer.width for layer in self.hidden],
            "activations": [layer.activation for layer in self.hidden],
            "normalization": self.norm,
            "skip connections": self.skip,
            "biases": self.bias,
        }


class MLP(Feedforward):
    """Multilayer perceptron whose hidden layers are set one by one, with a linear output layer. Without hidden layers:
    a linear model."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[Hidden, ...] = Field(
        (Hidden(), Hidden()), max_length=50, title="hidden layers", description="From input to output."
    )
    norm: Norm = NoNorm()
    dropout: Dropout = NoDropout()
    skip: Skip = False
    bias: Bias = True
    initializer: Initializer = PyTorchDefault()


class DeepMLP(Feedforward):
    """Multilayer perceptron with identical hidden layers, for experiments on depth."""

    model_config = ConfigDict(title="Deep MLP")
    kind: Literal["deep_mlp"] = "deep_mlp"
    depth: int = Field(20, ge=1, le=50, description="Hidden layers.")
    width: Width = Field(64, json_schema_extra={"log": True})
    activation: Activation = ReLU()
    norm: Norm = NoNorm()
    dropout: Dropout = NoDropout()
    skip: Skip = False
    bias: Bias = True
    initializer: Initializer = HeNormal()

    @property
    def hidden(self) -> tuple[Hidden, ...]:
        return (Hidden(width=self.width, activation=self.activation),) * self.depth
