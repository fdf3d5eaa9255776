"""Surface and paths are those recorded, cut by step, and arrows show the updates."""

import numpy as np
import pytest

from nnviz.figures import contour_map, surface_3d
from nnviz.figures.kit import colorscale, theme
from nnviz.figures.trajectories import critical_point_marks, trajectory_lines, update_arrows
from tests.each import each
from tests.figures import sample_records

NAMES = ["plain", "momentum", "leaver"]
SURFACE = sample_records.surface()


def named(figure: dict, uid: str) -> dict:
    return next(trace for trace in figure["data"] if trace.get("uid") == uid)


def cut(trace: dict, step: int) -> np.ndarray:
    """The points (n, 2) that the board shows of a trace at a step."""
    steps, show = trace["meta"]["steps"], trace["meta"]["show"]
    end = np.searchsorted(steps, step, "right")
    start = np.searchsorted(steps, steps[end - 1]) if show == "at" else 0
    return np.stack([trace["x"], trace["y"]], 1)[start:end]


def revealed(figure: dict) -> list[dict]:
    return [trace for trace in figure["data"] if "steps" in trace.get("meta", {})]


@pytest.mark.parametrize("step", [0, 1, 17, 30])
def test_paths_go_up_to_the_step_and_marks_are_at_it(step):
    trajectories = sample_records.trajectories()
    figure = contour_map(SURFACE, trajectories, NAMES)
    assert figure["layout"]["meta"]["reveals"] is True
    for i in range(3):
        np.testing.assert_allclose(
            cut(named(figure, f"path{i}"), step), trajectories["points"][i, : step + 1], rtol=1e-6
        )
        np.testing.assert_allclose(cut(named(figure, f"mark{i}"), step), trajectories["points"][i, [step]], rtol=1e-6)
        np.testing.assert_allclose(named(figure, f"path{i}")["customdata"], trajectories["values"][i], rtol=1e-6)


@pytest.mark.parametrize("figure", [contour_map, surface_3d])
def test_what_is_cut_by_step_has_as_many_entries_as_steps_which_rise(figure):
    drawn = figure(
        SURFACE, sample_records.trajectories(left_at=9), NAMES, **({"selected": 1} if figure is contour_map else {})
    )
    assert revealed(drawn)
    for trace in revealed(drawn):
        assert np.all(np.diff(trace["meta"]["steps"]) >= 0)
        for key in {"x", "y", "z", "text", "customdata"} & set(trace):
            assert len(trace[key]) == len(trace["meta"]["steps"])


def test_a_optimizer_that_left_is_nowhere_from_then_on():
    figure = contour_map(SURFACE, sample_records.trajectories(left_at=9), NAMES)
    assert np.isnan(cut(named(figure, "mark2"), 9)).all()
    assert np.isnan(cut(named(figure, "mark2"), 30)).all()
    assert np.isfinite(cut(named(figure, "mark2"), 8)).all()
    assert len(cut(named(figure, "path2"), 30)) == 10
    assert named(figure, "path2")["name"] == "leaver (diverged at step 9)"


def test_long_paths_are_thinned_evenly_with_both_ends():
    trajectories = sample_records.trajectories(5000)
    trace = named(contour_map(SURFACE, trajectories, NAMES), "path0")
    steps = trace["meta"]["steps"]
    assert len(steps) == trajectory_lines.MAX_PATH_POINTS
    assert steps[0] == 0
    assert steps[-1] == 5000
    assert set(np.diff(steps)) <= {2, 3}
    np.testing.assert_allclose(trace["x"], trajectories["points"][0, steps, 0], rtol=1e-6)


def test_axes_stay_those_of_the_surface_and_the_start_can_be_picked():
    trajectories = sample_records.trajectories()
    trajectories["points"][1, 20:] = 1e7
    layout = contour_map(SURFACE, trajectories, NAMES, note="gradient noise σ = 2")["layout"]
    assert layout["xaxis"]["range"] == [-2, 2]
    assert layout["yaxis"]["range"] == [-1, 1]
    assert layout["meta"]["pick"] == {"name": "start", "x": -1.8, "y": 0.9}
    assert layout["annotations"][0]["text"] == "gradient noise σ = 2"


