"""Pictures of generators and discriminators show the numbers that they are given."""

import numpy as np

from nnviz import figures
from nnviz.figures.kit import theme
from tests.figures import gan_arrays as gan

NO_GAPS = gan.SCALARS[:0]


def texts(figure: dict) -> str:
    return " ".join(note["text"] for note in figure["layout"].get("annotations", ()))


def test_the_map_has_all_samples_and_arrows_along_the_descent_direction(valid):
    figure = valid(figures.samples_map(gan.REAL, gan.GENERATED, gan.field()))
    traces = {trace.get("uid"): trace for trace in figure["data"]}
    for kind, arrays in (("real", gan.REAL), ("generated", gan.GENERATED)):
        np.testing.assert_array_equal(traces[kind]["x"], arrays["points"][:, 0])
        np.testing.assert_array_equal(traces[kind]["y"], arrays["points"][:, 1])
    lines = np.stack([traces["descent"]["x"], traces["descent"]["y"]], 1).reshape(10, -1, 2)
    times = float(traces["descent"]["name"].rpartition("×")[2])
    np.testing.assert_allclose(lines[:, 0], gan.GENERATED["points"][:10])
    np.testing.assert_allclose(lines[:, 1] - lines[:, 0], times * gan.GENERATED["descent"], rtol=1e-4, atol=1e-5)
    without = figures.samples_map(gan.REAL, gan.GENERATED, gan.field(), show_arrows=False)
    assert "descent" not in {trace.get("uid") for trace in without["data"]}


def test_generated_samples_are_colored_by_their_nearest_mode_where_that_is_asked_for():
    figure = figures.samples_map(gan.REAL, gan.GENERATED, gan.field(), by_mode=True)
    trace = next(trace for trace in figure["data"] if trace.get("uid") == "generated")
    assert trace["marker"]["color"] == [theme.class_color(mode) for mode in gan.GENERATED["mode"]]
    without = {name: array for name, array in gan.GENERATED.items() if name != "mode"}
    plain = figures.samples_map(gan.REAL, without, gan.field(), by_mode=True)["data"][2]
    assert plain["marker"]["color"] == theme.ADVERSARIAL["generated"]


def test_what_is_switched_on_is_printed_and_a_line_can_be_drawn_only_where_that_is_asked_for():
    plain = figures.samples_map(gan.REAL, gan.GENERATED, gan.field())
    assert texts(plain) == ""
    assert "stroke" not in plain["layout"]["meta"]
    noted = figures.samples_map(gan.REAL, gan.GENERATED, gan.field(), notes=["spectral norm"], stroke=0.3)
    assert texts(noted) == "spectral norm"
    assert noted["layout"]["meta"]["stroke"] == {"width": 0.3}


def test_a_score_is_named_so_and_a_probability_is_d():
    for scored, word in ((False, "D "), (True, "score ")):
        output = "score" if scored else "target"
        figure = figures.samples_map(gan.REAL, gan.GENERATED, gan.field(scored), output=output)
        assert figure["data"][0]["hovertemplate"].startswith(word)


def test_the_grid_of_noise_is_drawn_line_by_line_each_way(valid):
    figure = valid(figures.noise_map(gan.REAL, gan.LATTICE))
    first, second = figure["data"][1:]
    assert (first["name"], second["name"]) == ("z₁ constant", "z₂ constant")
    rows = np.stack([first["x"], first["y"]], 1).reshape(16, 17, 2)
    np.testing.assert_allclose(rows[:, :16], gan.LATTICE["points"])
    assert np.isnan(rows[:, 16]).all()
    columns = np.stack([second["x"], second["y"]], 1).reshape(16, 17, 2)
    np.testing.assert_allclose(columns[:, :16], np.swapaxes(gan.LATTICE["points"], 0, 1))
    assert len(figures.noise_map(gan.REAL, gan.CURVE)["data"]) == 2
    assert "one- and two-dimensional" in texts(figures.noise_map(gan.REAL, {}))


def test_learned_optimal_and_difference_stand_side_by_side_and_one_alone(valid):
    gaps = gan.SCALARS[(gan.SCALARS["quantity"] == "optimal_gap").to_numpy()]
    figure = valid(figures.optimal_discriminator(gan.field(), gaps, 30))
    learned, best, difference = (np.asarray(trace["z"], float) for trace in figure["data"])
    np.testing.assert_allclose(difference[1:], (learned - best)[1:])
    assert np.isnan(best[0]).all()
    assert "step 30 · RMS difference over the samples 0.380 " in texts(figure)
    assert "bandwidth 0.04" in texts(figure)
    alone = figures.optimal_discriminator(gan.field(), NO_GAPS, show="optimal")
    assert [trace["name"] for trace in alone["data"]] == ["optimal"]
    assert "no optimal discriminator" in texts(figures.optimal_discriminator({}, NO_GAPS, has_optimum=False))


def test_histograms_have_the_fractions_that_were_recorded(valid):
    real, generated = valid(figures.output_histogram(gan.HISTOGRAM))["data"]
    np.testing.assert_allclose(real["y"], gan.HISTOGRAM["real"])
    np.testing.assert_allclose(generated["y"], gan.HISTOGRAM["generated"])
    np.testing.assert_allclose(real["x"], [0.125, 0.375, 0.625, 0.875])


def test_reference_lines_are_named_with_their_values_and_left_out_where_the_axis_has_no_place_for_them(valid):
    figure = valid(figures.gan_curves({"A": gan.SCALARS}, "jensen_shannon", {"two sets of real samples": 0.005}))
    line = figure["data"][-1]
    assert line["name"] == "two sets of real samples 0.005"
    assert line["y"] == [0.005, 0.005]
    assert line["x"] == [0, 90]
    hidden = figures.gan_curves({"A": gan.SCALARS}, "high_quality_fraction", {"none": -1.0}, log=True)
    assert hidden["layout"]["yaxis"].get("type") != "log" or hidden["data"][-1].get("name") != "none −1"
