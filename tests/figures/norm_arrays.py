"""Arrays of normalization layers as runs record them, made up."""

import numpy as np

from tests.figures import sample_records


def values(kind: str, samples: int = 12, units: int = 6, groups: int = 1) -> dict[str, np.ndarray]:
    """Two layers of a kind over (samples, units), with its mean and variance."""
    g = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {
        "sites": np.array(["model.norm1", "model.norm2"]),
        "kinds": np.array([kind, kind]),
        "samples": np.array(samples),
        "train_outputs": g.normal(size=(samples, 3)),
        "eval_outputs": g.normal(size=(samples, 3)),
        "gap": np.array([0.1, 0.2]),
    }
    for i in range(2):
        x = g.normal(i, 2, size=(samples, units))
        grouped = x.reshape(samples, groups, -1)
        mean, var = grouped.mean(2), grouped.var(2)
        if kind == "batch_norm":
            mean, var = x.mean(0, keepdims=True), x.var(0, keepdims=True)
        elif kind == "rms_norm":
            mean, var = np.zeros((samples, 1)), np.square(x).mean(1, keepdims=True)
        wide = [np.repeat(part, units // part.shape[1], 1) if len(part) > 1 else part for part in (mean, var)]
        scale, shift = np.linspace(0.5, 1.5, units), np.linspace(-1, 1, units)
        out = scale * (x - wide[0]) / np.sqrt(wide[1] + 1e-5) + shift
        layer = {"input": x, "output": out, "mean": mean, "var": var, "scale": scale, "shift": shift}
        layer |= {"units": np.array(units), "eps": np.array(1e-5), "groups": np.array(groups)}
        if kind == "batch_norm":
            layer |= {"running_mean": mean[0] + 0.1, "running_var": var[0] * 1.1, "momentum": np.array(0.1)}
        found |= {f"{name}_{i}": value for name, value in layer.items()}
    return found


BATCH, LAYER = values("batch_norm"), values("layer_norm")
GROUP, RMS = values("group_norm", groups=2), values("rms_norm")
NONE = {"sites": np.empty(0, str), "kinds": np.empty(0, str), "samples": np.array(4)} | {
    name: np.ones((4, 2)) for name in ("train_outputs", "eval_outputs")
}
SIZES = {
    "batch_sizes": np.array([2, 4, 8]),
    "gap": np.array([0.9, 0.4, 0.0]),
    "loss": np.array([2.0, 1.0, 0.5]),
    "accuracy": np.array([0.3, 0.6, 0.9]),
    "eval_loss": np.array(0.4),
    "eval_accuracy": np.array(0.95),
    "single_sample": np.array(3e-7),
}
MOMENTA = {name: value for name, value in SIZES.items() if name != "batch_sizes"} | {
    "momenta": np.array([0.01, 0.1, 1.0])
}
LINE = {
    "factors": np.array([0, 0.5, 1, 2, 4]),
    "loss": np.array([1, 0.9, 0.8, 1.5, np.inf]),
    "gradient_change": np.array([0, 0.1, 0.2, 0.5, 1]),
    "smoothness": np.array([0, 1, 1, 1, 2]),
}
SCALING = {
    "layer": np.array("linear3"),
    "scales": np.array([0.1, 1, 10]),
    "gradient_norm": np.array([10, 1, 0.1]),
    "output_change": np.array([1e-4, 0, 1e-6]),
}
UNITS = {
    "site": np.array(["model.norm1"] * 3 + ["model.norm2"] * 2),
    "unit": np.array([1, 2, 3, 1, 2]),
    "gamma": np.array([1, 0.1, 0.5, 0.2, 1]),
    "beta": np.array([0.2, -0.5, 0, -0.9, -1]),
    "certificate": np.array([2.8, -0.2, 1.3, -0.4, 1.6]),
    "is_relu": np.ones(5, bool),
    "n": np.array(8),
}
STEPS = list(range(0, 100, 10))
SCALARS = sample_records.scalars(
    *[(f"{kind}_{part}", "model.norm1#2", STEPS, [1 + 0.1 * i for i in range(10)])
      for kind in ("batch", "running") for part in ("mean", "var")],
    ("line_loss_low", "model", STEPS, [2.0 / (i + 1) for i in range(10)]),
    ("line_loss_high", "model", STEPS, [4.0 / (i + 1) for i in range(10)]),
    *[("weight_norm", f"model.linear{i}.weight", STEPS, [1 + 0.1 * k for k in range(10)]) for i in (1, 2)],
    ("learning_rate", "model", STEPS, [0.1] * 10),
)  # fmt: skip
