"""The tables of trajectories and landscapes are the data that the figures were given, in full."""

from collections.abc import Mapping

import numpy as np

from nnviz import figures
from tests.figures import landscape_arrays, sample_records
from tests.figures import test_every_figure as every
from tests.figures.exported_tables import Frame, below, cells, same, table_of


def _path(trajectories: Mapping, names: list[str]) -> Frame:
    parts = []
    for i, name in enumerate(names):
        (x, y), f = trajectories["points"][i].T, trajectories["values"][i]
        parts.append(Frame({"optimizer": name, "step": np.arange(len(f)), "x": x, "y": y, "f": f}).dropna())
    return below(*parts)


def test_maps_and_3d_plots_have_the_surface_and_every_step_of_every_optimizer():
    surface = every.SURFACE
    ground = cells({"y": surface["y"]}, {"x": surface["x"]}, {"f": surface["z"]})
    for name in ("map", "map of one step", "space", "space, logarithmic"):
        found = table_of(every.FILLED[name]())
        same(found[found["kind"] == "surface"][["x", "y", "f"]], ground, name)
        same(
            found[found["kind"] == "path"][["optimizer", "step", "x", "y", "f"]],
            _path(every.TRAJECTORIES, every.OPTIMIZERS),
            name,
        )
    found = table_of(every.FILLED["map without a race"]())
    same(found[found["kind"] == "lowest minimum in view"][["x", "y"]], Frame({"x": [-1.0, 1.0], "y": [0.0, 0.0]}))
    assert set(found["kind"]) == {"surface", "minimum", "saddle point", "lowest minimum in view"}
    found = table_of(every.FILLED["many optimizers"]())
    same(found[found["kind"] == "path"][["optimizer", "step", "x", "y", "f"]], _path(every.CROWD, every.MANY))


def test_curves_of_a_trajectory_run_have_its_numbers():
    for name, values, column, names in (
        ("heights", every.TRAJECTORIES["values"], "f", every.OPTIMIZERS),
        ("heights above the lowest", every.TRAJECTORIES["values"] + 1, "f_minus_minimum", every.OPTIMIZERS),
        ("heights of many optimizers", every.CROWD["values"] + 1, "f_minus_minimum", every.MANY),
        ("distances", every.TRAJECTORIES["distance"], "distance", every.OPTIMIZERS),
    ):
        parts = [
            Frame({"optimizer": n, "step": np.arange(31), column: row}).dropna()
            for n, row in zip(names, values, strict=True)
        ]
        same(table_of(every.FILLED[name]()), below(*parts), name)
    trajectories = sample_records.trajectories()
    trajectories["distance"][0, 12:] = 0
    found = table_of(figures.distances_to_minimum(trajectories, every.OPTIMIZERS))
    assert (found["distance"] == 0).sum() == 19
    final = Frame({"optimizer": "SGD", "learning_rate": every.RATES, "final_f": [1, 0.1, 0, np.nan]})
    same(table_of(every.FILLED["rate search"]()), final)


def test_tiny_numbers_are_not_zeros():
    trajectories = sample_records.trajectories()
    trajectories["distance"][0] = np.geomspace(1, 1e-200, 31)
    found = table_of(figures.distances_to_minimum(trajectories, every.OPTIMIZERS)).query("optimizer == 'SGD η=0.02'")
    np.testing.assert_allclose(found["distance"], trajectories["distance"][0], rtol=1e-12)


def test_the_parts_of_a_step_are_those_recorded():
    found = table_of(every.FILLED["step parts"]())
    moves = np.diff(every.TRAJECTORIES["points"][1], axis=0)
    for part, values in (
        ("gradient", every.TRAJECTORIES["gradient"][1]),
        ("momentum", every.TRAJECTORIES["momentum"][1]),
        ("update", moves),
    ):
        for i, component in enumerate("xy"):
            mine = found[(found["part"] == part) & (found["component"] == component)]
            assert mine["step"].tolist() == list(range(30)), part
            np.testing.assert_allclose(mine["value"], values[:, i], rtol=1e-5, err_msg=part)


def test_basins_have_where_each_start_arrives_and_when():
    for name, basins in (("basins", sample_records.basins()), ("many basins", sample_records.basins(30, 30))):
        reached, steps = basins["minimum"][0], basins["steps"][0].astype(float)
        place = np.where((reached >= 0)[..., None], basins["minima"][reached], np.nan)
        values = {"minimum_x": place[..., 0], "minimum_y": place[..., 1], "steps": np.where(reached < 0, np.nan, steps)}
        same(table_of(every.FILLED[name]()), cells({"y": basins["y"]}, {"x": basins["x"]}, values), name)
    basins = sample_records.basins()
    steps = np.where(basins["steps"][0] < 0, np.nan, basins["steps"][0])
    same(table_of(every.FILLED["basin steps"]()), cells({"y": basins["y"]}, {"x": basins["x"]}, {"steps": steps}))


