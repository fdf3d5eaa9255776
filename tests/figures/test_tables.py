"""The table of every figure is the data that the figure was given: nothing more, nothing less, zeros as zeros."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from nnviz import figures
from nnviz.figures import tables
from tests.figures import made, surveys
from tests.figures import test_every_figure as every
from tests.figures.stated import stated

Frame = pd.DataFrame


def same(found: Frame, expected: Frame, name: str = "") -> None:
    """The same rows in any order, numbers to single precision."""
    assert set(found.columns) == set(expected.columns), name
    columns = sorted(expected.columns)
    found, expected = found[columns], expected[columns]
    assert len(found) == len(expected), (name, len(found), len(expected))
    keys = [c for c in columns if expected[c].dtype.kind not in "f"] + [
        c for c in columns if expected[c].dtype.kind in "f"
    ]
    rounded = [
        frame.assign(**{c: frame[c].astype(np.float32) for c in columns if expected[c].dtype.kind == "f"})
        for frame in (found, expected)
    ]
    orders = [frame.sort_values(keys, kind="stable").index for frame in rounded]
    for column in columns:
        one, other = (
            frame[column].loc[order].to_numpy() for frame, order in zip((found, expected), orders, strict=True)
        )
        if expected[column].dtype.kind in "biuf":
            np.testing.assert_allclose(
                one.astype(float), other.astype(float), rtol=2e-6, atol=0, err_msg=f"{name}: {column}"
            )
        else:
            assert [str(v) for v in one] == [str(v) for v in other], (name, column)


def of(frame: Frame, quantity: str) -> Frame:
    """The rows of a run's frame of one quantity, as columns step, site, quantity."""
    rows = frame[frame["quantity"] == quantity]
    return Frame({"step": rows["step"], "site": rows["site"], quantity: rows["value"]})


def weights_of(frame: Frame, quantity: str) -> Frame:
    return of(frame[frame["site"].str.endswith(".weight")], quantity)


def cells(down: Mapping, across: Mapping, values: Mapping) -> Frame:
    """A row for each cell of a grid."""
    high, wide = len(next(iter(down.values()))), len(next(iter(across.values())))
    return Frame(
        {name: np.repeat(np.asarray(v), wide) for name, v in down.items()}
        | {name: np.tile(np.asarray(v), high) for name, v in across.items()}
        | {name: np.asarray(v).ravel() for name, v in values.items()}
    )


def below(*frames: Frame) -> Frame:
    return pd.concat(frames, ignore_index=True)


def without_average(found: Frame, quantity: str) -> Frame:
    assert np.isfinite(found[f"{quantity}_smoothed"].dropna()).all()
    return found.drop(columns=f"{quantity}_smoothed")


def loss_of(frame: Frame, name: str) -> tuple[Frame, Frame]:
    return without_average(stated(every.FILLED[name]()), "loss"), of(frame, "loss")


def test_curves_have_the_recorded_values_and_their_average():
    for name, frame in (("loss", None), ("accuracy", None), ("r squared", every.R_SQUARED)):
        quantity = name.replace(" ", "_")
        same(stated(every.FILLED[name]()), of(every.LOSS if frame is None else frame, quantity), name)
    same(stated(every.FILLED["learning rate"]()), of(every.LOSS, "learning_rate"))
    for name in ("loss, smoothed, forked", "loss of a run that went on three times"):
        same(*loss_of(every.LOSS, name), name)
    values = [4.0, 2.0, 3.0]
    found = stated(figures.curves(made.scalars(("loss", "batch", [1, 2, 3], values)), smooth=0.5))
    np.testing.assert_allclose(found["loss"], values)
    np.testing.assert_allclose(found["loss_smoothed"], [4, (2 * 2 + 4) / 3, (3 * 4 + 2 * 2 + 4) / 7], rtol=1e-6)


def test_zeros_on_a_logarithmic_axis_are_zeros_and_nothing_is_invented():
    found, expected = loss_of(every.ZEROS, "loss with zeros")
    same(found, expected)
    assert (found["loss"] == 0).sum() == 60
    frame = made.scalars(("loss", "train", [0, 1, 2, 3], [1.0, np.nan, np.inf, 0.0]))
    assert stated(figures.curves(frame, log_y=True))["loss"].tolist()[2:] == [np.inf, 0.0]


