"""The transport: which buttons there are, what they say, and what is written when they are pressed."""

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import playground
from nnviz.records import EarlyStop, Metric, Scalar
from nnviz.runs import RunError
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Parent
from tests.ui.pages import click_twice

JOB = playground.DEFAULT


def _script(runs, jobs, problem):
    import streamlit as st

    from nnviz.ui import transport
    from tests.ui import form_results

    request = form_results.form_result(jobs, problem)
    if "is_shown" not in st.session_state:
        st.session_state["is_shown"] = True
        form_results.shown(request.state, runs)
    runset = form_results.runtime.runset(request.state.stored.run_set_state)
    entries = runset.views()
    letters = "ABCDEFGH"[: len(entries)] if len(entries) > 1 else ("",)
    transport.transport(request, runset, entries)
    st.markdown(transport.status(request, entries, letters))
    transport.show_run_errors(entries, letters)
    st.text(",".join(runset.ids))


def row(runs, jobs, problem="") -> AppTest:
    """The transport of these runs where the form asks for these jobs."""
    options = {"runs": [run.id for run in runs], "jobs": list(jobs), "problem": problem}
    app = AppTest.from_function(_script, default_timeout=30, kwargs=options).run()
    assert not app.exception
    return app


def buttons(app: AppTest) -> dict[str, bool]:
    """The words on the buttons, and whether they can be pressed."""
    return {b.label: not b.disabled for b in app.button}


def press(app: AppTest, label: str) -> None:
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception


def changed(values: dict) -> object:
    return replace_many(JOB, values)


@pytest.mark.parametrize(
    ("state", "step", "expected"),
    [
        (
            "paused",
            0,
            {
                "Run": True,
                "Step": True,
                "Epoch": True,
                "Stop": False,
                "Reset": False,
                "Keep running": True,
            },
        ),
        (
            "paused",
            20,
            {
                "Continue": True,
                "Step": True,
                "Epoch": True,
                "Stop": True,
                "Reset": True,
                "Keep running": True,
            },
        ),
        ("stopped", 20, {"Continue": True, "Step": False, "Epoch": False, "Stop": False, "Reset": True}),
        ("failed", 20, {"Continue": True, "Step": False, "Epoch": False, "Stop": False, "Reset": True}),
        ("finished", 20, {"Run again": True, "Step": False, "Epoch": False, "Stop": False, "Reset": True}),
        ("diverged", 20, {"Run again": True, "Step": False, "Epoch": False, "Stop": False, "Reset": True}),
    ],
)
def test_buttons_fit_the_state_of_the_run(trained, state, step, expected):
    assert buttons(row([trained(JOB, step, state)], [JOB])) == expected


def test_what_the_viewer_has_ended_is_not_gone_on_with(trained):
    run = trained(JOB, 20, "stopped")
    run.cancel()
    expected = {"Run again": True, "Step": False, "Epoch": False, "Stop": False, "Reset": True}
    assert buttons(row([run], [JOB])) == expected


def test_runs_whose_epochs_differ_go_to_the_first_end_together(trained):
    other = changed({"learner.batch_size": 64})
    runs = [trained(JOB), trained(other)]
    for run, epoch in zip(runs, (25, 4), strict=True):
        run.write(info={"steps_per_epoch": epoch})
    press(row(runs, [JOB, other]), "Epoch")
    assert [run.control().until for run in runs] == [24, 24]


def test_the_status_line_says_ready_before_the_first_step_what_is_waited_for_and_how_many_share(trained):
    assert "ready" in row([trained(JOB, 0)], [JOB]).markdown[0].value
    run = trained(JOB, 0, "queued")
    run.wait("it needs a lot of memory")
    assert row([run], [JOB]).markdown[0].value.endswith("it needs a lot of memory")
    runs = [trained(JOB, step, "running") for step in (20, 21)]
    # Of several runs that are not equally far only what tells them apart.
    assert " of " in row(runs[:1], [JOB]).markdown[0].value
    assert " of " not in row(runs, [JOB] * 2).markdown[0].value
    for others, words in (
        (1, "sharing a worker with 1 other training"),
        (3, "sharing a worker with 3 other trainings"),
        (0, ""),
    ):
        for run in runs:
            run.write(sharing=others)
        text = row(runs, [JOB] * 2).markdown[0].value
        assert text.endswith(words), others
        assert text.count("sharing") == bool(words), others


