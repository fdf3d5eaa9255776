"""Directions in weight space: lists of tensors, one per parameter of the module and of its shape."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Direction = list[Tensor]


def random_direction(module: nn.Module, generator: torch.Generator) -> Direction:
    """Independent standard normal entries.

    Drawn in float64 on the generator's device, so that a CPU generator gives the same direction for a network in every
    precision and on every device.
    """

    def like(parameter: Tensor) -> Tensor:
        drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64, device=generator.device)
        return drawn.to(parameter)

    return [like(p.detach()) for p in module.parameters()]


def filter_normalized(
    weights: Sequence[Tensor], direction: Sequence[Tensor], *, keep_vectors: bool = False
) -> Direction:
    """The direction with each filter scaled to the norm of the weights of that filter (Li et al., 2018,
    arXiv:1712.09913, §4): dᵢ ← dᵢ / ‖dᵢ‖ · ‖wᵢ‖.

    A filter is all weights into one unit: a row of a matrix, weight[i] of a convolution. Parameters with fewer than two
    dimensions (biases, scale and shift of batch norm, slopes of PReLU) get the direction 0, as in the paper's code, so
    slices keep them as they are; with `keep_vectors` each is one filter and scaled as a whole. Where the weights or
    the direction are all 0, so is the result. The slice does not change when a ReLU layer's weights and bias are
    multiplied by c and the weights above divided by c; without normalization it does.
    """
    check(weights, [direction])

    def scaled(w: Tensor, d: Tensor) -> Tensor:
        if w.dim() < 2 and not keep_vectors:
            return torch.zeros_like(d)
        rows = len(w) if w.dim() > 1 else 1
        w_norm, d_norm = (t.detach().reshape(rows, -1).norm(dim=1, keepdim=True) for t in (w, d))
        factor = torch.where(d_norm > 0, w_norm / d_norm, 0)
        return (d.reshape(rows, -1) * factor).reshape(d.shape)

    return [scaled(w, d) for w, d in zip(weights, direction, strict=True)]


def as_vector(weights: Sequence[Tensor]) -> Tensor:
    """All entries as one vector, (parameters,), in the order of `module.parameters()`."""
    return torch.cat([w.detach().flatten() for w in weights])


def in_double(t: Tensor) -> Tensor:
    """In float64, on the CPU where the device has none (MPS)."""
    return (t.detach().cpu() if t.device.type == "mps" else t.detach()).double()


def as_weights(vector: Tensor, like: Sequence[Tensor]) -> Direction:
    """A vector (parameters,) cut into tensors of the shapes, type and device of `like`. Raises ValueError on another
    length."""
    sizes = [t.numel() for t in like]
    if vector.shape != (sum(sizes),):
        raise ValueError(f"vector must have shape ({sum(sizes)},), one entry per parameter, got {tuple(vector.shape)}")
    return [part.reshape(t.shape).to(t.detach()) for part, t in zip(vector.split(sizes), like, strict=True)]


def check(weights: Sequence[Tensor], directions: Sequence[Sequence[Tensor]]) -> None:
    """Raises ValueError unless each direction has the shapes of the weights."""
    expected = [tuple(w.shape) for w in weights]
    for direction in directions:
        shapes = [tuple(d.shape) for d in direction]
        if shapes != expected:
            raise ValueError(f"direction must have the parameters' shapes {expected}, got {shapes}")
