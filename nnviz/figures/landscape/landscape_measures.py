"""What is measured of a network at many sets of weights, in words, and the scale of its heights."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import colorscale, labels, theme

MEASURE_NAMES = {
    "train_loss": "train loss",
    "test_loss": "test loss",
    "train_accuracy": "train accuracy",
    "test_accuracy": "test accuracy",
}
# What stands high above the rest is cut off: at so many times the height of nine tenths of all places.
CLIP_QUANTILE, CLIP_RATIO = 0.9, 2.5
# Losses within this factor look the same by their logarithm.
MIN_LOG_RATIO = 5
# A loss smaller than this share of most others is as good as nothing on a logarithmic scale.
LOG_FLOOR_FRACTION = 1e-10
# How strong the highest ground is drawn.
MAX_OPACITY = 0.8
WAITING_FOR_TRAINING = "waiting for the network to be trained"

Arrays = Mapping[str, np.ndarray]


def measure_name(measure: str) -> str:
    """A measure in words."""
    return MEASURE_NAMES.get(measure, measure.replace("_", " "))


def is_fraction(measure: str) -> bool:
    """Whether it is a share 0..1, told in percent."""
    return measure.endswith("accuracy")


def color(measure: str) -> str:
    """That of the part of the data that it is measured on."""
    return theme.SPLITS["test" if measure.startswith("test") else "train"]


def format_value(measure: str, value: float) -> str:
    """A value in words: "0.0421", "97.3 %"; "not finite" where it is none."""
    if not np.isfinite(value):
        return "not finite"
    return labels.percent(value) if is_fraction(measure) else labels.number(value)


def hover_value(measure: str, variable: str) -> str:
    """A value in a hover text, in Plotly's words."""
    return f"%{{{variable}:.1%}}" if is_fraction(measure) else labels.hover_number(variable)


def reason_missing(measure: str, arrays: Arrays, prefix: str = "") -> str:
    """In a few words why arrays that are there do not hold a measure; "" where they hold it."""
    if prefix + measure in arrays:
        return ""
    if measure.startswith("test") and f"{prefix}test_loss" not in arrays:
        return "this network has no test part"
    return "accuracy is for classes" if is_fraction(measure) else f"there is no {measure_name(measure)}"


def shared_scale(*slices: Arrays | None, measure: str, log: bool | None = None) -> colorscale.ValueScale | None:
    """One scale for the heights of all these slices (arrays as those of `loss_map`, {} or None), to be given to the
    maps and spaces of networks that are compared; None where none of them holds the measure.

    Logarithmic where `log` says so, None: where that shows more; accuracy never is. Losses have their own
    logarithm, or where some are negative that above the lowest. Heights beyond 2.5 times those of nine tenths of a
    slice (counted from the lowest, by logarithms on a logarithmic scale) are cut off at the highest of the others, so
    that one huge loss flattens nothing.
    """
    found = [np.asarray(arrays[measure], float) for arrays in slices if measure in (arrays or ())]
    if not found:
        return None
    return value_scale(found, False if is_fraction(measure) else log, is_fraction(measure))


def value_scale(slices: list[np.ndarray], log: bool | None, share: bool = False) -> colorscale.ValueScale:
    """See `height_scale`; arrays of any shape."""
    parts = [part for part in (z[np.isfinite(z)] for z in slices) if len(part)]
    z = np.concatenate(parts) if parts else np.empty(0)
    low, most = (float(z.min()), float(z.max())) if len(z) else (0.0, 0.0)
    if most <= low:
        return (
            colorscale.ValueScale(0.0, 1.0, 0.0) if share else colorscale.ValueScale(low, low + max(1.0, abs(low)), 0.0)
        )
    if share:
        return colorscale.ValueScale(low, most, 0.0)
    top = _clip_value(parts, low, most)
    if log is None:
        log = bool(np.median(z) - low < colorscale.FLAT_FRACTION * (top - low)) and not 0 < top < MIN_LOG_RATIO * low
    if not log:
        return colorscale.ValueScale(low, top, 0.0)
    if low < 0:
        return colorscale.ValueScale(low, top, colorscale.LOG_OFFSET_FRACTION * (top - low))
    usual = max(float(np.quantile(part, CLIP_QUANTILE)) for part in parts)
    low = max(float(z[z > 0].min()), LOG_FLOOR_FRACTION * usual)
    logs = [np.log10(np.maximum(part, low)) for part in parts]
    top = 10 ** _clip_value(logs, float(np.log10(low)), float(np.log10(most)))
    top = float(z[z <= top * (1 + 1e-9)].max())
    return colorscale.ValueScale(low, max(top, 1.0001 * low), low)


def _clip_value(parts: list[np.ndarray], low: float, most: float) -> float:
    """The highest that is not cut off."""
    cut = low + CLIP_RATIO * (max(float(np.quantile(part, CLIP_QUANTILE)) for part in parts) - low)
    return max(float(part[part <= cut].max(initial=low)) for part in parts) if low < cut < most else most


def is_clipped(scale: colorscale.ValueScale, z: np.ndarray) -> bool:
    """Whether some heights are above the scale."""
    return bool(np.any(np.asarray(z)[np.isfinite(z)] > scale.high * (1 + 1e-9)))


def scale_ticks(scale: colorscale.ValueScale, measure: str, z: np.ndarray) -> tuple[list[float], list[str]]:
    """Places and words along a scale, with "≥" at its top where it is cut."""
    return colorscale.ticks(scale, _percent if is_fraction(measure) else None, is_clipped=is_clipped(scale, z))


def colorbar(scale: colorscale.ValueScale, measure: str, z: np.ndarray) -> dict:
    """The legend of a map's colors."""
    words = _percent if is_fraction(measure) else None
    return colorscale.colorbar(
        scale,
        f"{measure_name(measure).replace(' ', '<br>')}<br> ",
        words,
        is_clipped=is_clipped(scale, z),
        max_opacity=MAX_OPACITY,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
