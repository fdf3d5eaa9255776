"""All figures: Plotly accepts them, the board can send them, and empty ones say why."""

import json

import numpy as np

from nnviz import figures
from nnviz.frames import Layers
from nnviz.records import Scalar
from tests.each import each
from tests.figures import dropout_arrays as dropout
from tests.figures import gan_arrays as gan
from tests.figures import image_arrays as images
from tests.figures import landscape_arrays, sample_records
from tests.figures import norm_arrays as norms
from tests.scalar_frames import frame

NONE = sample_records.scalars()
DEEP = sample_records.deep()
LAYERS = sample_records.layers(8, *[16] * 20, 3)
LOSS = sample_records.scalars(
    *[("loss", site, list(range(80)), list(np.exp(-np.arange(80) / 30))) for site in ("train", "test", "batch")],
    *[("accuracy", site, list(range(80)), list(np.linspace(0.5, 1, 80))) for site in ("train", "test")],
    ("learning_rate", "model", list(range(80)), [0.1] * 80),
)
ZEROS = sample_records.scalars(
    *[("loss", s, list(range(60)), [1, 0.1, 1e-3] * 10 + [0] * 30) for s in ("train", "batch")]
)
R_SQUARED = sample_records.scalars(("r_squared", "test", [0, 1, 2, 3], [-1.953, 0.5, 0.9, 0.99]))
HISTOGRAM = sample_records.histogram(*(np.random.default_rng(i).normal(size=400) for i in range(5)))
WORST = {
    "inputs": np.random.default_rng(0).normal(size=(20, 4)),
    "true": np.arange(20) % 3,
    "predicted": np.arange(1, 21) % 3,
    "loss": np.arange(20, 0, -1.0),
}
IMAGES = WORST | {"inputs": np.random.default_rng(0).random((20, 1, 8, 8))}
THREE = sample_records.data(d=4, classes=3)
PIXELS = sample_records.data(d=64, classes=3, image_shape=(8, 8))

EIGHT = {
    f"{letter}{name}": LOSS
    for letter, name in zip(
        "ABCDEFGH",
        ["", ": batch norm", ": lr 0.01", ": Adam", ": 20 layers of 64", ": dropout 0.5, L2 0.01", ": ReLU", ": He"],
        strict=True,
    )
}

SURFACE, TRAJECTORIES, OPTIMIZERS = (
    sample_records.surface(),
    sample_records.trajectories(left_at=9),
    ["SGD η=0.02", "모멘텀 0.8", "Adam η=3"],
)
MANY = ["1 SGD", "2 SGD with momentum", *(f"{i} CMA-ES from the start, σ = 0.{i}" for i in range(3, 13))]
CROWD = {key: np.concatenate([part] * 4) for key, part in sample_records.trajectories(left_at=9).items()}
RATES = np.geomspace(1e-3, 1, 4)
DIGITS = sample_records.data(d=64, classes=10, image_shape=(8, 8))
FEATURES = sample_records.data(d=30, classes=2) | {"class_names": np.array(["malignant", "benign"])}
FEATURES["feature_names"] = np.array([f"mean concave points {i} (mm)" for i in range(30)])
COUNTED = {
    "first_learned": np.arange(200, dtype=np.int32) % 50 * 10 - 10,
    "learned_since": np.arange(200, dtype=np.int32) % 40 * 10 - 10,
    "forgotten": np.arange(200, dtype=np.int32) % 13,
}


def noisy(data: dict) -> dict:
    """The data with every fifth training label replaced; 200 training samples."""
    train = np.flatnonzero(~data["test"])
    data = data | {"test": ~np.isin(np.arange(len(data["test"])), train[:200])}
    targets = data["targets"].copy()
    targets[train[:200:5]] = (targets[train[:200:5]] + 1) % len(data["class_names"])
    return data | {"targets": targets, "true_classes": data["targets"]}


