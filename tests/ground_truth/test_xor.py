"""XOR (Minsky & Papert, 1969): out of reach of a line, within reach of four hidden units, in most seeds."""

from itertools import product

import numpy as np
import pytest
import torch

from nnviz.engine import data, learners, losses
from nnviz.spec.data import XOR
from nnviz.spec.jobs import Training
from tests.each import each

CORNERS = np.array(list(product([-1.0, 1.0], repeat=2)))
SIGNS = CORNERS.prod(1) < 0


def job(hidden: list[dict], seed: int, optimizer: dict, loss: str = "binary_cross_entropy") -> Training:
    """XOR without noise."""
    return Training.parse(
        {
            "learner": {
                "data": {"kind": "xor", "points": 200, "noise": 0},
                "model": {"kind": "mlp", "hidden": hidden},
                "loss": {"kind": loss},
                "optimizer": optimizer,
            },
            "seed": seed,
            "steps": 1500,
        }
    )


def accuracies(chosen: Training, every: int, steps: int):
    """Accuracy on both parts, every so many steps."""
    learning = learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    for number in range(1, steps + 1):
        learning.step(number)
        if number % every == 0:
            with torch.no_grad():
                yield [
                    float(losses.accuracy(chosen.learner.loss, learning.network(x), y))
                    for x, y in learning.parts.values()
                ]


def test_no_line_gets_more_than_three_of_four_corners_right():
    g = np.random.default_rng(0)
    lines = np.concatenate([g.normal(size=(20_000, 3)), np.array(list(product([-1, 0, 1], repeat=3)))])
    right = ((lines[:, :2] @ CORNERS.T + lines[:, 2:]) > 0) == SIGNS
    assert right.mean(1).max() == 0.75


@each("loss", ["binary_cross_entropy", "mse", "cross_entropy"])
@each("optimizer", [{"kind": "sgd", "lr": 0.5}, {"kind": "adam", "lr": 0.05}])
def test_a_linear_model_never_exceeds_three_quarters(loss, optimizer):
    for seed in range(5):
        points = data.build(XOR(points=200, noise=0), seed).inputs.numpy()
        quadrants = np.bincount(2 * (points[:, 0] > 0) + (points[:, 1] > 0), minlength=4)
        assert quadrants.min() > 35
        assert max(max(pair) for pair in accuracies(job([], seed, optimizer, loss), 20, 160)) <= 0.75


@pytest.mark.slow
def test_four_tanh_units_reach_every_point_in_most_seeds():
    """Measured: 7 of the seeds 0 to 9 within 1,500 steps of Adam at 0.05 on the whole square, test points included."""
    hidden = [{"width": 4, "activation": {"kind": "tanh"}}]
    solved: list[int] = []
    for seed in range(10):
        found = accuracies(job(hidden, seed, {"kind": "adam", "lr": 0.05}), 50, 1500)
        if len(solved) < 6 and any(min(pair) == 1 for pair in found):
            solved.append(seed)
    assert len(solved) == 6, solved


@pytest.mark.slow
def test_two_tanh_units_do_better_than_a_line_and_do_not_fill_the_square():
    hidden = [{"width": 2, "activation": {"kind": "tanh"}}]
    best = [max(accuracies(job(hidden, seed, {"kind": "adam", "lr": 0.05}), 50, 500))[0] for seed in range(5)]
    assert max(best) < 1
    assert np.median(best) > 0.75
