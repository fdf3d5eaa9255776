"""What papers say of the landscapes of networks, on networks that train in a second; each over five seeds.

Not held, since it did not show here: that batch norm smooths a random plane, and that large batches, though they end in
sharper places, do worse on test data.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest

from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.spec.landscapes import Landscape, TrainedModel
from nnviz.spec.learners import Supervised
from tests.each import each

pytestmark = pytest.mark.slow

SEEDS = range(5)
every_seed = each("seed", SEEDS)
MOONS = {"kind": "moons", "points": 200, "noise": 0.1}
DIGITS = {"kind": "digits", "points": 300}
ALL = 20_000
"""A batch of all samples."""


def tanh(*widths: int) -> dict[str, Any]:
    return {"kind": "mlp", "hidden": [{"width": width, "activation": {"kind": "tanh"}} for width in widths]}


def deep(**changes: Any) -> dict[str, Any]:
    glorot = {"activation": {"kind": "tanh"}, "initializer": {"kind": "glorot_normal"}}
    return {"kind": "deep_mlp", "depth": 20, "width": 16, **glorot, **changes}


def network(seed: int, steps: int, lr: float, **learner: Any) -> TrainedModel:
    sgd = {"kind": "sgd", "lr": lr}
    return TrainedModel(learner=Supervised.parse({"optimizer": sgd, **learner}), steps=steps, seed=seed)


@cache
def last_arrays(
    of: TrainedModel, view: tuple[tuple[str, Any], ...], other: TrainedModel | None = None
) -> dict[str, Any]:
    """The last snapshot of each quantity."""
    views = [dict(view)]
    job = Landscape.parse(
        {"network": of.model_dump(), "other": other and other.model_dump(), "views": views, "device": "cpu"}
    )
    return {record.quantity: record.arrays for records in LandscapeEvaluation(job) for record in records}


def curvature(of: TrainedModel, points: int = 2) -> dict[str, np.ndarray]:
    return last_arrays(of, (("kind", "curvature"), ("points", points), ("eigenvalues", 1), ("probes", 2)))["curvature"]


def sharpness(of: TrainedModel) -> float:
    """The largest eigenvalue of the Hessian at the end."""
    return float(curvature(of)["eigenvalues"][-1, 0])


def plane(of: TrainedModel) -> np.ndarray:
    """Training loss (13, 13) over a random plane."""
    view = (("kind", "plane"), ("resolution", 13), ("seed", of.seed))
    return last_arrays(of, view)["plane"]["train_loss"]


# -- the edge of stability (Cohen et al., 2021, arXiv:2103.00065) -----------------------------------------------------


def descent(seed: int, lr: float, steps: int, batch: int) -> TrainedModel:
    return network(seed, steps, lr, data=MOONS, model=tanh(16, 16), loss={"kind": "mse"}, batch_size=batch)


@every_seed
def test_full_batch_descent_sharpens_to_the_edge_of_stability_and_stays_there(seed):
    arrays = curvature(descent(seed, 0.2, 900, ALL), points=13)
    fraction = arrays["eigenvalues"][:, 0] / arrays["limit"]
    assert arrays["limit"] == pytest.approx(2 / 0.2)
    assert fraction[0] < 0.8
    assert 0.95 < np.median(fraction[-5:]) < 1.05
    assert fraction.max() < 1.4


@every_seed
def test_a_smaller_rate_lets_it_sharpen_beyond_that_and_small_batches_keep_it_below(seed):
    assert sharpness(descent(seed, 0.2 / 3, 1500, ALL)) > 1.05 * 2 / 0.2
    small = curvature(descent(seed, 0.2, 300, 8), points=4)["eigenvalues"][:, 0]
    assert small.max() < 0.8 * 2 / 0.2
    assert small[-1] < 0.65 * 2 / 0.2


# -- straight lines (Goodfellow et al., 2015, arXiv:1412.6544) --------------------------------------------------------


def between(start: TrainedModel, end: TrainedModel) -> np.ndarray:
    """Training loss on the line from one network to the other, both ends among the points."""
    view = (("kind", "line"), ("margin", 0.0), ("resolution", 33))
    return last_arrays(start, view, end)["line"]["train_loss"]


LINES = {
    "moons": {"steps": 500, "lr": 0.2, "data": MOONS, "model": tanh(16, 16)},
    "digits with batch norm": {
        "steps": 150,
        "lr": 0.1,
        "data": DIGITS,
        "model": {**tanh(32, 32), "norm": {"kind": "batch"}},
    },
}


@every_seed
@each("changes", LINES.values())
def test_between_two_initializations_lies_a_barrier(seed, changes):
    one = network(seed, **changes)
    losses = between(one, one.model_copy(update={"weights_seed": seed + 100}))
    chord = np.linspace(losses[0], losses[-1], len(losses))
    assert (losses - chord).max() > 3 * max(losses[0], losses[-1])


@every_seed
@each("changes", LINES.values())
def test_from_initialization_to_the_solution_it_goes_down_all_the_way(seed, changes):
    one = network(seed, **changes)
    losses = between(one.model_copy(update={"step": 0}), one)
    assert (np.diff(losses) < 0).all()


# -- the path in a plane (Li et al., 2018, arXiv:1712.09913, §7) ------------------------------------------------------


@every_seed
def test_two_directions_hold_most_of_the_path_and_two_random_ones_next_to_nothing(seed):
    path = last_arrays(network(seed, 400, 0.1, data=DIGITS, model=tanh(32, 32)), (("kind", "path"), ("resolution", 9)))[
        "path"
    ]
    assert path["explained"].sum() > 0.95
    assert path["random_explained"] < 0.01


# -- depth, width, batches --------------------------------------------------------------------------------------------


def pits(losses: np.ndarray) -> int:
    """Points of a plane that lie lower than all eight around them."""
    middle = losses[1:-1, 1:-1]
    n = len(losses) - 1
    around = [losses[1 + i : n + i, 1 + j : n + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return int((middle < np.min(around, axis=0)).sum())


def test_a_deep_network_is_rugged_and_skip_connections_smooth_it():
    """Li et al., 2018: with skip connections the plane has one pit, without them several in most seeds (which ones
    differs from processor to processor, since training such a network is chaotic); and it is far less sharp."""
    pairs = [[network(s, 300, 0.05, data=DIGITS, model=deep(skip=skip)) for skip in (False, True)] for s in SEEDS]
    assert [pits(plane(skip)) for _, skip in pairs] == [1] * len(SEEDS)
    assert sum(pits(plane(plain)) for plain, _ in pairs) >= 1.5 * len(SEEDS)
    for plain, skip in pairs:
        assert sharpness(plain) > 4 * sharpness(skip)


@every_seed
def test_wide_networks_lie_in_wide_valleys(seed):
    """Fraction of a random plane where the loss is no more than 0.5 above the network's (Li et al., 2018, §6)."""
    fractions = []
    for width in (4, 64):
        losses = plane(network(seed, 300, 0.1, data=DIGITS, model=tanh(width, width, width)))
        fractions.append(float((losses < losses[6, 6] + 0.5).mean()))
    assert 2 * fractions[0] < fractions[1]


@every_seed
def test_larger_batches_end_in_sharper_places(seed):
    """After as many steps (Keskar et al., 2017, arXiv:1609.04836)."""
    relu = {"kind": "mlp", "hidden": [{"width": 32, "activation": {"kind": "relu"}}] * 2}
    small, large = (sharpness(network(seed, 400, 0.1, data=DIGITS, model=relu, batch_size=n)) for n in (8, ALL))
    assert large > 1.5 * small
