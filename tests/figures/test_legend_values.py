"""Values in a legend can be those of any step."""

import numpy as np
import pandas as pd

from nnviz import figures
from nnviz.figures.kit import labels, legend_values
from tests.figures.sample_records import scalars
from tests.figures.test_choices import CLIPPED
from tests.figures.test_every_figure import EIGHT, LOSS, ZEROS

rng = np.random.default_rng(0)
LONG = scalars(
    ("loss", "batch", list(range(1, 3001)), list(rng.random(3000))),
    ("loss", "train", list(range(0, 3001, 10)), list(rng.random(301))),
)
LONGER = scalars(("loss", "batch", list(range(1, 30001)), list(rng.random(30000))))


def _at(trace: dict, step: int) -> float:
    """What the board shows: of the trace's own points, or of those sent beside them, the newest up to the step."""
    follow = trace["meta"]["follow"]
    steps, values = (follow[k] if k in follow else trace[axis] for k, axis in (("steps", "x"), ("values", "y")))
    return float(values[np.searchsorted(steps, step, side="right") - 1])


def _followed(figure: dict) -> list[dict]:
    return [trace for trace in figure["data"] if "follow" in trace.get("meta", ())]


def _recorded(frame: pd.DataFrame, quantity: str, site: str) -> tuple[np.ndarray, np.ndarray]:
    rows = frame[((frame["quantity"] == quantity) & (frame["site"] == site)).to_numpy()]
    return rows["step"].to_numpy(), rows["value"].to_numpy()


def test_the_value_at_a_step_is_the_newest_that_was_recorded():
    drawn = {
        "plain": (figures.curves(LOSS), LOSS, "loss"),
        "accuracy": (figures.curves(LOSS, "accuracy"), LOSS, "accuracy"),
        "averaged": (figures.curves(LOSS, smooth=0.9), LOSS, "loss"),
        "zeros on a logarithmic axis": (figures.curves(ZEROS, log=True, smooth=0.9), ZEROS, "loss"),
        "thinned": (figures.curves(LONG), LONG, "loss"),
        "clipping": (figures.clipped_norms(CLIPPED, smooth=0.5), None, ""),
        "rate": (figures.learning_rate(LOSS), None, ""),
    }
    for name, (figure, frame, quantity) in drawn.items():
        assert figure["layout"]["meta"]["legend_follows"] is True, name
        for trace in _followed(figure):
            follow = trace["meta"]["follow"]
            told = follow["name"]
            if name == "clipping":
                steps, values = _recorded(
                    CLIPPED, "gradient_norm_unclipped" if "before" in told else "gradient_norm_total", "model"
                )
            elif name == "rate":
                steps, values = _recorded(LOSS, "learning_rate", "model")
            else:
                steps, values = _recorded(frame, quantity, told)
            for step in (steps[0], steps[len(steps) // 3], steps[-2], steps[-1], steps[-1] + 5):
                expected = np.float32(values[steps <= step][-1])
                assert _at(trace, step) == expected, (name, told, step)
            last = labels.percent(values[-1]) if follow["as_percent"] else labels.number(values[-1])
            assert trace["name"] == f"{told} {last}", name
    assert [t["meta"]["follow"]["as_percent"] for t in _followed(drawn["accuracy"][0])] == [True, True]
    assert _followed(drawn["plain"][0])[1]["meta"]["follow"] == {"name": "train", "as_percent": False}


def test_one_curve_has_one_value_in_the_legend():
    for figure in (figures.curves(LOSS, smooth=0.9), figures.curves(LOSS, "accuracy", smooth=0.9)):
        names = [trace["meta"]["follow"]["name"] for trace in _followed(figure)]
        assert len(names) == len(set(names))
        others = [trace["name"] for trace in figure["data"] if "follow" not in trace.get("meta", ())]
        assert not any(char.isdigit() for name in others for char in name.replace("(weight 0.9)", ""))


def test_of_runs_the_names_hold_their_run():
    for count in (2, 8):
        runs = dict(list(EIGHT.items())[:count])
        found = _followed(figures.overlay(runs))
        assert len(found) == 2 * count
        for trace in found:
            name = trace["meta"]["follow"]["name"]
            assert trace["name"] == f"{name} 0.0718"
            assert name.startswith(tuple(runs) + tuple(run[0] for run in runs))


def test_of_very_long_curves_round_steps_are_sent():
    (trace,) = _followed(figures.curves(LONGER))
    steps, values = _recorded(LONGER, "loss", "batch")
    assert len(trace["meta"]["follow"]["steps"]) <= legend_values.MAX_SENT_VALUES
    for step in (10, 500, 12340, 30000):
        assert _at(trace, step) == np.float32(values[steps == step][0])


def test_a_figure_without_such_names_says_nothing():
    assert "legend_follows" not in figures.curves(LOSS[:0])["layout"]["meta"]
