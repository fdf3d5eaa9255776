"""Initializer specs -> initial weights of linear layers."""

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from nnviz.spec import initializers as spec


class Layer(Protocol):
    """A linear layer, or many of one shape."""

    weight: nn.Parameter
    bias: nn.Parameter | None


def variance(initializer: spec.Initializer, n_in: int, n_out: int) -> float | None:
    """Variance of each weight of an (n_out, n_in) matrix; None where the weights are not random.

    For `orthogonal` each of the min(n_in, n_out) rows or columns has length gain, so entries have mean square
    gain² / max(n_in, n_out).
    """
    match initializer:
        case spec.Zeros() | spec.Constant():
            return None
        case spec.Normal(std=std):
            return std**2
        case spec.ClassicUniform() | spec.PyTorchDefault():
            return 1 / (3 * n_in)
        case spec.GlorotUniform(gain=gain) | spec.GlorotNormal(gain=gain):
            return gain**2 * 2 / (n_in + n_out)
        case spec.HeUniform(gain=gain) | spec.HeNormal(gain=gain):
            return gain**2 * 2 / n_in
        case spec.LeCunNormal(gain=gain):
            return gain**2 / n_in
        case spec.Orthogonal(gain=gain):
            return gain**2 / max(n_in, n_out)
    raise TypeError(f"no variance for {initializer!r}")


def bias_variance(initializer: spec.Initializer, n_in: int) -> float:
    """Variance of each bias: 0, except for PyTorch's default."""
    return 1 / (3 * n_in) if isinstance(initializer, spec.PyTorchDefault) else 0.0


@torch.no_grad()
def fill(layer: Layer, initializer: spec.Initializer, generator: torch.Generator) -> None:
    """Sets the layer's weights (…, n_out, n_in) and biases (…, n_out) in place, drawing from `generator` alone."""
    weight, (n_out, n_in) = layer.weight, layer.weight.shape[-2:]
    std = math.sqrt(variance(initializer, n_in, n_out) or 0.0)
    match initializer:
        case spec.Zeros():
            weight.zero_()
        case spec.Constant(value=value):
            weight.fill_(value)
        case spec.Normal() | spec.GlorotNormal() | spec.HeNormal() | spec.LeCunNormal():
            weight.normal_(0, std, generator=generator)
        case spec.ClassicUniform() | spec.PyTorchDefault() | spec.GlorotUniform() | spec.HeUniform():
            _uniform(weight, std, generator)
        case spec.Orthogonal(gain=gain):
            for matrix in weight.view(-1, n_out, n_in):
                nn.init.orthogonal_(matrix, gain, generator=generator)
        case _:
            raise TypeError(f"no initializer for {initializer!r}")
    if layer.bias is not None:
        _uniform(layer.bias, math.sqrt(bias_variance(initializer, n_in)), generator)


def _uniform(tensor: Tensor, std: float, generator: torch.Generator) -> None:
    """U(±√3 std), which has that standard deviation."""
    bound = math.sqrt(3) * std
    tensor.uniform_(-bound, bound, generator=generator) if bound else tensor.zero_()
