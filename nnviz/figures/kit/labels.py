"""Texts for axes, legends and hover labels: numbers, names of quantities, layers, classes and features."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

# Names of recorded quantities on axes.
QUANTITY_NAMES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "accuracy_by_label": "training accuracy by label",
    "r_squared": "R² (fraction of variance explained)",
    "learning_rate": "learning rate",
    "gradient_norm": "gradient norm",
    "gradient_norm_total": "gradient norm (whole network)",
    "weight_norm": "weight norm",
    "update_norm": "update norm",
    "update_ratio": "‖update‖ / ‖weight‖",
    "signal_rms": "backpropagated signal (RMS)",
    "activation_rms": "activation (RMS)",
    "preactivation_rms": "pre-activation (RMS)",
    "activation_mean": "mean activation",
    "activation_std": "activation (standard deviation)",
    "preactivation_mean": "mean pre-activation",
    "preactivation_std": "pre-activation (standard deviation)",
    "preactivation_spread": "pre-activation spread across samples (std)",
    "dead_fraction": "dead units",
    "saturated_fraction": "saturated values",
    "modes_covered": "modes covered",
    "mass_covered": "mass covered",
    "high_quality_fraction": "high-quality samples",
    "jensen_shannon": "Jensen–Shannon divergence (bits)",
    "mmd": "squared MMD",
    "discriminator_output": "discriminator's output",
    "optimal_gap": "learned − optimal D (RMS)",
    "gradient_penalty": "gradient penalty",
    "confident_fraction": "confidently classified (p > 0.9)",
    "classes_covered": "classes covered",
    "label_accuracy": "images of the requested class",
    "diversity": "difference of two images (RMS)",
    "nearest_distance": "distance (RMS of pixels)",
    "pixel_discrepancy": "squared MMD of pixels",
    "mode_gap": "RMS difference / RMS output",
    "line_loss_range": "largest − smallest loss",
    "line_gradient_change": "largest ‖∇L(w − f·η·∇L) − ∇L‖",
    "line_smoothness": "largest ‖change of ∇L‖ / ‖change of w‖",
    "effective_rate": "η / ‖w‖²",
    "mask_average_loss": "loss (128 test samples)",
    "mask_average_accuracy": "accuracy (128 test samples)",
}


def quantity_name(quantity: str) -> str:
    """The name of a quantity."""
    return QUANTITY_NAMES.get(quantity, quantity.replace("_", " "))


def capitalized(name: str) -> str:
    """As a title: the rest of the name keeps its capitals, as in "Activation (RMS)"."""
    return name[:1].upper() + name[1:]


def subscript(number: int) -> str:
    """A whole number as a subscript: "₁₂"."""
    return str(number).translate(_SUBSCRIPTS)


def power_of_ten(exponent: float) -> str:
    """10 to a whole-number power, in HTML, which Plotly accepts in all texts."""
    return f"10<sup>{round(exponent)}</sup>".replace("-", "−")


def hover_number(variable: str) -> str:
    """A Plotly template of `variable`, such as "y", with four significant digits."""
    return f"%{{{variable}:.4~g}}"


HOVER_POINT = f"x {hover_number('x')}, y {hover_number('y')}"
"""A point of the plane in a hover text."""


def number(value: float, digits: int = 3) -> str:
    """Three significant digits: 0.0421, 12.3, 1.23 × 10⁻⁷; ∞ and NaN."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "−∞" if value < 0 else "∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -4 <= int(exponent) < 5:
        return f"{value:.{max(0, digits - 1 - int(exponent))}f}".replace("-", "−")
    return f"{mantissa} × {power_of_ten(int(exponent))}".replace("-", "−")


def percent(fraction: float) -> str:
    """A fraction 0..1 in percent, one decimal: "97.3%"."""
    return f"{100 * fraction:.1f}%"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis in place of the rest."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def run_letter(name: str) -> str:
    """The letter of a run's name such as "B: batch norm"; other names unchanged."""
    return name[0] if re.match(r"[A-Z]: ", name) else name


def depth_ticks(ticks: Sequence[str], max_labels: int = 12) -> tuple[list[int], list[str]]:
    """At most about `max_labels` evenly spaced ticks of all `ticks`: their indices and texts ("1", "5", …, "out")."""
    total = len(ticks)
    if total <= max_labels:
        return list(range(total)), list(ticks)
    every = next(step for step in (2, 5, 10, 20, 50, 100, 200, 500, 1000) if total / step <= max_labels - 2)
    inner = [i for i in range(every - 1, total, every) if i > every // 2 and total - 1 - i > every // 2]
    indices = [0, *inner, total - 1]
    return indices, [ticks[i] for i in indices]


def row_hover(names: Sequence[str], columns: int) -> tuple[str, dict]:
    """The name of a heatmap's row in a hover template, and the entries that the trace needs for it.

    Rows are numbered where they are the layers of one network from the first on, else `names` are sent as text.
    """
    if all(name in (f"layer {i}", "output") for i, name in enumerate(names, 1)):
        return "layer %{y}", {}
    return "%{text}", {"text": [[name] * columns for name in names]}


def class_names(data: Mapping[str, np.ndarray], count: int) -> list[str]:
    """The names of the classes, or "class 0" … where the data has none."""
    names = [str(name) for name in data.get("class_names", ())]
    return names if len(names) == count else [f"class {i}" for i in range(count)]


def feature_names(data: Mapping[str, np.ndarray], count: int) -> list[str]:
    """The names of the inputs, or x₁ … where the data has none."""
    names = [str(name) for name in data.get("feature_names", ())]
    return names if len(names) == count else [f"x{subscript(i + 1)}" for i in range(count)]


def image_shape(data: Mapping[str, np.ndarray]) -> tuple[int, ...]:
    """(height, width) of grayscale images (n, 1, height, width); () for other data."""
    shape = np.shape(data.get("inputs", ()))
    return shape[2:] if len(shape) == 4 and shape[1] == 1 else ()


def unstandardized_inputs(data: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Inputs (n, …) in their original units, before standardization."""
    return inputs * np.asarray(data["input_std"], float) + np.asarray(data["input_mean"], float)


def unstandardized_targets(data: Mapping[str, np.ndarray], targets: np.ndarray) -> np.ndarray:
    """Numeric targets or predictions (n,) in their original unit."""
    return targets * float(data["target_std"]) + float(data["target_mean"])


def feature_with_unit(feature: str, value: float) -> str:
    """A feature and its value in its unit: "sepal length: 5.9 cm" for the feature "sepal length (cm)"."""
    match = re.fullmatch(r"(.+?) \(([^()]+)\)", feature)
    name, unit = match.groups() if match else (feature, "")
    return f"{name}: {compact_number(value)} {unit}".rstrip()


def compact_number(value: float, digits: int = 4) -> str:
    """At least all digits before the decimal point, else `digits` significant ones, without trailing zeros: 5.9, 1285,
    0.0371."""
    if not math.isfinite(value) or abs(value) >= 1e6:
        return number(value, digits)
    whole = len(str(int(abs(value))))
    return f"{float(f'{value:.{max(digits, whole)}g}'):.12g}".replace("-", "−")
