"""The tables of training's figures are the data that they were given: nothing more, nothing less, zeros as zeros."""

from collections.abc import Mapping

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.kit import tables
from tests.figures import sample_records
from tests.figures import test_every_figure as every
from tests.figures.exported_tables import Frame, below, cells, of, same, table_of


def weights_of(frame: Frame, quantity: str) -> Frame:
    return of(frame[frame["site"].str.endswith(".weight")], quantity)


def without_average(found: Frame, quantity: str) -> Frame:
    assert np.isfinite(found[f"{quantity}_smoothed"].dropna()).all()
    return found.drop(columns=f"{quantity}_smoothed")


def loss_of(frame: Frame, name: str) -> tuple[Frame, Frame]:
    return without_average(table_of(every.FILLED[name]()), "loss"), of(frame, "loss")


def test_curves_have_the_recorded_values_and_their_average():
    for name, frame in (("loss", None), ("accuracy", None), ("r squared", every.R_SQUARED)):
        quantity = name.replace(" ", "_")
        same(table_of(every.FILLED[name]()), of(every.LOSS if frame is None else frame, quantity), name)
    same(table_of(every.FILLED["learning rate"]()), of(every.LOSS, "learning_rate"))
    for name in ("loss, smoothed, forked", "loss of a run that went on three times"):
        same(*loss_of(every.LOSS, name), name)
    values = [4.0, 2.0, 3.0]
    found = table_of(figures.curves(sample_records.scalars(("loss", "batch", [1, 2, 3], values)), smooth=0.5))
    np.testing.assert_allclose(found["loss"], values)
    np.testing.assert_allclose(found["loss_smoothed"], [4, (2 * 2 + 4) / 3, (3 * 4 + 2 * 2 + 4) / 7], rtol=1e-6)


def test_zeros_on_a_logarithmic_axis_are_zeros_and_nothing_is_invented():
    found, expected = loss_of(every.ZEROS, "loss with zeros")
    same(found, expected)
    assert (found["loss"] == 0).sum() == 60
    frame = sample_records.scalars(("loss", "train", [0, 1, 2, 3], [1.0, np.nan, np.inf, 0.0]))
    assert table_of(figures.curves(frame, log=True))["loss"].tolist()[2:] == [np.inf, 0.0]


def test_an_overlay_has_a_column_for_the_run():
    expected = below(*(of(every.LOSS[every.LOSS["site"] != "batch"], "loss").assign(run=run) for run in "AB"))
    same(table_of(every.FILLED["overlay"]()), expected)


def test_layers_have_what_was_recorded_of_each_site():
    found = without_average(table_of(every.FILLED["layer curves"]()), "gradient_norm")
    same(found, weights_of(every.DEEP, "gradient_norm"))
    found = without_average(table_of(every.FILLED["layer curves, linear"]()), "activation_mean")
    same(found, of(every.DEEP, "activation_mean"))
    found = without_average(table_of(every.FILLED["update ratios"]()), "update_ratio")
    same(found, weights_of(every.DEEP, "update_ratio"))
    fractions = (
        of(every.DEEP, q).rename(columns={q: "fraction"}).assign(quantity=q)
        for q in ("dead_fraction", "saturated_fraction")
    )
    same(table_of(every.FILLED["dead_and_saturated"]()), below(*fractions))


def test_profiles_have_both_steps_and_the_theory():
    steps = weights_of(every.DEEP, "gradient_norm").query("step in (1, 30)")
    layer = {f"{site}.weight": i + 1 for i, site in enumerate(sample_records.sites(20))}
    steps = steps.assign(layer=steps["site"].map(layer), site=steps["site"].str.removesuffix(".weight"))
    for name in ("profile", "profile without theory"):
        same(table_of(every.FILLED[name]()), steps, name)
    found = table_of(every.FILLED["profile of rms"]())
    mean, std = (of(every.DEEP, f"activation_{part}").iloc[:, 2].to_numpy() for part in ("mean", "std"))
    rms = of(every.DEEP, "activation_mean").assign(activation_rms=np.hypot(mean, std)).query("step in (1, 50)")
    np.testing.assert_allclose(np.sort(found["activation_rms"]), np.sort(rms["activation_rms"]), rtol=1e-6)
    assert set(zip(found["step"], found["layer"], strict=True)) == {(s, i) for s in (1, 50) for i in range(1, 21)}
    row = table_of(every.FILLED["bars"]())
    size = np.sqrt(np.array(every.LAYERS.fan_in) * every.LAYERS.fan_out)
    assert row["site"].tolist() == every.LAYERS.sites
    for word in ("weight", "gradient", "update"):
        values = weights_of(every.DEEP, f"{word}_norm").query("step == 20").iloc[:, 2].to_numpy()
        np.testing.assert_allclose(row[f"{word}_rms"], values / size, rtol=1e-6, err_msg=word)


