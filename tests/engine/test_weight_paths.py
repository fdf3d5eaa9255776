"""Paths seen in a plane, and straight lines."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnviz.engine import landscape


def wandering(points: int = 30, parameters: int = 200) -> Tensor:
    """A random walk (points, parameters)."""
    return torch.randn(points, parameters, generator=torch.Generator().manual_seed(0), dtype=torch.float64).cumsum(0)


def test_residuals_and_coordinates_add_up_to_the_distance_from_the_end():
    path = wandering()
    found = landscape.plane(path)
    total = (path - path[-1]).square().sum(1)
    torch.testing.assert_close(found.path.square().sum(1) + found.residuals.square(), total, rtol=1e-12, atol=1e-12)
    assert found.path[-1].tolist() == [0, 0]
    assert float(found.residuals[-1]) == 0


def test_explained_fractions_are_those_of_the_singular_values():
    path = wandering()
    found = landscape.plane(path)
    lengths = np.linalg.svd((path[:-1] - path[-1]).numpy(), compute_uv=False)
    assert found.explained.numpy() == pytest.approx(lengths[:2] ** 2 / (lengths**2).sum(), rel=1e-12)
    fractions = found.path.square().sum(0) / (path - path[-1]).square().sum()
    torch.testing.assert_close(fractions, found.explained, rtol=1e-12, atol=0)


def test_directions_are_orthonormal_and_their_signs_fixed():
    found = landscape.plane(wandering())
    torch.testing.assert_close(found.directions @ found.directions.T, torch.eye(2, dtype=torch.float64))
    for direction in found.directions:
        assert direction[direction.abs().argmax()] > 0


def test_a_path_in_a_plane_has_no_residual():
    drawn = torch.Generator().manual_seed(3)
    inside = torch.randn(40, 2, generator=drawn, dtype=torch.float64)
    basis, end = torch.randn(3, 60, generator=drawn, dtype=torch.float64).split([2, 1])
    found = landscape.plane(end + inside @ basis)
    assert float(found.residuals.max()) < 1e-12
    assert float(found.explained.sum()) == pytest.approx(1, abs=1e-12)


def test_a_path_that_does_not_move_explains_nothing():
    found = landscape.plane(torch.ones(4, 5))
    assert found.explained.tolist() == [0, 0]
    assert not found.path.any()
    assert not found.residuals.any()


@pytest.mark.parametrize("shape", [(2, 10), (5, 1), (10,)])
def test_too_small_a_path_is_refused(shape):
    with pytest.raises(ValueError, match="points must be"):
        landscape.plane(torch.zeros(shape))


def test_a_straight_line_has_both_networks_losses_at_its_ends():
    torch.manual_seed(0)
    start, end = (nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)).double() for _ in range(2))
    x, y = torch.randn(20, 3).double(), torch.randint(0, 2, (20,))
    center, direction = landscape.line(list(start.parameters()), list(end.parameters()))
    axis = torch.linspace(-0.5, 1.5, 9)
    blocks = landscape.evaluate_slice(start, F.cross_entropy, {"train": (x, y)}, [direction], [axis], center=center)
    losses = landscape.grid(blocks, (9,)).losses["train"]
    for at, network in ((2, start), (6, end)):
        assert float(losses[at]) == pytest.approx(float(F.cross_entropy(network(x), y).detach()), abs=1e-12)


def test_a_network_of_zeros_and_its_end_make_a_line_through_the_middle():
    center, direction = landscape.line([torch.zeros(2, 2)], [torch.ones(2, 2)])
    assert torch.equal(center[0] + 0.5 * direction[0], torch.full((2, 2), 0.5))
    with pytest.raises(ValueError, match="shapes"):
        landscape.line([torch.zeros(2)], [torch.zeros(3)])
