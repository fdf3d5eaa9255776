"""Backpropagation through every network that can be chosen equals central differences, in float64."""

import torch
from torch import Tensor, nn

from nnviz.engine import losses, models
from nnviz.spec import losses as loss_spec
from nnviz.spec import models as spec
from nnviz.spec.initializers import LeCunNormal
from tests.each import each
from tests.spec.options import families

H = 1e-5


def problem(activation, norm: str, loss) -> tuple[nn.Module, Tensor, Tensor, losses.LossFunction]:
    """A 3-4-3 network in float64, a batch of seven, and the loss on three classes (one number: the class itself)."""
    hidden = (spec.Hidden(width=4, activation=activation), spec.Hidden(width=3, activation=activation))
    model = spec.MLP(hidden=hidden, norm={"kind": norm}, initializer=LeCunNormal())
    network = models.build(model, (3,), 3, seed=2).double().train()
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in network.parameters():
            p += 0.1 * torch.randn(p.shape, generator=g, dtype=torch.float64)
    x = torch.randn(7, 3, generator=g, dtype=torch.float64)
    return network, x, torch.randint(3, (7,), generator=g), losses.build(loss, 3, 3)


@torch.no_grad()
def differences(network: nn.Module, value) -> Tensor:
    """(f(w + h) − f(w − h)) / 2h for every parameter w."""
    found = []
    for p in network.parameters():
        for entry in p.view(-1).unbind():
            start = entry.clone()
            ends = []
            for sign in (1, -1):
                entry.copy_(start + sign * H)
                ends.append(value())
            entry.copy_(start)
            found.append((ends[0] - ends[1]) / (2 * H))
    return torch.stack(found)


def error(activation, norm: str, loss) -> float:
    """‖g − d‖ / (‖g‖ + ‖d‖), g the gradient and d the differences."""
    network, x, y, function = problem(activation, norm, loss)
    function(network(x), y).backward()
    gradient = torch.cat([p.grad.flatten() for p in network.parameters()])
    numeric = differences(network, lambda: function(network(x), y))
    assert float(gradient.norm()) > 1e-3
    return float((gradient - numeric).norm() / (gradient.norm() + numeric.norm()))


ACTIVATIONS = [cls() for kind, cls in families()["activation"].items() if kind != "step"]


@each("activation", ACTIVATIONS)
@each("norm", ["none", "batch"])
def test_gradients_are_those_of_central_differences(activation, norm):
    assert error(activation, norm, loss_spec.CrossEntropy()) < 1e-6


@each("cls", families()["loss"].values())
def test_gradients_of_every_loss_are_those_of_central_differences(cls):
    assert error(ACTIVATIONS[3], "none", cls()) < 1e-6


def test_nothing_gets_through_a_step():
    network, x, y, function = problem(families()["activation"]["step"](), "none", loss_spec.CrossEntropy())
    function(network(x), y).backward()
    assert not network.linear1.weight.grad.any()
    assert not network.linear2.weight.grad.any()
    assert network.output.weight.grad.any()
