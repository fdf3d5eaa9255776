"""Frames and arrays to Plotly figures, as plain dicts: pure functions that know neither torch nor the app."""

from nnviz.figures.comparisons.overlays import overlay, same_axes
from nnviz.figures.kit.layout import empty
from nnviz.figures.kit.theme import template
from nnviz.figures.landscape.landscape_measures import height_scale
from nnviz.figures.landscape.loss_lines import loss_line, loss_lines
from nnviz.figures.landscape.loss_map import loss_map, path_map
from nnviz.figures.landscape.loss_surface_3d import loss_space, path_space
from nnviz.figures.landscape.sharpness import hessian_trace, sharpness
from nnviz.figures.landscape.training_trajectory import path_residuals, plane_truth
from nnviz.figures.layers.depth_profiles import depth_profile, layer_bars
from nnviz.figures.layers.layer_curves import layer_curves, update_ratios
from nnviz.figures.layers.log2_histogram import exponent_histograms
from nnviz.figures.layers.percentile_bands import percentile_bands
from nnviz.figures.layers.ridgelines import ridgelines
from nnviz.figures.layers.unit_shares import shares
from nnviz.figures.networks.network_diagram import network
from nnviz.figures.samples.confusion_matrix import confusion
from nnviz.figures.samples.decision_surface import decision_surface, regression_curve
from nnviz.figures.samples.worst_samples import fit, worst
from nnviz.figures.training.clipped_norms import clipped_norms
from nnviz.figures.training.curves import curves, learning_rate
from nnviz.figures.trajectories.basin_map import basin_map, basin_steps
from nnviz.figures.trajectories.contour_map import contour_map
from nnviz.figures.trajectories.phase_diagram import phase_diagram
from nnviz.figures.trajectories.trajectories_3d import surface_3d
from nnviz.figures.trajectories.trajectory_curves import distances, heights, rate_search
from nnviz.figures.trajectories.update_parts import step_parts

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
