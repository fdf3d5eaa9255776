"""Deep convolutional GANs as modules named conv1, norm1, activation1, …, output."""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nnviz.engine import activations, initializers
from nnviz.engine.models import dropouts, norms
from nnviz.engine.randomness import generator
from nnviz.spec import models as spec
from nnviz.spec.initializers import Initializer
from nnviz.spec.models.dcgan import Stage
from nnviz.spec.shapes import Shape, numbers


class _Matrices(NamedTuple):
    """Weights as `initializers.fill` takes them, (…, n_out, n_in): n_in are the terms of one output."""

    weight: nn.Parameter
    bias: nn.Parameter | None


def build_generator(model: spec.DCGANGenerator, inputs: Shape, outputs: int, seed: int) -> nn.Module:
    """The network: (batch, numbers) -> (batch, channels, height, width), on the CPU. Each layer draws its weights from
    its own random stream."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    modules["unflatten"] = nn.Unflatten(1, (numbers(inputs), 1, 1))
    stages = model.stages(inputs, outputs)
    for number, stage in enumerate(stages, 1):
        if stage.stride > 1:
            padding = (stage.kernel - stage.stride) // 2
            layer = nn.ConvTranspose2d(
                stage.inputs, stage.outputs, stage.kernel, stage.stride, padding, bias=not stage.has_norm
            )
            _fill_transposed(layer, model.initializer, generator(seed, "weights", number))
        else:
            modules[f"upsample{number}"] = nn.Upsample(scale_factor=2)
            layer = nn.Conv2d(stage.inputs, stage.outputs, stage.kernel, padding=1, bias=not stage.has_norm)
            _fill(layer, model.initializer, generator(seed, "weights", number))
        _add(modules, layer, number, stage, model, number == len(stages))
    if model.output_activation == "tanh":
        modules["output_activation"] = nn.Tanh()
    return nn.Sequential(modules)


def build_discriminator(model: spec.DCGANDiscriminator, inputs: Shape, outputs: int, seed: int) -> nn.Module:
    """The network: (batch, channels, height, width) -> (batch, outputs), on the CPU. Each layer draws its weights from
    its own random stream."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    stages = model.stages(inputs, outputs)
    if (dropout := dropouts.of_inputs(model.dropout)) is not None:
        modules["input_dropout"] = dropout
    for number, stage in enumerate(stages[:-1], 1):
        layer = nn.Conv2d(stage.inputs, stage.outputs, stage.kernel, stage.stride, padding=1, bias=not stage.has_norm)
        _fill(layer, model.initializer, generator(seed, "weights", number))
        _add(modules, layer, number, stage, model)
        if (dropout := dropouts.build(model.dropout)) is not None:
            modules[f"dropout{number}"] = dropout
        if model.downsampling == "pooled":
            modules[f"pool{number}"] = nn.MaxPool2d(2)
    last = stages[-1]
    modules["flatten"] = nn.Flatten()
    output = nn.Linear(last.inputs * last.kernel**2, outputs)
    initializers.fill(output, model.initializer, generator(seed, "weights", len(stages)))
    modules["output"] = output
    return nn.Sequential(modules)


def _add(
    modules: OrderedDict[str, nn.Module],
    layer: nn.Module,
    number: int,
    stage: Stage,
    model: spec.DCGANGenerator | spec.DCGANDiscriminator,
    is_output: bool = False,
) -> None:
    """A layer with what follows it."""
    modules["output" if is_output else f"conv{number}"] = layer
    if stage.has_norm:
        name = "output_norm" if is_output else f"norm{number}"
        modules[name] = norms.build_for_images(model.norm_kind, stage.outputs)
    if stage.has_activation:
        modules[f"activation{number}"] = activations.build(model.activation)


def _fill(layer: nn.Conv2d, initializer: Initializer, g: torch.Generator) -> None:
    matrix = nn.Parameter(torch.empty(layer.out_channels, layer.weight[0].numel()))
    initializers.fill(_Matrices(matrix, layer.bias), initializer, g)
    layer.weight.data.copy_(matrix.detach().reshape(layer.weight.shape))


def _fill_transposed(layer: nn.ConvTranspose2d, initializer: Initializer, g: torch.Generator) -> None:
    # A pixel of the output gets every `stride`-th weight of a filter alone: stride² matrices.
    (stride, _), (kernel, _) = layer.stride, layer.kernel_size
    taps, n_out, n_in = kernel // stride, layer.out_channels, layer.in_channels
    matrices = nn.Parameter(torch.empty(stride**2, n_out, n_in * taps**2))
    initializers.fill(_Matrices(matrices, layer.bias), initializer, g)
    apart: Tensor = matrices.detach().reshape(stride, stride, n_out, n_in, taps, taps)
    layer.weight.data.copy_(apart.permute(3, 2, 4, 0, 5, 1).reshape(layer.weight.shape))
