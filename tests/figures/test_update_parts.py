"""An update is shown by the parts that its method has, each as recorded."""

import numpy as np

from nnviz.figures import update_parts
from nnviz.figures.kit.symlog_axis import symlog_scale
from nnviz.figures.trajectories.update_parts import SYMLOG_DECADES
from tests.figures import sample_records


def headings(figure: dict) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def lines(figure: dict, place: int) -> list[dict]:
    axis = "y" if place == 0 else f"y{place + 1}"
    return [trace for trace in figure["data"] if trace["yaxis"] == axis]


def test_only_the_parts_of_the_method_are_drawn():
    assert headings(update_parts(sample_records.trajectories(), 0, "SGD")) == [
        "gradient",
        "update",
        "‖update‖ / ‖gradient‖",
    ]
    with_momentum = headings(update_parts(sample_records.trajectories(), 1, "SGD"))
    assert with_momentum == ["gradient", "momentum", "update", "‖update‖ / ‖gradient‖"]
    trajectories = sample_records.trajectories()
    blind = {key: trajectories[key] for key in ("points", "values", "distance", "left_at")}
    assert headings(update_parts(blind, 0, "CMA-ES")) == ["update"]


def test_values_are_at_the_step_from_which_the_update_leads():
    trajectories = sample_records.trajectories()
    trajectories["second_moment"] = trajectories["gradient"] ** 2
    figure = update_parts(trajectories, 1, "Adam")
    assert headings(figure)[2] == "√second moment"
    for column in (0, 1):
        for place, part in ((0, "gradient"), (1, "momentum")):
            line = lines(figure, place)[column]
            np.testing.assert_allclose(line["customdata"], trajectories[part][1, line["x"], column], rtol=1e-5)
        line = lines(figure, 2)[column]
        np.testing.assert_allclose(
            line["customdata"], np.abs(trajectories["gradient"][1, line["x"], column]), rtol=1e-5
        )
        line = lines(figure, 3)[column]
        moves = np.diff(trajectories["points"][1], axis=0)
        np.testing.assert_allclose(line["customdata"], moves[line["x"], column], rtol=1e-5)


def test_a_size_that_is_no_mean_of_squares_is_not_rooted():
    trajectories = sample_records.trajectories()
    trajectories["second_moment"] = np.full_like(trajectories["gradient"], 4.0)
    assert set(lines(update_parts(trajectories, 0, "Adam"), 1)[0]["customdata"]) == {2}
    adamax = update_parts(trajectories, 0, "Adamax", state_names={"second_moment": "largest gradient u"}, squared=False)
    assert headings(adamax)[1] == "largest gradient u"
    assert set(lines(adamax, 1)[0]["customdata"]) == {4}


def test_any_number_of_parts_fills_the_figure(valid):
    trajectories = sample_records.trajectories()
    parts = dict.fromkeys(("momentum", "second_moment", "step_size"), trajectories["gradient"] + 1)
    for count in range(4):
        figure = valid(update_parts(trajectories | dict(list(parts.items())[:count]), 1, "Adam"))
        domains = [axis["domain"] for name, axis in figure["layout"].items() if name.startswith("yaxis")]
        assert min(low for low, _ in domains) == 0


def test_plain_descent_steps_by_its_rate():
    (rate,) = lines(update_parts(sample_records.trajectories(), 0, "SGD"), 2)
    np.testing.assert_allclose(rate["customdata"], 0.02, rtol=1e-4)


def test_damped_oscillations_have_a_symlog_axis():
    trajectories = sample_records.trajectories(200)
    trajectories["gradient"][0, :, 0] = (-0.8) ** np.arange(200)
    line = lines(update_parts(trajectories, 0, "SGD"), 0)[0]
    scale = symlog_scale(trajectories["gradient"][0], SYMLOG_DECADES)
    np.testing.assert_allclose(line["y"], scale.position(line["customdata"]), atol=1e-5)


def test_zeros_of_a_size_are_marked_on_its_logarithmic_axis():
    trajectories = sample_records.trajectories()
    trajectories["second_moment"] = np.geomspace(1, 1e-8, 30)[:, None] * np.ones((3, 30, 2))
    trajectories["second_moment"][0, :3] = 0
    figure = update_parts(trajectories, 0, "Adam")
    assert figure["layout"]["yaxis2"]["type"] == "log"
    zero = next(trace for trace in lines(figure, 1) if trace["name"] == "exactly 0")
    assert list(zero["x"]) == [0, 1, 2]


def test_a_optimizer_that_left_is_drawn_up_to_there(valid):
    figure = valid(update_parts(sample_records.trajectories(left_at=9), 2, "SGD", "Leaves."))
    assert figure["layout"]["meta"]["help"].endswith("Leaves.")
    for line in figure["data"]:
        assert np.isnan(line["y"][line["x"] >= 9]).all()


def test_what_is_corrected_for_bias_is_dotted_beside_what_is_remembered():
    remembered = sample_records.trajectories()
    remembered["second_moment"] = remembered["momentum"] ** 2
    trajectories = dict(remembered)
    trajectories["momentum_corrected"] = trajectories["momentum"] * 2
    trajectories["second_moment_corrected"] = trajectories["second_moment"] * 4
    plain, figure = update_parts(remembered, 1, "Adam"), update_parts(trajectories, 1, "Adam")
    assert headings(figure) == headings(plain)
    dotted = [t for t in figure["data"] if t["line"].get("dash") and len(t["x"]) > 1]
    assert len(dotted) == 4
    for trace in dotted:
        solid = next(
            t
            for t in figure["data"]
            if t.get("yaxis") == trace["yaxis"] and t["name"] == trace["name"] and t is not trace
        )
        assert np.allclose(trace["customdata"], 2 * np.asarray(solid["customdata"]), equal_nan=True)
    assert any(t["name"] == "bias-corrected" for t in figure["data"])
    assert not any(t["name"] == "bias-corrected" for t in plain["data"])
