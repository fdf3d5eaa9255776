"""Arrays of GANs as runs record them, made up."""

import numpy as np

from tests.figures import sample_records

AXIS = (np.arange(16, dtype=np.float32) + 0.5) * (6 / 16) - 3
REAL = {
    "points": np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32),
    "centers": np.array([[-1.0, 0.0], [1.0, 0.0]], np.float32),
    "axis": AXIS,
    "density": np.full((16, 16), 1 / 36, np.float32),
    "jensen_shannon_floor": np.array([0.005]),
    "mmd_floor": np.array([0.0003, 0.001]),
}
GENERATED = {
    "points": np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32),
    "is_good": np.arange(40) % 2 == 0,
    "descent": np.random.default_rng(2).normal(size=(10, 2)).astype(np.float32),
    "mode": (np.arange(40) % 2).astype(np.int16),
}


def field(scored: bool = False) -> dict[str, np.ndarray]:
    """The output, ¼ on the left and ¾ on the right, where it is a probability beside an optimum of ½."""
    output = np.where(AXIS[None, :] < 0, 0.25, 0.75) * np.ones((16, 1))
    arrays = {"axis": AXIS, "output": output.astype(np.float16)}
    if scored:
        return arrays
    best = np.full((16, 16), 0.5)
    best[0] = np.nan
    return arrays | {"optimal": best.astype(np.float16), "bandwidth": np.array([0.04])}


LATTICE = {"points": np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"), -1)}
CURVE = {"points": np.stack([AXIS, AXIS**2], 1)}
HISTOGRAM = {"edges": np.linspace(0, 1, 5), "real": np.array([0, 0, 0.25, 0.75]), "generated": np.array([1.0, 0, 0, 0])}
STEPS = list(range(0, 100, 10))
SCALARS = sample_records.scalars(
    ("modes_covered", "generated", STEPS, list(range(10))),
    ("high_quality_fraction", "generated", STEPS, [0.1 * i for i in range(10)]),
    ("jensen_shannon", "generated", STEPS, [1 - 0.09 * i for i in range(10)]),
    ("mmd", "generated", STEPS, [0.5 - 0.06 * i for i in range(10)]),
    ("optimal_gap", "discriminator", STEPS, [0.5 - 0.04 * i for i in range(10)]),
    *[("loss", site, STEPS, [1.0 + 0.01 * i for i in range(10)]) for site in ("generator", "discriminator")],
    *[("discriminator_output", site, STEPS, [0.5] * 10) for site in ("real", "generated")],
)
