"""Numbers and layers in words that fit a small picture."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

# What a quantity is called on an axis. Units are in brackets; norms and losses have none.
QUANTITY_NAMES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "r_squared": "R² (share of variance explained)",
    "learning_rate": "learning rate",
    "gradient_norm": "gradient norm",
    "gradient_norm_total": "gradient norm of the whole network",
    "weight_norm": "weight norm",
    "update_norm": "update norm",
    "update_ratio": "update / weight",
    "signal_rms": "backward signal (rms)",
    "activation_rms": "activation (rms)",
    "preactivation_rms": "pre-activation (rms)",
    "activation_mean": "mean activation",
    "activation_std": "activation (standard deviation)",
    "preactivation_mean": "mean pre-activation",
    "preactivation_std": "pre-activation (standard deviation)",
    "preactivation_spread": "spread of pre-activations between samples",
    "dead_share": "dead units",
    "saturated_share": "saturated values",
}


def quantity_name(quantity: str) -> str:
    """A quantity in words."""
    return QUANTITY_NAMES.get(quantity, quantity.replace("_", " "))


def subscript(number: int) -> str:
    """A whole number as an index: "₁₂"."""
    return str(number).translate(_SUBSCRIPTS)


def power_of_ten(exponent: float) -> str:
    """10 raised to a whole number, in the HTML that Plotly reads everywhere."""
    return f"10<sup>{round(exponent)}</sup>".replace("-", "−")


def hover_number(variable: str) -> str:
    """A number in a hover text, in Plotly's words: four significant digits of `variable`, such as "y"."""
    return f"%{{{variable}:.4~g}}"


HOVER_POINT = f"x {hover_number('x')}, y {hover_number('y')}"
"""A point of the plane in a hover text."""


def number(value: float, digits: int = 3) -> str:
    """Three significant digits: 0.0421, 12.3, 1.23×10⁻⁷; ∞ and NaN."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "−∞" if value < 0 else "∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -4 <= int(exponent) < 5:
        return f"{value:.{max(0, digits - 1 - int(exponent))}f}".replace("-", "−")
    return f"{mantissa}×{power_of_ten(int(exponent))}".replace("-", "−")


def percent(share: float) -> str:
    """A share 0..1 in percent, one decimal: "97.3 %"."""
    return f"{100 * share:.1f} %"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where some were cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def run_letter(name: str) -> str:
    """Of a run's name such as "B: batch norm" its letter, where there is little room; other names as they are."""
    return name[0] if re.match(r"[A-Z]: ", name) else name


def depth_ticks(ticks: Sequence[str], most: int = 12) -> tuple[list[int], list[str]]:
    """Which rows of a stack of layers to label, and how: positions (0 is the first) and "1", "5", "10", …, "out", of
    all `ticks`."""
    total = len(ticks)
    if total <= most:
        return list(range(total)), list(ticks)
    every = next(step for step in (2, 5, 10, 20, 50, 100, 200, 500, 1000) if total / step <= most - 2)
    inner = [i for i in range(every - 1, total, every) if i > every // 2 and total - 1 - i > every // 2]
    places = [0, *inner, total - 1]
    return places, [ticks[i] for i in places]


def row_hover(names: Sequence[str], columns: int) -> tuple[str, dict]:
    """What rows of a heatmap with so many columns are called in a hover text, and what the trace needs for it: their
    numbers where they are the layers of one network from the first on, else their `names`."""
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
    """(height, width) where the data are gray pictures, (n, 1, height, width); else ()."""
    shape = np.shape(data.get("inputs", ()))
    return shape[2:] if len(shape) == 4 and shape[1] == 1 else ()


def unstandardized_inputs(data: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Inputs (n, …) as they were measured, before they were standardized for the network."""
    return inputs * np.asarray(data["input_std"], float) + np.asarray(data["input_mean"], float)


def unstandardized_targets(data: Mapping[str, np.ndarray], targets: np.ndarray) -> np.ndarray:
    """Numeric targets or predictions (n,) as they were measured."""
    return targets * float(data["target_std"]) + float(data["target_mean"])


def feature_with_unit(feature: str, value: float) -> str:
    """A feature and its value in its unit: "sepal length: 5.9 cm" for the feature "sepal length (cm)"."""
    match = re.fullmatch(r"(.+?) \(([^()]+)\)", feature)
    name, unit = match.groups() if match else (feature, "")
    return f"{name}: {compact_number(value)} {unit}".rstrip()


def compact_number(value: float, digits: int = 4) -> str:
    """So many significant digits, or all before the point, without zeros at the end, as people write measurements:
    5.9, 1285, 0.0371."""
    if not math.isfinite(value):
        return number(value)
    whole = len(str(int(abs(value))))
    return f"{float(f'{value:.{max(digits, whole)}g}'):.12g}".replace("-", "−")
