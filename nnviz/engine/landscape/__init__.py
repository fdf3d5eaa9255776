"""Loss landscapes of networks: slices through weight space, training trajectories on them, and curvature."""

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
    Interruptible,
    Spectrum,
    Trace,
    hessian,
    interruptible_lanczos,
    interruptible_trace,
    lanczos,
    trace,
)
from nnviz.engine.landscape.slice_evaluation import Block, coarse_to_fine, evaluate_slice, grid
from nnviz.engine.landscape.weight_paths import Plane, line, plane

__all__ = [
    "Block",
    "Direction",
    "Interruptible",
    "Plane",
    "Spectrum",
    "Trace",
    "accuracy",
    "as_vector",
    "as_weights",
    "coarse_to_fine",
    "evaluate_slice",
    "filter_normalized",
    "grid",
    "hessian",
    "in_double",
    "interruptible_lanczos",
    "interruptible_trace",
    "lanczos",
    "line",
    "plane",
    "random_direction",
    "trace",
]
