"""Maps and 3-D surfaces of a loss are those recorded, two can have one scale, and one huge loss flattens none."""

import base64
import json
import re
import struct
import zlib

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.kit import colorscale
from nnviz.figures.landscape import training_trajectory
from tests.each import each
from tests.figures import landscape_arrays
from tests.figures.test_contour_map import cut, named, revealed

PLANE, PATH_PLANE, PATH, TRAINING = (
    landscape_arrays.plane(),
    landscape_arrays.path_plane(),
    landscape_arrays.path(),
    landscape_arrays.training(),
)
by_measure = each("measure", landscape_arrays.MEASURES)


def maps(plane: dict, path_plane: dict = PATH_PLANE, **options) -> list[dict]:
    """All figures of slices: maps and 3-D surfaces."""
    return [
        figures.loss_map(plane, **options),
        figures.loss_surface_3d(plane, **options),
        figures.path_map(path_plane, PATH, TRAINING, **options),
        figures.path_surface_3d(path_plane, PATH, TRAINING, **options),
    ]


def bar(figure: dict) -> dict:
    return next(t["marker"] for t in figure["data"] if t.get("marker", {}).get("showscale"))


@by_measure
def test_hover_texts_have_the_measure_at_every_point(measure, valid):
    flat, space = (valid(figure)["data"][0] for figure in maps(PLANE, measure=measure)[:2])
    for name, values in (("z", flat), ("customdata", space)):
        np.testing.assert_allclose(values[name], PLANE[measure], rtol=1e-6)
    np.testing.assert_allclose(flat["x"], PLANE["x"], rtol=1e-6)


@by_measure
def test_the_network_is_at_the_origin(measure):
    for figure in maps(PLANE, measure=measure):
        mark = named(figure, "network")
        assert (mark["x"][0], mark["y"][0]) == (0, 0)


@pytest.mark.parametrize("step", [0, 10, 55, 120])
def test_the_path_goes_up_to_the_step_and_the_mark_is_at_it(step):
    last = np.searchsorted(PATH["steps"], step, "right") - 1
    for figure in (figures.path_map(PATH_PLANE, PATH, TRAINING), figures.path_surface_3d(PATH_PLANE, PATH, TRAINING)):
        assert figure["layout"]["meta"]["reveals"] is True
        np.testing.assert_allclose(cut(named(figure, "path"), step)[-1], PATH["coordinates"][last], rtol=1e-6)
        np.testing.assert_allclose(cut(named(figure, "mark"), step), PATH["coordinates"][[last]], rtol=1e-6)


def test_what_is_cut_has_as_many_entries_as_steps_which_rise():
    for figure in (figures.path_map(PATH_PLANE, PATH, TRAINING), figures.path_surface_3d(PATH_PLANE, PATH, TRAINING)):
        assert revealed(figure)
        for trace in revealed(figure):
            assert np.all(np.diff(trace["meta"]["steps"]) >= 0)
            for key in {"x", "y", "z", "text"} & set(trace):
                assert len(trace[key]) == len(trace["meta"]["steps"])


@by_measure
def test_hover_on_the_path_says_the_true_value_that_on_the_plane_and_both_distances(measure):
    words = named(figures.path_map(PATH_PLANE, PATH, TRAINING, measure), "path")["text"]
    for i, text in enumerate(words):
        found = [float(number) for number in re.findall(r"-?[\d.]+", re.sub("PC|<[^>]*>", " ", text))]
        percent = 100 if "accuracy" in measure else 1
        said = (percent * TRAINING[measure][i], percent * PATH[f"plane_{measure}"][i])
        expected = [PATH["steps"][i], *said, PATH["residuals"][i], PATH["distances"][i]]
        np.testing.assert_allclose(found, expected, rtol=6e-3, atol=0.06 if percent > 1 else 1e-12)


def test_the_axes_give_the_variance_they_explain():
    layout = figures.path_map(PATH_PLANE, PATH, TRAINING)["layout"]
    assert layout["xaxis"]["title"]["text"] == "PC 1 (93% of variance)"
    assert layout["yaxis"]["title"]["text"] == "PC 2 (5.3% of variance)"


