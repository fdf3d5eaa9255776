"""A page's state: from the link at first, then as it was left, whatever page was visited in between."""

from streamlit.testing.v1 import AppTest

from nnviz.presets import playground
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import dump

JOB = playground.DEFAULT
OTHER = replace_many(JOB, {"seed": 7, "learner.optimizer.lr": 0.3})


def _script(default, seen):
    import streamlit as st

    from nnviz.ui import forms, session

    page = st.selectbox("page", ["one", "two"])
    state = session.enter(page, default)
    job = forms.form(state.jobs[0], {"all": ["seed", "learner.optimizer"]}, key=state.key)
    if st.button("restart"):
        state.restart([default], runs=["a", "b"], problems=["wrong"])
        st.rerun()
    state.remember([job])
    seen.append(
        {"job": job, "runs": state.runs, "problems": list(state.problems), "key": state.key, "link": state.link}
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
    session = Session(seed="7", learner__optimizer__lr="0.3", run="a,b")
    assert session.last["job"] == OTHER
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
    key = "_nnviz_memory:page:one"
    kept = session.app.session_state[key]
    assert kept["jobs"] == [dump(JOB)]
    kept["jobs"] = kept["chosen"] = ['{"kind": "experiment", "unknown": 1}']
    assert session.run()["job"] == JOB


def test_only_plain_values_are_kept():
    session = Session(seed="7", run="a")
    session.visit("two")
    for key in ("page:one", "page:two", "here"):
        for value in session.app.session_state[f"_nnviz_memory:{key}"].values():
            parts = value if isinstance(value, list) else [value]
            assert all(isinstance(part, str | int | float | bool | None) for part in parts), key
