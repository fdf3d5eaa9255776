"""What "saturated" means for an activation, in the words of a figure's help."""

from collections.abc import Mapping

import numpy as np

# The slope is the same everywhere.
_NEVER = {"identity"}
# One side is flat by design: about half of all values lie there, and that is how they are meant to be.
_FLAT_BELOW = {"relu": "ReLU", "leaky_relu": "leaky ReLU"}
_GENERAL = (
    "A saturated value lies where the activation's slope is below a twentieth of its steepest, "
    "so that hardly any gradient passes."
)


def can_saturate(layers: Mapping[str, np.ndarray] | None) -> bool:
    """Whether any activation of the snapshot `layers` has a flat part; unknown ones may."""
    kinds = _kinds(layers)
    return not kinds or not kinds <= _NEVER


def name(layers: Mapping[str, np.ndarray] | None) -> str:
    """What the share of saturated values is called: for ReLU by what it is, as nothing is wrong with it there."""
    kinds = _kinds(layers)
    return "inputs below 0, where ReLU is flat" if kinds == {"relu"} else "saturated values"


def explained(layers: Mapping[str, np.ndarray] | None) -> str:
    """What saturated means for these activations, and whether it is bad."""
    kinds = _kinds(layers)
    if kinds and kinds <= _NEVER:
        return "This activation has the same slope everywhere and cannot saturate."
    if kinds and kinds <= set(_FLAT_BELOW):
        names = " and ".join(_FLAT_BELOW[kind] for kind in sorted(kinds))
        passes = "no" if kinds == {"relu"} else "hardly any"
        return (
            f"For {names}, saturated is every input below 0, where {passes} gradient passes: about half of them is "
            "normal, and only a unit below 0 for every sample is lost."
        )
    return _GENERAL


def _kinds(layers: Mapping[str, np.ndarray] | None) -> set[str]:
    return {str(kind) for kind in layers.get("activations", ())} - {""} if layers else set()
