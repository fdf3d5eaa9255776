"""The snapshot `layers`: order, kind and label of all that a site can name."""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from nnviz.engine import activations, models
from nnviz.engine.snapshots import module_layers
from nnviz.spec import activations as spec
from nnviz.spec.base import options

PLACES = ("places", "kinds", "parameters", "labels", "ticks", "layers")


def rows(arrays: dict[str, np.ndarray]) -> dict[str, tuple]:
    """The description of each path."""
    found = list(zip(*(arrays[name].tolist() for name in PLACES), strict=True))
    assert all(array.dtype.kind in "iU" for array in arrays.values())
    return {path: tuple(rest) for path, *rest in found}


def test_a_perceptron_is_described_layer_by_layer():
    modules: dict[str, nn.Module] = {}
    for i, width in ((1, 3), (2, 8)):
        modules |= {f"linear{i}": nn.Linear(width, 8), f"norm{i}": nn.BatchNorm1d(8)}
        modules |= {f"activation{i}": activations.build(spec.LeakyReLU()), f"dropout{i}": models.Dropout(0.1)}
    network = nn.Sequential(OrderedDict(modules | {"output": nn.Linear(8, 4)}))
    arrays = module_layers.describe("model", network)
    assert arrays["activations"].tolist() == ["leaky_relu", "leaky_relu", ""]
    assert (arrays["fan_in"].tolist(), arrays["fan_out"].tolist()) == ([3, 8, 8], [8, 8, 4])
    found = rows(arrays)
    sites = arrays["sites"].tolist()
    assert sites == list(models.linears(network))
    assert found["model"] == ("Sequential", "", "model", "model", -1)
    for i, (label, tick) in enumerate((("layer 1", "1"), ("layer 2", "2"), ("output", "out"))):
        assert found[sites[i]] == ("linear", "", label, tick, i)
        assert found[f"{sites[i]}.bias"] == ("linear", "bias", label, tick, i)
    assert found["model.norm1.weight"] == ("batch_norm", "weight", "norm 1", "norm 1", 0)
    assert found["model.activation2"] == ("activation", "", "layer 2", "2", 1)
    assert found["model.dropout2"] == ("dropout", "", "dropout 2", "dropout 2", 1)
    order = ["linear1", "linear1.weight", "linear1.bias", "norm1", "norm1.weight", "norm1.bias", "activation1"]
    assert list(found)[1:8] == [f"model.{name}" for name in order]


def test_blocks_convolutions_and_modules_of_any_kind_are_described_by_their_kind():
    block = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
    network = nn.Sequential(nn.LayerNorm(8), block, nn.Flatten(), nn.Linear(72, 2), nn.Hardtanh())
    arrays = module_layers.describe("critic", network)
    found = rows(arrays)
    assert arrays["sites"].tolist() == ["critic.1.0", "critic.3"]
    assert arrays["activations"].tolist() == ["relu", "Hardtanh"]
    for site, size in zip(arrays["sites"].tolist(), arrays["fan_in"] * arrays["fan_out"], strict=True):
        assert size == network.get_submodule(site.removeprefix("critic.")).weight.numel()
    assert found["critic.0.weight"] == ("layer_norm", "weight", "0", "0", -1)  # before the first layer
    assert found["critic.1"] == ("Sequential", "", "1", "1", -1)
    assert found["critic.1.0.weight"] == ("convolution", "weight", "layer 1", "1", 0)
    assert found["critic.1.1.bias"] == ("batch_norm", "bias", "norm 1", "norm 1", 0)
    assert found["critic.1.3"] == ("MaxPool2d", "", "MaxPool2d 1", "MaxPool2d 1", 0)
    assert found["critic.4"] == ("activation", "", "output", "out", 1)


def test_every_module_and_parameter_is_described_once_and_nothing_is_changed():
    normed = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
    network = nn.Sequential(nn.GRU(3, 3), normed, nn.MultiheadAttention(3, 1), nn.PReLU())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    arrays = module_layers.describe("root", network)
    places = arrays["places"].tolist()
    paths = [name for name, _ in network.named_modules()] + [name for name, _ in network.named_parameters()]
    assert sorted(places) == sorted(f"root.{path}" if path else "root" for path in paths)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert rows(arrays)["root.1.parametrizations.weight.original"][-1] == 0


def test_activations_have_the_names_of_their_options():
    for kind, option in options(spec.Activation).items():
        network = nn.Sequential(nn.Linear(1, 1), activations.build(option()))
        assert module_layers.describe("model", network)["activations"].tolist() == [kind]


def test_a_module_without_layers_has_none():
    arrays = module_layers.describe("model", nn.Tanh())
    assert [len(arrays[name]) for name in ("sites", "activations", "fan_in", "fan_out")] == [0] * 4
    assert rows(arrays) == {"model": ("activation", "", "model", "model", -1)}