def test_theory_is_in_the_profile_with_its_band():
    theory = {
        f"signal_rms{part}": np.arange(1.0, 22) * scale
        for part, scale in (("", 1), ("_low", 0.5), ("_median", 0.9), ("_high", 2))
    }
    found = table_of(
        figures.depth_profile(every.DEEP, "signal_rms", 1, every.LAYERS, theory | {"covered": 0.9, "networks": 9})
    )
    found = found[found["step"].isna()]
    for word, name in (("line", "signal_rms"), *((w, f"signal_rms_{w}") for w in ("low", "median", "high"))):
        np.testing.assert_allclose(found[f"theory_{word}"], theory[name], rtol=1e-6, err_msg=word)


def test_ridgelines_have_bins_and_counts():
    arrays = every.HISTOGRAM
    found = table_of(every.FILLED["ridgelines"]())
    edges = np.linspace(arrays["low"], arrays["high"], 65, axis=1)
    down = {"site": arrays["sites"]}
    expected = cells(
        down, {"bin": np.arange(64)}, {"low": edges[:, :-1], "high": edges[:, 1:], "count": arrays["counts"]}
    )
    assert found["site"].tolist() == expected["site"].tolist()
    np.testing.assert_array_equal(found["count"], expected["count"])
    for end in ("low", "high"):
        np.testing.assert_allclose(found[end], expected[end], rtol=1e-5, atol=1e-6)


def test_sizes_of_gradients_have_their_powers_of_two():
    tensors = np.array([0, 1e-3, -2, np.inf]), np.ones(3)
    found = table_of(every.FILLED["exponents"]())
    for site, tensor in zip(sample_records.sites(1), tensors, strict=True):
        mine = found[found["site"] == f"{site}.weight"]
        assert mine["fraction"].sum() == pytest.approx(1)
        for value in np.abs(tensor):
            inside = (mine["from"] <= value) & (value < mine["to"])
            row = mine[inside] if np.isfinite(value) and value else mine[mine["from"] == value]
            assert row["fraction"].tolist() == [pytest.approx((np.abs(tensor) == value).mean())], value


def test_bands_have_all_percentiles():
    found = table_of(every.FILLED["bands of one layer"]())
    for percentile in (5, 25, 50, 75, 95):
        recorded = of(every.DEEP, f"preactivation_p{percentile:02d}").query("site == 'model.activation3'")
        mine = found[found["percentile"] == percentile]
        assert mine["step"].tolist() == recorded["step"].tolist()
        np.testing.assert_allclose(mine["preactivation"], recorded.iloc[:, 2], rtol=1e-6)
    assert set(table_of(every.FILLED["bands"]())["site"]) == {f"model.activation{i}" for i in (1, 10, 20)}


def _points(data: Mapping, told: str) -> Frame:
    values = data["targets"] if told == "target" else data["class_names"][data["targets"]]
    columns = dict(zip("xy", data["inputs"].T, strict=False))
    return Frame({"part": np.where(data["test"], "test", "train"), **columns, told: values})


def test_surfaces_have_the_grid_in_full_and_the_points():
    for name, classes in (("surface", 3), ("borders", 3), ("surface of ten classes", 10)):
        grid, data = sample_records.grid(classes), sample_records.data(classes=classes)
        fractions = {f"p(class {i})": grid["probabilities"][..., i].astype(float) for i in range(classes)}
        places = cells({"y": grid["y"]}, {"x": grid["x"]}, fractions).assign(part="grid")
        found = table_of(every.FILLED[name]())
        same(found[found["part"] == "grid"].drop(columns="class"), places, name)
        same(found[found["part"] != "grid"][["part", "x", "y", "class"]], _points(data, "class"), name)
    grid, data = sample_records.grid(0), sample_records.data(classes=0)
    found = table_of(every.FILLED["surface of a regression"]())
    places = cells({"y": grid["y"]}, {"x": grid["x"]}, {"prediction": grid["prediction"]}).assign(part="grid")
    same(found[found["part"] == "grid"].drop(columns="target"), places)
    same(found[found["part"] != "grid"][["part", "x", "y", "target"]], _points(data, "target"))
    found, data = table_of(every.FILLED["curve"]()), sample_records.data(d=1, classes=0)
    same(found[found["part"] != "curve"][["part", "x", "target"]], _points(data, "target"))
    assert found[found["part"] == "curve"]["x"].tolist() == pytest.approx(np.linspace(-1, 1, 9).tolist())


