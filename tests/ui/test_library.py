"""Earlier runs: what the table holds, what it says when it is empty, and that it is quick with hundreds of runs."""

import shutil
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import gradient_flow, playground
from nnviz.records import Metric, Scalar
from nnviz.spec.base import replace_many
from nnviz.ui import library

JOB = playground.DEFAULT
INFO = {"metric": Metric("accuracy", "test", "test accuracy", higher_is_better=True)._asdict()}


def _script(job):
    from nnviz.ui import library, session

    library.library(session.open_page("page", job))


def table() -> AppTest:
    """The page after a click on the button."""
    app = AppTest.from_function(_script, default_timeout=60, kwargs={"job": JOB}).run()
    assert not app.dataframe
    app.button[0].click().run()
    assert not app.exception
    return app


def test_without_runs_it_says_what_will_appear_and_where_runs_are_kept(store):
    app = table()
    assert not app.dataframe
    assert "No runs yet" in app.markdown[0].value
    assert str(store.home) in app.markdown[0].value


def test_a_line_says_what_changed_how_far_it_came_its_metric_and_when(trained):
    run = trained(replace_many(JOB, {"learner.optimizer.lr": 0.3, "learner.data": "circles"}), 1200, "finished")
    run.write([Scalar(1200, "accuracy", 0.25, "test")], info=INFO)
    (line,) = table().dataframe[0].value.to_dict("records")
    assert line["run"] == "data Circles, learning rate 0.3"
    assert (line["state"], line["step"]) == ("finished", "1,200 of 4,000")
    assert (line["metric"], line["value"]) == ("test accuracy", 0.25)
    assert abs(line["when"].timestamp() - time.time()) < 86_400


def test_runs_that_only_waited_are_left_out_and_the_newest_comes_first(trained):
    trained(JOB, 0)
    for seed in (1, 2):
        trained(replace_many(JOB, {"seed": seed}), 20, "stopped")
        time.sleep(0.01)
    assert list(table().dataframe[0].value["run"]) == ["seed 2", "seed 1"]


def test_of_networks_that_trained_side_by_side_each_has_its_letter(store):
    jobs = [JOB, replace_many(JOB, {"learner.l2": 0.1}), *(replace_many(JOB, {"seed": n}) for n in range(1, 7))]
    for file in store.create_group(jobs):
        file.write(state="running", step=5)
        file.close()
    listed = sorted(table().dataframe[0].value["run"])
    assert listed == ["A · nothing", "B · L2 0.1", *(f"{'CDEFGH'[n]} · seed {n + 1}" for n in range(6))]


def test_a_run_of_another_page_is_said_in_few_words(trained):
    trained(gradient_flow.DEFAULT, 20, "finished")
    (words,) = table().dataframe[0].value["run"]
    assert words.startswith("data Digits, network Deep MLP")
    assert " more" in words


def test_a_damaged_file_is_listed_with_what_is_wrong(store):
    store.home.mkdir(parents=True)
    store.path("20260101-0000-bad000").write_bytes(b"not a database" * 100)
    (line,) = table().dataframe[0].value.to_dict("records")
    assert line["state"] == "damaged"
    assert "20260101-0000-bad000" in line["run"]


def test_a_table_holds_hundreds_of_runs(trained, store):
    run = trained(JOB, 20, "finished")
    run.close()
    for number in range(299):
        shutil.copy(run.path, store.path(f"20260101-0000-{number:06x}"))
    assert len(table().dataframe[0].value) == 300


def test_while_the_table_is_open_a_line_goes_on_to_mean_the_same_run(trained, store):
    runs = [trained(replace_many(JOB, {"seed": seed}), 20, "finished") for seed in (1, 2)]
    app = table()
    before = list(app.dataframe[0].value["run"])
    trained(replace_many(JOB, {"seed": 3}), 20, "finished")  # the newest, which would come first
    assert list(app.run().dataframe[0].value["run"]) == before
    runs[0].close()
    store.delete(runs[0].id)
    assert list(app.run().dataframe[0].value["run"]) == [line for line in before if line != "seed 1"]


def test_a_value_beyond_what_a_browser_can_show_is_left_empty(trained):
    run = trained(JOB, 20, "diverged")
    run.write([Scalar(20, "accuracy", 1.2e19, "test")], info=INFO)
    assert np.isnan(table().dataframe[0].value["value"]).all()


@pytest.mark.parametrize("pairs", [True, False])
def test_a_line_means_all_that_trained_side_by_side_or_one_where_several_cannot_be_shown(store, pairs):
    files = store.create_group([replace_many(JOB, {"seed": n}) for n in range(4)])
    for file in files:
        file.write(state="running", step=5)
        file.close()
    for summary in store.list():
        assert library._runs_of_row(summary, pairs) == ([file.id for file in files] if pairs else [summary.id])
