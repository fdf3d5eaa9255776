"""Directions in weight space."""

import pytest
import torch
from torch import nn

from nnviz.engine import landscape


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(2, 3, 5), nn.BatchNorm1d(3), nn.PReLU(), nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 2)
    ).double()


def drawn(module: nn.Module, seed: int = 1) -> landscape.Direction:
    return landscape.random_direction(module, torch.Generator().manual_seed(seed))


def test_a_direction_has_the_shapes_of_the_parameters_and_depends_on_the_seed_alone():
    module = network()
    one, again, other = drawn(module), drawn(module), drawn(module, 2)
    assert [d.shape for d in one] == [p.shape for p in module.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one[0], other[0])
    narrow = drawn(network().float())
    assert all(torch.equal(a.float(), b) for a, b in zip(one, narrow, strict=True))
    assert not any(d.requires_grad for d in one)


def test_entries_are_standard_normal():
    entries = landscape.as_vector(drawn(nn.Linear(300, 300)))
    assert float(entries.mean()) == pytest.approx(0, abs=0.02)
    assert float(entries.std()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("keep_vectors", [False, True])
def test_each_filter_has_the_norm_of_its_weights_and_vectors_none_or_theirs(keep_vectors):
    module = network()
    weights = list(module.parameters())
    raw = drawn(module)
    found = landscape.filter_normalized(weights, raw, keep_vectors=keep_vectors)
    for w, d, r in zip(weights, found, raw, strict=True):
        assert d.shape == w.shape
        if w.dim() > 1:
            torch.testing.assert_close(d.flatten(1).norm(dim=1), w.detach().flatten(1).norm(dim=1))
            cosine = nn.functional.cosine_similarity(d.flatten(1), r.flatten(1))
            torch.testing.assert_close(cosine, torch.ones_like(cosine))
        elif keep_vectors:
            torch.testing.assert_close(d.norm(), w.detach().norm())
        else:
            assert not d.any()


def test_zero_weights_and_zero_directions_give_zero():
    w, d = torch.ones(2, 3), torch.ones(2, 3)
    w[0] = 0
    d[1] = 0
    (found,) = landscape.filter_normalized([w], [d])
    assert torch.equal(found, torch.zeros(2, 3))


def test_a_vector_and_weights_are_the_same_thing():
    module = network()
    weights = list(module.parameters())
    vector = landscape.as_vector(weights)
    torch.testing.assert_close(vector, nn.utils.parameters_to_vector(weights).detach(), rtol=0, atol=0)
    back = landscape.as_weights(vector, weights)
    assert all(torch.equal(a, b) for a, b in zip(back, weights, strict=True))
    with pytest.raises(ValueError, match=rf"vector must have shape \({len(vector)},\)"):
        landscape.as_weights(vector[1:], weights)
    with pytest.raises(ValueError, match="direction must have the parameters' shapes"):
        landscape.filter_normalized(weights, weights[1:])
