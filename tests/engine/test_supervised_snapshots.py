"""Snapshots: they hold what the network computes, in the right orientation."""

import numpy as np
import pytest
import torch

from nnviz.engine import losses, run
from nnviz.engine.landscape.evaluated_measures import EvaluatedMeasures
from nnviz.spec.jobs import Training
from tests.each import each
from tests.engine.short_runs import job, scalars, snapshots


def after_last_step(chosen: Training):
    """The run after its last step, its network in evaluation mode, and the snapshots of that step by quantity."""
    records = []
    with run(chosen) as running:
        for new in running:
            records += new
    running.learning.network.eval()
    last = {r.quantity: r.arrays for r in records if hasattr(r, "arrays") and r.step == chosen.steps}
    return running.learning, last, records


@torch.no_grad()
def outputs(learning, points: np.ndarray) -> torch.Tensor:
    return learning.network(torch.tensor(points, dtype=torch.float32))


@each("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
@each("data", ["moons", "blobs"])
def test_the_decision_grid_holds_probabilities_with_rows_along_y(data, loss):
    learning, last, _ = after_last_step(job(learner__data=data, learner__loss=loss))
    grid = last["decision_grid"]
    p = grid["probabilities"]
    assert p.dtype == np.float16
    assert p.shape == (len(grid["y"]), len(grid["x"]), learning.spec.data.classes)
    assert np.allclose(p.sum(2), 1, atol=2e-3)
    for row, column in ((0, 0), (3, 40), (40, 3), (47, 47)):
        point = np.array([[grid["x"][column], grid["y"][row]]])
        expected = losses.probabilities(learning.spec.loss, outputs(learning, point))[0]
        assert p[row, column] == pytest.approx(expected.numpy(), abs=2e-3)


def test_the_grid_covers_all_points_and_a_tenth_more():
    learning, last, _ = after_last_step(job())
    inputs = learning.data.inputs.numpy()
    for axis, values in zip("xy", inputs.T, strict=True):
        ends = last["decision_grid"][axis][[0, -1]]
        margin = 0.1 * (values.max() - values.min())
        assert ends == pytest.approx([values.min() - margin, values.max() + margin], rel=1e-5)


def test_a_surface_of_numbers_has_rows_along_y():
    learning, last, _ = after_last_step(job(learner__data="hills", learner__loss="mse"))
    grid = last["decision_grid"]
    assert grid["prediction"].dtype == np.float32
    point = np.array([[grid["x"][5], grid["y"][30]]])
    assert grid["prediction"][30, 5] == pytest.approx(float(outputs(learning, point)), rel=1e-4)


def test_a_curve_is_what_the_network_says_along_x():
    learning, last, _ = after_last_step(job(learner__data="curve", learner__loss="mse"))
    curve = last["regression_curve"]
    assert curve["prediction"] == pytest.approx(outputs(learning, curve["x"][:, None])[:, 0].numpy(), rel=1e-4)


def test_the_diagram_holds_every_weight_and_bias_of_a_small_network():
    learning, last, _ = after_last_step(job(learner__data="blobs"))
    diagram = last["network"]
    for i, layer in enumerate([m for m in learning.network if isinstance(m, torch.nn.Linear)], 1):
        assert np.array_equal(diagram[f"weight_{i}"], layer.weight.detach().numpy())
        assert np.array_equal(diagram[f"bias_{i}"], layer.bias.detach().numpy())


def test_the_diagram_leaves_biases_out_where_there_are_none():
    _, last, _ = after_last_step(job(learner__model__bias=False))
    assert not [name for name in last["network"] if name.startswith("bias")]
    _, last, _ = after_last_step(job(learner__model__norm="batch"))
    assert [name for name in last["network"] if name.startswith("bias")] == ["bias_3"]


def test_each_neurons_map_is_what_it_computes_over_the_plane():
    learning, last, _ = after_last_step(
        job(learner__data="blobs", learner__model__dropout={"kind": "standard", "rate": 0.3})
    )
    diagram = last["network"]
    side = len(diagram["x"])
    assert diagram["maps_0"].shape == (2, side, side)
    assert np.allclose(diagram["maps_0"][0], diagram["x"], atol=2e-3)
    assert np.allclose(diagram["maps_0"][1], diagram["y"][:, None], atol=2e-3)
    row, column = 4, 17
    h = torch.tensor([[diagram["x"][column], diagram["y"][row]]])
    with torch.no_grad():
        for number, part in enumerate((slice(0, 2), slice(3, 5)), 1):
            # linear, activation; dropout is the identity here
            h = learning.network[part](h)
            assert diagram[f"maps_{number}"][:, row, column] == pytest.approx(h[0].numpy(), abs=2e-3)
        p = learning.network.output(h).softmax(1)[0].numpy()
    assert diagram["maps_3"][:, row, column] == pytest.approx(p, abs=2e-3)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "mse"])
