"""Figures of single training samples: groups, distributions, counts and order."""

import numpy as np

from nnviz import figures
from tests.figures import sample_records

FIRST = np.array([0, 10, 10, 40, -1, 20], np.int32)
SINCE = np.array([30, 10, -1, 40, -1, 20], np.int32)
FORGOTTEN = np.array([2, 0, 1, 0, 0, 12], np.int32)
ARRAYS = {"first_learned": FIRST, "learned_since": SINCE, "forgotten": FORGOTTEN}
TEST = np.array([0, 0, 0, 1, 0, 0, 0], bool)  # six of seven are for training


def data(replaced: tuple[int, ...] = (), **changes: object) -> dict:
    """Seven samples of two classes; training samples at these places have the other label."""
    found = sample_records.data(n=7, **changes) | {"test": TEST}
    if replaced:
        found["true_classes"] = found["targets"].copy()
        found["targets"] = found["targets"].copy()
        places = np.flatnonzero(~TEST)[list(replaced)]
        found["targets"][places] = 1 - found["targets"][places]
    return found


def curve(figure: dict, start: str) -> list[tuple[int, float]]:
    trace = next(t for t in figure["data"] if t["name"].startswith(start))
    return [(int(x), round(float(y), 4)) for x, y in zip(trace["x"], trace["y"], strict=True)]


def test_learned_steps_are_cumulative_fractions_of_all_samples():
    figure = figures.learned_steps(ARRAYS, data())
    assert curve(figure, "all samples 83.3%") == [(0, 0.1667), (10, 0.5), (20, 0.6667), (40, 0.8333)]
    assert curve(figure, "all samples, not forgotten since") == [
        *((0, 0.0), (10, 0.1667), (20, 0.3333), (30, 0.5), (40, 0.6667))
    ]


def test_the_distribution_goes_on_to_the_chosen_step():
    assert curve(figures.learned_steps(ARRAYS, data(), step=90), "all samples 83.3%")[-1] == (90, 0.8333)


def test_samples_with_replaced_labels_are_a_group_of_their_own():
    figure = figures.learned_steps(ARRAYS, data(replaced=(3, 4)))
    assert curve(figure, "correct labels") == [(0, 0.25), (10, 0.75), (20, 1.0), (40, 1.0)]
    assert curve(figure, "replaced labels") == [(0, 0.0), (40, 0.5)]


def test_the_histogram_counts_each_sample_once_and_those_not_learned_apart():
    figure = figures.forgetting_histogram(ARRAYS, data(replaced=(3, 4)))
    ticks = figure["layout"]["xaxis"]["ticktext"]
    assert ticks[:3] == ["0", "1", "2"]
    assert ticks[10:] == ["10+", "not<br>learned"]
    counts = {t["name"]: dict(zip(ticks, t["customdata"].tolist(), strict=True)) for t in figure["data"]}
    correct, replaced = counts["correct labels (4)"], counts["replaced labels (2)"]
    assert {tick: n for tick, n in correct.items() if n} == {"0": 1, "1": 1, "2": 1, "10+": 1}
    assert {tick: n for tick, n in replaced.items() if n} == {"0": 1, "not<br>learned": 1}


def test_images_come_latest_or_most_forgotten_first_with_replaced_labels_framed():
    images = data(replaced=(3, 4), d=64, image_shape=(8, 8))
    late = figures.memorized_samples(ARRAYS, images)
    (table,) = late["layout"]["meta"]["table"]
    assert np.asarray(table["down"]["sample"]).tolist() == [4, 3, 5, 2, 1, 0]
    assert [(frame["x0"], frame["y0"]) for frame in late["layout"]["shapes"]] == [(-0.5, -0.5), (0.75, -0.5)]
    assert "<br>never" in late["data"][0]["text"][0]
    assert len(late["layout"]["images"]) == 6
    often = figures.memorized_samples(ARRAYS, images, show="forgotten")
    (table,) = often["layout"]["meta"]["table"]
    assert np.asarray(table["down"]["sample"]).tolist()[:3] == [5, 0, 2]
    assert "12 times" in often["data"][0]["text"][0]


def test_points_of_a_plane_are_all_drawn_and_those_not_learned_in_gray():
    figure = figures.memorized_samples(ARRAYS, data(replaced=(3, 4)))
    names = {trace["name"]: len(trace["x"]) for trace in figure["data"]}
    assert names == {"correct labels": 4, "replaced labels": 1, "replaced labels, not learned": 1}
    assert sum("colorbar" in trace["marker"] for trace in figure["data"]) == 1


def test_other_data_are_drawn_by_step_and_count():
    figure = figures.memorized_samples(ARRAYS, data(d=4))
    (trace,) = figure["data"]
    assert trace["x"].tolist() == [0, 10, 10, 40, 20]
    np.testing.assert_allclose(trace["y"], FORGOTTEN[FIRST >= 0], atol=0.3)


def test_the_hover_says_all_of_a_sample():
    figure = figures.memorized_samples(ARRAYS, data(replaced=(4,)))
    texts = [text for trace in figure["data"] for text in trace["text"]]
    assert any("first learned at step 0<br>learned since step 30<br>forgotten 2 times" in text for text in texts)
    assert any("true class" in text and "never learned<br>forgotten never" in text for text in texts)
    assert any("wrong now" in text for text in texts)
