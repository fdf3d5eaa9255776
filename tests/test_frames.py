"""Frames in, frames out: against numpy and by hand."""

import numpy as np
import pandas as pd
import pytest

from nnviz import frames
from nnviz.records import Scalar
from tests.each import each
from tests.figures import sample_records
from tests.figures.sample_records import scalars
from tests.scalar_frames import frame


def _series(values, quantity="loss", site="train", member=0):
    return frame([Scalar(i, quantity, float(v), site, member) for i, v in enumerate(values)])


def test_select_takes_one_quantity_at_the_sites_named():
    mixed = pd.concat([_series([1, 2]), _series([3], site="test"), _series([4], "accuracy")])
    assert list(frames.select(mixed, "loss")["value"]) == [1, 2, 3]
    assert list(frames.select(mixed, "loss", ["test"])["value"]) == [3]
    assert len(frames.select(mixed, "nothing")) == 0
    assert list(frames.select(mixed[:0], "loss").columns) == ["step", "quantity", "site", "value", "member"]


def test_categorical_columns_give_the_same_as_text():
    mixed = pd.concat([_series([1, 2]), _series([3], site="test"), _series([4], "accuracy")], ignore_index=True)
    categories = mixed.astype({"quantity": "category", "site": "category"})
    assert list(frames.select(categories, "loss")["value"]) == [1, 2, 3]
    one, other = frames.table(mixed, "loss"), frames.table(categories, "loss")
    assert one.sites == other.sites
    np.testing.assert_array_equal(one.values, other.values)
    assert len(frames.table(categories, "nothing").steps) == 0


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9, 0.99])
def test_smoothing_is_a_moving_average_divided_by_its_correction(weight):
    values = np.random.default_rng(0).normal(size=50)
    average, expected = 0.0, []
    for n, value in enumerate(values, 1):
        average = weight * average + (1 - weight) * value
        expected.append(average / (1 - weight**n))
    np.testing.assert_allclose(frames.moving_average(values, weight), expected, rtol=1e-12)


def test_smoothing_a_constant_changes_nothing_from_the_first_step_on():
    np.testing.assert_allclose(frames.moving_average(np.full(9, 3.0), 0.9), 3.0, rtol=1e-14)


def test_every_column_is_smoothed_by_itself():
    columns = np.array([[1.0, 5.0]] * 3)
    np.testing.assert_allclose(frames.moving_average(columns, 0.9), columns)


@pytest.mark.parametrize("weight", [-0.1, 1.0, 2.0])
def test_smoothing_refuses_weights_outside_of_zero_to_one(weight):
    with pytest.raises(ValueError, match=rf"weight must be in \[0, 1\), got {weight}"):
        frames.moving_average(np.ones(1), weight)


@each("n", [4, 5, 50, 500])
@each("length", [3, 500, 501, 999, 20000])
def test_thinning_keeps_both_ends_and_both_extremes(n, length):
    values = np.random.default_rng(length).normal(size=length)
    picked = frames.thin_indices(values, n)
    assert len(picked) <= n
    assert (np.diff(picked) > 0).all()
    assert picked[0] == 0
    assert picked[-1] == length - 1
    assert {values.argmin(), values.argmax()} <= set(picked)


def test_thinning_looks_past_nan_for_the_extremes():
    values = np.linspace(0, 1, 5000)
    values[100:2000:2] = np.nan
    values[1001], values[777] = -3, 7
    assert {1001, 777} <= set(frames.thin_indices(values, 50))


def test_thinning_of_several_series_is_that_of_each():
    values = np.random.default_rng(0).normal(size=(3000, 4))
    picked = frames.thin_indices(values, 100)
    assert picked.shape[1] == 4
    for i in range(4):
        np.testing.assert_array_equal(np.unique(picked[:, i]), frames.thin_indices(values[:, i].copy(), 100))