@pytest.mark.parametrize("off", [0.0, 0.02, 0.5, 4.0])
def test_the_band_holds_all_that_is_as_near_to_the_path_as_the_path_is_to_the_plane(off):
    """Polygons: a bit less than the circle at each point, never more, and nothing left out between."""
    path = landscape_arrays.path(off=off)
    band = named(figures.path_map(PATH_PLANE, path, landscape_arrays.training(off=off)), "band")
    corners = np.stack([band["x"], band["y"]], 1).astype(float)
    count = 2 * training_trajectory.HALF_CIRCLE_POINTS + 1
    parts = corners.reshape(-1, count, 2)[:, :-1]
    assert len(parts) == len(path["steps"])
    assert np.isnan(corners[count - 1 :: count]).all()
    for i, part in enumerate(parts):
        ends = [max(i - 1, 0), i]
        away = np.linalg.norm(part[:, None] - path["coordinates"][ends], axis=2) - path["residuals"][ends]
        np.testing.assert_allclose(away.min(1), 0, atol=1e-5)  # on one of the two circles
        turn = part - np.roll(part, 1, 0)
        turn = turn[np.linalg.norm(turn, axis=1) > 1e-4]
        ahead = np.roll(turn, -1, 0)
        assert np.all(turn[:, 0] * ahead[:, 1] - turn[:, 1] * ahead[:, 0] > -1e-6)  # convex, all one way round
        center = path["coordinates"][i]
        around = np.linspace(0, 2 * np.pi, 60)
        inner = center + 0.95 * path["residuals"][i] * np.stack([np.cos(around), np.sin(around)], 1)
        sides = np.roll(part, -1, 0) - part
        to = inner[:, None] - part
        assert np.all(sides[:, 0] * to[..., 1] - sides[:, 1] * to[..., 0] > -1e-5)


def test_the_3d_path_is_on_the_surface_and_diamonds_are_at_the_actual_values():
    training = landscape_arrays.training(off=2.0)
    figure = figures.path_surface_3d(PATH_PLANE, landscape_arrays.path(off=2.0), training, log=False)
    low, high = (float(PATH_PLANE["train_loss"].min()), float(PATH_PLANE["train_loss"].max()))
    points, true = named(figure, "points"), named(figure, "actual")
    above = points["z"] - PATH["plane_train_loss"]
    assert np.all(above > 0)
    assert np.all(above < 0.05 * (high - low))
    apart = np.abs(training["train_loss"] - PATH["plane_train_loss"])
    shown = np.isfinite(true["z"])
    assert shown[apart > 0.05 * (high - low)].all()
    assert not shown[apart < 1e-9].any()
    lift = np.ptp(true["z"][shown] - training["train_loss"][shown])
    assert lift < 1e-5


def test_a_slice_without_the_measure_says_why(valid):
    for figure in maps(
        landscape_arrays.plane(names=("train_loss",)),
        landscape_arrays.plane(names=("train_loss",)),
        measure="test_loss",
    ):
        assert valid(figure)["layout"]["annotations"][0]["text"] == "this network has no test set"
        assert figure["data"] == []
    regression = landscape_arrays.plane(names=("train_loss", "test_loss"))
    for figure in maps(regression, regression, measure="test_accuracy"):
        assert valid(figure)["layout"]["annotations"][0]["text"] == "accuracy needs classes"


def test_a_plane_is_drawn_before_its_path_is_known(valid):
    for draw in (figures.path_map, figures.path_surface_3d):
        figure = valid(draw(PATH_PLANE, {}, {}))
        assert named(figure, "network")
        assert not revealed(figure)
        assert valid(draw(PATH_PLANE, PATH, {}))["data"]


@pytest.mark.parametrize("log", [False, True, None])
def test_losses_that_are_no_numbers_are_left_out(log, valid):
    z = PLANE["train_loss"].copy()
    z[:3], z[5, 5], z[6, 6] = np.nan, np.inf, -np.inf
    for figure in maps(PLANE | {"train_loss": z}, PLANE | {"train_loss": z}, log=log):
        valid(figure)
    hover = figures.loss_map(PLANE | {"train_loss": z}, log=log)["data"][0]["z"]
    np.testing.assert_array_equal(np.isnan(hover), ~np.isfinite(z))


@each("value", [0.0, 0.3, -1.0, 1e-300, 1e300, np.nan, np.inf])
@each("size", [2, 6])
def test_constant_losses_and_small_grids_are_drawn(value, size, valid):
    plane = {
        name: np.full_like(v, value) if name in landscape_arrays.MEASURES else v
        for name, v in landscape_arrays.plane(size).items()
    }
    for measure in ("train_loss", "train_accuracy"):
        for log in (False, True, None):
            for figure in maps(plane, plane, measure=measure, log=log):
                valid(figure)


