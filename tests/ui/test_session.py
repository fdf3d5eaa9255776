"""A page's state: from the link at first, then as it was left, whatever page was visited in between."""

import json
from dataclasses import asdict, dataclass

from streamlit.testing.v1 import AppTest

from nnviz.presets import playground
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import dump

JOB = playground.DEFAULT
OTHER = replace_many(JOB, {"seed": 7, "learner.optimizer.lr": 0.3})


def _script(default, seen):
    import streamlit as st

    from nnviz.spec.base import replace_many
    from nnviz.ui import session
    from nnviz.ui.form import spec_widgets

    page = st.selectbox("page", ["one", "two"])
    state = session.open_page(page, default)
    chosen = spec_widgets.choose(state.first, {"all": ["seed", "learner.optimizer"]}, key=state.key)
    job = replace_many(state.first, chosen)
    if st.button("restart"):
        state.restart([default, default], runs=["a", "b"], problems=["wrong"])
        st.rerun()
    state.remember(job, state.variants)
    state.update_address(runs=True)
    seen.append(
        {
            "job": job,
            "jobs": list(state.current_jobs.values()),
            "differences": [dict(variant.differences) for variant in state.variants],
            "runs": state.runs,
            "problems": list(state.problems),
            "key": state.key,
            "link": state.link,
        }
    )


class Session:
    """A browser session with two pages; `last` is how the page's state was at the end of its script."""

    def __init__(self, **parameters: str) -> None:
        self.seen: list[dict] = []
        self.app = AppTest.from_function(_script, default_timeout=30, kwargs={"default": JOB, "seen": self.seen})
        for name, value in parameters.items():
            self.app.query_params[name.replace("__", ".")] = value
        self.run()

    def run(self) -> dict:
        self.app.run()
        assert not self.app.exception
        return self.last

    @property
    def last(self) -> dict:
        return self.seen[-1]

    def visit(self, page: str) -> dict:
        self.app.selectbox[0].set_value(page)
        self.app.query_params.clear()  # as a browser does
        return self.run()

    def seed(self, value: int) -> dict:
        next(w for w in self.app.number_input if w.label == "Seed").set_value(value)
        return self.run()


def test_a_page_starts_from_the_link():
    session = Session(seed="7", learner__optimizer__lr="0.3", b__seed="8", run="a,b")
    assert session.last["job"] == OTHER
    assert session.last["jobs"] == [OTHER, replace_many(OTHER, {"seed": 8})]
    assert session.last["runs"] == ["a", "b"]
    assert session.last["problems"] == []


def test_what_is_wrong_with_the_link_is_kept_until_something_else_is_asked():
    session = Session(seed="-1")
    assert len(session.last["problems"]) == 1
    assert session.run()["problems"] == session.last["problems"]
    session.app.button[0].click()
    assert session.run()["problems"] == ["wrong"]


def test_the_address_follows_the_form():
    session = Session()
    assert dict(session.app.query_params) == {}
    session.seed(7)
    assert dict(session.app.query_params) == {"seed": "7"}
    session.seed(0)
    assert dict(session.app.query_params) == {}


def test_a_difference_that_does_not_apply_comes_back_from_the_link():
    momentum = {"learner.optimizer.momentum": 0.9}
    address = {"learner.optimizer.kind": "adam", "b.seed": "5", "b.unused.learner.optimizer.momentum": "0.9"}
    session = Session(**{name.replace(".", "__"): value for name, value in address.items()})
    assert session.last["problems"] == []
    assert [job.seed for job in session.last["jobs"]] == [0, 5]
    assert session.last["differences"] == [{"seed": 5, **momentum}]
    assert dict(session.app.query_params) == address
    next(w for w in session.app.selectbox if w.label == "Optimizer").set_value("sgd")
    assert session.run()["jobs"][1].learner.optimizer.momentum == 0.9
    assert dict(session.app.query_params) == {"b.seed": "5", "b.learner.optimizer.momentum": "0.9"}


def test_settings_survive_a_visit_to_another_page():
    session = Session()
    session.seed(7)
    assert session.visit("two")["job"] == JOB
    session.seed(9)
    assert session.visit("one")["job"].seed == 7
    assert dict(session.app.query_params) == {"seed": "7"}
    assert session.visit("two")["job"].seed == 9


def test_runs_survive_a_visit_to_another_page():
    session = Session(run="a")
    assert session.visit("two")["runs"] == []
    assert session.visit("one")["runs"] == ["a"]
    assert session.app.query_params["run"] == "a"


def test_a_restart_draws_the_form_anew():
    session = Session(seed="7")
    before = session.last["key"]
    session.app.button[0].click()
    session.run()
    assert session.last["key"] != before
    assert session.last["job"] == JOB
    assert session.last["runs"] == ["a", "b"]


def test_a_rerun_keeps_the_widgets():
    session = Session()
    before = session.last["key"]
    session.seed(7)
    assert session.last["key"] == before


def test_the_link_holds_what_differs_and_no_runs():
    session = Session(seed="7", run="a")
    assert "?seed=7&default=" in session.last["link"]
    assert "run=" not in session.last["link"]


def test_the_link_of_the_default_job_is_not_empty():
    assert "?default=" in Session().last["link"]


def test_a_session_of_an_older_version_falls_back_to_the_default():
    session = Session()
    kept = session.app.session_state["_nnviz:StoredPage:one"]
    assert kept.first == dump(JOB)
    kept.first = kept.current_first = '{"kind": "training", "unknown": 1}'
    assert session.run()["job"] == JOB


def test_a_session_whose_code_was_changed_keeps_what_it_can():
    session = Session(seed="7")

    @dataclass
    class StoredPage:
        """What a page was before."""

        first: str
        generation: int = 3

    session.app.session_state["_nnviz:StoredPage:one"] = StoredPage(dump(OTHER))
    assert session.run()["job"] == OTHER
    assert session.last["key"] == "one:3"


def test_only_plain_values_are_kept():
    session = Session(seed="7", b__seed="8", run="a")
    session.visit("two")
    for key in ("StoredPage:one", "StoredPage:two"):
        kept = asdict(session.app.session_state[f"_nnviz:{key}"])
        assert json.loads(json.dumps(kept)) == kept, key


def test_the_open_section_and_the_panels_choices_are_in_the_address_and_come_from_it():
    session = Session(section="Loss", view__loss__axis="log")
    kept = session.app.session_state["_nnviz:StoredPage:one"]
    assert (kept.section, kept.choices) == ("Loss", {"loss.axis": "log"})
    assert dict(session.app.query_params) == {"section": "Loss", "view.loss.axis": "log"}
    assert "section=Loss" in session.last["link"]
    kept.section, kept.choices = "", {}
    session.run()
    assert dict(session.app.query_params) == {}


def _outdated(default, seen):
    from nnviz.spec.variants import Variant
    from nnviz.ui import session

    state = session.open_page("page", default)
    for others in ([], [Variant("b", {"seed": 3})], [Variant("b", {"seed": 3, "steps": 9})], [Variant("c", {})]):
        before = state.form_state
        assert not state.is_outdated(before)
        state.variants = others
        seen.append(state.is_outdated(before))


def test_a_page_is_outdated_once_a_variant_or_a_difference_has_come_or_gone():
    seen: list[bool] = []
    app = AppTest.from_function(_outdated, default_timeout=30, kwargs={"default": JOB, "seen": seen}).run()
    assert not app.exception
    assert seen == [False, True, True, True]