def test_tiny_numbers_are_not_taken_for_zeros():
    race = made.race()
    race["distance"][0] = np.geomspace(1, 1e-200, 31)
    found = stated(figures.distances(race, every.RACERS)).query("racer == 'SGD η=0.02'")
    np.testing.assert_allclose(found["distance"], race["distance"][0], rtol=1e-12)


def test_an_overlay_has_a_column_for_the_run():
    expected = below(*(of(every.LOSS[every.LOSS["site"] != "batch"], "loss").assign(run=run) for run in "AB"))
    same(stated(every.FILLED["overlay"]()), expected)


def test_layers_have_what_was_recorded_of_each_site():
    found = without_average(stated(every.FILLED["layer curves"]()), "gradient_norm")
    same(found, weights_of(every.DEEP, "gradient_norm"))
    found = without_average(stated(every.FILLED["layer curves, linear"]()), "activation_mean")
    same(found, of(every.DEEP, "activation_mean"))
    found = without_average(stated(every.FILLED["update ratios"]()), "update_ratio")
    same(found, weights_of(every.DEEP, "update_ratio"))
    shares = (
        of(every.DEEP, q).rename(columns={q: "share"}).assign(quantity=q) for q in ("dead_share", "saturated_share")
    )
    same(stated(every.FILLED["shares"]()), below(*shares))


def test_profiles_have_both_steps_and_the_theory():
    steps = weights_of(every.DEEP, "gradient_norm").query("step in (1, 30)")
    layer = {f"{site}.weight": i + 1 for i, site in enumerate(made.sites(20))}
    steps = steps.assign(layer=steps["site"].map(layer), site=steps["site"].str.removesuffix(".weight"))
    for name in ("profile", "profile without theory"):
        same(stated(every.FILLED[name]()), steps, name)
    found = stated(every.FILLED["profile of rms"]())
    mean, std = (of(every.DEEP, f"activation_{part}").iloc[:, 2].to_numpy() for part in ("mean", "std"))
    rms = of(every.DEEP, "activation_mean").assign(activation_rms=np.hypot(mean, std)).query("step in (1, 50)")
    np.testing.assert_allclose(np.sort(found["activation_rms"]), np.sort(rms["activation_rms"]), rtol=1e-6)
    assert set(zip(found["step"], found["layer"], strict=True)) == {(s, i) for s in (1, 50) for i in range(1, 21)}
    row = stated(every.FILLED["bars"]())
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
    found = stated(
        figures.depth_profile(every.DEEP, "signal_rms", 1, every.LAYERS, theory | {"covered": 0.9, "networks": 9})
    )
    found = found[found["step"].isna()]
    for word, name in (("line", "signal_rms"), *((w, f"signal_rms_{w}") for w in ("low", "median", "high"))):
        np.testing.assert_allclose(found[f"theory_{word}"], theory[name], rtol=1e-6, err_msg=word)


def test_ridgelines_have_bins_and_counts():
    arrays = every.HISTOGRAM
    found = stated(every.FILLED["ridgelines"]())
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
    found = stated(every.FILLED["exponents"]())
    for site, tensor in zip(made.sites(1), tensors, strict=True):
        mine = found[found["site"] == f"{site}.weight"]
        assert mine["share"].sum() == pytest.approx(1)
        for value in np.abs(tensor):
            inside = (mine["from"] <= value) & (value < mine["to"])
            row = mine[inside] if np.isfinite(value) and value else mine[mine["from"] == value]
            assert row["share"].tolist() == [pytest.approx((np.abs(tensor) == value).mean())], value


def test_bands_have_all_percentiles():
    found = stated(every.FILLED["bands of one layer"]())
    for percentile in (5, 25, 50, 75, 95):
        recorded = of(every.DEEP, f"preactivation_p{percentile:02d}").query("site == 'model.activation3'")
        mine = found[found["percentile"] == percentile]
        assert mine["step"].tolist() == recorded["step"].tolist()
        np.testing.assert_allclose(mine["preactivation"], recorded.iloc[:, 2], rtol=1e-6)
    assert set(stated(every.FILLED["bands"]())["site"]) == {f"model.activation{i}" for i in (1, 10, 20)}


