"""Ensembles say of each of their networks what the probes say of it alone."""

import numpy as np
import pytest
import torch

from nnviz.engine import initializers, learners, models, run
from nnviz.engine.theory import untrained_ensembles
from nnviz.spec import initializers as spec
from tests.engine.short_runs import job, scalars

PROBES = [{"kind": kind, "every": 1} for kind in ("gradient_norms", "activations", "signal")]
DEEP = {"learner__model__kind": "deep_mlp", "learner__model__depth": 4, "learner__model__width": 5}
SITUATIONS = {
    "plain": {},
    "a regression": {"learner__data": "curve", "learner__loss": "rmse"},
    "more entries than are sampled": {**DEEP, "learner__model__width": 90},
    "batch norm, no biases": {**DEEP, "learner__model__norm": "batch", "learner__model__bias": False},
    "layer norm": {**DEEP, "learner__model__norm": "layer"},
    "group norm after the activation": {
        **DEEP,
        "learner__model__width": 6,
        "learner__model__norm": {"kind": "group", "groups": 2, "place": "after"},
    },
    "RMS norm without scale": {**DEEP, "learner__model__norm": {"kind": "rms", "affine": False}},
    "batch norm without scale and shift": {**DEEP, "learner__model__norm": {"kind": "batch", "affine": False}},
    "skip connections": {**DEEP, "learner__model__skip": True, "learner__model__activation": "silu"},
    "PReLU, penalties, clipped norm": {
        **DEEP,
        "learner__model__activation": "prelu",
        "learner__l1": 0.01,
        "learner__l2": 0.1,
        "learner__clipping": {"kind": "norm", "max_norm": 0.1},
    },
    "clipped entries": {"learner__clipping": {"kind": "value", "limit": 0.01}},
}


def test_each_network_shows_what_the_probes_record_of_it():
    for name, changes in SITUATIONS.items():
        chosen = job(**changes, steps=1, probes=PROBES)
        learning = learners.build(chosen.learner, chosen.seed, 1, torch.device("cpu"))
        stacked = untrained_ensembles.stack(learning.network, 3)
        layers = models.linears(learning.network)
        with torch.no_grad():
            for many, one in zip(untrained_ensembles.linears(stacked), layers.values(), strict=True):
                many.weight[1] = one.weight
                many.weight[0], many.weight[2] = one.weight + 1, -one.weight
                if one.bias is not None:
                    many.bias[:] = one.bias
        found = untrained_ensembles.observe(chosen.learner, stacked, *learning.batch(1), learning.loss)
        records = run(chosen).evaluate_now()
        for quantity in ("signal_rms", "gradient_norm"):
            recorded = scalars(records, quantity)
            ending = ".weight" if quantity == "gradient_norm" else ""
            expected = [recorded[0, site + ending] for site in layers]
            np.testing.assert_allclose(found[quantity][1], expected, rtol=1e-4, err_msg=f"{name}: {quantity}")
        for what in ("activation", "preactivation"):
            mean, std = (scalars(records, f"{what}_{part}") for part in ("mean", "std"))
            expected = [np.hypot(mean[key], std[key]) for key in mean]
            np.testing.assert_allclose(found[f"{what}_rms"][1, :-1], expected, rtol=1e-4, err_msg=f"{name}: {what}")


def test_the_same_seed_gives_the_same_networks_and_dropout_another_mask_for_each():
    chosen = job(learner__model__dropout={"kind": "standard", "rate": 0.5}).learner
    learning = learners.build(chosen, 0, 1, torch.device("cpu"))
    x, y = learning.batch(1)
    one, same, other = (untrained_ensembles.measure(chosen, x, y, learning.loss, 6, seed) for seed in (1, 1, 2))
    for quantity in untrained_ensembles.QUANTITIES:
        np.testing.assert_array_equal(one[quantity], same[quantity])
        assert (one[quantity] != other[quantity]).all()
        assert len(np.unique(one[quantity], axis=0)) == 6


def test_stacked_layers_start_from_the_same_spread_as_single_ones():
    for initializer in (spec.HeNormal(), spec.GlorotUniform(), spec.PyTorchDefault(), spec.Orthogonal(gain=2)):
        layer = torch.nn.Linear(6, 9)
        many = untrained_ensembles.Linears(400, layer)
        initializers.fill(many, initializer, torch.Generator().manual_seed(0))
        expected = initializers.variance(initializer, 6, 9)
        assert float(many.weight.detach().square().mean()) == pytest.approx(expected, rel=0.05), initializer
        biases = initializers.bias_variance(initializer, 6)
        assert float(many.bias.detach().square().mean()) == pytest.approx(biases, rel=0.1), initializer
        assert len(many.weight.flatten(1).unique(dim=0)) == 400


def test_fewer_networks_are_drawn_where_they_cost_more_and_none_where_eight_cost_too_much():
    def networks(batch: int = 64, **model: object) -> int:
        settings = {f"learner__model__{k}": v for k, v in {"kind": "deep_mlp", **model}.items()}
        return untrained_ensembles.size(job(learner__data="digits", **settings).learner, batch)

    assert networks(depth=20, width=64) == untrained_ensembles.MAX_NETWORKS
    assert untrained_ensembles.MIN_NETWORKS <= networks(depth=20, width=256) < untrained_ensembles.MAX_NETWORKS
    assert networks(depth=50, width=2000) == 0
    assert networks(20_000, depth=20, width=64) == 0
