"""What filter normalization is for, and what random planes do not show (Li et al., 2018, arXiv:1712.09913)."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnviz.engine import landscape, models
from nnviz.spec.activations import ReLU
from nnviz.spec.models import MLP, Hidden
from tests.each import each

AXIS = torch.linspace(-1, 1, 11, dtype=torch.float64)
X = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = (X[:, 0] * X[:, 1] > 0).long()


def network() -> nn.Sequential:
    """2-16-2 ReLU in float64, with biases that are not zero."""
    built = models.build(MLP(hidden=(Hidden(width=16, activation=ReLU()),)), (2,), 2, 0).double()
    with torch.no_grad():
        built.linear1.bias += 0.1
    return built


@torch.no_grad()
def rescaled(module: nn.Sequential, c: float) -> nn.Sequential:
    """The same function: first layer times c, second divided by c."""
    other = copy.deepcopy(module)
    other.linear1.weight *= c
    other.linear1.bias *= c
    other.output.weight /= c
    return other


def losses(module: nn.Module, normalized: bool, keep_vectors: bool = False) -> Tensor:
    """(11, 11) along the same two random directions."""
    drawn = torch.Generator().manual_seed(1)
    weights = list(module.parameters())
    along = [landscape.random_direction(module, drawn) for _ in range(2)]
    if normalized:
        along = [landscape.filter_normalized(weights, d, keep_vectors=keep_vectors) for d in along]
    return landscape.grid(
        landscape.evaluate_slice(module, F.cross_entropy, {"train": (X, Y)}, along, [AXIS, AXIS]), (11, 11)
    ).losses["train"]


@each("c", [0.01, 0.3, 10.0, 1000.0])
@each("keep_vectors", [False, True])
def test_a_filter_normalized_slice_does_not_see_the_rescaling_of_relu_layers(c, keep_vectors):
    one, other = (losses(m, True, keep_vectors) for m in (network(), rescaled(network(), c)))
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("c", [0.01, 10.0])
def test_a_raw_slice_does(c):
    one, other = (losses(m, False) for m in (network(), rescaled(network(), c)))
    ratio = one / other
    assert float(torch.maximum(ratio, 1 / ratio).max()) > 5
    assert float(ratio[5, 5]) == pytest.approx(1, abs=1e-12)


def test_a_random_plane_shows_almost_nothing_of_a_path_and_the_principal_plane_most():
    module = models.build(MLP(hidden=(Hidden(width=64, activation=ReLU()),) * 2), (2,), 2, 0).double()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    path = []
    for _ in range(300):
        optimizer.zero_grad()
        F.cross_entropy(module(X), Y).backward()
        optimizer.step()
        path.append(landscape.as_vector(list(module.parameters())))
    points = torch.stack(path)
    drawn = torch.Generator().manual_seed(2)
    random = torch.stack([landscape.as_vector(landscape.random_direction(module, drawn)) for _ in range(2)])
    away = points - points[-1]
    seen = (away @ torch.linalg.qr(random.T)[0]).square().sum() / away.square().sum()
    assert float(seen) < 0.01
    assert float(landscape.plane(points).explained.sum()) > 0.9


def test_the_hessian_at_a_minimum_bounds_the_stable_learning_rate():
    """Gradient descent on a quadratic converges just below 2 / λ and not just above."""
    module = nn.Linear(2, 1, bias=False).double()
    y = X @ torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    product = landscape.hessian(module, F.mse_loss, X, y)
    highest = float(landscape.lanczos(product, X[0], torch.Generator().manual_seed(0), k=1).values)
    ends = []
    for part in (0.99, 1.01):
        w = torch.nn.Parameter(torch.zeros(2, 1, dtype=torch.float64))
        for _ in range(1000):
            (slope,) = torch.autograd.grad(F.mse_loss(X @ w, y), w)
            w = (w - part * 2 / highest * slope).detach().requires_grad_()
        ends.append(float(F.mse_loss(X @ w, y).detach()))
    assert ends[0] < 1e-12
    assert ends[1] > 1e6
