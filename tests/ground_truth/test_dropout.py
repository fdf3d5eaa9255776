"""Dropout (Srivastava et al., 2014): scaling weights is the geometric mean over all masks of a softmax layer."""

from itertools import product

import pytest
import torch

from nnviz.engine import learners, models
from nnviz.spec import models as spec
from tests.engine.short_runs import job


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_evaluation_is_the_geometric_mean_over_all_masks(p):
    units = 8
    built = (
        models.build(spec.MLP(hidden=(spec.Hidden(width=units),), dropout={"kind": "standard", "rate": p}), (3,), 4, 0)
        .double()
        .eval()
    )
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        hidden = built[:-1](x)
        log_mean = torch.zeros(5, 4, dtype=torch.float64)
        for mask in product([0.0, 1.0], repeat=units):
            kept = torch.tensor(mask, dtype=torch.float64)
            fraction = p ** (units - sum(mask)) * (1 - p) ** sum(mask)
            log_mean += fraction * built.output(hidden * kept / (1 - p)).log_softmax(1)
        geometric = log_mean.softmax(1)
        torch.testing.assert_close(built(x).softmax(1), geometric, rtol=1e-12, atol=1e-14)


def test_masks_of_two_steps_and_two_layers_differ_and_those_of_one_step_are_the_same_again():
    learning = learners.build(
        job(learner__model__dropout={"kind": "standard", "rate": 0.5}).learner, 0, 20, torch.device("cpu")
    )
    masks: dict[int, list[torch.Tensor]] = {}
    for number in (1, 2, 1):
        seen: list[torch.Tensor] = []
        hooks = [
            d.register_forward_hook(lambda _m, i, o, seen=seen: seen.append((o != 0) | (i[0] == 0)))
            for d in learning.dropouts
        ]
        learning.step(number)
        [hook.remove() for hook in hooks]
        if number in masks:
            assert all(torch.equal(a, b) for a, b in zip(masks[number], seen, strict=True))
        masks[number] = seen
    assert not torch.equal(masks[1][0], masks[1][1])
    assert not torch.equal(masks[1][0], masks[2][0])
