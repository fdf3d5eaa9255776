"""Records as runs give them, made up: small, seeded, with the shapes that the figures are promised."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from nnviz.frames import Layers
from nnviz.records import Scalar
from tests.scalar_frames import frame


def scalars(*series: tuple[str, str, list[int], list[float]]) -> pd.DataFrame:
    """A frame of (quantity, site, steps, values), in the order of the steps as a run records them."""
    rows = [
        Scalar(s, q, float(v), site) for q, site, steps, values in series for s, v in zip(steps, values, strict=True)
    ]
    return frame(sorted(rows, key=lambda row: row.step))


def sites(depth: int) -> list[str]:
    """The linear layers of a network with `depth` hidden ones."""
    return [f"model.linear{i + 1}" for i in range(depth)] + ["model.output"]


def layers(*widths: int, activations: Sequence[str] | None = None) -> Layers:
    """The layers of a network with these widths, the input's first, and as many `activations` as hidden ones."""
    hidden = len(widths) - 2
    places = []
    for i, site in enumerate(sites(hidden)):
        label, tick = ("output", "out") if i == hidden else (f"layer {i + 1}", f"{i + 1}")
        places += _with_parameters(site, "linear", label, tick, i)
        if i < hidden:
            places += _with_parameters(f"model.norm{i + 1}", "batch_norm", f"norm {i + 1}", f"norm {i + 1}", i)
            places.append((f"model.activation{i + 1}", "activation", "", label, tick, i))
    columns = ("places", "kinds", "parameters", "labels", "ticks", "layers")
    arrays = {name: np.array(column) for name, column in zip(columns, zip(*places, strict=True), strict=True)}
    arrays |= {
        "sites": np.array(sites(hidden)),
        "activations": np.array([*(activations or ["tanh"] * hidden), ""]),
        "fan_in": np.array(widths[:-1]),
        "fan_out": np.array(widths[1:]),
    }
    return Layers({"model": arrays})


def deep_layers(depth: int) -> Layers:
    """The layers of a network with so many hidden ones."""
    return layers(*[16] * (depth + 2))


def _with_parameters(site: str, kind: str, *more: object) -> list[tuple]:
    return [(f"{site}{end}", kind, end[1:], *more) for end in ("", ".weight", ".bias")]


def network(*widths: int, maps: int = 0, seed: int = 0) -> dict[str, np.ndarray]:
    """The snapshot network: weights and biases of at most 16 neurons a layer, and maps of that many pixels a side."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for i, (fan_in, fan_out) in enumerate(pairwise(widths), 1):
        arrays[f"weight_{i}"] = rng.normal(size=(fan_out, fan_in)).astype(np.float32)[:16, :16]
        arrays[f"bias_{i}"] = rng.normal(size=fan_out).astype(np.float32)[:16]
    if maps:
        for i, width in enumerate(widths):
            arrays[f"maps_{i}"] = rng.normal(size=(min(width, 16), maps, maps)).astype(np.float16)
    return arrays


def data(n: int = 60, d: int = 2, classes: int = 2, image_shape: tuple[int, ...] = (), seed: int = 0) -> dict:
    """The snapshot data; `classes` 0 is a regression on the sum of the inputs."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, d)).astype(np.float32)
    targets = rng.integers(classes, size=n) if classes else inputs.sum(1)
    shape = (1, *image_shape) if image_shape else (d,)
    return {
        "inputs": inputs.reshape(n, *shape),
        "targets": targets,
        "test": rng.random(n) < 0.3,
        "feature_names": np.array([f"feature {i}" for i in range(d)]),
        "class_names": np.array([f"class {i}" for i in range(classes)], dtype=str),
        "input_mean": np.zeros(shape, np.float32),
        "input_std": np.ones(shape, np.float32),
        "target_mean": np.zeros((), np.float32),
        "target_std": np.ones((), np.float32),
    }


def grid(classes: int = 2, size: int = 24) -> dict[str, np.ndarray]:
    """The snapshot decision_grid on [−2, 2]²: classes lie around a circle, `classes` 0 predicts x · y."""
    axis = np.linspace(-2, 2, size)
    x, y = np.meshgrid(axis, axis)
    if not classes:
        return {"x": axis, "y": axis, "prediction": (x * y).astype(np.float32)}
    angles = 2 * np.pi * np.arange(classes) / classes
    logits = 3 * (x[..., None] * np.cos(angles) + y[..., None] * np.sin(angles))
    scores = logits - logits.max(-1, keepdims=True)
    fractions = np.exp(scores)
    probabilities = (fractions / fractions.sum(-1, keepdims=True)).astype(np.float16)
    return {"x": axis, "y": axis, "probabilities": probabilities, "scores": scores.astype(np.float16)}


def histogram(*samples: np.ndarray) -> dict[str, np.ndarray]:
    """The snapshot activation_histogram of these values, a layer each."""
    rows = [np.histogram(values, bins=64, range=(values.min(), values.max())) for values in samples]
    return {
        "sites": np.array([f"model.activation{i + 1}" for i in range(len(samples))]),
        "low": np.array([values.min() for values in samples]),
        "high": np.array([values.max() for values in samples]),
        "counts": np.array([counts for counts, _ in rows]),
    }