def test_hidden_optimizers_are_in_the_legend_alone():
    figure = contour_map(SURFACE, sample_records.trajectories(), NAMES, hidden=[1], selected=1)
    assert named(figure, "path1")["visible"] == named(figure, "mark1")["visible"] == "legendonly"
    assert "visible" not in named(figure, "path0")
    assert not any(trace.get("uid") == "gradient" for trace in figure["data"])


def test_lowest_minima_are_drawn_once():
    surface = SURFACE | {"minima": np.array([[-1.0, 1e-9], [1.0, 0.0], [0.5, 0.5]])}
    figure = contour_map(surface, {}, [])
    np.testing.assert_allclose(named(figure, "minimum")["x"], [0.5])
    np.testing.assert_allclose(named(figure, "lowest_minimum_in_view")["x"], [-1, 1])


def lines_of(figure: dict, name: str) -> dict:
    return [trace for trace in figure["data"] if trace["name"] == name][-1]


def test_curves_of_minima_are_lines_with_a_name_and_no_stars():
    circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 3000)), np.sin(np.linspace(0, 2 * np.pi, 3000))], 1)
    gap, none = np.full((1, 2), np.nan), np.zeros((0, 2))
    upper = np.array([[-2.0, 0.5], [2.0, 0.5]])
    curves = {
        "minima": none,
        "global_minima": none,
        "global_minimum_curves": circle,
        "minimum_curves": np.vstack([circle, gap, upper]),
    }
    figure = contour_map(SURFACE | curves, {}, [])
    assert len(named(figure, "lowest_minimum_in_view")["x"]) == 0
    line, other = lines_of(figure, "curve of minima"), lines_of(figure, "curve of local minima")
    assert line["showlegend"] is True
    assert len(line["x"]) <= critical_point_marks.MAX_DRAWN
    np.testing.assert_allclose(np.hypot(line["x"], line["y"]), 1, rtol=1e-6)
    assert line["x"][0] == line["x"][-1]
    np.testing.assert_allclose(other["y"][np.isfinite(other["y"])], 0.5)
    space = surface_3d(SURFACE | curves, {}, [])
    assert len(named(space, "curve")["x"]) == len(line["x"])
    assert not any(trace["name"] == "curve of minima" for trace in contour_map(SURFACE, {}, [])["data"])


def test_of_many_points_some_are_drawn_and_the_legend_says_of_how_many(valid):
    many = np.random.default_rng(0).uniform(-1, 1, (5000, 2))
    surface = SURFACE | {
        "saddles": many,
        "minima": many,
        "global_minima": many,
        "maxima": many,
        "omitted": np.array([0, 3, 7]),
    }
    figure = valid(contour_map(surface, {}, []))
    marks = [trace for trace in figure["data"] if trace.get("mode") == "markers" and "uid" in trace]
    assert sum(len(trace["x"]) for trace in marks) <= 2000
    for uid in ("saddle_point", "maximum", "lowest_minimum_in_view"):
        assert named(figure, uid)["name"].endswith("(400 of 5,000 drawn)")
        assert named(figure, uid)["showlegend"] is True
    assert len(named(figure, "minimum")["x"]) == 0  # all are lowest
    assert (
        "Only the lowest are recorded: 5,000 of 5,003 maxima, 5,000 of 5,007 saddles."
        in figure["layout"]["meta"]["help"]
    )
    assert "Only the lowest" not in contour_map(SURFACE, {}, [])["layout"]["meta"]["help"]


def test_lines_are_thinned_with_their_ends_and_the_longest_stay():
    gap = np.full((1, 2), np.nan)
    parts = [np.stack([np.arange(n), np.full(n, n)], 1).astype(float) for n in (1000, 300, 5)]
    thin = critical_point_marks.thinned_lines(np.vstack([parts[1], gap, parts[0], gap, parts[2]]), limit=100)
    assert len(thin) <= 100
    ends = thin[thin[:, 1] == 1000]
    assert ends[0].tolist() == [0, 1000]
    assert ends[-1].tolist() == [999, 1000]
    np.testing.assert_array_equal(critical_point_marks.thinned_lines(parts[2]), parts[2])


