"""Definitions of dead units and saturated values for the activations of a network, as help texts."""

from nnviz.frames import Layers

# The slope is constant.
_NON_SATURATING = {"identity"}
# The definitions are those of `nnviz.engine.capture.probes.unit_probe`.
MEASURED = "Measured at each evaluation, in evaluation mode, on the same 1,024 training samples (or all there are). "
DEAD = "Dead: a unit whose activation has a slope below 0.001 for every sample; it gets no gradient. "
_SATURATED = "Saturated: a value at which the slope of the activation is below 5% of its maximum. "
# About half of all values are there by design.
_PIECEWISE_LINEAR = {
    "relu": "For ReLU these are all inputs ≤ 0, normally about half. ",
    "leaky_relu": "For leaky ReLU these are all inputs ≤ 0 if its slope is below 0.05, else none. ",
    "prelu": "For PReLU these are all inputs ≤ 0 while the learned slope is within ±0.05. ",
}
# Their slope is also below 5 % of its maximum around their minimum.
_NON_MONOTONE = {"gelu": "GELU", "silu": "SiLU"}


def can_saturate(layers: Layers) -> bool:
    """Whether any activation of these layers can saturate; True if none is known."""
    kinds = _activation_kinds(layers)
    return not kinds or not kinds <= _NON_SATURATING


def saturated_name(layers: Layers) -> str:
    """The name of the fraction of saturated values: for ReLU not "saturated", since it is normal there."""
    kinds = _activation_kinds(layers)
    return "inputs below 0, where ReLU is flat" if kinds == {"relu"} else "saturated values"


def definitions(layers: Layers) -> str:
    """How dead and saturated are defined and measured for these activations."""
    kinds = _activation_kinds(layers)
    if kinds and kinds <= _NON_SATURATING:
        return MEASURED + DEAD + "This activation has a constant slope and cannot saturate."
    text = (
        MEASURED
        + DEAD
        + _SATURATED
        + "".join(sentence for kind, sentence in _PIECEWISE_LINEAR.items() if kind in kinds)
    )
    if turning := " and ".join(name for kind, name in _NON_MONOTONE.items() if kind in kinds):
        text += f"{turning} are also flat around their minimum: 9% of a standard normal input. "
    return text.rstrip()


def _activation_kinds(layers: Layers) -> set[str]:
    return set(layers.activations) - {""}