NOISY = noisy(sample_records.data(n=320))
NOISY_DIGITS = noisy(sample_records.data(n=320, d=64, classes=10, image_shape=(8, 8)))
PHASE = {
    "alphas": np.linspace(0.1, 4, 6),
    "betas": np.linspace(0, 0.9, 5),
    "rate": np.linspace(0.2, 1.2, 30).reshape(5, 6),
    "stability_limit": np.linspace(2, 3.8, 5),
    "monotone_limit": np.linspace(1, 0.1, 5),
    "best": np.array([1.0, 0.3, 0.4]),
    "nesterov": np.array(False),
}

FILLED = {
    "loss": lambda: figures.curves(LOSS, "loss"),
    "loss, smoothed, forked": lambda: figures.curves(LOSS, "loss", smooth=0.9, resume_marks=[(40, "lr 0.01")]),
    "accuracy": lambda: figures.curves(LOSS, "accuracy"),
    "loss with zeros": lambda: figures.curves(ZEROS, "loss", smooth=0.9, log=True),
    "loss of a run that went on three times": lambda: figures.curves(
        LOSS,
        "loss",
        smooth=0.9,
        resume_marks=[(at, "batch size 128, L2 regularization 0.01, clipping") for at in (9, 30, 75)],
    ),
    "loss, smoothed without a batch": lambda: figures.curves(LOSS[(LOSS["site"] != "batch").to_numpy()], smooth=0.9),
    "gap": lambda: figures.generalization_gap(LOSS, "loss", stopping=figures.StoppingMarks(40, 70, is_stopped=True)),
    "gap of accuracy": lambda: figures.generalization_gap(LOSS, "accuracy", smooth=0.9),
    "learned steps": lambda: figures.learned_steps(COUNTED, NOISY),
    "forgetting": lambda: figures.forgetting_histogram(COUNTED, NOISY),
    "samples learned late": lambda: figures.memorized_samples(COUNTED, NOISY),
    "points forgotten often": lambda: figures.memorized_samples(COUNTED, NOISY, show="forgotten"),
    "images forgotten often": lambda: figures.memorized_samples(COUNTED, NOISY_DIGITS, show="forgotten"),
    "rows learned late": lambda: figures.memorized_samples(COUNTED, noisy(sample_records.data(n=320, d=4))),
    "r squared": lambda: figures.curves(R_SQUARED, "r_squared"),
    "learning rate": lambda: figures.learning_rate(LOSS),
    "layer curves": lambda: figures.layer_curves(DEEP, "gradient_norm", LAYERS),
    "layer curves, linear": lambda: figures.layer_curves(DEEP, "activation_mean", LAYERS, log=False),
    "update ratios": lambda: figures.update_ratios(DEEP, LAYERS),
    "update ratios, linear": lambda: figures.update_ratios(DEEP, LAYERS, log=False),
    "dead_and_saturated": lambda: figures.dead_and_saturated(DEEP, LAYERS),
    "profile": lambda: figures.depth_profile(DEEP, "gradient_norm", 30, LAYERS),
    "profile, linear": lambda: figures.depth_profile(DEEP, "gradient_norm", 30, LAYERS, log=False),
    "profile of rms": lambda: figures.depth_profile(DEEP, "activation_rms", None, LAYERS),
    "profile with theory": lambda: figures.depth_profile(
        DEEP, "gradient_norm", 30, LAYERS, {"gradient_norm": 0.6 ** np.arange(20, -1, -1.0)}
    ),
    "profile without theory": lambda: figures.depth_profile(
        DEEP, "gradient_norm", 30, LAYERS, {"no_line": np.array("weights are initialized with truncated normal")}
    ),
    "bars": lambda: figures.layer_bars(DEEP, 20, LAYERS),
    "ridgelines": lambda: figures.ridgelines(HISTOGRAM, LAYERS),
    "exponents": lambda: figures.log2_histograms(
        sample_records.exponents(np.array([0, 1e-3, -2, np.inf]), np.ones(3)), sample_records.layers(4, 4, 4)
    ),
    "bands": lambda: figures.percentile_bands(DEEP, LAYERS),
    "bands, logarithmic, smoothed": lambda: figures.percentile_bands(DEEP, LAYERS, log=True, smooth=0.9),
    "bands of one layer": lambda: figures.percentile_bands(DEEP, LAYERS, "model.activation3", prefix="preactivation"),
    "surface": lambda: figures.decision_surface(sample_records.grid(3), sample_records.data(classes=3)),
    "borders": lambda: figures.decision_surface(
        sample_records.grid(3), sample_records.data(classes=3), style="borders"
    ),
    "surface of a regression": lambda: figures.decision_surface(sample_records.grid(0), sample_records.data(classes=0)),
    "curve": lambda: figures.regression_curve(
        {"x": np.linspace(-1, 1, 9), "prediction": np.zeros(9)}, sample_records.data(d=1, classes=0)
    ),
    "network": lambda: figures.network_diagram(
        sample_records.network(2, 8, 8, 4, 1, maps=12), sample_records.data(), sample_records.layers(2, 8, 8, 4, 1)
    ),
    "network of discs": lambda: figures.network_diagram(
        sample_records.network(4, 20, 3), THREE, sample_records.layers(4, 20, 3)
    ),
    "network without hidden layers": lambda: figures.network_diagram(
        sample_records.network(2, 2, maps=9), sample_records.data(), sample_records.layers(2, 2)
    ),
    "deep network": lambda: figures.network_diagram(sample_records.network(8, *[16] * 20, 3), THREE, LAYERS),
    "network of images": lambda: figures.network_diagram(
        sample_records.network(64, 12, 3) | {"weight_1": np.ones((12, 64))}, PIXELS, sample_records.layers(64, 12, 3)
    ),
    "network with masks": lambda: figures.network_diagram(
        sample_records.network(2, 8, 20, 2, maps=12),
        sample_records.data(),
        sample_records.layers(2, 8, 20, 2),
        masks=dropout.masks(2, 8, 20),
    ),
    "network of discs with masks": lambda: figures.network_diagram(
        sample_records.network(4, 20, 3), THREE, sample_records.layers(4, 20, 3), masks=dropout.masks(4, 20), sample=1
    ),
    "activations over masks": lambda: figures.dropout_activations(dropout.activations(), LAYERS),
    "spread of activations": lambda: figures.dropout_activations(dropout.activations(), LAYERS, show="std"),
    "averages over masks": lambda: figures.mask_averages(dropout.averages()),
    "uncertainty": lambda: figures.uncertainty_map(dropout.uncertainty(), sample_records.data()),
    "mutual information of three classes": lambda: figures.uncertainty_map(
        dropout.uncertainty(3), sample_records.data(classes=3), show="information"
    ),
    "mean over masks": lambda: figures.uncertainty_map(dropout.uncertainty(), sample_records.data(), show="mean"),
    "uncertainty of a regression": lambda: figures.uncertainty_map(
        dropout.uncertainty(0), sample_records.data(classes=0)
    ),
    "band of uncertainty": lambda: figures.uncertainty_band(dropout.band(), sample_records.data(d=1, classes=0)),
    "uncertain samples": lambda: figures.uncertain_samples(dropout.samples((4,), 3), THREE),
    "uncertain images": lambda: figures.uncertain_samples(dropout.samples(), DIGITS),
    "confusion": lambda: figures.confusion_matrix({"counts": np.array([[3, 1], [0, 5]])}, sample_records.data()),
    "confusion of ten classes": lambda: figures.confusion_matrix({"counts": np.arange(100).reshape(10, 10)}, DIGITS),
    "surface of ten classes": lambda: figures.decision_surface(
        sample_records.grid(10), sample_records.data(classes=10)
    ),
    "worst of thirty features": lambda: figures.worst_samples(
        WORST | {"inputs": np.ones((20, 30)), "true": np.zeros(20, int), "predicted": np.ones(20, int)}, FEATURES
    ),
    "worst": lambda: figures.worst_samples(WORST, THREE),
    "worst images": lambda: figures.worst_samples(IMAGES, PIXELS),
    "worst of a regression": lambda: figures.worst_samples(
        WORST | {"true": np.ones(20), "predicted": np.zeros(20)}, sample_records.data(d=4, classes=0)
    ),
    "fit": lambda: figures.predictions_against_targets(
        {"true": np.arange(5.0), "predicted": np.arange(5.0) + 0.1}, sample_records.data(classes=0)
    ),
    "samples of a GAN": lambda: figures.samples_map(gan.REAL, gan.GENERATED, gan.field(), notes=["spectral norm"]),
    "samples on scores": lambda: figures.samples_map(
        gan.REAL, gan.GENERATED, gan.field(scored=True), output="score", show_arrows=False
    ),
    "map of two-dimensional noise": lambda: figures.noise_map(gan.REAL, gan.LATTICE),
    "map of one-dimensional noise": lambda: figures.noise_map(gan.REAL, gan.CURVE),
    "optimal discriminator": lambda: figures.optimal_discriminator(gan.field(), gan.SCALARS[:0]),
    "difference to the optimal discriminator": lambda: figures.optimal_discriminator(
        gan.field(), gan.SCALARS[:0], show="difference"
    ),
    "outputs of a discriminator": lambda: figures.output_histogram(gan.HISTOGRAM),
    "losses of a GAN": lambda: figures.gan_curves(
        {"A": gan.SCALARS}, "loss", {"discriminator at equilibrium": 1.386, "generator at equilibrium": 0.693}
    ),
    "modes of four": lambda: figures.gan_curves(
        {f"{letter}: lr 0.001": gan.SCALARS for letter in "ABCD"}, "modes_covered", {"all modes:": 8}
    ),
    "generated images": lambda: figures.sample_grid(images.DIGITS),
    "real images": lambda: figures.real_grid(images.REAL),
    "real images of the user's own": lambda: figures.real_grid(images.UNLABELED),
    "interpolation": lambda: figures.interpolation(images.ROWS),
    "nearest images": lambda: figures.nearest_real(images.PAIRS),
    "classes": lambda: figures.class_histogram(images.CLASSES, 0.98),
    "confident images": lambda: figures.gan_curves({"A": images.SCALARS}, "confident_fraction", {"real images": 0.9}),
    "before batch norm": lambda: figures.norm_heatmap(norms.BATCH, "input", 1, 3, 4),
    "after group norm": lambda: figures.norm_heatmap(norms.GROUP, "output", 0, 99, 99),
    "arithmetic of batch norm": lambda: figures.norm_arithmetic(norms.BATCH, 0, 2, 1),
    "arithmetic of group norm": lambda: figures.norm_arithmetic(norms.GROUP, 1, 11, 5),
    "arithmetic of RMS norm": lambda: figures.norm_arithmetic(norms.RMS),
    "running averages": lambda: figures.running_averages(norms.SCALARS, "model.norm1#2", 0.1),
    "outputs in both modes": lambda: figures.mode_outputs(norms.BATCH, norms.SIZES),
    "gap over batch size": lambda: figures.gap_over_batch_size({"": norms.SIZES}),
    "accuracy over batch size of two": lambda: figures.gap_over_batch_size(
        {"A": norms.SIZES, "B": norms.SIZES}, "accuracy"
    ),
    "gap over momentum": lambda: figures.gap_over_momentum({"A": norms.MOMENTA, "B": {"momenta": np.empty(0)}}, "loss"),
    "gradient line": lambda: figures.gradient_line({"A": norms.LINE, "B": {}}),
    "loss ranges": lambda: figures.loss_ranges({"A": norms.SCALARS, "B": norms.SCALARS}),
    "weight scaling": lambda: figures.weight_scaling({"": norms.SCALING}),
    "effective rates": lambda: figures.effective_rates(norms.SCALARS, sample_records.layers(4, 4, 4), smooth=0.5),
    "dead units": lambda: figures.dead_units(norms.UNITS, sample_records.layers(4, 4, 4)),
    "overlay": lambda: figures.overlay({"A": LOSS, "B": LOSS}, "loss"),
    "overlay of eight": lambda: figures.overlay(EIGHT, "loss"),
    "overlay of eight, smoothed, with zeros": lambda: figures.overlay(
        EIGHT | {"A": ZEROS}, "loss", smooth=0.9, log=True
    ),
    "overlay of three accuracies": lambda: figures.overlay(dict(list(EIGHT.items())[:3]), "accuracy"),
    "phase": lambda: figures.phase_diagram(PHASE, [{"name": "SGD", "alpha": 0.5, "beta": 0.0}]),
    "map": lambda: figures.contour_map(SURFACE, TRAJECTORIES, OPTIMIZERS, note="gradient noise σ = 0.1", hidden=[0]),
    "map of one step": lambda: figures.contour_map(SURFACE, TRAJECTORIES, OPTIMIZERS, log=True, selected=1),
    "map without a race": lambda: figures.contour_map(SURFACE, {}, []),
    "space": lambda: figures.surface_3d(SURFACE, TRAJECTORIES, OPTIMIZERS),
    "space, logarithmic": lambda: figures.surface_3d(SURFACE, TRAJECTORIES, OPTIMIZERS, log=True, hidden=[2]),
    "many optimizers": lambda: figures.contour_map(
        SURFACE, CROWD, MANY, note="gradient noise σ = 0.1, clipped to 1, cosine"
    ),
    "heights of many optimizers": lambda: figures.function_values(CROWD, MANY, minimum=-1.0),
    "heights": lambda: figures.function_values(TRAJECTORIES, OPTIMIZERS),
    "heights, linear, smoothed": lambda: figures.function_values(TRAJECTORIES, OPTIMIZERS, log=False, smooth=0.9),
    "heights above the lowest": lambda: figures.function_values(TRAJECTORIES, OPTIMIZERS, minimum=-1.0),
    "distances": lambda: figures.distances_to_minimum(TRAJECTORIES, OPTIMIZERS),
    "distances, smoothed": lambda: figures.distances_to_minimum(TRAJECTORIES, OPTIMIZERS, smooth=0.9),
    "rate search, linear": lambda: figures.rate_search(RATES, np.array([[1, 0.1, 0, np.nan]]), ["SGD"], [2], log=False),
    "rate search": lambda: figures.rate_search(RATES, np.array([[1, 0.1, 0, np.nan]]), ["SGD"], [2]),
    "step parts": lambda: figures.update_parts(TRAJECTORIES, 1, "SGD"),
    "step parts, logarithmic": lambda: figures.update_parts(TRAJECTORIES, 1, "SGD", log=True),
    "basins": lambda: figures.basin_map(sample_records.basins(), 0, "SGD"),
    "many basins": lambda: figures.basin_map(sample_records.basins(30, 30), 0, "SGD"),
    "basin steps": lambda: figures.basin_arrival_steps(sample_records.basins(), 0, "SGD"),
    "loss map": lambda: figures.loss_map(landscape_arrays.plane(41), note="η = 0.1"),
    "loss map of accuracy": lambda: figures.loss_map(landscape_arrays.plane(6), "test_accuracy"),
    "path map": lambda: figures.path_map(
        landscape_arrays.path_plane(41), landscape_arrays.path(61), landscape_arrays.training(61)
    ),
    "loss space": lambda: figures.loss_surface_3d(landscape_arrays.plane(41)),
    "path space": lambda: figures.path_surface_3d(
        landscape_arrays.path_plane(41), landscape_arrays.path(61), landscape_arrays.training(61)
    ),
    "path residuals": lambda: figures.projection_residuals(landscape_arrays.path()),
    "path residuals, logarithmic": lambda: figures.projection_residuals(landscape_arrays.path(), log=True),
    "plane truth": lambda: figures.training_against_projection(landscape_arrays.training(), landscape_arrays.path()),
    "loss lines": lambda: figures.loss_lines(landscape_arrays.lines()),
    "loss line": lambda: figures.loss_line(landscape_arrays.line()),
    "sharpness": lambda: figures.sharpness(landscape_arrays.curvature()),
    "trace of the Hessian": lambda: figures.hessian_trace(landscape_arrays.curvature()),
    "adaptive sharpness": lambda: figures.adaptive_sharpness(
        landscape_arrays.adaptive_curvature(), limit_formula="(2 + 2β₁)/((1 − β₁)η)"
    ),
    "adaptive sharpness, smoothed": lambda: figures.adaptive_sharpness(
        landscape_arrays.adaptive_curvature(), limit_formula="(2 + 2β₁)/((1 − β₁)η)", log=True, smooth=0.9
    ),
    "sharpness, smoothed": lambda: figures.sharpness(landscape_arrays.curvature(), log=True, smooth=0.9),
    "trace of the Hessian, smoothed": lambda: figures.hessian_trace(landscape_arrays.curvature(), log=True, smooth=0.9),
}
SEEDS = frame(
    Scalar(step, quantity, 0.3**step + 0.1 * member if step < 5 or member < 3 else np.nan, site, member)
    for step in range(8)
    for quantity in ("loss", "accuracy")
    for site in ("train", "test")
    for member in range(4)
)
FILLED |= {
    "seeds of one run": lambda: figures.seed_bands({"": SEEDS}, seeds=4),
    "seeds of two runs, logarithmic": lambda: figures.seed_bands({"A": SEEDS, "B: lr 0.1": SEEDS}, seeds=4, log=True),
    "accuracy over seeds": lambda: figures.seed_bands(
        {"A": SEEDS}, "accuracy", seeds=4, sites=["test"], missing={"B": "resumed from step 3"}
    ),
    "one step of seeds": lambda: figures.seed_bands({"": SEEDS[:16]}, seeds=4),
}
EMPTY = {
    "seeds": lambda: figures.seed_bands({"A": NONE}, seeds=4, missing={"A": "waiting for the run to start"}),
    "curves": lambda: figures.curves(NONE, "loss"),
    "gap": lambda: figures.generalization_gap(NONE, "loss"),
    "learned steps": lambda: figures.learned_steps({}, THREE),
    "forgetting": lambda: figures.forgetting_histogram({}, THREE),
    "samples learned late": lambda: figures.memorized_samples({}, THREE),
    "clipped norms": lambda: figures.clipped_norms(NONE),
    "learning rate": lambda: figures.learning_rate(NONE),
    "layer curves": lambda: figures.layer_curves(NONE, "gradient_norm", LAYERS),
    "update ratios": lambda: figures.update_ratios(NONE, LAYERS),
    "dead_and_saturated": lambda: figures.dead_and_saturated(NONE, LAYERS),
    "profile": lambda: figures.depth_profile(NONE, "gradient_norm", 3, LAYERS),
    "profile of rms": lambda: figures.depth_profile(NONE, "activation_rms", 3, Layers({})),
    "bars": lambda: figures.layer_bars(NONE, None, Layers({})),
    "ridgelines": lambda: figures.ridgelines({}, LAYERS),
    "exponents": lambda: figures.log2_histograms({}, LAYERS),
    "bands": lambda: figures.percentile_bands(NONE, LAYERS),
    "surface": lambda: figures.decision_surface({}, {}),
    "curve": lambda: figures.regression_curve({}, sample_records.data(d=1)),
    "network": lambda: figures.network_diagram({}, sample_records.data(), Layers({})),
    "activations over masks": lambda: figures.dropout_activations({}, LAYERS),
    "averages over masks": lambda: figures.mask_averages({}),
    "uncertainty": lambda: figures.uncertainty_map({}, {}),
    "band of uncertainty": lambda: figures.uncertainty_band({}, {}),
    "uncertain samples": lambda: figures.uncertain_samples({}, {}),
    "confusion": lambda: figures.confusion_matrix({}, sample_records.data()),
    "worst": lambda: figures.worst_samples({}, {}),
    "fit": lambda: figures.predictions_against_targets({}, {}),
    "before a norm": lambda: figures.norm_heatmap({}),
    "arithmetic": lambda: figures.norm_arithmetic({}),
    "running averages": lambda: figures.running_averages(NONE, "model.norm1#2", 0.1),
    "outputs in both modes": lambda: figures.mode_outputs({}),
    "gap over batch size": lambda: figures.gap_over_batch_size({"A": {}}),
    "gap over momentum": lambda: figures.gap_over_momentum({"A": {}}),
    "gradient line": lambda: figures.gradient_line({"A": {}}),
    "loss ranges": lambda: figures.loss_ranges({"A": NONE}),
    "weight scaling": lambda: figures.weight_scaling({"A": {}}),
    "effective rates": lambda: figures.effective_rates(NONE, LAYERS),
    "dead units": lambda: figures.dead_units({}, LAYERS),
    "overlay": lambda: figures.overlay({"A": NONE, "B": NONE}, "loss"),
    "phase": lambda: figures.phase_diagram({}),
    "map": lambda: figures.contour_map({}, {}, []),
    "samples of a GAN": lambda: figures.samples_map({}, {}, {}),
    "map of noise": lambda: figures.noise_map({}, {}),
    "optimal discriminator": lambda: figures.optimal_discriminator({}, gan.SCALARS[:0]),
    "outputs of a discriminator": lambda: figures.output_histogram({}),
    "losses of a GAN": lambda: figures.gan_curves({"A": NONE}, "loss", {"at equilibrium": 1.0}),
    "space": lambda: figures.surface_3d({}, {}, []),
    "heights": lambda: figures.function_values({}, []),
    "distances": lambda: figures.distances_to_minimum({}, []),
    "rate search": lambda: figures.rate_search(np.array([]), np.array([]), [], []),
    "step parts": lambda: figures.update_parts({}, 0, "SGD"),
    "step parts before the first step": lambda: figures.update_parts(sample_records.trajectories(0), 0, "SGD"),
    "basins": lambda: figures.basin_map({}, 0, "SGD"),
    "basin steps": lambda: figures.basin_arrival_steps({}, 0, "SGD"),
    "loss map": lambda: figures.loss_map({}),
    "path map": lambda: figures.path_map({}, {}, {}),
    "loss space": lambda: figures.loss_surface_3d({}),
    "path space": lambda: figures.path_surface_3d({}, {}, {}),
    "path residuals": lambda: figures.projection_residuals({}),
    "plane truth": lambda: figures.training_against_projection({}, {}),
    "loss lines": lambda: figures.loss_lines({}),
    "loss line": lambda: figures.loss_line({}),
    "generated images": lambda: figures.sample_grid({}),
    "real images": lambda: figures.real_grid({}),
    "interpolation": lambda: figures.interpolation({}),
    "nearest images": lambda: figures.nearest_real({}),
    "classes": lambda: figures.class_histogram({}),
    "sharpness": lambda: figures.sharpness({}),
    "trace of the Hessian": lambda: figures.hessian_trace({}),
}


