"""Thinned networks: one network without the units that a mask drops, for many masks at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor, nn

from nnviz.engine.models.dropouts import Dropout
from nnviz.engine.randomness import generator

ENUMERATED = 8
"""Up to this many units that may be dropped, all masks are taken, weighted by their probabilities."""


MAX_ENTRIES = 2**18
"""Entries of one activation in memory at once: the allocator returns larger blocks to the system after each use, which
is slow."""


@dataclass(frozen=True)
class Masks:
    """`factors` has a tensor (K, *units) for each dropout of a network: 0 for dropped units, 1/(1 − p) for kept ones.
    `weights` (K,) sum to 1."""

    factors: Sequence[Tensor]
    weights: Tensor
    are_all: bool
    """Whether these are all masks there are."""


def shapes(network: nn.Module, dropouts: Sequence[Dropout], x: Tensor) -> list[tuple[int, ...]]:
    """What can be dropped for one sample at each dropout, for inputs x (n, …)."""
    found: list[tuple[int, ...]] = []
    with _hooks(dropouts, lambda out: found.append(tuple(out.shape))), torch.no_grad():
        network(x[:2])  # group norm of one channel refuses a single sample
    return [d.mask_shape(shape)[1:] for d, shape in zip(dropouts, found, strict=True)]


def masks(dropouts: Sequence[Dropout], units: Sequence[tuple[int, ...]], count: int, seed: int) -> Masks:
    """All masks of up to `ENUMERATED` units with their probabilities, else `count` random ones of weight 1/count; on
    the CPU. `units` as `shapes` gives them."""
    sizes = [prod(shape) for shape in units]
    if sum(sizes) <= ENUMERATED:
        kept = torch.tensor(list(product((0.0, 1.0), repeat=sum(sizes)))).reshape(2 ** sum(sizes), -1)
        weights = torch.ones(len(kept), dtype=torch.float64)
        for d, part in zip(dropouts, kept.split(sizes, 1), strict=True):
            weights *= torch.where(part > 0, 1 - d.p, d.p).double().prod(1)
        parts = [part.reshape(-1, *shape) for part, shape in zip(kept.split(sizes, 1), units, strict=True)]
    else:
        weights = torch.full((count,), 1 / count, dtype=torch.float64)
        parts = [
            (torch.rand((count, *shape), generator=generator(seed, "thinned networks", index)) >= d.p).float()
            for index, (d, shape) in enumerate(zip(dropouts, units, strict=True))
        ]
    factors = [part / (1 - d.p) for d, part in zip(dropouts, parts, strict=True)]
    return Masks(factors, weights, sum(sizes) <= ENUMERATED)


@torch.no_grad()
def outputs(
    network: nn.Module, dropouts: Sequence[Dropout], factors: Sequence[Tensor], x: Tensor, kept: int = 0
) -> tuple[Tensor, list[Tensor]]:
    """Outputs (K, n, …) of all thinned networks for x (n, …), each with one mask for all samples; and what comes out of
    each dropout for the first `kept` samples, (K, kept, *units). The network is in evaluation mode."""
    found, seen = [], []
    widest = max((factor[0].numel() for factor in factors), default=1)
    at_once = max(1, MAX_ENTRIES // (len(x) * widest))
    for part in zip(*(factor.split(at_once) for factor in factors), strict=True):
        out, between = _outputs(network, dropouts, part, x)
        found.append(out)
        seen.append([one[:, :kept] for one in between])
    return torch.cat(found), [torch.cat(parts) for parts in zip(*seen, strict=True)]


def _outputs(
    network: nn.Module, dropouts: Sequence[Dropout], factors: Sequence[Tensor], x: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Of some masks at once."""
    k, seen = len(factors[0]), []
    # What comes before the first dropout is the same for all masks; but a skip connection adds tensors of one shape.
    is_shared = type(network) is nn.Sequential

    def thinned(module_output: Tensor) -> Tensor:
        each = module_output[None] if is_shared and not seen else module_output.unflatten(0, (k, -1))
        seen.append(each * factors[len(seen)].unsqueeze(1))
        return seen[-1].flatten(0, 1)

    with _hooks(dropouts, thinned):
        found = network(x if is_shared else x.repeat(k, *[1] * (x.dim() - 1)))
    return found.unflatten(0, (k, -1)), seen


@contextmanager
def _hooks(dropouts: Sequence[Dropout], change: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Hands on `change` of what comes out of each dropout, unless that is None."""
    handles = [d.register_forward_hook(lambda _module, _inputs, out: change(out)) for d in dropouts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