def test_more_than_two_runs_are_told_in_groups_and_many_by_the_range_of_their_results(trained):
    accuracy = Metric("accuracy", "test", "test accuracy", higher_is_better=True, is_fraction=True)
    runs = [trained(JOB, step, "running") for step in (20, 20, 20, 21, 20)]
    for run, value in zip(runs, (0.5, 0.75, 0.25, 1.0, 0.6), strict=True):
        run.write([Scalar(20, "accuracy", value, "test")], info={"metric": accuracy._asdict()})
    text = row(runs, [JOB] * 5).markdown[0].value
    assert ":green-badge[A–C, E running] step 20 " in text
    assert text.endswith(":green-badge[D running] step 21 · test accuracy 25.0% to 100.0%")
    text = row(runs[1:4], [JOB] * 3).markdown[0].value
    assert ":green-badge[A, B running] step 20 " in text
    assert text.endswith("step 21 · test accuracy A 75.0%, B 25.0%, C 100.0%")


def test_a_running_run_can_be_paused_stopped_reset_and_kept(trained):
    run = trained(JOB, 20, "running")
    run.set_until(None)
    expected = {
        "Pause": True,
        "Step": False,
        "Epoch": False,
        "Stop": True,
        "Reset": True,
        "Keep running": True,
    }
    assert buttons(row([run], [JOB])) == expected


def test_buttons_write_what_is_wanted_into_the_run_file(trained):
    run = trained(JOB)
    run.write(info={"steps_per_epoch": 11})
    press(row([run], [JOB]), "Step")
    assert run.control().until == 21
    run.write(state="paused", step=21)
    press(row([run], [JOB]), "Epoch")
    assert run.control().until == 22
    run.write(state="paused", step=22)
    press(row([run], [JOB]), "Continue")
    assert run.control().until is None
    press(row([run], [JOB]), "Pause")
    assert run.control().until == 22
    press(row([run], [JOB]), "Keep running")
    assert run.control().pinned
    press(row([run], [JOB]), "Keeps running")
    assert not run.control().pinned
    press(row([run], [JOB]), "Stop")
    assert run.control().cancel


def test_buttons_reach_both_of_two_runs(trained):
    other = changed({"seed": 1})
    runs = [trained(JOB), trained(other)]
    press(row(runs, [JOB, other]), "Step")
    assert [run.control().until for run in runs] == [21, 21]


CONTINUABLE = {
    "learner.optimizer.lr": 0.3,
    "learner.optimizer.momentum": 0.9,
    "learner.schedule.kind": "cosine",
    "learner.clipping.kind": "norm",
    "learner.l1": 0.01,
    "learner.l2": 0.01,
    "learner.batch_size": 64,
    "steps": 8000,
}
OTHER = {
    "seed": 1,
    "learner.data.kind": "circles",
    "learner.data.noise": 0.3,
    "learner.model.bias": False,
    "learner.model.hidden.0.width": 3,
    "learner.loss.kind": "mse",
    "device": "cpu",
    "evaluate_every": 5,
}


@pytest.mark.parametrize("path", CONTINUABLE)
def test_a_change_that_weights_can_bear_is_offered_to_go_on_with(trained, path):
    app = row([trained(JOB)], [changed({path: CONTINUABLE[path]})])
    words = list(buttons(app))
    assert words[0] == "Continue"
    assert words[1].startswith("Continue with ")
    assert words[2:] == ["Restart with changes", "Step", "Epoch", "Stop", "Reset", "Keep running"]
    assert not buttons(app)["Step"]
    assert any("changed: " in m.value for m in app.markdown)


def test_a_setting_that_counts_at_the_first_step_alone_is_not_offered_to_go_on_with(trained):
    for kind, path, value in (("rprop", "lr", 0.3), ("adagrad", "initial_accumulator", 1.0)):
        before = changed({"learner.optimizer.kind": kind})
        app = row([trained(before)], [replace_many(before, {f"learner.optimizer.{path}": value})])
        assert not any(label.startswith("Continue with") for label in buttons(app)), kind
        other = replace_many(before, {"learner.batch_size": 64})
        assert any(label.startswith("Continue with") for label in buttons(row([trained(before)], [other]))), kind


