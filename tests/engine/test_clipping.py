"""Clipping: exactly as specified."""

import pytest
import torch
from torch import nn

from nnviz.engine.optim.clipping import clip
from nnviz.spec.clipping import ClipNorm, ClipValue, NoClipping
from tests.each import each


def parameters(scale: float = 1.0) -> list[nn.Parameter]:
    """Two parameters with gradients, and one without."""
    g = torch.Generator().manual_seed(0)
    found = [nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(5)), nn.Parameter(torch.zeros(2))]
    for p in found[:2]:
        p.grad = scale * torch.randn(p.shape, generator=g)
    return found


def flat(found: list[nn.Parameter]) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in found if p.grad is not None])


@each("scale", [1e-30, 1e-6, 0.1, 1.0, 1e3, 1e18, 1e30])
@each("most", [0.01, 1.0, 1000.0])
def test_clipping_by_norm_shortens_to_the_limit_and_keeps_the_direction(most, scale):
    found = parameters(scale)
    before = flat(found)
    norm = clip(ClipNorm(max_norm=most), found)
    assert float(norm) == pytest.approx(float(before.double().norm()), rel=1e-5)
    assert float(flat(found).double().norm()) == pytest.approx(min(float(norm), most), rel=1e-5)
    directions = [v.double() / v.double().norm() for v in (flat(found), before)]
    torch.testing.assert_close(*directions, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("limit", [0.01, 0.5, 1000.0])
def test_clipping_by_value_cuts_each_entry(limit):
    found = parameters()
    before = flat(found)
    assert float(clip(ClipValue(limit=limit), found)) == pytest.approx(float(before.norm()), rel=1e-6)
    assert torch.equal(flat(found), before.clamp(-limit, limit))


def test_clipping_by_value_changes_the_direction():
    found = parameters()
    before = flat(found)
    clip(ClipValue(limit=0.1), found)
    assert float(torch.cosine_similarity(flat(found), before, dim=0)) < 0.99


def test_a_gradient_within_the_limits_is_left_to_the_bit():
    for clipping in (ClipNorm(max_norm=1000), ClipValue(limit=1000), NoClipping()):
        found = parameters()
        before = flat(found)
        clip(clipping, found)
        assert torch.equal(flat(found), before)


def test_clipping_agrees_with_torch_up_to_the_millionth_it_adds_to_the_norm():
    ours, theirs = parameters(), parameters()
    clip(ClipNorm(max_norm=0.5), ours)
    nn.utils.clip_grad_norm_(theirs, 0.5)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-5, atol=0)


def test_a_gradient_of_zeros_stays_one():
    found = parameters(0.0)
    assert float(clip(ClipNorm(max_norm=0.5), found)) == 0
    assert not flat(found).any()


def test_without_clipping_there_is_no_norm():
    assert clip(NoClipping(), parameters()) is None