def _points(data: Mapping, told: str) -> Frame:
    values = data["targets"] if told == "target" else data["class_names"][data["targets"]]
    columns = dict(zip("xy", data["inputs"].T, strict=False))
    return Frame({"part": np.where(data["test"], "test", "train"), **columns, told: values})


def test_surfaces_have_the_grid_in_full_and_the_points():
    for name, classes in (("surface", 3), ("borders", 3), ("surface of ten classes", 10)):
        grid, data = made.grid(classes), made.data(classes=classes)
        shares = {f"p(class {i})": grid["probabilities"][..., i].astype(float) for i in range(classes)}
        places = cells({"y": grid["y"]}, {"x": grid["x"]}, shares).assign(part="grid")
        found = stated(every.FILLED[name]())
        same(found[found["part"] == "grid"].drop(columns="class"), places, name)
        same(found[found["part"] != "grid"][["part", "x", "y", "class"]], _points(data, "class"), name)
    grid, data = made.grid(0), made.data(classes=0)
    found = stated(every.FILLED["surface of a regression"]())
    places = cells({"y": grid["y"]}, {"x": grid["x"]}, {"prediction": grid["prediction"]}).assign(part="grid")
    same(found[found["part"] == "grid"].drop(columns="target"), places)
    same(found[found["part"] != "grid"][["part", "x", "y", "target"]], _points(data, "target"))
    found, data = stated(every.FILLED["curve"]()), made.data(d=1, classes=0)
    same(found[found["part"] != "curve"][["part", "x", "target"]], _points(data, "target"))
    assert found[found["part"] == "curve"]["x"].tolist() == pytest.approx(np.linspace(-1, 1, 9).tolist())


def test_networks_have_every_weight_and_bias_that_was_recorded():
    for name, arrays, widths in (
        ("network", made.network(2, 8, 8, 4, 1, maps=12), (2, 8, 8, 4, 1)),
        ("network of discs", made.network(4, 20, 3), (4, 20, 3)),
        ("network without hidden layers", made.network(2, 2, maps=9), (2, 2)),
        ("network of images", made.network(64, 12, 3) | {"weight_1": np.ones((12, 64))}, (64, 12, 3)),
    ):
        parts = []
        for i, site in enumerate(made.sites(len(widths) - 2), 1):
            weight, bias = arrays[f"weight_{i}"], arrays[f"bias_{i}"]
            to, source = (np.arange(n) + 1.0 for n in weight.shape)
            parts.append(cells({"to": to}, {"from": source}, {"value": weight}).assign(site=site, kind="weight"))
            parts.append(Frame({"to": np.arange(len(bias)) + 1.0, "value": bias, "site": site, "kind": "bias"}))
        same(stated(every.FILLED[name]()), below(*parts), name)
    drawn = set(stated(every.FILLED["deep network"]())["site"])
    assert drawn == {f"model.linear{i}" for i in (1, 2, 3, 19, 20)} | {"model.output"}


