"""Initializers: what the weights are before the first step. n_in and n_out are a layer's inputs and outputs.

Biases start at 0, except under PyTorch's default.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec

Gain = Annotated[
    float,
    Field(gt=0, le=10, description="Factor that multiplies the standard deviation.", json_schema_extra={"log": True}),
]


class Zeros(Spec):
    """All weights 0. The units of a layer get the same gradients and stay identical: symmetry is never broken."""

    kind: Literal["zeros"] = "zeros"


class Constant(Spec):
    """All weights have the same value. The units of a layer stay identical, as with zeros."""

    kind: Literal["constant"] = "constant"
    value: float = Field(0.1, ge=-10, le=10, description="The value of every weight.")


class Normal(Spec):
    """N(0, σ²), independent of the layer's size: signals vanish if σ is too small and explode if it is too large."""

    kind: Literal["normal"] = "normal"
    std: float = Field(0.05, gt=0, le=10, title="σ", description="Standard deviation.", json_schema_extra={"log": True})


class ClassicUniform(Spec):
    """U(±1/√n_in), variance 1/(3 n_in): the common heuristic before 2010 (Glorot & Bengio, 2010)."""

    model_config = ConfigDict(title="Classic U(±1/√n)")
    kind: Literal["classic_uniform"] = "classic_uniform"


class GlorotUniform(Spec):
    """U(±gain · √(6/(n_in + n_out))) (Glorot & Bengio, 2010): preserves the variance forward and backward for tanh near
    0."""

    kind: Literal["glorot_uniform"] = "glorot_uniform"
    gain: Gain = 1.0


class GlorotNormal(Spec):
    """N(0, gain² · 2/(n_in + n_out)) (Glorot & Bengio, 2010)."""

    kind: Literal["glorot_normal"] = "glorot_normal"
    gain: Gain = 1.0


class HeUniform(Spec):
    """U(±gain · √(6/n_in)) (He et al., 2015, arXiv:1502.01852): preserves the second moment through ReLU."""

    kind: Literal["he_uniform"] = "he_uniform"
    gain: Gain = 1.0


class HeNormal(Spec):
    """N(0, gain² · 2/n_in) (He et al., 2015, arXiv:1502.01852)."""

    kind: Literal["he_normal"] = "he_normal"
    gain: Gain = 1.0


class LeCunNormal(Spec):
    """N(0, gain²/n_in) (LeCun et al., 1998): preserves the variance through a linear layer; required by SELU."""

    model_config = ConfigDict(title="LeCun normal")
    kind: Literal["lecun_normal"] = "lecun_normal"
    gain: Gain = 1.0


class Orthogonal(Spec):
    """gain times a random matrix with orthonormal rows or columns (Saxe et al., 2014, arXiv:1312.6120)."""

    kind: Literal["orthogonal"] = "orthogonal"
    gain: Gain = 1.0


class PyTorchDefault(Spec):
    """Default of torch.nn.Linear: U(±1/√n_in) for weights and biases."""

    model_config = ConfigDict(title="PyTorch default")
    kind: Literal["pytorch_default"] = "pytorch_default"


Initializer = Annotated[
    Zeros
    | Constant
    | Normal
    | ClassicUniform
    | GlorotUniform
    | GlorotNormal
    | HeUniform
    | HeNormal
    | LeCunNormal
    | Orthogonal
    | PyTorchDefault,
    Field(discriminator="kind"),
]
