"""What "saturated" means for an activation, in the words of a figure's help."""

from nnviz.frames import Layers

# The slope is the same everywhere.
_NON_SATURATING = {"identity"}
# The definitions are those of `nnviz.engine.capture.probes.unit_probe`.
MEASURED = "Measured at each evaluation, in evaluation mode, on the same 1,024 training samples (or all there are). "
DEAD = (
    "Dead is a unit that stays on one flat part of the activation, slope below 0.001, for every sample: it gets no "
    "gradient and learns nothing. "
)
_SATURATED = "Saturated is a value at which the activation's slope is below a twentieth of its steepest. "
# About half of all values lie there, and that is how they are meant to be.
_PIECEWISE_LINEAR = {
    "relu": "For ReLU that is every input up to 0, about half of them, and normal. ",
    "leaky_relu": "For leaky ReLU that is every input up to 0 if its slope is below 0.05, and none otherwise. ",
    "prelu": "For PReLU that is every input up to 0 while the learned slope is within ±0.05. ",
}
# Besides the tail, a twentieth of their largest slope is not reached around their minimum.
_NON_MONOTONE = {"gelu": "GELU", "silu": "SiLU"}


def can_saturate(layers: Layers) -> bool:
    """Whether any activation of these layers has a flat part; where none is known, some may."""
    kinds = _activation_kinds(layers)
    return not kinds or not kinds <= _NON_SATURATING


def saturated_name(layers: Layers) -> str:
    """What the share of saturated values is called: for ReLU by what it is, as nothing is wrong with it there."""
    kinds = _activation_kinds(layers)
    return "inputs below 0, where ReLU is flat" if kinds == {"relu"} else "saturated values"


def definitions(layers: Layers) -> str:
    """How dead and saturated are defined and measured, and what that means for these activations."""
    kinds = _activation_kinds(layers)
    if kinds and kinds <= _NON_SATURATING:
        return MEASURED + DEAD + "This activation has the same slope everywhere and cannot saturate."
    words = MEASURED + DEAD + _SATURATED + "".join(text for kind, text in _PIECEWISE_LINEAR.items() if kind in kinds)
    if turning := " and ".join(name for kind, name in _NON_MONOTONE.items() if kind in kinds):
        words += f"{turning} have such a place around their minimum too: 9 % of a normal signal. "
    return words.rstrip()


def _activation_kinds(layers: Layers) -> set[str]:
    return set(layers.activations) - {""}