def exponents(*tensors: np.ndarray) -> dict[str, np.ndarray]:
    """The snapshot gradient_histogram of these tensors, the weights of the layers in order."""
    powers = np.arange(-40, 20)
    rows = {"zero": [], "nonfinite": [], "negative": [], "positive": []}
    for tensor in tensors:
        usual = np.isfinite(tensor) & (tensor != 0)
        found = np.floor(np.log2(np.abs(tensor[usual])))
        rows["zero"].append((tensor == 0).sum())
        rows["nonfinite"].append((~np.isfinite(tensor)).sum())
        rows["negative"].append([((found == e) & (tensor[usual] < 0)).sum() for e in powers])
        rows["positive"].append([((found == e) & (tensor[usual] > 0)).sum() for e in powers])
    names = [f"{site}.weight" for site in sites(len(tensors) - 1)]
    return {"sites": np.array(names), "exponents": powers, **{key: np.array(row) for key, row in rows.items()}}


def deep(depth: int = 20, steps: int = 50, factor: float = 0.5) -> pd.DataFrame:
    """A deep network's scalars: gradients of factor^(layers above), all else around one."""
    rng = np.random.default_rng(0)
    at = list(range(1, steps + 1))
    series = []
    for i, site in enumerate(sites(depth)):
        size = factor ** (depth - i) * np.exp(0.1 * rng.normal(size=steps))
        for quantity in ("gradient_norm", "weight_norm", "update_norm", "update_ratio"):
            scale = {"gradient_norm": 1.0, "weight_norm": 5.0, "update_norm": 0.01, "update_ratio": 0.002}[quantity]
            series.append((quantity, f"{site}.weight", at, list(scale * size)))
            series.append((quantity, f"{site}.bias", at, list(100 * scale * size)))
        series.append(("signal_rms", site, at, list(size)))
        if site != "model.output":
            module = f"model.activation{i + 1}"
            for name in ("activation", "preactivation"):
                values = rng.normal(size=(steps, 200)) * 0.9 ** (i + 1)
                series.append((f"{name}_mean", module, at, list(values.mean(1))))
                series.append((f"{name}_std", module, at, list(values.std(1))))
                for p in (5, 25, 50, 75, 95):
                    series.append((f"{name}_p{p:02d}", module, at, list(np.percentile(values, p, axis=1))))
            series.append(("dead_fraction", module, at, list(np.linspace(0, 0.5, steps))))
            series.append(("saturated_fraction", module, at, [0.0] * steps))
    return scalars(*series)


def surface(size: int = 21) -> dict[str, np.ndarray]:
    """The snapshot surface of (x² − 1)² + 4y² − 1 on [−2, 2] × [−1, 1]: two lowest points, a saddle between them."""
    x, y = np.linspace(-2, 2, size), np.linspace(-1, 1, size)
    none = np.zeros((0, 2))
    lowest = np.array([[-1.0, 0.0], [1.0, 0.0]])
    z = (x[None] ** 2 - 1) ** 2 + 4 * y[:, None] ** 2 - 1
    return {
        "x": x,
        "y": y,
        "z": z,
        "minima": lowest,
        "maxima": none,
        "saddles": np.zeros((1, 2)),
        "global_minima": lowest,
    }


def trajectories(steps: int = 30, left_at: int = -1) -> dict[str, np.ndarray]:
    """The snapshot trajectories on `surface`: gradient descent, momentum, and one that diverges at step `left_at`."""
    count = 3
    points, gradient = np.zeros((count, steps + 1, 2)), np.zeros((count, steps, 2))
    momentum = np.full((count, steps, 2), np.nan)
    points[:, 0] = [-1.8, 0.9]
    velocity = np.zeros(2)
    for t in range(steps):
        x, y = points[:, t].T
        gradient[:, t] = np.stack([4 * x * (x**2 - 1), 8 * y], -1)
        velocity = 0.8 * velocity + gradient[1, t]
        momentum[1, t] = velocity
        points[:, t + 1] = points[:, t] - 0.02 * np.stack([gradient[0, t], velocity, gradient[2, t]])
    if left_at >= 0:
        points[2, left_at:] = np.nan
        gradient[2, left_at:] = np.nan
    x, y = points[..., 0], points[..., 1]
    values = (x**2 - 1) ** 2 + 4 * y**2 - 1
    distance = np.hypot(np.abs(x) - 1, y)
    exits = np.array([-1, -1, left_at], np.int32)
    return {
        "points": points,
        "values": values,
        "distance": distance,
        "left_at": exits,
        "exit_reason": np.array(["diverged" if step >= 0 else "" for step in exits]),
        "gradient": gradient.astype(np.float32),
        "momentum": momentum.astype(np.float32),
    }


def basins(size: int = 8, minima: int = 2) -> dict[str, np.ndarray]:
    """The snapshot basins of one optimizer: stripes of the minima, the first row of starts reaches none."""
    axis = np.linspace(-1, 1, size)
    minimum = np.tile(np.arange(size) * minima // size, (1, size, 1))
    minimum[0, 0] = -1
    steps = np.where(minimum < 0, -1, np.arange(size * size).reshape(1, size, size))
    places = np.stack([np.linspace(-1, 1, minima), np.zeros(minima)], 1)
    return {
        "x": axis,
        "y": axis,
        "minima": places,
        "minimum": minimum.astype(np.int32),
        "steps": steps.astype(np.int32),
    }
