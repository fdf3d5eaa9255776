"""Runs over several seeds: what is drawn of them."""

import numpy as np

from nnviz import figures
from nnviz.records import Scalar
from tests.scalar_frames import frame

VALUES = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, np.nan]])
"""(steps, members)."""
FRAME = frame(
    Scalar(step, "loss", VALUES[step, member] * factor, site, member)
    for step in range(2)
    for site, factor in (("train", 1.0), ("test", 2.0))
    for member in range(3)
)


def traces(figure: dict, **keys: object) -> list[dict]:
    return [t for t in figure["data"] if all(t.get(key) == value for key, value in keys.items())]


def test_the_line_is_the_mean_and_the_area_reaches_from_the_lowest_to_the_highest():
    figure = figures.seed_bands({"": FRAME}, seeds=3, sites=["test"], log=False)
    area, line = figure["data"][:2]
    assert line["y"].tolist() == [4.0, 0.5]
    assert area["y"].tolist() == [6.0, 1.0, 0.0, 2.0]
    assert area["x"].tolist() == [0, 1, 1, 0]
    assert line["customdata"].tolist() == [[2.0, 6.0, 3.0], [0.0, 1.0, 2.0]]


def test_title_and_legend_say_how_many_seeds_there_are():
    figure = figures.seed_bands({"": FRAME}, seeds=3)
    assert figure["layout"]["meta"]["title"] == "Loss over 3 seeds"
    assert "2 of 3 at its last step" in [t["name"] for t in figure["data"] if "name" in t]


def test_on_a_logarithmic_axis_a_range_down_to_zero_ends_at_the_lowest_value_drawn():
    figure = figures.seed_bands({"": FRAME}, seeds=3, log=True)
    assert figure["layout"]["yaxis"]["type"] == "log"
    drawn = np.concatenate([t["y"] for t in figure["data"] if None not in t["x"]])
    assert drawn.min() == 0.5


def test_of_several_runs_each_has_a_color_and_test_is_dashed():
    figure = figures.seed_bands({"A": FRAME, "B · lr 0.01": FRAME}, seeds=3)
    lines = [t for t in figure["data"] if "customdata" in t]
    assert len({t["line"]["color"] for t in lines}) == 2
    assert [t["line"]["dash"] for t in lines] == ["solid", "dash"] * 2
    assert [t["name"].split(":")[0] for t in lines] == ["A", "A", "B · lr 0.01", "B"]


def test_what_is_missing_is_told_once_where_it_holds_for_all():
    off = figures.seed_bands({}, seeds=0, missing={"A": "choose a number", "B": "choose a number"})
    assert [note["text"] for note in off["layout"]["annotations"]] == ["choose a number"]
    one = figures.seed_bands({"A": FRAME}, seeds=3, missing={"B": "resumed from step 5"})
    assert "B – resumed from step 5" in [t["name"] for t in one["data"] if "name" in t]