def _arrow(figure: dict, uid: str, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and vector of the arrow shown at a step."""
    lines = cut(named(figure, uid), step)
    assert len(lines) == update_arrows.POINTS_PER_ARROW
    return lines[0], lines[1] - lines[0]


@pytest.mark.parametrize("step", [0, 3, 29])
def test_arrows_lead_from_the_point_along_what_they_are_named_after(step):
    trajectories = sample_records.trajectories()
    figure = contour_map(SURFACE, trajectories, NAMES, selected=1)
    points = trajectories["points"][1]
    start, move = _arrow(figure, "step", step)
    np.testing.assert_allclose(start, points[step], rtol=1e-6)
    np.testing.assert_allclose(move, points[step + 1] - points[step], atol=1e-6)
    for part in ("gradient", "momentum"):
        trace = named(figure, part)
        times = float(trace["name"].split("× ")[1])
        start, vector = _arrow(figure, part, step)
        np.testing.assert_allclose(start, points[step], rtol=1e-6)
        true = -times * trajectories[part][1, step]
        size = np.array([4, 2])
        longest = min(1, update_arrows.MAX_LENGTH / np.linalg.norm(true / size))
        np.testing.assert_allclose(vector, true * longest, atol=2e-6)
        length = trace["customdata"][step * update_arrows.POINTS_PER_ARROW]
        np.testing.assert_allclose(length, np.linalg.norm(trajectories[part][1, step]), rtol=1e-5)


def test_a_method_without_momentum_has_no_arrow_for_it_and_the_last_step_stays_at_the_end():
    trajectories = sample_records.trajectories()
    figure = contour_map(SURFACE, trajectories, NAMES, selected=0)
    assert not any(trace.get("uid") == "momentum" for trace in figure["data"])
    start, move = _arrow(figure, "step", 30)
    np.testing.assert_allclose(start + move, trajectories["points"][0, 30], rtol=1e-6)


def test_heads_of_arrows_point_back_on_both_sides():
    lines = update_arrows.arrow_lines(np.zeros((1, 2)), np.array([[1.0, 0.0]]), (4.0, 4.0))
    tip, one, again, other, gap = lines[1:]
    np.testing.assert_array_equal(tip, [1, 0])
    np.testing.assert_array_equal(again, tip)
    assert one[0] == other[0] < 1
    assert one[1] == -other[1] != 0
    assert np.isnan(gap).all()


def test_arrows_that_are_no_numbers_are_gaps():
    lines = update_arrows.arrow_lines(np.zeros((3, 2)), np.array([[np.nan, 1], [0, 0], [np.inf, 0]]), (1.0, 1.0))
    assert np.isnan(lines).all()


@each("log", [False, True])
@each(
    "z",
    [sample_records.surface()["z"], 1e-9 * sample_records.surface()["z"], sample_records.surface()["z"] * 1e6 - 78.3],
)
def test_ticks_are_at_their_values(z, log):
    scale = colorscale.value_scale(z, log)
    places, words = colorscale.ticks(scale)
    assert len(places) >= 3
    assert np.all(np.diff(places) > 0)
    for place, text in zip(places, words, strict=True):
        plain = text.replace("−", "-").replace(" × 10<sup>", "e").replace("10<sup>", "1e").replace("</sup>", "")
        said = float(plain)
        # The lowest is said in few digits, within what the scale counts as nothing.
        np.testing.assert_allclose(scale.value(place), said, rtol=1e-6, atol=0.11 * scale.log_offset)


@pytest.mark.parametrize("log", [False, True])
def test_values_and_positions_map_both_ways(log):
    scale = colorscale.value_scale(SURFACE["z"], log)
    np.testing.assert_allclose(scale.value(scale.position(SURFACE["z"])), SURFACE["z"], atol=1e-9)
    assert np.all(np.diff(scale.position(np.linspace(-1, 12, 50))) > 0)


def test_color_changes_at_the_contour_lines():
    scale = colorscale.value_scale(SURFACE["z"], True)
    marker = colorscale.colorbar(scale, "f")["marker"]
    stops = [end for end, _ in marker["colorscale"]][1:-1:2]
    heights = scale.value(marker["cmin"] + np.array(stops) * (marker["cmax"] - marker["cmin"]))
    np.testing.assert_allclose(heights, colorscale.contour_levels(scale), rtol=1e-9)
    above = colorscale.contour_levels(scale) + 1
    digits = np.round(above / 10 ** np.floor(np.log10(above) + 1e-9), 9)
    assert set(digits) == {1, 2, 5}


def test_upsampling_is_parabolic_and_does_not_overshoot_at_a_step():
    x = np.linspace(-1, 1, 9)
    fine = np.linspace(-1, 1, 33)
    found = colorscale._upsampled(x[None] ** 2 + 3 * x[:, None] ** 2, 4)
    np.testing.assert_allclose(found, fine[None] ** 2 + 3 * fine[:, None] ** 2, atol=1e-12)
    cliff = colorscale._upsampled(np.tile((x > 0.1) * 1.0, (9, 1)), 4)
    assert cliff.min() >= 0
    assert cliff.max() <= 1


def test_points_without_a_finite_value_are_hatched(valid):
    z = SURFACE["z"].copy()
    z[:5], z[7, 7] = np.nan, np.inf
    for log in (False, True, None):
        valid(contour_map(SURFACE | {"z": z}, sample_records.trajectories(), NAMES, log=log))
        valid(surface_3d(SURFACE | {"z": z}, sample_records.trajectories(), NAMES, log=log))
    hover = contour_map(SURFACE | {"z": z}, {}, [])["data"][0]["z"]
    np.testing.assert_array_equal(np.isnan(hover), ~np.isfinite(z[::2, ::2]))
    np.testing.assert_allclose(hover[4], z[8, ::2], rtol=1e-6)


def test_a_constant_surface_and_one_without_finite_values_are_drawn(valid):
    for z in (np.zeros((21, 21)), np.full((21, 21), np.nan)):
        valid(contour_map(SURFACE | {"z": z}, sample_records.trajectories(), NAMES, log=True))
        valid(surface_3d(SURFACE | {"z": z}, sample_records.trajectories(), NAMES))


@pytest.mark.parametrize("log", [False, True])
def test_3d_paths_are_just_above_the_surface(log):
    trajectories = sample_records.trajectories()
    figure = surface_3d(SURFACE, trajectories, NAMES, log=log)
    ground = figure["data"][0]["z"]
    scale = colorscale.value_scale(SURFACE["z"], log)
    trace = named(figure, "path0")
    above = trace["z"] - scale.position(trajectories["values"][0])
    assert np.all(above > 0)
    assert above.max() < 0.1 * np.ptp(ground)
    np.testing.assert_allclose(trace["customdata"], trajectories["values"][0], rtol=1e-5)


def test_the_3d_surface_is_coarse_and_says_where_it_is_clipped():
    x = np.linspace(-2, 2, 121)
    z = np.where(np.abs(x)[None] > 1.95, 1e6, 0) + x[:, None] ** 2
    none = np.zeros((0, 2))
    surface = {"x": x, "y": x, "z": z, "minima": none, "maxima": none, "saddles": none, "global_minima": none}
    figure = surface_3d(surface, {}, [])
    ground = figure["data"][0]
    assert ground["z"].shape == (61, 61)
    assert ground["z"].max() < 5
    assert ground["customdata"].max() > 1e5
    assert "are clipped" in figure["layout"]["meta"]["help"]
    assert "cut off" not in surface_3d(SURFACE, {}, [])["layout"]["meta"]["help"]


def test_3d_paths_end_at_the_edge_of_the_surface():
    trajectories = sample_records.trajectories()
    trajectories["points"][1, 20:] = 1e7
    trace = named(surface_3d(SURFACE, trajectories, NAMES), "path1")
    assert np.isnan(trace["z"][20:]).all()
    assert np.isfinite(trace["z"][:20]).all()


def test_twelve_optimizers_have_twelve_colors():
    assert len({theme.optimizer_color(i) for i in range(12)}) == 12
    assert theme.optimizer_color(12) == theme.optimizer_color(0)


def test_a_surface_without_finite_values_is_not_drawn_in_3d():
    nowhere = sample_records.surface() | {"z": np.full_like(sample_records.surface()["z"], np.nan)}
    figure = surface_3d(nowhere, sample_records.trajectories(), NAMES)
    assert figure["data"] == []
    assert figure["layout"]["annotations"][0]["text"] == "f(x, y) is not finite here"
    assert contour_map(nowhere, sample_records.trajectories(), NAMES)["data"]
