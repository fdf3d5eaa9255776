"""Basins have the color of their minimum, fainter for more steps, and gray where none is reached."""

import numpy as np

from nnviz.figures import basin_arrival_steps, basin_map
from nnviz.figures.kit import theme
from nnviz.figures.trajectories.basin_map import MAX_COLORED_MINIMA, MIN_OPACITY, OPACITY_LEVELS
from tests.figures import sample_records


def named(figure: dict, name: str) -> dict:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def color_at(squares: dict, row: int, column: int) -> str:
    """The color that Plotly draws a square in."""
    place = (squares["z"][row, column] - squares["zmin"]) / (squares["zmax"] - squares["zmin"])
    return next(color for end, color in squares["colorscale"][1::2] if place < end)


def test_each_start_has_the_color_of_its_minimum_and_says_it():
    basins = sample_records.basins()
    squares = named(basin_map(basins, 0, "SGD"), "reached")
    reached = basins["minimum"][0]
    np.testing.assert_array_equal(np.isnan(squares["z"]), reached < 0)
    red, green, blue = theme.rgb(theme.optimizer_color(1))
    for row in range(1, 8):
        assert color_at(squares, row, 7).startswith(f"rgba({red},{green},{blue},")
    np.testing.assert_array_equal(squares["customdata"][1:, :, 0], basins["minima"][reached[1:], 0])
    np.testing.assert_array_equal(squares["customdata"][1:, :, 2], basins["steps"][0, 1:])


def test_starts_that_take_more_steps_are_fainter():
    squares = named(basin_map(sample_records.basins(), 0, "SGD"), "reached")
    level = squares["z"][1:] % OPACITY_LEVELS
    assert np.all(np.diff(level, axis=0) >= 0)
    assert level.min() == 0
    assert level.max() == OPACITY_LEVELS - 1
    assert color_at(squares, 7, 0).endswith(f",{MIN_OPACITY})")


def test_starts_that_reach_nothing_are_gray_and_counted():
    figure = basin_map(sample_records.basins(), 0, "SGD")
    gray = named(figure, "no minimum")
    assert np.isfinite(gray["z"]).sum() == 8
    assert named(figure, "no minimum 12%")["marker"]["color"] == gray["colorscale"][0][1]


def test_small_basins_of_many_share_a_color():
    basins = sample_records.basins(30, 30)
    figure = basin_map(basins, 0, "SGD")
    assert len(np.unique(named(figure, "reached")["z"][1:] // OPACITY_LEVELS)) == MAX_COLORED_MINIMA + 1
    assert any(trace["name"].startswith("other minima 61%") for trace in figure["data"])


def test_curves_and_a_flat_region_of_minima_are_named_in_the_legend(valid):
    line = np.array([[-1.0, 0.0], [1.0, 0.0], [np.nan, np.nan], [-1.0, 0.5], [1.0, 0.5]])
    basins = sample_records.basins(8, 4) | {"minima": np.array([[0.5, 0.5]]), "minimum_curves": line}
    figure = valid(basin_map(basins, 0, "SGD"))
    entries = [trace["name"].rsplit(" ", 1)[0] for trace in figure["data"] if trace.get("showlegend")]
    assert sorted(entries) == [
        "(0.5, 0.5)",
        "curve of minima 1",
        "curve of minima 2",
        "flat region of minima",
        "no minimum",
    ]
    assert [trace["name"] for trace in figure["data"]].count("curve of minima") == 2
    squares = named(figure, "reached")
    assert squares["text"][1][0] == "(0.5, 0.5)"
    assert squares["text"][1][7] == "flat region of minima"
    assert "text" not in named(basin_map(sample_records.basins(), 0, "SGD"), "reached")
    valid(basin_arrival_steps(basins, 0, "SGD"))


def test_a_surface_without_minima_is_all_gray(valid):
    basins = sample_records.basins() | {"minima": np.zeros((0, 2))}
    basins["minimum"][:], basins["steps"][:] = -1, -1
    assert np.isfinite(named(valid(basin_map(basins, 0, "SGD")), "no minimum")["z"]).all()
    assert np.isnan(named(valid(basin_arrival_steps(basins, 0, "SGD")), "steps")["z"]).all()


def test_arrival_steps_have_ticks_at_their_values():
    basins = sample_records.basins()
    told = named(basin_arrival_steps(basins, 0, "SGD"), "steps")["customdata"]
    np.testing.assert_array_equal(told[1:], basins["steps"][0, 1:])
    assert np.isnan(told[0]).all()
    basins["steps"][0, 7, 7] = 5000
    squares = named(basin_arrival_steps(basins, 0, "SGD"), "steps")
    bar = squares["colorbar"]
    np.testing.assert_allclose(10 ** np.array(bar["tickvals"]) - 1, [int(text) for text in bar["ticktext"]], atol=1e-9)
    np.testing.assert_allclose(10 ** squares["z"][7, 7] - 1, 5000, rtol=1e-5)