def test_a_single_output_shows_the_probability_of_class_1(loss):
    _, last, _ = after_last_step(job(learner__loss=loss))
    diagram, grid = last["network"], last["decision_grid"]
    assert diagram["maps_3"].shape[0] == 1
    assert diagram["maps_3"][0] == pytest.approx(grid["probabilities"][::2, ::2, 1], abs=2e-3)


def test_at_most_16_units_a_layer_are_drawn_but_all_pixels_of_a_digit():
    wide = [{"width": 40}, {"width": 40}]
    _, last, _ = after_last_step(job(learner__model__hidden=wide))
    assert last["network"]["weight_1"].shape == (16, 2)
    assert last["network"]["weight_2"].shape == (16, 16)
    assert last["network"]["maps_2"].shape[0] == 16
    _, last, _ = after_last_step(job(learner__data="digits", learner__model__hidden=wide, steps=2))
    assert last["network"]["weight_1"].shape == (16, 64)
    assert "maps_1" not in last["network"]


def test_values_beyond_half_precision_are_drawn_as_large_and_not_as_infinite():
    identity = [{"width": 8, "activation": {"kind": "identity"}}] * 6
    model = {"kind": "mlp", "hidden": identity, "initializer": {"kind": "normal", "std": 10}}
    with run(job(learner__data="hills", learner__loss="mse", learner__model=model)) as running:
        maps = snapshots(running.evaluate_now(), "network")[0]["maps_6"]
    assert np.isfinite(maps).all()
    assert np.abs(maps).max() > 5e4


def test_the_confusion_matrix_counts_true_classes_by_row():
    learning, last, _ = after_last_step(job(learner__data="iris", learner__data__train_fraction=0.4))
    x, y = learning.data.part(test=True)
    predicted = outputs(learning, x.numpy()).argmax(1)
    counts = last["confusion"]["counts"]
    assert counts.sum() == len(y)
    for true in range(3):
        for guess in range(3):
            assert counts[true, guess] == int(((y == true) & (predicted == guess)).sum())


def test_the_worst_samples_are_those_with_the_largest_loss_of_the_run_worst_first():
    for name, loss in (
        ("wine", {"kind": "cross_entropy", "label_smoothing": 0.2}),
        ("wine", "mse"),
        ("wine", "binary_cross_entropy"),
        ("breast_cancer", "mae"),
        ("diabetes", "mae"),
        ("diabetes", {"kind": "huber", "delta": 0.1}),
        ("diabetes", "rmse"),
    ):
        learning, last, _ = after_last_step(
            job(learner__data={"kind": name, "train_fraction": 0.4}, learner__loss=loss, probes=[])
        )
        x, y = learning.data.part(test=True)
        z = outputs(learning, x.numpy())
        each = torch.stack([learning.loss(z[i : i + 1], y[i : i + 1]) for i in range(len(y))])
        worst = last["worst"]
        assert worst["loss"] == pytest.approx(each.sort(descending=True).values[:24].numpy(), rel=1e-4, abs=1e-6), loss
        order = [int((x == torch.from_numpy(row)).flatten(1).all(1).nonzero()[0]) for row in worst["inputs"]]
        assert each[order].numpy() == pytest.approx(worst["loss"], rel=1e-4, abs=1e-6), loss
        assert np.array_equal(worst["true"], y[order].numpy()), loss