@pytest.mark.parametrize("log", [False, True, None])
def test_one_huge_loss_is_cut_off_and_flattens_nothing(log):
    z = PLANE["train_loss"].copy()
    usual = figures.shared_scale(PLANE, measure="train_loss", log=log)
    z[0, 0], z[-1, -1], z[0, -1] = 1e9, np.inf, 1e300
    found = figures.shared_scale(PLANE | {"train_loss": z}, measure="train_loss", log=log)
    np.testing.assert_allclose(found.position_range, usual.position_range, rtol=0.05)
    flat, space = maps(PLANE | {"train_loss": z}, log=log)[:2]
    assert bar(flat)["colorbar"]["ticktext"][-1].startswith("≥")
    assert space["layout"]["scene"]["zaxis"]["ticktext"][-1].startswith("≥")
    assert np.nanmax(space["data"][0]["z"]) <= found.position_range[1] * (1 + 1e-6)
    assert np.nanmax(space["data"][0]["customdata"]) > 1e8
    assert not bar(figures.loss_map(PLANE, log=log))["colorbar"]["ticktext"][-1].startswith("≥")


def test_one_loss_of_almost_nothing_flattens_nothing():
    z = PLANE["train_loss"].copy()
    z[10, 10] = 1e-200
    found = figures.shared_scale(PLANE | {"train_loss": z}, measure="train_loss", log=True)
    assert np.ptp(found.position_range) < 12


@pytest.mark.parametrize("low", [1e-7, 0.02, 0.6])
def test_losses_have_their_own_logarithm(low):
    """So that the lowest place is no bottomless hole, as it would be by the logarithm above the lowest."""
    z = low + np.geomspace(1e-9, 3, 400)
    found = figures.shared_scale({"train_loss": z}, measure="train_loss", log=True)
    np.testing.assert_allclose(found.position(z), np.log10(z), atol=1e-9)
    np.testing.assert_allclose(found.value(found.position(z)), z, rtol=1e-9)
    lines = colorscale.contour_levels(found)
    assert 3 <= len(lines) <= 30
    assert np.all((lines > found.low) & (lines < found.high))
    places, words = colorscale.ticks(found)
    assert 2 <= len(places) <= 9
    for place, text in zip(places, words, strict=True):
        said = float(text.replace("−", "-").replace(" × 10<sup>", "e").replace("10<sup>", "1e").replace("</sup>", ""))
        np.testing.assert_allclose(10**place, said, rtol=1e-6)


def test_accuracy_is_never_logarithmic_and_shown_in_percent():
    for log in (True, None):
        scale = figures.shared_scale(PLANE, measure="test_accuracy", log=log)
        assert scale.log_offset == 0
        assert all("%" in text for text in bar(figures.loss_map(PLANE, "test_accuracy"))["colorbar"]["ticktext"])


@by_measure
@each("log", [False, True, None])
def test_two_networks_have_one_color_scale_and_one_vertical_axis(measure, log, valid):
    other = landscape_arrays.plane(steep=30.0)
    scale = figures.shared_scale(PLANE, other, measure=measure, log=log)
    low, high = (float(f(np.append(PLANE[measure], other[measure]))) for f in (np.min, np.max))
    assert scale.low == low
    assert scale.high == high
    options = {"measure": measure, "scale": scale}
    one, two = figures.same_axes(*(figures.loss_map(plane, **options) for plane in (PLANE, other)))
    assert bar(one) == bar(two)
    one, two = figures.same_axes(*(valid(figures.loss_surface_3d(plane, **options)) for plane in (PLANE, other)))
    assert one["layout"]["scene"] == two["layout"]["scene"]
    assert one["layout"]["margin"] == two["layout"]["margin"]
    assert [t["data"][0]["cmax"] for t in (one, two)] == [scale.position_range[1]] * 2
    assert one["layout"]["scene"]["zaxis"]["range"][0] <= scale.position_range[0]


def colors(figure: dict) -> np.ndarray:
    """The pixels (height, width, 4) of a map, the lowest row first, without its contour lines' own shade."""
    raw = base64.b64decode(figure["layout"]["images"][0]["source"].split(",")[1])
    chunks, at = {}, 8
    while at < len(raw):
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        chunks[kind] = raw[at + 8 : at + 8 + length]
        at += length + 12
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)[::-1, 1:]
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    alpha = np.frombuffer(chunks[b"tRNS"], np.uint8)
    return np.append(palette, alpha[:, None], 1)[rows - rows % 2]