def test_thinning_to_fewer_than_its_four_fixed_points_is_refused():
    with pytest.raises(ValueError, match="n must be at least 4, got 3"):
        frames.thin_indices(np.arange(9.0), 3)


def test_a_table_has_a_row_a_step_and_a_column_a_site():
    frame = scalars(("g", "model.linear10", [1, 2], [10, 20]), ("g", "model.linear2", [2, 3], [5, np.nan]))
    assert frames.table(frame, "g").sites == ["model.linear10", "model.linear2"]
    table = frames.table(frame, "g", sample_records.layers(*[4] * 12).order)
    assert table.sites == ["model.linear2", "model.linear10"]
    assert list(table.steps) == [1, 2, 3]
    np.testing.assert_array_equal(table.values, [[np.nan, 10], [5, 20], [np.nan, np.nan]])
    np.testing.assert_array_equal(table.recorded, [[False, True], [True, True], [True, False]])


def test_a_table_does_not_depend_on_the_order_of_rows():
    ordered = scalars(("g", "a", [1, 2, 3], [1, 2, 3]), ("g", "b", [1, 2, 3], [4, 5, 6]))
    shuffled = ordered.sample(frac=1, random_state=3)
    for one, other in zip(frames.table(ordered, "g"), frames.table(shuffled, "g"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_table_averages_members():
    both = pd.concat([_series([1, 2]), _series([3, 6], member=1), _series([np.nan], member=2)])
    np.testing.assert_array_equal(frames.table(both, "loss").values[1], [4])
    assert np.isnan(frames.table(both, "loss").values[0, 0])


def test_a_table_looks_back_from_a_step():
    table = frames.table(scalars(("g", "a", [1, 4], [1, 2]), ("g", "b", [2], [7])), "g")
    for step, expected, known in (
        (0, [np.nan, np.nan], [0, 0]),
        (1, [1, np.nan], [1, 0]),
        (3, [1, 7], [1, 1]),
        (9, [2, 7], [1, 1]),
    ):
        values, there = table.at(step)
        np.testing.assert_array_equal(values, expected)
        np.testing.assert_array_equal(there, known)
    np.testing.assert_array_equal(table.at()[0], [2, 7])


def test_percentiles_are_numpys_up_to_a_bin():
    samples = [np.random.default_rng(i).normal(size=5000) * 10.0**i for i in range(3)]
    counts = np.array([np.histogram(s, bins=64, range=(s.min(), s.max()))[0] for s in samples])
    low, high = np.array([s.min() for s in samples]), np.array([s.max() for s in samples])
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    found = frames.percentiles(low, high, counts, shares)
    for row, sample, width in zip(found, samples, (high - low) / 64, strict=True):
        np.testing.assert_allclose(row, np.quantile(sample, shares), atol=width)


def test_percentiles_of_an_empty_row_are_nan():
    assert np.isnan(frames.percentiles(np.zeros(1), np.zeros(1), np.zeros((1, 64)), [0.5])).all()


def test_sites_are_in_the_order_of_the_signal():
    layers = sample_records.layers(*[4] * 13)
    expected = [
        "model.linear1",
        "model.norm1",
        "model.activation1",
        "model.linear2",
        "model.linear10",
        "model.output",
        "elsewhere.linear0",
    ]
    assert layers.order(expected[::-1]) == expected
    parameters = ["model.linear1.weight", "model.linear1.bias", "model.output.weight", "model.output.bias"]
    assert layers.order(parameters[::-1]) == parameters
    assert layers.order(["model.output", "model.linear1", "model.output"]) == ["model.linear1", "model.output"]
    assert frames.Layers({}).order(["b", "a"]) == ["b", "a"]


def test_sites_are_called_as_a_student_would():
    layers = sample_records.layers(*[4] * 14)
    for site, label, tick in (
        ("model.linear3", "layer 3", "3"),
        ("model.activation12", "layer 12", "12"),
        ("model.linear3.weight", "layer 3", "3"),
        ("model.output.bias", "output", "out"),
        ("model.norm2.weight", "norm 2", "norm 2"),
        ("model.linear3.weight#2", "layer 3 (2)", "3 (2)"),
        ("model.output#real#1", "output (real 1)", "out (real 1)"),
        ("model.linear99#real", "model.linear99#real", "model.linear99#real"),
        ("train", "train", "train"),
    ):
        assert (layers.label(site), layers.tick(site)) == (label, tick), site


def test_layers_of_several_roots_are_distinguished():
    arrays = {
        "sites": np.array(["{}.0", "{}.2"]),
        "activations": np.array(["relu", ""]),
        "fan_in": np.array([3, 5]),
        "fan_out": np.array([5, 1]),
        "places": np.array(["{}", "{}.0", "{}.0.weight", "{}.1", "{}.2", "{}.2.weight"]),
        "kinds": np.array(["Sequential", "linear", "linear", "activation", "linear", "linear"]),
        "parameters": np.array(["", "", "weight", "", "", "weight"]),
        "labels": np.array(["{}", "layer 1", "layer 1", "layer 1", "output", "output"]),
        "ticks": np.array(["{}", "1", "1", "1", "out", "out"]),
        "layers": np.array([-1, 0, 0, 0, 1, 1]),
    }
    roots = {
        root: {
            k: np.array([v.format(root) for v in a.tolist()]) if a.dtype.kind == "U" else a for k, a in arrays.items()
        }
        for root in ("generator", "critic")
    }
    layers = frames.Layers(roots | {"encoder": {}})
    assert layers.sites == ["generator.0", "generator.2", "critic.0", "critic.2"]
    assert (layers.fan_in, layers.fan_out) == ([3, 5] * 2, [5, 1] * 2)
    assert [layers.place(site) for site in ("critic.1#real", "critic.2.weight#2", "critic", "encoder.0")] == [
        2,
        3,
        -1,
        -1,
    ]
    assert layers.label("critic.1#real") == "critic, layer 1 (real)"
    assert (layers.find("critic.1#real").kind, layers.find("critic.9")) == ("activation", None)
    assert layers.tick("generator.2.weight") == "generator out"
    assert layers.label("critic") == "critic"
    assert layers.owner("critic.1#real") == "critic.0#real"
    assert layers.owner("encoder.0#real") == "encoder.0#real"
    found = ["critic.0.weight#2", "critic.0.weight#1", "generator.0.weight", "generator.0.bias", "encoder.0.bias"]
    chosen = ["generator.0.weight", "critic.0.weight#2", "critic.0.weight#1", "generator.0.bias", "encoder.0.bias"]
    assert layers.one_per_layer(found, "weight") == chosen
    assert frames.Layers({"critic": roots["critic"]}).label("critic.2") == "output"


def test_over_members_has_the_mean_and_range_of_those_with_a_finite_value_and_how_many_they_are():
    rows = [
        *(Scalar(0, "loss", value, "test", member) for member, value in enumerate((1.0, 2.0, 6.0))),
        *(Scalar(1, "loss", value, "test", member) for member, value in enumerate((3.0, np.nan, 5.0))),
        *(Scalar(2, "loss", np.inf, "test", member) for member in range(3)),
        Scalar(3, "loss", 4.0, "test", 2),
        Scalar(3, "loss", 9.0, "train", 0),
    ]
    bands = frames.over_members(frame(rows), "loss", "test")
    assert bands.steps.tolist() == [0, 1, 3]
    assert bands.mean.tolist() == [3.0, 4.0, 4.0]
    assert (bands.low.tolist(), bands.high.tolist()) == ([1.0, 3.0, 4.0], [6.0, 5.0, 4.0])
    assert bands.count.tolist() == [3, 2, 1]
    assert len(frames.over_members(frame(rows), "accuracy", "test").steps) == 0