@pytest.mark.parametrize("path", OTHER)
def test_any_other_change_needs_a_run_of_its_own(trained, path):
    app = row([trained(JOB)], [changed({path: OTHER[path]})])
    assert list(buttons(app)) == [
        "Continue",
        "Restart with changes",
        "Step",
        "Epoch",
        "Stop",
        "Reset",
        "Keep running",
    ]


def test_a_change_of_both_kinds_needs_a_run_of_its_own(trained):
    app = row([trained(JOB)], [changed({"learner.optimizer.lr": 0.3, "seed": 1})])
    assert "Restart with changes" in buttons(app)
    assert not any(label.startswith("Continue with") for label in buttons(app))


def test_before_the_first_step_there_is_nothing_to_go_on_from(trained):
    app = row([trained(JOB, 0)], [changed({"learner.optimizer.lr": 0.3})])
    assert next(iter(buttons(app))) == "Run"
    assert not any(label.startswith("Continue") for label in buttons(app))


def test_a_wrong_form_starts_nothing_but_lets_a_run_be_stopped(trained):
    app = row([trained(JOB)], [JOB], problem="steps must be above 0")
    assert buttons(app)["Stop"]
    assert buttons(app)["Continue"]
    assert not buttons(app)["Reset"]


@pytest.mark.parametrize("steps", [10, 20])
def test_going_on_is_not_offered_where_no_step_is_left(trained, steps):
    app = row([trained(JOB)], [changed({"steps": steps, "learner.optimizer.lr": 0.3})])
    assert not any(label.startswith("Continue with") for label in buttons(app))
    assert buttons(app)["Restart with changes"]


def test_what_a_run_died_of_is_shown_in_one_line(trained):
    run = trained(JOB, 20, "diverged")
    run.write(error="diverged at step 21: loss is nan")
    app = row([run], [JOB])
    assert [e.value for e in app.error] == ["diverged at step 21: loss is nan"]


def test_the_status_line_says_how_far_a_run_is(trained):
    run = trained(JOB)
    run.write(info={"steps_per_epoch": 8, "parameters": 1234})
    text = row([run], [JOB]).markdown[0].value
    assert "paused" in text
    assert "step 20 of 4,000 · epoch 2.5 · 1,234 parameters" in text


def test_a_run_that_stopped_early_names_its_best_step_and_goes_on_when_its_early_stopping_is_changed(trained):
    job = changed({"early_stopping": {"kind": "patience", "patience": 5}})
    run = trained(job, 90, "running")
    accuracy = Metric("accuracy", "test", "test accuracy", higher_is_better=True, is_fraction=True)
    found = [Scalar(40, "accuracy", 0.9, "test"), Scalar(90, "accuracy", 0.7, "test")]
    found += [Scalar(90, "best_step", 40, "test"), Scalar(90, "best_loss", 0.25, "test")]
    run.write(found, info={"metric": accuracy._asdict()})
    assert "test accuracy 70.0% · best step 40 (test loss 0.25)" in row([run], [job]).markdown[0].value
    run.write(state="stopped early", early_stop=EarlyStop(90, 40, 0.25, 5))
    run.save_checkpoint(90, b"as left")
    app = row([run], [job])
    assert ":green-badge[stopped early] step 90 of 4,000" in app.markdown[0].value
    assert "at the best step, 40: test accuracy 90.0%, test loss 0.25" in app.markdown[0].value
    assert str(run.result()) == "test accuracy 90.0%"
    assert buttons(app) == {"Run again": True, "Step": False, "Epoch": False, "Stop": False, "Reset": True}
    assert app.info.len == app.error.len == 0
    app = row([run], [JOB])
    assert "Continue with no early stopping" in buttons(app)
    patient = changed({"early_stopping": {"kind": "patience", "patience": 20}})
    assert "Continue with patience 20" in buttons(row([run], [patient]))


def test_the_status_line_names_the_run_and_step_that_a_run_went_on_from(trained):
    child = JOB.model_copy(update={"parent": Parent(run="20260101-0000-aaaaaa", step=1300)})
    text = row([trained(child)], [JOB]).markdown[0].value
    assert "resumed from run 20260101-0000-aaaaaa at step 1,300" in text


