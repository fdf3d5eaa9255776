"""Activation functions: what a neuron does with its weighted sum x."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec


class Identity(Spec):
    """x. Layers without an activation collapse into one linear map."""

    kind: Literal["identity"] = "identity"


class Step(Spec):
    """1 if x > 0 else 0 (Rosenblatt, 1958). Its derivative is 0, so no gradient reaches the layers before it."""

    kind: Literal["step"] = "step"


class Sigmoid(Spec):
    """1 / (1 + e⁻ˣ). Derivative at most ¼: unless the weights make up for it, gradients shrink from layer to layer."""

    kind: Literal["sigmoid"] = "sigmoid"


class Tanh(Spec):
    """tanh x. Zero-centered, derivative at most 1 (LeCun et al., 1998)."""

    kind: Literal["tanh"] = "tanh"


class Softsign(Spec):
    """x / (1 + |x|). Saturates more slowly than tanh (Bergstra et al., 2009)."""

    kind: Literal["softsign"] = "softsign"


class ReLU(Spec):
    """max(0, x) (Nair & Hinton, 2010). Derivative 1 for x > 0, else 0: a unit that is inactive on all samples gets no
    gradient (dead unit)."""

    model_config = ConfigDict(title="ReLU")
    kind: Literal["relu"] = "relu"


class LeakyReLU(Spec):
    """x if x > 0 else slope · x (Maas et al., 2013)."""

    model_config = ConfigDict(title="Leaky ReLU")
    kind: Literal["leaky_relu"] = "leaky_relu"
    slope: float = Field(0.01, ge=0, le=1, description="Slope for negative x.")


class PReLU(Spec):
    """x if x > 0 else a · x with a learned a, one per layer (He et al., 2015, arXiv:1502.01852)."""

    model_config = ConfigDict(title="PReLU")
    kind: Literal["prelu"] = "prelu"
    initial_slope: float = Field(0.25, ge=0, le=1, description="Initial value of the learned slope.")


class ELU(Spec):
    """x if x > 0 else α(eˣ − 1) (Clevert et al., 2016, arXiv:1511.07289)."""

    kind: Literal["elu"] = "elu"
    alpha: float = Field(1.0, gt=0, le=5, title="α", description="Saturation value for very negative x is −α.")


class SELU(Spec):
    """λx if x > 0 else λα(eˣ − 1), with λ and α such that mean 0 and variance 1 are a fixed point
    under LeCun initialization (Klambauer et al., 2017, arXiv:1706.02515)."""

    kind: Literal["selu"] = "selu"


class GELU(Spec):
    """x · Φ(x), with Φ the standard normal CDF (Hendrycks & Gimpel, 2016, arXiv:1606.08415)."""

    kind: Literal["gelu"] = "gelu"


class SiLU(Spec):
    """x · sigmoid(x), also called Swish (Ramachandran et al., 2017, arXiv:1710.05941)."""

    model_config = ConfigDict(title="SiLU")
    kind: Literal["silu"] = "silu"


class Softplus(Spec):
    """ln(1 + e^(βx)) / β: a smooth ReLU (Dugas et al., 2001)."""

    kind: Literal["softplus"] = "softplus"
    beta: float = Field(1.0, gt=0, le=20, title="β", description="Larger values are closer to ReLU.")


Activation = Annotated[
    Identity | Step | Sigmoid | Tanh | Softsign | ReLU | LeakyReLU | PReLU | ELU | SELU | GELU | SiLU | Softplus,
    Field(discriminator="kind"),
]
