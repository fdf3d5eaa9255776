"""A network in evaluation mode whose batch norms use other statistics than their own running averages."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnviz.engine.snapshots.module_layers import is_norm

BatchNorm = nn.modules.batchnorm._BatchNorm


def norm_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Normalization layers by name, in forward order."""
    return {name: m for name, m in network.named_modules() if is_norm(m)}


def batch_norms(network: nn.Module) -> dict[str, BatchNorm]:
    """Those that have running averages."""
    return {n: m for n, m in network.named_modules() if isinstance(m, BatchNorm) and m.running_mean is not None}


@contextmanager
def with_batch_statistics(network: nn.Module, size: int | None = None) -> Iterator[None]:
    """Inside, every batch norm normalizes each `size` samples (n, units) that follow one another (None: all) by their
    own mean and variance, as in training. Nothing of the network changes, its running averages neither."""

    def normalized(norm: BatchNorm, x: Tensor) -> Tensor:
        if size is None or size == len(x):
            return functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)
        groups = x.reshape(-1, size, x.shape[1])
        centered = groups - groups.mean(1, keepdim=True)
        # Faster than torch.var over a dimension in the middle.
        var = centered.square().mean(1, keepdim=True)
        out = (centered * (var + norm.eps).rsqrt()).reshape(x.shape)
        return out if norm.weight is None else torch.addcmul(norm.bias, out, norm.weight)

    with ExitStack() as hooks:
        for norm in batch_norms(network).values():
            hooks.enter_context(norm.register_forward_hook(lambda norm, inputs, _: normalized(norm, inputs[0])))
        yield


@contextmanager
def with_averages(averages: Mapping[BatchNorm, tuple[Tensor, Tensor]]) -> Iterator[None]:
    """Inside, these batch norms have this mean and variance (units,) as running averages."""
    own = {norm: (norm.running_mean.clone(), norm.running_var.clone()) for norm in averages}
    try:
        _set(averages)
        yield
    finally:
        _set(own)


def _set(averages: Mapping[BatchNorm, tuple[Tensor, Tensor]]) -> None:
    for norm, (mean, var) in averages.items():
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)
