"""Pure functions from frames and arrays to Plotly figures as plain dicts; no torch, no Streamlit."""

from nnviz.figures.comparisons.overlays import overlay, same_axes
from nnviz.figures.comparisons.seed_bands import seed_bands
from nnviz.figures.dropout.dropout_activations import dropout_activations
from nnviz.figures.dropout.mask_averages import mask_averages
from nnviz.figures.dropout.uncertain_samples import uncertain_samples
from nnviz.figures.dropout.uncertainty_map import uncertainty_band, uncertainty_map
from nnviz.figures.gans.gan_curves import gan_curves
from nnviz.figures.gans.optimal_discriminator import optimal_discriminator
from nnviz.figures.gans.output_histogram import output_histogram
from nnviz.figures.gans.samples_map import noise_map, samples_map
from nnviz.figures.images.class_histogram import class_histogram
from nnviz.figures.images.image_grid import interpolation, nearest_real, real_grid, sample_grid
from nnviz.figures.images.image_sheet import images_as_png
from nnviz.figures.kit.layout import empty
from nnviz.figures.kit.theme import template
from nnviz.figures.landscape.landscape_measures import shared_scale
from nnviz.figures.landscape.loss_lines import loss_line, loss_lines
from nnviz.figures.landscape.loss_map import loss_map, path_map
from nnviz.figures.landscape.loss_surface_3d import loss_surface_3d, path_surface_3d
from nnviz.figures.landscape.sharpness import adaptive_sharpness, hessian_trace, sharpness
from nnviz.figures.landscape.training_trajectory import projection_residuals, training_against_projection
from nnviz.figures.layers.dead_and_saturated import dead_and_saturated
from nnviz.figures.layers.depth_profiles import depth_profile, layer_bars
from nnviz.figures.layers.layer_curves import layer_curves, update_ratios
from nnviz.figures.layers.log2_histogram import log2_histograms
from nnviz.figures.layers.percentile_bands import percentile_bands
from nnviz.figures.layers.ridgelines import ridgelines
from nnviz.figures.memorization.learned_steps import forgetting_histogram, learned_steps
from nnviz.figures.memorization.memorized_samples import memorized_samples
from nnviz.figures.networks.network_diagram import network_diagram
from nnviz.figures.norms.dead_units import dead_units
from nnviz.figures.norms.gap_curves import gap_over_batch_size, gap_over_momentum
from nnviz.figures.norms.gradient_lines import gradient_line, loss_ranges
from nnviz.figures.norms.mode_outputs import mode_outputs
from nnviz.figures.norms.norm_arithmetic import norm_arithmetic
from nnviz.figures.norms.norm_heatmap import norm_heatmap
from nnviz.figures.norms.running_averages import running_averages
from nnviz.figures.norms.weight_scaling import effective_rates, weight_scaling
from nnviz.figures.samples.confusion_matrix import confusion_matrix
from nnviz.figures.samples.decision_surface import decision_surface, regression_curve
from nnviz.figures.samples.worst_samples import predictions_against_targets, worst_samples
from nnviz.figures.training.clipped_norms import clipped_norms
from nnviz.figures.training.curves import curves, learning_rate
from nnviz.figures.training.generalization_gap import StoppingMarks, generalization_gap
from nnviz.figures.trajectories.basin_map import basin_arrival_steps, basin_map
from nnviz.figures.trajectories.contour_map import contour_map
from nnviz.figures.trajectories.phase_diagram import phase_diagram
from nnviz.figures.trajectories.trajectories_3d import surface_3d
from nnviz.figures.trajectories.trajectory_curves import distances_to_minimum, function_values, rate_search
from nnviz.figures.trajectories.update_parts import update_parts

__all__ = [
    "StoppingMarks",
    "adaptive_sharpness",
    "basin_arrival_steps",
    "basin_map",
    "class_histogram",
    "clipped_norms",
    "confusion_matrix",
    "contour_map",
    "curves",
    "dead_and_saturated",
    "dead_units",
    "decision_surface",
    "depth_profile",
    "distances_to_minimum",
    "dropout_activations",
    "effective_rates",
    "empty",
    "forgetting_histogram",
    "function_values",
    "gan_curves",
    "gap_over_batch_size",
    "gap_over_momentum",
    "generalization_gap",
    "gradient_line",
    "hessian_trace",
    "images_as_png",
    "interpolation",
    "layer_bars",
    "layer_curves",
    "learned_steps",
    "learning_rate",
    "log2_histograms",
    "loss_line",
    "loss_lines",
    "loss_map",
    "loss_ranges",
    "loss_surface_3d",
    "mask_averages",
    "memorized_samples",
    "mode_outputs",
    "nearest_real",
    "network_diagram",
    "noise_map",
    "norm_arithmetic",
    "norm_heatmap",
    "optimal_discriminator",
    "output_histogram",
    "overlay",
    "path_map",
    "path_surface_3d",
    "percentile_bands",
    "phase_diagram",
    "predictions_against_targets",
    "projection_residuals",
    "rate_search",
    "real_grid",
    "regression_curve",
    "ridgelines",
    "running_averages",
    "same_axes",
    "sample_grid",
    "samples_map",
    "seed_bands",
    "shared_scale",
    "sharpness",
    "surface_3d",
    "template",
    "training_against_projection",
    "uncertain_samples",
    "uncertainty_band",
    "uncertainty_map",
    "update_parts",
    "update_ratios",
    "weight_scaling",
    "worst_samples",
]
