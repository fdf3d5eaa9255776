"""Losses and accuracies over weight space: their names, formats, colors and value scales."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import colorscale, labels, theme

MEASURE_NAMES = {
    "train_loss": "train loss",
    "test_loss": "test loss",
    "train_accuracy": "train accuracy",
    "test_accuracy": "test accuracy",
}
# Values more than `CLIP_RATIO` times as far from the minimum as this quantile are clipped.
CLIP_QUANTILE, CLIP_RATIO = 0.9, 2.5
# Losses within this factor are drawn on a linear scale by default.
MIN_LOG_RATIO = 5
# Smallest loss on a logarithmic scale, as a fraction of the 90th percentile.
LOG_FLOOR_FRACTION = 1e-10
# Opacity of the highest values.
MAX_OPACITY = 0.8
WAITING_FOR_TRAINING = "waiting for the network to be trained"

Arrays = Mapping[str, np.ndarray]


def measure_name(measure: str) -> str:
    """The name of a measure."""
    return MEASURE_NAMES.get(measure, measure.replace("_", " "))


def is_fraction(measure: str) -> bool:
    """Whether it is a fraction 0..1, shown in percent."""
    return measure.endswith("accuracy")


def color(measure: str) -> str:
    """The color of the split that it is measured on."""
    return theme.SPLITS["test" if measure.startswith("test") else "train"]


def format_value(measure: str, value: float) -> str:
    """A value as text: "0.0421", "97.3%"; "not finite"."""
    if not np.isfinite(value):
        return "not finite"
    return labels.percent(value) if is_fraction(measure) else labels.number(value)


def hover_value(measure: str, variable: str) -> str:
    """A Plotly template of a value in a hover text."""
    return f"%{{{variable}:.1%}}" if is_fraction(measure) else labels.hover_number(variable)


def reason_missing(measure: str, arrays: Arrays, prefix: str = "") -> str:
    """Why a view's arrays lack a measure; "" if they have it."""
    if prefix + measure in arrays:
        return ""
    if measure.startswith("test") and f"{prefix}test_loss" not in arrays:
        return "this network has no test set"
    return "accuracy needs classes" if is_fraction(measure) else f"there is no {measure_name(measure)}"


def shared_scale(*slices: Arrays | None, measure: str, log: bool | None = None) -> colorscale.ValueScale | None:
    """One value scale for all these slices (arrays as in `loss_map`, {} or None), for figures that are compared.

    None if no slice has the measure. `log` None: logarithmic where values are unevenly spread; accuracy never is. The
    logarithm is of the loss, or if some are negative of the loss above the minimum. Values far above the 90th
    percentile are clipped, so that a single huge loss does not flatten the rest.
    """
    found = [np.asarray(arrays[measure], float) for arrays in slices if measure in (arrays or ())]
    if not found:
        return None
    return value_scale(found, False if is_fraction(measure) else log, is_fraction(measure))


def value_scale(slices: list[np.ndarray], log: bool | None, as_percent: bool = False) -> colorscale.ValueScale:
    """See `shared_scale`; arrays of any shape."""
    parts = [part for part in (z[np.isfinite(z)] for z in slices) if len(part)]
    z = np.concatenate(parts) if parts else np.empty(0)
    low, high = (float(z.min()), float(z.max())) if len(z) else (0.0, 0.0)
    if high <= low:
        return (
            colorscale.ValueScale(0.0, 1.0, 0.0)
            if as_percent
            else colorscale.ValueScale(low, low + max(1.0, abs(low)), 0.0)
        )
    if as_percent:
        return colorscale.ValueScale(low, high, 0.0)
    clip = _clip_value(parts, low, high)
    if log is None:
        log = bool(np.median(z) - low < colorscale.FLAT_FRACTION * (clip - low)) and not 0 < clip < MIN_LOG_RATIO * low
    if not log:
        return colorscale.ValueScale(low, clip, 0.0)
    if low < 0:
        return colorscale.ValueScale(low, clip, colorscale.LOG_OFFSET_FRACTION * (clip - low))
    typical = max(float(np.quantile(part, CLIP_QUANTILE)) for part in parts)
    low = max(float(z[z > 0].min()), LOG_FLOOR_FRACTION * typical)
    logs = [np.log10(np.maximum(part, low)) for part in parts]
    clip = 10 ** _clip_value(logs, float(np.log10(low)), float(np.log10(high)))
    clip = float(z[z <= clip * (1 + 1e-9)].max())
    return colorscale.ValueScale(low, max(clip, 1.0001 * low), low)


def _clip_value(parts: list[np.ndarray], low: float, high: float) -> float:
    """The value at which a scale is clipped."""
    cut = low + CLIP_RATIO * (max(float(np.quantile(part, CLIP_QUANTILE)) for part in parts) - low)
    return max(float(part[part <= cut].max(initial=low)) for part in parts) if low < cut < high else high


def is_clipped(scale: colorscale.ValueScale, z: np.ndarray) -> bool:
    """Whether some values are above the scale."""
    return bool(np.any(np.asarray(z)[np.isfinite(z)] > scale.high * (1 + 1e-9)))


def scale_ticks(scale: colorscale.ValueScale, measure: str, z: np.ndarray) -> tuple[list[float], list[str]]:
    """Positions and texts of ticks, with "≥" at the top if values are clipped."""
    return colorscale.ticks(scale, _percent if is_fraction(measure) else None, is_clipped=is_clipped(scale, z))


def colorbar(scale: colorscale.ValueScale, measure: str, z: np.ndarray) -> dict:
    """The colorbar of a map."""
    formatter = _percent if is_fraction(measure) else None
    return colorscale.colorbar(
        scale,
        f"{measure_name(measure).replace(' ', '<br>')}<br> ",
        formatter,
        is_clipped=is_clipped(scale, z),
        max_opacity=MAX_OPACITY,
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g}%"
