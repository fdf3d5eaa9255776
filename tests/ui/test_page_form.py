"""The form of a page as a whole: what is wrong with it, and the text of the example that it has come from."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import gradient_flow, optimizers, playground
from nnviz.runs import Store
from nnviz.spec.jobs import load_set
from nnviz.ui import links
from tests.ui.pages import (
    MAIN,
    at,
    click_twice,
    fine,
    jobs,
    open_job,
    opened,
    press,
    shown,
    stop_all_runs,
    temporary_store,
)

CHANGED = "(settings changed)"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that the pages use, with a worker."""
    with temporary_store(tmp_path_factory.mktemp("home")) as store:
        yield store
        stop_all_runs(store)


def text(app: AppTest, preset) -> str:
    """The text of an example as the page says it; empty where it does not."""
    return next((m.value for m in app.markdown if preset.look_at in m.value), "")


@pytest.mark.usefixtures("store")
def test_what_is_wrong_with_a_trajectory_run_is_said_once_over_the_pictures():
    app = opened("pages/optimizers.py", surface__kind="formula", steps="20")
    at(app.text_input, ".text").set_value("x +")
    fine(app.run())
    assert len(app.main.error) == 1
    assert not app.sidebar.error


@pytest.mark.usefixtures("store")
def test_the_text_of_an_example_stays_while_the_form_comes_from_it():
    first, other = optimizers.EXAMPLES[:2]
    app = press(opened("pages/optimizers.py"), first.title)
    assert text(app, first)
    assert CHANGED not in text(app, first)
    at(app.number_input, ":x").set_value(1.25)
    fine(app.run())
    assert CHANGED in text(app, first)
    at(app.button, ":Remove:0").click()
    fine(app.run())
    assert CHANGED in text(app, first)
    press(app, other.title)
    assert not text(app, first)
    assert text(app, other)
    assert CHANGED not in text(app, other)


@pytest.mark.usefixtures("store")
def test_no_example_is_spoken_of_where_none_was_pressed():
    app = opened("pages/optimizers.py", x="1.25", steps="20")
    assert not any(text(app, preset) for preset in optimizers.EXAMPLES)


def test_an_example_is_started_once_though_the_click_comes_twice(store: Store):
    app = opened(MAIN)
    again = click_twice(app, playground.EXAMPLES[0].title)
    runs = shown(app)
    there = len(store.list())
    again()
    assert shown(app) == runs
    assert len(store.list()) == there
    press(app, playground.EXAMPLES[1].title)
    assert shown(app) != runs


def test_a_set_of_variants_is_one_and_the_same_from_link_form_and_file(store: Store):
    said = {"learner__batch_size": "7", "b__learner__l2": "0.01", "c__seed": "3", "d__learner__data": "circles"}
    app = opened("pages/gradient_flow.py", **said)
    text = next(code.value for code in app.code if '"kind": "set"' in code.value)
    named = {name.replace("__", "."): value for name, value in said.items()}
    from_link, runs, problems = links.read(named, gradient_flow.DEFAULT)
    assert (runs, problems) == ([], [])
    assert list(load_set(text)) == from_link
    assert jobs(store, app) == tuple(from_link)
    again = open_job(opened("pages/gradient_flow.py", seed="8"), text)
    assert jobs(store, again) == tuple(from_link)
    assert next(code.value for code in again.code if '"kind": "set"' in code.value) == text