def test_buttons_and_status_say_changes_in_the_words_of_the_form(trained):
    app = row([trained(JOB)], [changed({"learner.optimizer.lr": 0.3, "learner.l2": 0.01})])
    assert "Continue with learning rate 0.3, L2 0.01" in buttons(app)
    app = row([trained(JOB)], [changed({"learner.data.kind": "curve", "learner.loss.kind": "mse"})])
    assert any("changed: data Curve (1-D regression), loss MSE" in m.value for m in app.markdown)


def test_a_click_that_comes_twice_counts_once(store, trained):
    run = trained(JOB)
    app = row([run], [changed({"seed": 1})])
    again = click_twice(app, "Restart with changes")
    again()
    assert len(store.list()) == 2
    assert "Pause" in buttons(app)


def test_buttons_that_take_turns_are_not_mistaken_for_each_other(trained):
    run = trained(JOB, 20, "running")
    run.set_until(None)
    app = row([run], [JOB])
    keys = {b.label: b.key for b in app.button}
    press(app, "Pause")
    assert run.control().until == 20
    assert keys["Pause"] not in {b.key for b in app.button}
    press(app, "Continue")
    assert run.control().until is None
    press(app, "Keep running")
    press(app, "Keeps running")
    assert not run.control().pinned


def _page(job):
    import streamlit as st

    from nnviz.ui import transport
    from tests.ui import form_results

    request = form_results.form_result([job])
    runset = form_results.runtime.runset(request.state.stored.run_set_state)
    transport.prepare(request, runset)
    transport.transport(request, runset, runset.views())
    st.text(",".join(runset.ids))


def test_the_copy_of_a_click_never_presses_the_button_that_took_its_place(store, monkeypatch):
    monkeypatch.setattr("nnviz.ui.transport.MAX_WAIT", 0.0)
    app = AppTest.from_function(_page, default_timeout=30, kwargs={"job": JOB}).run()
    (run,) = [summary.id for summary in store.list()]
    file = store.open(run)
    file.write(state="running")
    file.write(state="paused")
    app.run()
    again = click_twice(app, "Run")
    assert file.control().until is None
    file.write(state="running", step=60)
    file.write(state="finished")
    app.run()
    again()
    assert "Run again" in buttons(app)
    assert app.text[0].value == run
    # Nor is it another click on a button that is as good as gone.
    for label, step in (("Run again", 60), ("Reset", 0)):
        again = click_twice(app, label)
        there = len(store.list())
        newest = store.open(app.text[0].value)
        newest.write(state="running", step=step)
        newest.write(state="finished" if step else "paused")
        app.run()
        again()
        assert len(store.list()) == there, label
        assert app.text[0].value == newest.id, label


def test_the_copy_of_a_click_is_no_other_click(trained):
    for label, expected in (("Step", 21), ("Epoch", 22), ("Keep running", True)):
        run = trained(JOB)
        run.write(info={"steps_per_epoch": 11})
        app = row([run], [JOB])
        again = click_twice(app, label)
        if label != "Keep running":
            run.write(state="running", step=expected)
            run.write(state="paused")
        for _ in range(2):
            app.run()
            again()
            control = run.control()
            assert (control.pinned if label == "Keep running" else control.until) == expected, label
        if label == "Step":
            press(app, label)
            assert run.control().until == expected + 1


def _pages(run, job):
    import streamlit as st

    from nnviz.ui import transport
    from nnviz.ui.form.page_form import show_errors
    from tests.ui import form_results

    request = form_results.form_result([job], name=st.selectbox("page", ["one", "two"]))
    runset = form_results.shown(request.state, [run])
    transport.transport(request, runset, runset.views())
    show_errors(request.state.stored.problem)


def test_what_went_wrong_on_one_page_is_not_said_on_another(trained, monkeypatch):
    def refuse(_: object) -> None:
        raise RunError("the disk is full")

    run = trained(JOB)
    monkeypatch.setattr(type(run), "play", refuse)
    app = AppTest.from_function(_pages, default_timeout=30, kwargs={"run": run.id, "job": JOB}).run()
    press(app, "Continue")
    assert [e.value for e in app.error] == ["the disk is full"]
    for page, problems in (("two", 0), ("one", 1)):
        app.selectbox[0].set_value(page).run()
        assert len(app.error) == problems, page
