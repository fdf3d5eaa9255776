"""The surface that a network sees: loss over slices through its weights, training paths on them, and its curvature."""

from nnviz.engine.landscape.batched_accuracy import accuracy
from nnviz.engine.landscape.directions import (
    Direction,
    as_vector,
    as_weights,
    filter_normalized,
    in_double,
    random_direction,
)
from nnviz.engine.landscape.hessian_spectrum import (
    Piecewise,
    Spectrum,
    Trace,
    hessian,
    lanczos,
    lanczos_piecewise,
    trace,
    trace_piecewise,
)
from nnviz.engine.landscape.slice_evaluation import Block, coarse_to_fine, grid, walk
from nnviz.engine.landscape.weight_paths import Plane, line, plane

__all__ = [
    "Block",
    "Direction",
    "Piecewise",
    "Plane",
    "Spectrum",
    "Trace",
    "accuracy",
    "as_vector",
    "as_weights",
    "coarse_to_fine",
    "filter_normalized",
    "grid",
    "hessian",
    "in_double",
    "lanczos",
    "lanczos_piecewise",
    "line",
    "plane",
    "random_direction",
    "trace",
    "trace_piecewise",
    "walk",
]
