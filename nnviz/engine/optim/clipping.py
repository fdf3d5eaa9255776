"""Clipping specs -> gradient clipping in place."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnviz.engine.tensor_norms import norms
from nnviz.spec import clipping as spec


def clip(clipping: spec.Clipping, parameters: Sequence[nn.Parameter]) -> Tensor | None:
    """Clips the gradients in place; returns the norm they had before, as a 0-d tensor, or None without clipping.

    torch's clip_grad_norm_ squares in float32: a gradient of norm 1e20 would become 0.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    match clipping:
        case spec.NoClipping():
            return None
        case spec.ClipNorm(max_norm=max_norm):
            before = norms(gradients).norm()
            torch._foreach_mul_(gradients, (max_norm / before).clamp(max=1).to(gradients[0].dtype))
            return before
        case spec.ClipValue(limit=limit):
            before = norms(gradients).norm()
            torch._foreach_clamp_min_(gradients, -limit)
            torch._foreach_clamp_max_(gradients, limit)
            return before
    raise TypeError(f"no clipping for {clipping!r}")