def test_the_phase_diagram_has_map_limits_and_optimizers():
    phase, found = every.PHASE, table_of(every.FILLED["phase"]())
    expected = cells({"momentum": phase["betas"]}, {"learning_rate": phase["alphas"]}, {"rate": phase["rate"]})
    same(found[found["kind"] == "rate"][["momentum", "learning_rate", "rate"]], expected)
    for kind in ("stability limit", "monotone limit"):
        np.testing.assert_allclose(
            found[found["kind"] == kind]["learning_rate"], phase[kind.replace(" ", "_")], rtol=1e-6
        )
    best = found[found["kind"] == "best"][["learning_rate", "momentum", "rate"]].to_numpy()
    np.testing.assert_allclose(best, [phase["best"]])
    assert found[found["kind"] == "optimizer"]["optimizer"].tolist() == ["SGD"]


def test_landscapes_have_plane_and_path():
    plane, way = landscape_arrays.plane(41), landscape_arrays.path_plane(41)
    for name in ("loss map", "loss space"):
        expected = cells({"y": plane["y"]}, {"x": plane["x"]}, {"train_loss": plane["train_loss"]})
        same(table_of(every.FILLED[name]()), expected.assign(kind="plane"), name)
    small = landscape_arrays.plane(6)
    expected = cells({"y": small["y"]}, {"x": small["x"]}, {"test_accuracy": small["test_accuracy"]})
    same(table_of(every.FILLED["loss map of accuracy"]()), expected.assign(kind="plane"))
    path, training = landscape_arrays.path(61), landscape_arrays.training(61)
    points = Frame(
        {
            "step": path["steps"],
            "x": path["coordinates"][:, 0],
            "y": path["coordinates"][:, 1],
            "train_loss": training["train_loss"],
            "train_loss_on_plane": path["plane_train_loss"],
            "residual": path["residuals"],
        }
    )
    for name in ("path map", "path space"):
        found = table_of(every.FILLED[name]())
        expected = cells({"y": way["y"]}, {"x": way["x"]}, {"train_loss": way["train_loss"]})
        same(found[found["kind"] == "plane"][["x", "y", "train_loss"]], expected, name)
        same(found[found["kind"] == "path"].drop(columns="kind").astype({"step": int}), points, name)
    path, training = landscape_arrays.path(), landscape_arrays.training()
    wide = {"distance_to_end": path["distances"], "residual": path["residuals"]}
    same(table_of(every.FILLED["path residuals"]()), Frame({"step": path["steps"], **wide}))
    wide = {"train_loss": training["train_loss"], "train_loss_on_plane": path["plane_train_loss"]}
    same(table_of(every.FILLED["plane truth"]()), Frame({"step": path["steps"], **wide}))


def test_lines_and_curvature_have_what_the_survey_found():
    lines, line, curvature = landscape_arrays.lines(), landscape_arrays.line(), landscape_arrays.curvature()
    expected = cells({"direction": np.arange(5) + 1}, {"x": lines["x"]}, {"train_loss": lines["train_loss"]})
    same(table_of(every.FILLED["loss lines"]()), expected)
    found = table_of(every.FILLED["loss line"]())
    same(
        found[found["barrier"].isna()].drop(columns="barrier"),
        Frame({"x": line["x"], **{m: line[m] for m in landscape_arrays.MEASURES}}),
    )
    assert found["barrier"].dropna().tolist() == [2.0]
    found = table_of(every.FILLED["sharpness"]())
    for i in range(3):
        np.testing.assert_allclose(found[f"eigenvalue_{i + 1}"], curvature["eigenvalues"][:, i], rtol=1e-6)
        np.testing.assert_allclose(found[f"error_{i + 1}"], curvature["errors"][:, i], rtol=1e-6)
    for column, name in (("step", "steps"), ("smallest", "smallest_eigenvalue"), ("limit", "limit")):
        np.testing.assert_allclose(found[column], curvature[name], rtol=1e-6)
    found = table_of(every.FILLED["trace of the Hessian"]())
    wide = {"trace": curvature["trace"], "trace_error": curvature["trace_error"]}
    expected = Frame({"step": curvature["steps"], **wide, "sum_of_3_largest": curvature["eigenvalues"].sum(1)})
    same(found, expected)
