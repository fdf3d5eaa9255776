"""Networks of one architecture as one: parameters (members, parameters), activations (members, units, samples)."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnviz.engine.models import Dropout
from nnviz.engine.models.mlp import ResidualMLP, in_sequence

BUFFERS = ("running_mean", "running_var")


class StackedMLP:
    """Networks that `models.build` made of one MLP spec, with different weights.

    Samples run fastest, so that elementwise functions and batch norm need no copies. `parameters` is one tensor, so
    that an optimizer makes one update; each layer works on views of it, which are leaves of their own: for small
    networks autograd takes as long for cutting one leaf into layers as for the layers.
    """

    def __init__(self, networks: Sequence[nn.Module], device: torch.device, dtype: torch.dtype) -> None:
        first = networks[0]
        self.members = len(networks)
        layers = [(name, layer) for name, layer in first.named_children() if not isinstance(layer, nn.Flatten)]
        self.skip = isinstance(first, ResidualMLP)
        flat = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
        self.parameters = torch.stack(flat).to(device, dtype)
        """(members, parameters), to be changed in place."""
        shapes = [parameter.shape for parameter in first.parameters()]
        parts = self.parameters.split([shape.numel() for shape in shapes], 1)
        self.leaves = {
            # vectors as (members, units, 1), to be added to (members, units, samples)
            name: part.view(self.members, *shape, *(1,) * (len(shape) == 1)).detach().requires_grad_()
            for (name, _), shape, part in zip(first.named_parameters(), shapes, parts, strict=True)
        }
        self.buffers = {
            name: torch.stack([dict(network.named_buffers())[name] for network in networks]).to(device, dtype)
            for name, _ in first.named_buffers()
            if name.endswith(BUFFERS)
        }
        """Batch norm's running statistics, (members, units) each."""
        is_weight = [torch.full((shape.numel(),), float(len(shape) > 1)) for shape in shapes]
        self.is_weight = torch.cat(is_weight).to(device, dtype)
        """(parameters,): 1 for the entries of weight matrices, to which penalties apply, else 0."""
        self._ones = torch.ones(self.members, device=device, dtype=dtype)
        self.dropouts = [layer for _, layer in layers if isinstance(layer, Dropout)]
        self._masks: Iterator[Tensor] | None = None
        self.functions = [(name, self._function(name, layer)) for name, layer in layers]
        self.width = max(max(shape) for shape in shapes if len(shape) > 1)

    def __call__(self, x: Tensor, masks: Sequence[Tensor] | None = None) -> Tensor:
        """(members, inputs, samples) -> (members, outputs, samples); in training mode with `masks`, one for each
        dropout layer, (members, units, samples) each."""
        self._masks = None if masks is None else iter(masks)
        *_, (_, _, outputs) = in_sequence(self.functions, x, self.skip)
        return outputs

    def gradient(self, losses: Tensor) -> Tensor:
        """The gradient of each member's loss (members,) with respect to its own parameters, (members, parameters)."""
        found = torch.autograd.grad(losses, list(self.leaves.values()), self._ones)
        return torch.cat([gradient.reshape(self.members, -1) for gradient in found], 1)

    def _function(self, name: str, layer: nn.Module) -> Callable[[Tensor], Tensor]:
        """What a layer does with x (members, units, samples)."""
        weight, bias = self.leaves.get(f"{name}.weight"), self.leaves.get(f"{name}.bias")
        match layer:
            case nn.Linear() if bias is None:
                return lambda x: torch.bmm(weight, x)
            case nn.Linear():
                return lambda x: torch.baddbmm(bias, weight, x)
            case nn.BatchNorm1d():
                return partial(self._batch_norm, name, layer)
            case nn.LayerNorm() | nn.RMSNorm() | nn.GroupNorm():
                return lambda x: _over_units(layer, x, weight, bias)
            case nn.PReLU():
                return lambda x: torch.where(x > 0, x, weight * x)
            case Dropout():
                return lambda x: x if self._masks is None else x * next(self._masks)
        return layer

    def _batch_norm(self, name: str, layer: nn.BatchNorm1d, x: Tensor) -> Tensor:
        weight, bias = (self.leaves.get(f"{name}.{parameter}") for parameter in ("weight", "bias"))
        mean, variance = (self.buffers[f"{name}.{buffer}"].view(-1) for buffer in BUFFERS)
        scale = (None, None) if weight is None else (weight.flatten(), bias.flatten())
        flat, training = x.reshape(1, -1, x.shape[-1]), self._masks is not None
        return F.batch_norm(flat, mean, variance, *scale, training, layer.momentum, layer.eps).view_as(x)


def _over_units(layer: nn.Module, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """A norm over the units of each sample, then a scale and a shift (members, units, 1)."""
    samples = x.transpose(1, 2)
    match layer:
        case nn.LayerNorm():
            normed = F.layer_norm(samples, layer.normalized_shape, eps=layer.eps)
        case nn.RMSNorm():
            normed = F.rms_norm(samples, layer.normalized_shape, eps=layer.eps)
        case nn.GroupNorm():
            normed = F.group_norm(samples.flatten(0, 1), layer.num_groups, eps=layer.eps).view_as(samples)
        case _:
            raise TypeError(f"no stacked norm for {layer!r}")
    normed = normed.transpose(1, 2)
    if weight is not None:
        normed = normed * weight
    return normed if bias is None else normed + bias
