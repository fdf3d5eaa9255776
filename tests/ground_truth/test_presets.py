"""What the presets promise happens."""

import math

import pytest
import torch

from nnviz.engine import learners
from nnviz.presets import gradient_flow, playground
from nnviz.spec.jobs import Training

EXAMPLES = {p.title: p.jobs for p in (*playground.EXAMPLES, *gradient_flow.EXAMPLES)}
pytestmark = pytest.mark.slow


def train(job: Training, steps: int) -> list[float]:
    """Batch losses of the first steps."""
    learning = learners.build(job.learner, job.seed, job.steps, torch.device("cpu"))
    return [float(learning.step(n)["loss", "batch"]) for n in range(1, steps + 1)]


def recent(losses: list[float]) -> float:
    return sum(losses[-20:]) / 20


def test_vanishing_leaves_the_sigmoid_network_at_chance_while_relu_learns():
    sigmoid, relu = (recent(train(job, 300)) for job in EXAMPLES["Vanishing"])
    assert sigmoid > 0.98 * math.log(10)
    assert relu < 0.6 * math.log(10)


def test_exploding_is_over_within_three_steps():
    large, _ = EXAMPLES["Exploding"]
    losses = train(large, 3)
    assert losses[0] > 100
    assert not math.isfinite(losses[2])


def test_clipping_keeps_the_exploding_network_finite_and_it_recovers():
    clipped = train(EXAMPLES["Gradient clipping"][1], 250)
    assert all(math.isfinite(loss) for loss in clipped)
    assert recent(clipped) < 0.05 * clipped[0]


def test_he_lets_relu_learn_where_the_classic_initialization_does_not():
    classic, he = (train(job, 400) for job in EXAMPLES["He initialization"])
    assert recent(classic) > 0.99 * math.log(10)
    assert min(he[-20:]) < recent(classic) - 0.1


def test_batch_norm_lets_deep_sigmoids_learn():
    plain, normed = (recent(train(job, 250)) for job in EXAMPLES["Batch norm with sigmoid"])
    assert plain > 0.98 * math.log(10)
    assert normed < 0.7 * math.log(10)


def test_skip_connections_let_thirty_tanh_layers_learn():
    for seed in range(5):
        plain, skipping = (
            recent(train(job.model_copy(update={"seed": seed}), 120)) for job in EXAMPLES["Skip connections"]
        )
        assert plain > 0.98 * math.log(10)
        assert skipping < 0.3 * math.log(10)


def test_xor_needs_the_hidden_layer():
    line, hidden = (recent(train(EXAMPLES[f"XOR, {name}"][0], 1500)) for name in ("one layer", "hidden layer"))
    assert line > 0.6
    assert hidden < 0.1


def test_overfitting_shows_a_test_loss_that_turns():
    job = EXAMPLES["Overfitting"][0]
    learning = learners.build(job.learner, job.seed, job.steps, torch.device("cpu"))
    x, y = learning.parts["test"]
    found = []
    for number in range(1, 601):
        learning.step(number)
        with torch.no_grad():
            found.append(float(learning.loss(learning.network(x), y)))
    assert found[-1] > 1.5 * min(found)
