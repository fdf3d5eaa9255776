"""Training paths in weight space projected onto their PCA plane, and straight lines between two networks."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine.landscape.directions import Direction, check, in_double


class Plane(NamedTuple):
    """The plane through the end of a path of T points in P parameters that lies closest to it. Float64."""

    directions: Tensor
    """(2, P), orthonormal; the entry of largest magnitude of each is positive."""
    explained: Tensor
    """(2,): each direction's fraction of the sum of squared distances to the final weights; 0 where the path does not
    move."""
    path: Tensor
    """(T, 2): coordinates along the directions, the end at (0, 0)."""
    residuals: Tensor
    """(T,): distance of each point from the plane, in the units of the weights."""


def plane(points: Tensor) -> Plane:
    """Principal components of all θ − θ_end of a path (T, P) (Li et al., 2018, arXiv:1712.09913, §7).

    Not centered on the mean: the plane goes through the trained network. Random directions would explain almost nothing
    of a path. Raises ValueError for fewer than three points or two parameters.
    """
    if points.dim() != 2 or points.shape[0] < 3 or points.shape[1] < 2:
        raise ValueError(f"points must be (at least 3 points, at least 2 parameters), got {tuple(points.shape)}")
    offsets = in_double(points)
    offsets = offsets - offsets[-1]
    _, lengths, directions = torch.linalg.svd(offsets[:-1], full_matrices=False)
    directions = directions[:2]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    directions = directions * largest.sign()
    total = lengths.square().sum()
    explained = lengths[:2].square() / total if total > 0 else torch.zeros_like(lengths[:2])
    path = offsets @ directions.T
    return Plane(directions, explained, path, (offsets - path @ directions).norm(dim=1))


def line(start: Sequence[Tensor], end: Sequence[Tensor]) -> tuple[Direction, Direction]:
    """Center and direction of the straight line between two sets of weights (Goodfellow et al., 2015, arXiv:1412.6544):
    (1 − a) · start + a · end at coordinate a, so `start` at 0 and `end` at 1.

    For `landscape.evaluate_slice`, which does not interpolate buffers: with batch norm an end has the loss of its
    network only if the running statistics are its own.
    """
    check(start, [end])
    return [s.detach().clone() for s in start], [e.detach() - s.detach() for s, e in zip(start, end, strict=True)]
