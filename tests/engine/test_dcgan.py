"""The networks of DCGAN: their layers as published, and what each choice changes."""

from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nnviz.engine import models
from nnviz.engine.initializers import variance
from nnviz.engine.snapshots import module_layers
from nnviz.spec.activations import LeakyReLU, Tanh
from nnviz.spec.base import options
from nnviz.spec.initializers import GlorotNormal, HeNormal, LeCunNormal
from nnviz.spec.learners import Adversarial, Supervised
from nnviz.spec.models import MLP, DCGANDiscriminator, DCGANGenerator
from nnviz.spec.models.dcgan import image_shape

NOISE = 10


def generator(side: int = 32, channels: int = 3, width: int = 4, **changes: Any) -> nn.Sequential:
    """The module that makes such images."""
    return models.build(DCGANGenerator(width=width, **changes), (NOISE,), channels * side**2, 0)


def discriminator(side: int = 32, channels: int = 3, width: int = 4, **changes: Any) -> nn.Sequential:
    """The module that judges such images."""
    return models.build(DCGANDiscriminator(width=width, **changes), (channels, side, side), 1, 0)


def of(network: nn.Module, *kinds: type[nn.Module]) -> list[nn.Module]:
    """Its modules of these kinds."""
    return [m for m in network.modules() if isinstance(m, kinds)]


def shapes(network: nn.Module, x: Tensor, *kinds: type[nn.Module]) -> list[tuple[int, ...]]:
    """What these modules make of one sample."""
    found: list[tuple[int, ...]] = []
    for m in of(network, *kinds):
        m.register_forward_hook(lambda _m, _i, out: found.append(tuple(out.shape[1:])))
    network(x)
    return found


