"""Clipping specs -> what is done to the gradients in place."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm

from nnviz.spec import clipping as spec


def clip(clipping: spec.Clipping, parameters: Sequence[nn.Parameter]) -> Tensor | None:
    """Clips the gradients in place; returns the norm they had before, as a 0-d tensor, or None without clipping."""
    match clipping:
        case spec.NoClipping():
            return None
        case spec.ClipNorm(max_norm=max_norm):
            return clip_grad_norm_(parameters, max_norm)
        case spec.ClipValue(limit=limit):
            before = get_total_norm([p.grad for p in parameters if p.grad is not None])
            clip_grad_value_(parameters, limit)
            return before
    raise TypeError(f"no clipping for {clipping!r}")