def test_accuracy_confusion_surface_and_worst_samples_agree_on_the_class_of_the_largest_raw_output():
    relu = [{"width": 32, "activation": {"kind": "relu"}}]
    cases = (
        # Where outputs are cut to [0, 1] first, ties make it 0.778.
        ({"learner__data": "iris", "learner__loss": "mse", "steps": 10}, "he_normal", 0.822),
        # Where sigmoids in single precision come first, ties make it 0.069.
        (
            {
                "learner__data": "digits",
                "learner__loss": "binary_cross_entropy",
                "learner__optimizer__lr": 0.05,
                "steps": 30,
            },
            {"kind": "normal", "std": 3},
            0.108,
        ),
        (
            {"learner__data": {"kind": "blobs", "centers": 10}, "learner__loss": "rmse", "steps": 1},
            {"kind": "normal", "std": 3},
            None,
        ),
    )
    for changes, initializer, accuracy in cases:
        chosen = job(
            **changes,
            learner__model__hidden=relu,
            learner__model__initializer=initializer,
            learner__batch_size=32,
            probes=[],
        )
        learning, last, records = after_last_step(chosen)
        x, y = learning.data.part(test=True)
        z = outputs(learning, x.numpy())
        right = z.argmax(1) == y
        recorded = scalars(records, "accuracy", "test")[chosen.steps]
        assert recorded == pytest.approx(float(right.float().mean()), abs=1e-6), changes
        if accuracy:
            assert recorded == pytest.approx(accuracy, abs=5e-4), changes
            assert np.trace(last["confusion"]["counts"]) == int(right.sum()), changes
            order = [
                int((x == torch.from_numpy(row)).flatten(1).all(1).nonzero()[0]) for row in last["worst"]["inputs"]
            ]
            assert np.array_equal(last["worst"]["predicted"], z.argmax(1)[order].numpy()), changes
        else:
            grid = last["decision_grid"]
            points = np.stack([a.ravel() for a in np.meshgrid(grid["x"], grid["y"])], axis=1)
            assert np.array_equal(grid["scores"].argmax(-1).ravel(), outputs(learning, points).argmax(1)), changes
        values = EvaluatedMeasures(learning, 10_000)
        assert values.of(learning.network)["test_accuracy"] == pytest.approx(recorded, abs=1e-6), changes


def test_regression_in_many_dimensions_is_drawn_as_predicted_against_true():
    learning, last, _ = after_last_step(job(learner__data="diabetes", learner__loss="mse"))
    x, y = learning.data.part(test=True)
    assert np.array_equal(last["fit"]["true"], y.numpy())
    assert last["fit"]["predicted"] == pytest.approx(outputs(learning, x.numpy())[:, 0].numpy(), rel=1e-4, abs=1e-6)
    assert bool((np.diff(last["worst"]["loss"]) <= 0).all())


def test_the_layers_snapshot_names_what_follows_each_linear_layer():
    _, _, records = after_last_step(job(learner__model={"kind": "deep_mlp", "depth": 2, "width": 5}, steps=1))
    layers = snapshots(records, "layers")[0]
    assert layers["sites"].tolist() == ["model.linear1", "model.linear2", "model.output"]
    assert layers["activations"].tolist() == ["relu", "relu", ""]
    assert layers["fan_in"].tolist() == [2, 5, 5]
    assert layers["fan_out"].tolist() == [5, 5, 2]
