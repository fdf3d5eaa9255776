"""Networks: names, shapes, sizes, streams of weights, dropout."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine import learners, models
from nnviz.engine.randomness import generator
from nnviz.spec import models as spec
from nnviz.spec.activations import ReLU, Sigmoid, Tanh
from nnviz.spec.base import SpecError
from nnviz.spec.initializers import HeNormal
from nnviz.spec.jobs import Training
from tests.each import each
from tests.spec.options import members, some

THREE = (spec.Hidden(width=5), spec.Hidden(width=4, activation=ReLU()), spec.Hidden(width=3, activation=Sigmoid()))


@each("seed", range(25))
def test_the_estimate_counts_the_parameters_exactly(seed):
    job = some(Training, seed, small=True)
    learning = learners.build(job.learner, job.seed, job.steps, torch.device("cpu"))
    parameters = sum(p.numel() for module in learning.modules.values() for p in module.parameters())
    assert parameters == job.estimate().parameters


def test_layers_are_named_after_what_they_are_in_order():
    network = models.build(
        spec.MLP(hidden=THREE[:2], norm={"kind": "batch"}, dropout={"kind": "standard", "rate": 0.1}), (2,), 1, 0
    )
    assert [name for name, _ in network.named_children()] == [
        *("linear1", "norm1", "activation1", "dropout1", "linear2", "norm2", "activation2", "dropout2", "output"),
    ]
    assert list(models.linears(network)) == ["model.linear1", "model.linear2", "model.output"]


def test_layers_before_batch_norm_have_no_bias_of_their_own():
    network = models.build(spec.MLP(hidden=THREE, norm={"kind": "batch"}), (2,), 1, 0)
    assert [m.bias is None for m in models.linears(network).values()] == [True, True, True, False]
    network = models.build(spec.MLP(hidden=THREE, bias=False), (2,), 1, 0)
    assert all(m.bias is None for m in models.linears(network).values())


@each("cls", [c for c in members() if c.__module__.endswith("activations")])
@each("norm", ["none", "batch"])
def test_outputs_have_a_row_a_sample_and_a_column_a_class(cls, norm):
    model = spec.DeepMLP(
        depth=3, width=6, activation=cls(), norm={"kind": norm}, dropout={"kind": "standard", "rate": 0.2}
    )
    network = models.build(model, (4,), 3, 0).eval()
    assert network(torch.randn(7, 4)).shape == (7, 3)


def test_the_forward_pass_is_the_one_of_the_textbook():
    network = models.build(spec.MLP(hidden=THREE), (2,), 1, 0)
    x = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    w = [m.weight.detach().numpy() for m in models.linears(network).values()]
    b = [m.bias.detach().numpy() for m in models.linears(network).values()]
    h = np.tanh(x @ w[0].T + b[0])
    h = np.maximum(0, h @ w[1].T + b[1])
    h = 1 / (1 + np.exp(-(h @ w[2].T + b[2])))
    np.testing.assert_allclose(network(torch.tensor(x)).detach().numpy(), h @ w[3].T + b[3], rtol=1e-5, atol=1e-6)


def test_networks_that_differ_elsewhere_start_from_the_same_weights():
    plain = models.build(spec.DeepMLP(depth=3), (2,), 2, 5)
    for other in (
        spec.DeepMLP(depth=3, norm={"kind": "batch"}),
        spec.DeepMLP(depth=3, dropout={"kind": "standard", "rate": 0.5}),
        spec.DeepMLP(depth=3, activation=Tanh()),
        spec.DeepMLP(depth=3, bias=False),
        spec.DeepMLP(depth=6),
    ):
        network = models.build(other, (2,), 2, 5)
        for name in ("linear1", "linear2", "linear3"):
            assert torch.equal(getattr(plain, name).weight, getattr(network, name).weight)
    assert not torch.equal(plain.linear1.weight, models.build(spec.DeepMLP(depth=3), (2,), 2, 6).linear1.weight)


def test_two_layers_of_the_same_shape_have_unrelated_weights():
    network = models.build(spec.DeepMLP(depth=4, width=100, initializer=HeNormal()), (100,), 2, 0)
    rows = torch.stack([getattr(network, f"linear{i}").weight.detach().flatten() for i in range(1, 5)])
    assert float((torch.corrcoef(rows) - torch.eye(4)).abs().max()) < 5 / 100


def test_building_a_network_leaves_its_weights_independent_of_the_global_generator():
    torch.manual_seed(1)
    first = models.build(spec.MLP(), (2,), 2, 0).state_dict()
    torch.manual_seed(2)
    again = models.build(spec.MLP(), (2,), 2, 0).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def dropped(p: float, x: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """x after dropout in training."""
    dropout = models.Dropout(p).train()
    dropout.generator = generator(seed, "dropout0")
    return dropout(x)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_has_variance_p_over_1_minus_p(p):
    n, h = 400_000, 1.7
    y = dropped(p, torch.full((n,), h, dtype=torch.float64))
    assert set(np.unique(y.numpy()).round(12)) == {0.0, round(h / (1 - p), 12)}
    variance = p / (1 - p) * h**2
    assert float(y.mean()) == pytest.approx(h, abs=5 * (variance / n) ** 0.5)
    assert float(y.var()) == pytest.approx(variance, rel=0.02)


def test_dropout_is_the_identity_in_evaluation_and_at_0():
    x = torch.randn(5, 5)
    assert models.Dropout(0.7).eval()(x) is x
    assert dropped(0.0, x) is x


def test_dropout_scales_the_gradient_as_it_scales_the_value():
    x = torch.ones(1000, requires_grad=True)
    y = dropped(0.4, x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_dropout_masks_follow_their_stream():
    x = torch.ones(1000)
    assert torch.equal(dropped(0.5, x, 1), dropped(0.5, x, 1))
    assert not torch.equal(dropped(0.5, x, 1), dropped(0.5, x, 2))


def test_dropout_agrees_with_torch_in_distribution():
    torch.manual_seed(0)
    theirs = nn.Dropout(0.3)(torch.ones(200_000))
    ours = dropped(0.3, torch.ones(200_000))
    assert float(ours.max()) == pytest.approx(float(theirs.max()))
    assert float((ours > 0).float().mean()) == pytest.approx(float((theirs > 0).float().mean()), abs=0.007)


def layers(network: torch.nn.Module) -> list[str]:
    return [name for name, _ in network.named_children()]


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("dropout", ["none", "standard"])
def test_skip_connections_add_what_enters_a_layer_of_the_same_width(norm, dropout):
    hidden = tuple(spec.Hidden(width=w) for w in (3, 3, 5, 5))
    model = spec.MLP(hidden=hidden, skip=True, norm={"kind": norm}, dropout={"kind": dropout})
    plain = model.model_copy(update={"skip": False})
    network, other = (models.build(m, (3,), 2, seed=4).eval() for m in (model, plain))
    assert layers(network) == layers(other)
    assert network.state_dict().keys() == other.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    parts = dict(other.named_children())
    expected = x
    for number, width in enumerate((3, 3, 5, 5), 1):
        out = parts[f"linear{number}"](expected)
        out = parts[f"norm{number}"](out) if norm == "batch" else out
        out = parts[f"activation{number}"](out)
        expected = out + expected if expected.shape[1] == width else out
    assert torch.allclose(network(x), parts["output"](expected), atol=1e-6)


@pytest.mark.parametrize("skip", [False, True])
def test_a_walk_ends_at_the_output_and_passes_every_module(skip):
    network = models.build(spec.MLP(hidden=(spec.Hidden(width=4),) * 3, skip=skip), (4,), 2, seed=0)
    x = torch.ones(2, 4)
    passed = list(models.module_outputs(network, x))
    assert [name for name, _ in passed] == layers(network)
    assert torch.equal(passed[-1][1], network(x))


def test_skip_connections_keep_the_gradient_of_deep_sigmoid_networks():
    ratios = {}
    for skip in (False, True):
        found = []
        for seed in range(5):
            network = models.build(spec.DeepMLP(depth=20, width=32, activation=Sigmoid(), skip=skip), (32,), 2, seed)
            x = torch.randn(64, 32, generator=torch.Generator().manual_seed(seed))
            network(x).square().mean().backward()
            norms = [m.weight.grad.norm() for m in models.linears(network).values()]
            found.append(float(norms[0] / norms[-2]))
        ratios[skip] = found
    assert max(ratios[False]) < 1e-6
    assert min(ratios[True]) > 1e-2


def test_spatial_dropout_drops_whole_channels_as_torchs_dropout2d():
    x = torch.ones(400, 6, 4, 4)
    spatial = models.dropouts.SpatialDropout(0.3).train()
    spatial.generator = generator(1, "dropout0")
    mine, theirs = spatial(x), nn.Dropout2d(0.3)(x)
    for found in (mine, theirs):
        by_channel = found.flatten(2)
        assert torch.equal(by_channel.amin(2), by_channel.amax(2))
        assert found.unique().tolist() == pytest.approx([0, 1 / 0.7])
        assert float((by_channel[..., 0] > 0).float().mean()) == pytest.approx(0.7, abs=0.04)
    assert spatial.eval()(x) is x
    vectors = models.dropouts.SpatialDropout(0.3).train()
    vectors.generator = generator(1, "dropout0")
    assert torch.equal(vectors(torch.ones(50, 6)), mine[:50, :, 0, 0])


def test_a_convolutional_network_drops_pixels_or_channels_after_each_activation():
    for kind, mask in (("standard", (5, 8, 4, 4)), ("spatial", (5, 8, 1, 1))):
        model = spec.DCGANDiscriminator(width=8, norm="none", dropout={"kind": kind, "rate": 0.5})
        assert model.changes_training_loss == "dropout"
        network = models.build(model, (1, 8, 8), 10, 0)
        names = [name for name, _ in network.named_children()]
        assert names == ["conv1", "activation1", "dropout1", "conv2", "activation2", "dropout2", "flatten", "output"]
        assert network.dropout1.mask_shape((5, 8, 4, 4)) == mask
        assert model.size((1, 8, 8), 10).parameters == sum(p.numel() for p in network.parameters())
        assert model.function() == spec.DCGANDiscriminator(width=8, norm="none").function()


def test_inputs_are_dropped_before_the_first_layer():
    model = spec.MLP(hidden=THREE[:1], dropout={"kind": "standard", "rate": 0.0, "input_rate": 0.2})
    assert model.has_dropout
    network = models.build(model, (1, 8, 8), 10, 0)
    names = [name for name, _ in network.named_children()]
    assert names == ["flatten", "input_dropout", "linear1", "activation1", "output"]
    (dropout,) = models.dropouts.find(network)
    assert dropout.p == 0.2


def test_vectors_have_no_channels_to_drop():
    with pytest.raises(SpecError, match=r"dropout.kind must be one of none, standard.*spatial"):
        Training.parse({"learner": {"model": {"kind": "mlp", "dropout": {"kind": "spatial"}}}})
