"""Frames and arrays to Plotly figures, as plain dicts: pure functions that know neither torch nor the app."""

from nnviz.figures.bands import percentile_bands
from nnviz.figures.basins import basin_map, basin_steps
from nnviz.figures.boundaries import decision_surface, regression_curve
from nnviz.figures.clipping import clipped_norms
from nnviz.figures.comparisons import overlay, same_axes
from nnviz.figures.confusion import confusion
from nnviz.figures.curvature import hessian_trace, sharpness
from nnviz.figures.curves import curves, learning_rate
from nnviz.figures.depth import depth_profile, layer_bars
from nnviz.figures.exponents import exponent_histograms
from nnviz.figures.landscape_spaces import loss_space, path_space
from nnviz.figures.landscapes import loss_map, path_map
from nnviz.figures.layers import layer_curves, update_ratios
from nnviz.figures.layout import empty
from nnviz.figures.loss_lines import loss_line, loss_lines
from nnviz.figures.measures import height_scale
from nnviz.figures.networks import network
from nnviz.figures.phase import phase_diagram
from nnviz.figures.races import distances, heights, rate_search
from nnviz.figures.ridgelines import ridgelines
from nnviz.figures.samples import fit, worst
from nnviz.figures.shares import shares
from nnviz.figures.spaces import surface_3d
from nnviz.figures.steps import step_parts
from nnviz.figures.surfaces import contour_map
from nnviz.figures.theme import template
from nnviz.figures.training_paths import path_residuals, plane_truth

__all__ = [
    "basin_map",
    "basin_steps",
    "clipped_norms",
    "confusion",
    "contour_map",
    "curves",
    "decision_surface",
    "depth_profile",
    "distances",
    "empty",
    "exponent_histograms",
    "fit",
    "height_scale",
    "heights",
    "hessian_trace",
    "layer_bars",
    "layer_curves",
    "learning_rate",
    "loss_line",
    "loss_lines",
    "loss_map",
    "loss_space",
    "network",
    "overlay",
    "path_map",
    "path_residuals",
    "path_space",
    "percentile_bands",
    "phase_diagram",
    "plane_truth",
    "rate_search",
    "regression_curve",
    "ridgelines",
    "same_axes",
    "shares",
    "sharpness",
    "step_parts",
    "surface_3d",
    "template",
    "update_ratios",
    "worst",
]