def _leaves(value: object) -> list:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]


@each("name", FILLED)
def test_plotly_accepts_every_figure(name, valid):
    assert valid(FILLED[name]())["data"]


@each("name", EMPTY)
def test_a_figure_without_records_says_what_it_awaits(name, valid):
    figure = valid(EMPTY[name]())
    assert figure["data"] == []
    assert "waiting" in figure["layout"]["annotations"][0]["text"]


@each("name", FILLED)
def test_figures_hold_only_what_json_and_typed_arrays_can_carry(name):
    for leaf in _leaves(FILLED[name]()):
        if isinstance(leaf, np.ndarray):
            assert leaf.dtype.name in ("float64", "float32", "int32", "int16", "uint16", "uint8"), name
        else:
            json.dumps(leaf, allow_nan=False)


@each("name", FILLED)
def test_building_a_figure_changes_nothing_and_gives_the_same_again(name):
    first, second = _leaves(FILLED[name]()), _leaves(FILLED[name]())
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@each("name", FILLED)
def test_only_figures_over_steps_ask_for_the_time_cursor(name):
    figure = FILLED[name]()
    over_steps = figure["layout"]["xaxis"].get("title", {}).get("text") == "step"
    assert bool(figure["layout"]["meta"].get("x_is_step")) == over_steps