def test_layers_are_as_published_at_each_size():
    for side, first in {8: 2, 16: 4, 32: 4, 64: 4}.items():
        for channels in (1, 3):
            made, judged = generator(side, channels), discriminator(side, channels)
            doublings = (side // first).bit_length() - 1
            expected = [(4 * 2 ** (doublings - 1 - n), first * 2**n, first * 2**n) for n in range(doublings)]
            convolutions = (nn.Conv2d, nn.ConvTranspose2d)
            found = shapes(made, torch.zeros(2, NOISE), *convolutions)
            assert found == [*expected, (channels, side, side)], side
            found = shapes(judged, torch.zeros(2, channels, side, side), *convolutions, nn.Linear)
            assert found == [*expected[::-1], (1,)], side
            assert all(m.stride == (2, 2) for m in of(judged, nn.Conv2d))
            assert all(m.stride == (2, 2) for m in of(made, nn.ConvTranspose2d)[1:])
            assert not of(made, nn.Linear, nn.Conv2d, nn.Upsample, nn.MaxPool2d), "fractional strides alone"
            assert not of(judged, nn.MaxPool2d, nn.AvgPool2d)
            assert {type(m) for m in of(made, nn.ReLU, nn.LeakyReLU)} == {nn.ReLU}
            assert {m.negative_slope for m in of(judged, nn.LeakyReLU)} == {0.2}
            assert not of(judged, nn.ReLU, nn.Tanh)
            assert isinstance(made[-1], nn.Tanh)
            names = [dict(n.named_children()) for n in (made, judged)]
            assert {n for n in names[0] if "norm" in n} == {f"norm{i + 1}" for i in range(doublings)}
            assert {n for n in names[1] if "norm" in n} == {f"norm{i}" for i in range(2, doublings + 1)}


def test_weights_start_from_normal_numbers_of_deviation_0_02_and_biases_from_0():
    for network in (generator(64, width=32), discriminator(64, width=32)):
        weights = torch.cat(
            [m.weight.detach().flatten() for m in of(network, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)]
        )
        assert float(weights.std()) == pytest.approx(0.02, rel=0.01)
        assert abs(float(weights.mean())) < 1e-4
        beyond = float((weights.abs() > 0.04).float().mean())
        assert beyond == pytest.approx(0.0455, abs=0.003), "normal"
        assert all(not m.bias.any() for m in of(network, nn.Conv2d, nn.ConvTranspose2d) if m.bias is not None)


def test_initializers_count_the_terms_of_one_pixel():
    # 16 of a filter's 4 · 4 · 4 · 256 / 256 weights reach a pixel of a transposed convolution: 2 · 2 a channel.
    for kind in (HeNormal(), GlorotNormal(), LeCunNormal()):
        made = generator(64, width=32, initializer=kind)
        for name, terms in {"conv1": NOISE, "conv2": 4 * 256, "conv3": 4 * 128}.items():
            layer = getattr(made, name)
            expected = variance(kind, terms, layer.out_channels)
            assert float(layer.weight.detach().var()) == pytest.approx(expected, rel=0.05), (kind, name)
        layer = discriminator(64, width=32, initializer=kind).conv3
        assert float(layer.weight.detach().var()) == pytest.approx(variance(kind, 16 * 64, 128), rel=0.05), kind


def test_each_choice_changes_what_it_says_and_nothing_else():
    plain = [str(m) for m in generator()]
    pooled = of(discriminator(downsampling="pooled"), nn.Conv2d, nn.MaxPool2d)
    assert [type(m) for m in pooled] == [nn.Conv2d, nn.MaxPool2d] * 3
    assert all(m.stride == (1, 1) for m in pooled if isinstance(m, nn.Conv2d))
    repeated = of(generator(upsampling="interpolated"), nn.Upsample, nn.Conv2d, nn.ConvTranspose2d)
    assert [type(m) for m in repeated] == [nn.ConvTranspose2d, *[nn.Upsample, nn.Conv2d] * 3]
    pixels = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert repeated[1](pixels)[0, 0, 0].tolist() == [0, 0, 1, 1]
    for norm, made, judged in (("none", 0, 0), ("everywhere", 4, 3)):
        assert len(of(generator(norm=norm), nn.BatchNorm2d)) == made
        assert len(of(discriminator(norm=norm), nn.BatchNorm2d)) == judged
    assert isinstance(generator(norm="everywhere").output_norm, nn.BatchNorm2d)
    assert len(of(generator(activation=LeakyReLU(slope=0.2)), nn.LeakyReLU)) == 3
    assert len(of(discriminator(activation=Tanh()), nn.Tanh)) == 3
    linear = generator(output_activation="none")
    assert [str(m) for m in linear] == plain[:-1]
    for a, b in zip(generator().parameters(), linear.parameters(), strict=True):
        assert torch.equal(a, b), "the same weights"


def test_sizes_are_those_of_the_modules():
    for image in ((1, 8, 8), (3, 32, 32)):
        for changes in ({}, {"norm": "none"}, {"norm": "everywhere", "activation": {"kind": "prelu"}}):
            pairs = [
                (DCGANGenerator(width=4, upsampling=u, **changes), (NOISE,), prod(image))
                for u in ("strided", "interpolated")
            ] + [(DCGANDiscriminator(width=4, downsampling=d, **changes), image, 1) for d in ("strided", "pooled")]
            for model, inputs, outputs in pairs:
                network = models.build(model, inputs, outputs, 0)
                size = model.size(inputs, outputs)
                assert size.parameters == sum(p.numel() for p in network.parameters()), (model, image)
                entries = shapes(network, torch.zeros(2, *inputs), nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
                assert size.entries == prod(inputs) + sum(map(prod, entries)), (model, image)
                assert size.layers == len(entries) == len(module_layers.describe("x", network)["sites"])
                with FlopCounterMode(display=False) as counted:
                    found = network(torch.zeros(3, *inputs))
                assert size.work == counted.get_total_flops() / 2 / 3, (model, image)
                assert tuple(found.shape[1:]) == model.output_shape(inputs, outputs)
                assert bool(model.statistics) == bool(of(network, nn.BatchNorm2d)) == (model.least_batch == 2)


def test_they_take_noise_and_square_images_of_their_sizes_alone():
    assert DCGANGenerator.accepts((64,))
    assert not DCGANGenerator.accepts((1, 8, 8))
    assert [DCGANDiscriminator.accepts((3, side, side)) for side in (4, 8, 24, 64)] == [False, True, False, True]
    assert not DCGANDiscriminator.accepts((1, 8, 16))
    assert not DCGANDiscriminator.accepts((64,))
    with pytest.raises(ValueError, match="must be square, gray or in color"):
        image_shape(100)


def test_they_are_not_offered_for_points_and_tables():
    for learner, field in ((Supervised, "model"), (Adversarial, "generator"), (Adversarial, "discriminator")):
        assert set(options(learner.model_fields[field].annotation)) == {"mlp", "deep_mlp"}, (learner, field)


def test_layers_are_named_in_order_with_their_activations():
    described = module_layers.describe("generator", generator())
    assert described["sites"].tolist() == [f"generator.{name}" for name in ("conv1", "conv2", "conv3", "output")]
    assert described["activations"].tolist() == ["relu", "relu", "relu", "tanh"]
    labels = dict(zip(described["places"], described["labels"], strict=True))
    assert labels["generator.norm2"] == "norm 2"
    assert labels["generator.output"] == "output"


def test_the_same_seed_gives_the_same_weights_whatever_the_other_layers():
    one, two, other = generator(), generator(norm="none"), generator(32, width=4, upsampling="interpolated")
    for name in ("conv1", "conv2", "output"):
        assert torch.equal(getattr(one, name).weight, getattr(two, name).weight), name
    assert torch.equal(one.conv1.weight, other.conv1.weight)
    assert not torch.equal(one.conv1.weight, models.build(DCGANGenerator(width=4), (NOISE,), 3072, 1).conv1.weight)
    assert isinstance(models.build(MLP(), (NOISE,), 3072, 0), nn.Sequential)
