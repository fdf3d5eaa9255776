"""Models: the shape of a network, without torch."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.activations import Activation, ReLU, Tanh
from nnviz.spec.base import Spec
from nnviz.spec.initializers import HeNormal, Initializer, PyTorchDefault

Width = Annotated[int, Field(ge=1, le=8192, description="Neurons in the layer.")]
BatchNorm = Annotated[
    bool,
    Field(description="Normalize each hidden unit over the batch, before its activation (Ioffe & Szegedy, 2015)."),
]
Dropout = Annotated[
    float,
    Field(
        ge=0,
        le=0.95,
        description="Share of hidden units set to 0 at each step, the rest scaled up (Srivastava et al., 2014).",
    ),
]
Skip = Annotated[
    bool,
    Field(
        title="skip connections",
        description="Add what enters a hidden layer to what leaves it, where both are equally wide (He et al., 2016, "
        "arXiv:1512.03385): the gradient has a way around each layer.",
    ),
]
Bias = Annotated[bool, Field(description="Whether layers have biases. A layer before batch norm has none of its own.")]


class Hidden(Spec):
    """A hidden layer."""

    width: Width = 8
    activation: Activation = Tanh()


class MLP(Spec):
    """A multilayer perceptron: hidden layers one by one, then a linear output. Without hidden layers a linear model."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[Hidden, ...] = Field(
        (Hidden(), Hidden()), max_length=50, title="hidden layers", description="From input to output."
    )
    batch_norm: BatchNorm = False
    dropout: Dropout = 0.0
    skip: Skip = False
    bias: Bias = True
    initializer: Initializer = PyTorchDefault()


class DeepMLP(Spec):
    """A multilayer perceptron of equal hidden layers, for looking at depth."""

    model_config = ConfigDict(title="Deep MLP")
    kind: Literal["deep_mlp"] = "deep_mlp"
    depth: int = Field(20, ge=1, le=50, description="Hidden layers.")
    width: Width = 64
    activation: Activation = ReLU()
    batch_norm: BatchNorm = False
    dropout: Dropout = 0.0
    skip: Skip = False
    bias: Bias = True
    initializer: Initializer = HeNormal()

    @property
    def hidden(self) -> tuple[Hidden, ...]:
        return (Hidden(width=self.width, activation=self.activation),) * self.depth


Model = Annotated[MLP | DeepMLP, Field(discriminator="kind")]