def test_samples_and_confusion_have_plain_names():
    expected = cells(
        {"true": ["class 0", "class 1"]}, {"predicted": ["class 0", "class 1"]}, {"count": [[3, 1], [0, 5]]}
    )
    same(stated(every.FILLED["confusion"]()), expected)
    counts = stated(every.FILLED["confusion of ten classes"]())["count"]
    np.testing.assert_array_equal(counts, np.arange(100))
    down = {
        "rank": np.arange(15) + 1,
        "true": [f"class {i % 3}" for i in range(15)],
        "predicted": [f"class {(i + 1) % 3}" for i in range(15)],
        "loss": np.arange(20, 5, -1.0),
    }
    features = {"feature": [f"feature {i}" for i in range(4)]}
    same(stated(every.FILLED["worst"]()), cells(down, features, {"value": every.WORST["inputs"][:15]}))
    pixels = {"row": np.arange(64) // 8, "column": np.arange(64) % 8}
    same(stated(every.FILLED["worst images"]()), cells(down, pixels, {"pixel": every.IMAGES["inputs"][:15]}))
    numbers = down | {"true": np.ones(15), "predicted": np.zeros(15)}
    found = stated(every.FILLED["worst of a regression"]())
    same(found, cells(numbers, features, {"value": every.WORST["inputs"][:15]}))
    assert len(stated(every.FILLED["worst of thirty features"]())) == 15 * 30
    same(stated(every.FILLED["fit"]()), Frame({"true": np.arange(5.0), "predicted": np.arange(5.0) + 0.1}))


def _path(race: Mapping, names: list[str]) -> Frame:
    parts = []
    for i, name in enumerate(names):
        (x, y), f = race["points"][i].T, race["heights"][i]
        parts.append(Frame({"racer": name, "step": np.arange(len(f)), "x": x, "y": y, "f": f}).dropna())
    return below(*parts)


def test_maps_and_spaces_have_the_surface_and_every_step_of_every_racer():
    surface = every.SURFACE
    ground = cells({"y": surface["y"]}, {"x": surface["x"]}, {"f": surface["z"]})
    for name in ("map", "map of one step", "space", "space, logarithmic"):
        found = stated(every.FILLED[name]())
        same(found[found["kind"] == "surface"][["x", "y", "f"]], ground, name)
        same(found[found["kind"] == "path"][["racer", "step", "x", "y", "f"]], _path(every.RACE, every.RACERS), name)
    found = stated(every.FILLED["map without a race"]())
    same(found[found["kind"] == "lowest minimum in view"][["x", "y"]], Frame({"x": [-1.0, 1.0], "y": [0.0, 0.0]}))
    assert set(found["kind"]) == {"surface", "minimum", "saddle", "lowest minimum in view"}
    found = stated(every.FILLED["many racers"]())
    same(found[found["kind"] == "path"][["racer", "step", "x", "y", "f"]], _path(every.CROWD, every.MANY))


def test_curves_of_a_race_have_its_numbers():
    for name, values, column, names in (
        ("heights", every.RACE["heights"], "f", every.RACERS),
        ("heights above the lowest", every.RACE["heights"] + 1, "f_minus_minimum", every.RACERS),
        ("heights of many racers", every.CROWD["heights"] + 1, "f_minus_minimum", every.MANY),
        ("distances", every.RACE["distance"], "distance", every.RACERS),
    ):
        parts = [
            Frame({"racer": n, "step": np.arange(31), column: row}).dropna()
            for n, row in zip(names, values, strict=True)
        ]
        same(stated(every.FILLED[name]()), below(*parts), name)
    race = made.race()
    race["distance"][0, 12:] = 0
    found = stated(figures.distances(race, every.RACERS))
    assert (found["distance"] == 0).sum() == 19
    final = Frame({"racer": "SGD", "learning_rate": every.RATES, "final_f": [1, 0.1, 0, np.nan]})
    same(stated(every.FILLED["rate search"]()), final)


def test_the_parts_of_a_step_are_those_recorded():
    found = stated(every.FILLED["step parts"]())
    moves = np.diff(every.RACE["points"][1], axis=0)
    for part, values in (
        ("gradient", every.RACE["gradient"][1]),
        ("momentum", every.RACE["momentum"][1]),
        ("step", moves),
    ):
        for i, component in enumerate("xy"):
            mine = found[(found["part"] == part) & (found["component"] == component)]
            assert mine["step"].tolist() == list(range(30)), part
            np.testing.assert_allclose(mine["value"], values[:, i], rtol=1e-5, err_msg=part)


def test_basins_have_where_each_start_arrives_and_when():
    for name, basins in (("basins", made.basins()), ("many basins", made.basins(30, 30))):
        reached, steps = basins["minimum"][0], basins["steps"][0].astype(float)
        place = np.where((reached >= 0)[..., None], basins["minima"][reached], np.nan)
        values = {"minimum_x": place[..., 0], "minimum_y": place[..., 1], "steps": np.where(reached < 0, np.nan, steps)}
        same(stated(every.FILLED[name]()), cells({"y": basins["y"]}, {"x": basins["x"]}, values), name)
    basins = made.basins()
    steps = np.where(basins["steps"][0] < 0, np.nan, basins["steps"][0])
    same(stated(every.FILLED["basin steps"]()), cells({"y": basins["y"]}, {"x": basins["x"]}, {"steps": steps}))


def test_the_phase_diagram_has_map_limits_and_racers():
    phase, found = every.PHASE, stated(every.FILLED["phase"]())
    expected = cells({"momentum": phase["betas"]}, {"learning_rate": phase["alphas"]}, {"rate": phase["rate"]})
    same(found[found["kind"] == "map"][["momentum", "learning_rate", "rate"]], expected)
    for kind in ("stability limit", "monotone limit"):
        np.testing.assert_allclose(
            found[found["kind"] == kind]["learning_rate"], phase[kind.replace(" ", "_")], rtol=1e-6
        )
    best = found[found["kind"] == "best"][["learning_rate", "momentum", "rate"]].to_numpy()
    np.testing.assert_allclose(best, [phase["best"]])
    assert found[found["kind"] == "racer"]["racer"].tolist() == ["SGD"]


def test_landscapes_have_plane_and_path():
    plane, way = surveys.plane(41), surveys.path_plane(41)
    for name in ("loss map", "loss space"):
        expected = cells({"y": plane["y"]}, {"x": plane["x"]}, {"train_loss": plane["train_loss"]})
        same(stated(every.FILLED[name]()), expected.assign(kind="plane"), name)
    small = surveys.plane(6)
    expected = cells({"y": small["y"]}, {"x": small["x"]}, {"test_accuracy": small["test_accuracy"]})
    same(stated(every.FILLED["loss map of accuracy"]()), expected.assign(kind="plane"))
    path, training = surveys.path(61), surveys.training(61)
    points = Frame(
        {
            "step": path["steps"],
            "x": path["coordinates"][:, 0],
            "y": path["coordinates"][:, 1],
            "train_loss": training["train_loss"],
            "train_loss_on_plane": path["plane_train_loss"],
            "distance_off_plane": path["residuals"],
        }
    )
    for name in ("path map", "path space"):
        found = stated(every.FILLED[name]())
        expected = cells({"y": way["y"]}, {"x": way["x"]}, {"train_loss": way["train_loss"]})
        same(found[found["kind"] == "plane"][["x", "y", "train_loss"]], expected, name)
        same(found[found["kind"] == "path"].drop(columns="kind").astype({"step": int}), points, name)
    path, training = surveys.path(), surveys.training()
    wide = {"distance_from_end": path["distances"], "distance_off_plane": path["residuals"]}
    same(stated(every.FILLED["path residuals"]()), Frame({"step": path["steps"], **wide}))
    wide = {"train_loss": training["train_loss"], "train_loss_on_plane": path["plane_train_loss"]}
    same(stated(every.FILLED["plane truth"]()), Frame({"step": path["steps"], **wide}))


def test_lines_and_curvature_have_what_the_survey_found():
    lines, line, curvature = surveys.lines(), surveys.line(), surveys.curvature()
    expected = cells({"direction": np.arange(5) + 1}, {"x": lines["x"]}, {"train_loss": lines["train_loss"]})
    same(stated(every.FILLED["loss lines"]()), expected)
    found = stated(every.FILLED["loss line"]())
    same(
        found[found["barrier"].isna()].drop(columns="barrier"),
        Frame({"x": line["x"], **{m: line[m] for m in surveys.MEASURES}}),
    )
    assert found["barrier"].dropna().tolist() == [2.0]
    found = stated(every.FILLED["sharpness"]())
    for i in range(3):
        np.testing.assert_allclose(found[f"eigenvalue_{i + 1}"], curvature["eigenvalues"][:, i], rtol=1e-6)
        np.testing.assert_allclose(found[f"error_{i + 1}"], curvature["errors"][:, i], rtol=1e-6)
    for column, name in (("step", "steps"), ("smallest", "lowest"), ("limit", "limit")):
        np.testing.assert_allclose(found[column], curvature[name], rtol=1e-6)
    found = stated(every.FILLED["trace of the Hessian"]())
    wide = {"trace": curvature["trace"], "trace_error": curvature["trace_error"]}
    expected = Frame({"step": curvature["steps"], **wide, "sum_of_3_largest": curvature["eigenvalues"].sum(1)})
    same(found, expected)


def test_every_figure_states_a_table_with_plain_names():
    for name, draw in every.FILLED.items():
        found = stated(draw())
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