def test_networks_have_every_weight_and_bias_that_was_recorded():
    for name, arrays, widths in (
        ("network", sample_records.network(2, 8, 8, 4, 1, maps=12), (2, 8, 8, 4, 1)),
        ("network of discs", sample_records.network(4, 20, 3), (4, 20, 3)),
        ("network without hidden layers", sample_records.network(2, 2, maps=9), (2, 2)),
        ("network of images", sample_records.network(64, 12, 3) | {"weight_1": np.ones((12, 64))}, (64, 12, 3)),
    ):
        parts = []
        for i, site in enumerate(sample_records.sites(len(widths) - 2), 1):
            weight, bias = arrays[f"weight_{i}"], arrays[f"bias_{i}"]
            to, source = (np.arange(n) + 1.0 for n in weight.shape)
            parts.append(cells({"to": to}, {"from": source}, {"value": weight}).assign(site=site, kind="weight"))
            parts.append(Frame({"to": np.arange(len(bias)) + 1.0, "value": bias, "site": site, "kind": "bias"}))
        same(table_of(every.FILLED[name]()), below(*parts), name)
    drawn = set(table_of(every.FILLED["deep network"]())["site"])
    assert drawn == {f"model.linear{i}" for i in (1, 2, 3, 19, 20)} | {"model.output"}


def test_samples_and_confusion_have_plain_names():
    expected = cells(
        {"true": ["class 0", "class 1"]}, {"predicted": ["class 0", "class 1"]}, {"count": [[3, 1], [0, 5]]}
    )
    same(table_of(every.FILLED["confusion"]()), expected)
    counts = table_of(every.FILLED["confusion of ten classes"]())["count"]
    np.testing.assert_array_equal(counts, np.arange(100))
    down = {
        "rank": np.arange(15) + 1,
        "true": [f"class {i % 3}" for i in range(15)],
        "predicted": [f"class {(i + 1) % 3}" for i in range(15)],
        "loss": np.arange(20, 5, -1.0),
    }
    features = {"feature": [f"feature {i}" for i in range(4)]}
    same(table_of(every.FILLED["worst"]()), cells(down, features, {"value": every.WORST["inputs"][:15]}))
    pixels = {"row": np.arange(64) // 8, "column": np.arange(64) % 8}
    same(table_of(every.FILLED["worst images"]()), cells(down, pixels, {"pixel": every.IMAGES["inputs"][:15]}))
    numbers = down | {"true": np.ones(15), "predicted": np.zeros(15)}
    found = table_of(every.FILLED["worst of a regression"]())
    same(found, cells(numbers, features, {"value": every.WORST["inputs"][:15]}))
    assert len(table_of(every.FILLED["worst of thirty features"]())) == 15 * 30
    same(table_of(every.FILLED["fit"]()), Frame({"true": np.arange(5.0), "predicted": np.arange(5.0) + 0.1}))


def test_every_figure_states_a_table_with_plain_names():
    for name, draw in every.FILLED.items():
        found = table_of(draw())
        assert len(found), name
        assert not any("<" in str(column) for column in found.columns), name
        texts = found.select_dtypes(exclude="number").to_numpy().ravel()
        assert not any("<" in str(text) for text in texts), name


def test_a_table_sends_nothing_twice():
    figure = every.FILLED["loss"]()
    held = [v for part in figure["layout"]["meta"]["table"] for v in part["down"].values()]
    assert all(set(v) == {"of"} for v in held)
    plane = every.FILLED["loss map"]()["layout"]["meta"]["table"][0]
    assert plane["cells"] == [[["train_loss"], {"of": [0, "z"]}]]


def test_texts_lose_their_html_and_what_is_not_finite_survives_in_short_columns():
    part = tables.rows({"name": "10<sup>−3</sup> <b>of</b> a<br>b", "value": np.array([np.inf, 1.0]), "one": np.nan})
    assert part["same"] == {"name": "10−3 of a b", "one": "nan"}
    assert part["down"] == {"value": ["inf", 1.0]}
