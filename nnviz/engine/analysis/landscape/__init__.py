"""The surface that a network sees: loss over slices through its weights, training paths on them, and its curvature."""

from nnviz.engine.analysis.landscape.accuracies import accuracy
from nnviz.engine.analysis.landscape.curvature import (
    Piecewise,
    Spectrum,
    Trace,
    hessian,
    lanczos,
    lanczos_piecewise,
    trace,
    trace_piecewise,
)
from nnviz.engine.analysis.landscape.directions import (
    Direction,
    as_vector,
    as_weights,
    filter_normalized,
    in_double,
    random_direction,
)
from nnviz.engine.analysis.landscape.paths import Plane, line, plane
from nnviz.engine.analysis.landscape.slices import Block, coarse_to_fine, grid, walk

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
