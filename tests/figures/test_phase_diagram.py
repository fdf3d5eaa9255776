"""The map of learning rate and momentum says what the theory says, and where the optimizers stand."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from nnviz.engine.theory import quadratic
from nnviz.figures.kit import theme
from nnviz.figures.trajectories.phase_diagram import RATE_BANDS, color_position, phase_diagram
from tests.each import each

LAMBDAS = (0.01, 0.1, 1.0)
ALPHAS, BETAS = np.geomspace(0.02, 8, 60), np.linspace(0, 0.99, 50)
OPTIMIZERS = [
    {"name": "SGD", "alpha": 0.5, "beta": 0.0, "nesterov": False, "color": 3, "predicted": 0.995, "measured": 0.9951},
    {"name": "momentum", "alpha": 0.3, "beta": 0.9, "nesterov": False, "color": 1, "measured": None},
    {"name": "Nesterov", "alpha": 1.3, "beta": 0.8, "nesterov": True, "color": 0, "measured": float("nan")},
    {"name": "too fast", "alpha": 80.0, "beta": 0.5, "nesterov": False, "color": 2},
]


def chart(nesterov: bool = False, alphas: np.ndarray = ALPHAS, optimizers=OPTIMIZERS, **options) -> dict:
    return phase_diagram(quadratic.phase_diagram(LAMBDAS, alphas, BETAS, nesterov), optimizers, **options)


def named(figure: dict, name: str) -> dict:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def leaves(value: object) -> list:
    if isinstance(value, dict | list | tuple):
        return [leaf for part in (value.values() if isinstance(value, dict) else value) for leaf in leaves(part)]
    return [value]


@each("nesterov", [False, True])
@each("alphas", [ALPHAS, np.linspace(0, 5, 60), np.linspace(0, 0.5, 60)])
@each("optimizers", [OPTIMIZERS, []])
def test_plotly_and_the_board_take_the_map(nesterov, alphas, optimizers, valid):
    for leaf in leaves(valid(chart(nesterov, alphas, optimizers))):
        if isinstance(leaf, np.ndarray):
            assert leaf.dtype == np.float32
        else:
            json.dumps(leaf, allow_nan=False)


@pytest.mark.parametrize("dark", [False, True])
def test_both_templates_fit(dark):
    figure = go.Figure(chart()).update_layout(template=theme.template(dark))
    assert figure.layout.xaxis.title.text == "learning rate η"
    assert figure.layout.yaxis.title.text == "momentum β"
    assert figure.data[0].colorbar.title.text == "error factor per step"


def test_nothing_to_show_is_said(valid):
    figure = valid(phase_diagram({}))
    assert figure["data"] == []
    assert "waiting" in figure["layout"]["annotations"][0]["text"]


def test_the_color_rises_with_speed_and_stays_weakest_where_it_diverges():
    surface = named(chart(), "rate")
    rate = quadratic.rate(LAMBDAS, ALPHAS[None, :], BETAS[:, None])
    np.testing.assert_allclose(surface["customdata"], rate, rtol=1e-6)
    np.testing.assert_allclose(surface["z"], color_position(rate), rtol=1e-6)
    assert (surface["z"][rate >= 1] == 0).all()
    assert (np.diff(color_position(np.linspace(0, 1, 50))) < 0).all()
    assert (surface["zmin"], surface["zmax"]) == (0, 1)


def test_a_band_of_the_colorbar_lies_between_its_two_numbers():
    surface = named(chart(), "rate")
    assert surface["colorbar"]["ticktext"] == [f"{edge:g}" for edge in RATE_BANDS]
    np.testing.assert_allclose(surface["colorbar"]["tickvals"], np.linspace(1, 0, len(RATE_BANDS)), atol=1e-12)
    changes = [place for place, _ in surface["colorscale"]]
    np.testing.assert_allclose(changes[::2] + changes[-1:], np.linspace(0, 1, len(RATE_BANDS)))
    assert len({color for _, color in surface["colorscale"]}) == len(RATE_BANDS) - 1


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_edge_is_the_limit_of_stability_and_all_beyond_has_one_color(nesterov):
    figure = chart(nesterov)
    edge, beyond = named(figure, "stability limit"), named(figure, "diverges")
    np.testing.assert_allclose(edge["x"], quadratic.stability_limit(LAMBDAS, BETAS, nesterov), rtol=1e-6)
    np.testing.assert_allclose(edge["y"], BETAS, rtol=1e-6)
    np.testing.assert_array_equal(beyond["x"][:-2], edge["x"])
    np.testing.assert_allclose(beyond["x"][-2:], ALPHAS[-1])
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["diverges above this learning rate"]


def test_the_stability_limit_has_no_label_where_it_is_outside_the_diagram():
    figure = chart(alphas=np.linspace(0.01, 1.5, 40))
    assert figure["layout"]["annotations"] == []
    assert "diverges" not in [trace["name"] for trace in figure["data"]]
    assert np.isnan(named(figure, "stability limit")["x"]).all()


def test_the_dotted_line_is_where_the_steepest_direction_starts_to_oscillate():
    calm = named(chart(), "oscillates above this line")
    expected = quadratic.monotone_limit(LAMBDAS, BETAS)
    seen = expected >= ALPHAS[0]
    np.testing.assert_allclose(calm["x"][seen], expected[seen], rtol=1e-6)
    assert np.isnan(calm["x"][~seen]).all()


def test_the_star_stands_at_the_best_setting_with_its_rate():
    star = named(chart(), "optimal setting")
    assert (star["x"][0], star["y"][0]) == pytest.approx((3.3058, 0.66942), abs=1e-4)
    assert star["text"] == ["optimum: 0.8182"]


def test_optimizers_stand_at_their_settings_in_their_colors_and_say_their_rates():
    mark = named(chart(), "SGD")
    assert (mark["x"][0], mark["y"][0]) == (0.5, 0)
    assert mark["marker"]["color"] == theme.optimizer_color(3)
    assert mark["marker"]["symbol"] == "circle"
    for words in (
        "SGD",
        "η 0.5000, β 0",
        "predicted: error factor per step 0.9950",
        "measured: error factor per step 0.9951",
    ):
        assert words in mark["hovertemplate"]


def test_a_prediction_that_is_not_given_is_read_off_the_map():
    words = named(chart(), "momentum")["hovertemplate"]
    # Rate √β, at the nearest of the map's momenta.
    near = BETAS[np.abs(BETAS - 0.9).argmin()]
    assert f"predicted: error factor per step {np.sqrt(near):.4f}" in words
    assert "measured: unknown" in words


def test_a_optimizer_of_the_other_method_is_a_diamond_with_no_rate_of_this_map():
    here, there = named(chart(), "Nesterov"), named(chart(nesterov=True), "Nesterov")
    assert here["marker"]["symbol"] == "diamond"
    assert "unlike this diagram" in here["hovertemplate"]
    assert "predicted: unknown" in here["hovertemplate"]
    assert there["marker"]["symbol"] == "circle"
    assert "predicted: error factor per step" in there["hovertemplate"]
    assert "measured: unknown" in there["hovertemplate"]
    assert named(chart(nesterov=True), "SGD")["marker"]["symbol"] == "circle"


def test_a_optimizer_outside_is_an_arrow_at_the_edge_that_says_where_it_is():
    mark = named(chart(), "too fast")
    assert mark["marker"]["symbol"] == "triangle-right"
    assert mark["x"][0] == pytest.approx(8)
    assert "η 80.00, β 0.5000" in mark["hovertemplate"]


def test_where_theory_does_not_apply_nothing_is_predicted(valid):
    figure = valid(chart(conditions="gradient noise σ = 1 · learning rate scheduled: cosine"))
    for optimizer in OPTIMIZERS:
        words = named(figure, optimizer["name"])["hovertemplate"]
        assert "predicted: no, theory does not apply with gradient noise σ = 1" in words
        assert "predicted: error factor per step" not in words
    note = figure["layout"]["annotations"][-1]["text"]
    assert note == "theory does not apply:<br>gradient noise σ = 1<br>learning rate scheduled: cosine"
    assert "does not apply here: gradient noise" in figure["layout"]["meta"]["help"]
    assert "does not hold" not in str(chart()["layout"])


def test_the_axis_is_logarithmic_where_the_learning_rates_are_spaced_so():
    assert chart()["layout"]["xaxis"]["type"] == "log"
    assert chart()["layout"]["xaxis"]["range"] == pytest.approx([np.log10(0.02), np.log10(8)])
    linear = chart(alphas=np.linspace(0.01, 5, 60))["layout"]["xaxis"]
    assert "type" not in linear
    assert linear["range"] == [0.01, 5]
    assert "type" not in chart(log_x=False)["layout"]["xaxis"]