@pytest.mark.parametrize("log", [False, True])
def test_the_same_value_has_the_same_color_in_both_maps(log):
    """Four times as steep a bowl is as high half as far out."""
    other = landscape_arrays.plane(steep=4.0)
    scale = figures.shared_scale(PLANE, other, measure="train_loss", log=log)
    flat, steep = (colors(figures.loss_map(plane, scale=scale)) for plane in (PLANE, other))
    count, middle = len(PLANE["x"]) // 2, len(flat) // 2
    pixels = middle // count
    even = [(i, j) for i in range(-count, count + 1, 2) for j in range(-count, count + 1, 2)]
    for i, j in even:
        one = flat[middle + i * pixels, middle + j * pixels]
        two = steep[middle + i // 2 * pixels, middle + j // 2 * pixels]
        np.testing.assert_array_equal(one, two)
    alone = colors(figures.loss_map(PLANE, log=log))
    assert not np.array_equal(alone, flat)


def test_no_slice_has_no_scale_and_one_that_is_not_there_yet_is_left_out():
    assert figures.shared_scale({}, {}, measure="train_loss") is None
    assert figures.shared_scale(PLANE, measure="other") is None
    one, both = (figures.shared_scale(*slices, measure="train_loss") for slices in ((PLANE,), (PLANE, {})))
    assert one == both


def test_scenes_that_tell_different_things_keep_their_axes():
    loss, accuracy = figures.loss_surface_3d(PLANE), figures.loss_surface_3d(PLANE, "test_accuracy")
    one, two = figures.same_axes(loss, accuracy)
    assert one["layout"]["scene"]["zaxis"] == loss["layout"]["scene"]["zaxis"]
    assert two["layout"]["scene"]["zaxis"] == accuracy["layout"]["scene"]["zaxis"]


def test_scenes_of_one_kind_get_the_wider_range_without_a_common_scale():
    drawn = [figures.loss_surface_3d(landscape_arrays.plane(steep=steep), log=False) for steep in (1.0, 5.0)]
    one, two = figures.same_axes(*drawn)
    assert one["layout"]["scene"]["zaxis"] == two["layout"]["scene"]["zaxis"]
    assert one["layout"]["scene"]["zaxis"]["range"][1] == drawn[1]["layout"]["scene"]["zaxis"]["range"][1]


DRAWN = {
    "loss map": lambda a: figures.loss_map(a["plane"]),
    "loss map, logarithmic": lambda a: figures.loss_map(a["plane"], log=True),
    "loss map of accuracy": lambda a: figures.loss_map(a["plane"], "test_accuracy"),
    "path map": lambda a: figures.path_map(a["path_plane"], a["path"], a["training"]),
    "loss space": lambda a: figures.loss_surface_3d(a["plane"]),
    "path space": lambda a: figures.path_surface_3d(a["path_plane"], a["path"], a["training"], "test_loss"),
    "path residuals": lambda a: figures.projection_residuals(a["path"]),
    "plane truth": lambda a: figures.training_against_projection(a["training"], a["path"]),
    "loss lines": lambda a: figures.loss_lines(a["lines"]),
    "loss line": lambda a: figures.loss_line(a["line"]),
    "sharpness": lambda a: figures.sharpness(a["curvature"]),
    "sharpness, logarithmic": lambda a: figures.sharpness(a["curvature"], log=True),
    "trace": lambda a: figures.hessian_trace(a["curvature"]),
}
EXACT = ("x", "y", "steps", "coordinates", "no_limit")
ODD = np.array([np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-38, 0.0])
"""What float32 comes to."""


def spoiled(name: str, fraction: float, rng: np.random.Generator) -> dict:
    """The arrays of a snapshot, that fraction of what was measured replaced by odd numbers; fractions by NaN."""
    found = {}
    for key, values in getattr(landscape_arrays, name)().items():
        odd = ODD[:1] if "accuracy" in key or "explained" in key else ODD
        strange = rng.choice(odd, values.shape)
        found[key] = values if key in EXACT else np.where(rng.random(values.shape) < fraction, strange, values)
    return found


@each("fraction", [0.05, 0.5, 1.0])
@each("name", DRAWN)
def test_any_number_may_be_nan_infinite_or_huge(name, fraction, valid):
    rng = np.random.default_rng(0)
    snapshots = ("plane", "path_plane", "path", "training", "lines", "line", "curvature")
    usual = DRAWN[name]({which: getattr(landscape_arrays, which)() for which in snapshots})
    for _ in range(6):
        figure = valid(DRAWN[name]({which: spoiled(which, fraction, rng) for which in snapshots}))
        for drawn in (figure, *figures.same_axes(figure, usual)):
            json.dumps(drawn, default=np.shape, allow_nan=False)


def test_a_full_map_is_small():
    """Bytes as the board sends them: arrays as they are, the rest as JSON."""
    path = landscape_arrays.path(61)
    for figure in (
        figures.loss_map(landscape_arrays.plane(41)),
        figures.path_map(landscape_arrays.path_plane(41), path, landscape_arrays.training(61)),
    ):
        sizes = []

        def told(value: np.ndarray, sizes: list[int] = sizes) -> str:
            sizes.append(value.nbytes * 4 // 3)
            return ""

        assert len(json.dumps(figure, default=told)) + sum(sizes) < 100_000
