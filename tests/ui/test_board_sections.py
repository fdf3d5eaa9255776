"""Messages to a board with sections and choices: what is asked of the pictures, what is sent, and what is not."""

import json
from collections import UserDict

from nnviz.ui import session
from nnviz.ui.board import board
from nnviz.ui.board.wire_format import encode
from tests.ui.messages_sent import Browser, figure, send

SECTIONS = {"Signal": [["loss", "a"]], "Weights": [["loss", "b"], ["c"]], "All": [["loss"], ["a", "b", "c"]]}
STEPS = [0, 1, 2, 3]
OFFSETS = {"a": 0, "b": 100, "c": 200}


class Made(UserDict):
    """Pictures of a step that note which of them are asked for."""

    def __init__(self, step: int, offsets: dict[str, int] = OFFSETS) -> None:
        self.requested: list[str] = []
        past = {name: figure(step + offset) for name, offset in offsets.items()}
        super().__init__(loss=figure(7, meta={"x_is_step": True}), **past)

    def __getitem__(self, name: str) -> dict:
        self.requested.append(name)
        return super().__getitem__(name)

    def __iter__(self):
        raise AssertionError("the names are those of the open section")


def sent(message: dict) -> dict[str, list[int]]:
    """Which steps of which figures a message holds."""
    found: dict[str, list[int]] = {}
    for step, figures in message["history"]:
        for name in figures:
            found.setdefault(name, []).append(step)
    return {name: sorted(steps) for name, steps in found.items()}


def opened(client: dict, browser: Browser, section: str, steps=STEPS, **words) -> dict:
    return browser.take(send(client, Made, steps, sections=SECTIONS, section=section, **words))


def test_only_figures_of_the_open_section_are_asked_for():
    client, browser, made = {}, Browser(), []

    def pictures(step: int) -> Made:
        made.append(Made(step))
        return made[-1]

    for section, names in (("Signal", {"loss", "a"}), ("Weights", {"loss", "b", "c"})):
        made.clear()
        for _ in range(2):
            message = browser.take(send(client, pictures, STEPS, sections=SECTIONS, section=section))
        assert {name for one in made for name in one.requested} == names, section
        assert set(message["head"]["names"]) == names, section


def test_a_section_opened_on_a_finished_run_is_sent_alone_and_one_opened_again_not_at_all():
    client, browser = {}, Browser()
    for _ in range(2):
        opened(client, browser, "Signal")
    message = opened(client, browser, "Weights")
    assert sent(message) == {"b": STEPS, "c": STEPS}
    assert message["now"] == {}  # the loss is in both
    for section in ("Signal", "All", "Weights", "Signal"):
        message = opened(client, browser, section)
        assert (message["history"], message["now"], message["bases"]) == ([], {}, []), section
    for step in STEPS:
        assert browser.history[step] == {n: json.loads(encode(figure(step + o))) for n, o in OFFSETS.items()}


def test_a_section_opened_again_on_a_live_run_is_sent_the_steps_since():
    client, browser = {}, Browser()
    for section, last in (("Signal", 3), ("Weights", 6), ("Signal", 8)):
        for _ in range(2):
            message = opened(client, browser, section, list(range(last)), live=True)
            if (section, last) == ("Signal", 8):
                break
    assert sent(message) == {"a": [3, 4, 5, 6, 7]}
    assert sorted(browser.history) == list(range(8))


def test_a_figure_that_looks_different_on_a_finished_run_is_replaced_alone():
    client, browser = {}, Browser()
    for _ in range(2):
        opened(client, browser, "All")
    other = lambda step: Made(step, {**OFFSETS, "b": 60})  # noqa: E731
    for _ in range(2):
        message = browser.take(send(client, other, STEPS, sections=SECTIONS, section="All"))
        if browser.seq == 3:
            assert sent(message) == {"b": STEPS}
    assert message["history"] == []
    assert browser.history[1]["b"] == json.loads(encode(figure(61)))


def test_a_figure_that_is_not_there_at_a_step_is_said_to_be_missing_and_not_asked_for_again():
    client, browser = {}, Browser()
    some = lambda step: Made(step, OFFSETS if step > 1 else {"a": 0})  # noqa: E731
    for _ in range(2):
        message = browser.take(send(client, some, STEPS, sections=SECTIONS, section="All"))
    assert dict(message["history"])[0]["b"] is None
    assert [sorted(browser.history[step]) for step in STEPS] == [["a"], ["a"], ["a", "b", "c"], ["a", "b", "c"]]
    assert browser.take(send(client, some, STEPS, sections=SECTIONS, section="All"))["history"] == []


def chosen(**values: str) -> dict[str, list[dict]]:
    options = [["auto", "auto"], ["log", "logarithmic"]]
    return {n: [{"name": "axis", "label": "Axis", "options": options, "value": v}] for n, v in values.items()}


def test_a_choice_replaces_its_figures_alone_by_differences():
    client, browser = {}, Browser()
    for _ in range(2):
        opened(client, browser, "All", choices=chosen(a="auto", loss="auto"))
    offset = {"auto": 0, "log": 50}
    for value, loss in (("log", "auto"), ("auto", "auto"), ("auto", "log")):
        other = lambda step, v=value: Made(step, {**OFFSETS, "a": offset[v]})  # noqa: E731
        choices = chosen(a=value, loss=loss)
        message = browser.take(send(client, other, STEPS, sections=SECTIONS, section="All", choices=choices))
        assert message["bases"] == []
        assert sent(message) == ({} if loss == "log" else {"a": STEPS}), (value, loss)
        assert list(message["now"]) == (["loss"] if loss == "log" else []), (value, loss)
        assert browser.history[2]["a"] == json.loads(encode(figure(2 + offset[value])))


def test_a_choice_of_a_figure_out_of_the_open_section_drops_it_at_once():
    client, browser = {}, Browser()
    for _ in range(2):
        opened(client, browser, "Signal", choices=chosen(a="auto"))
    opened(client, browser, "Weights", choices=chosen(a="log"))
    assert all("a" not in figures for figures in browser.history.values())
    assert sent(opened(client, browser, "Signal", choices=chosen(a="log"))) == {"a": STEPS}


def test_the_figures_of_a_lost_message_are_sent_again_and_no_others():
    client, browser = {}, Browser()
    for _ in range(2):
        opened(client, browser, "Signal")
    send(client, Made, STEPS, sections=SECTIONS, section="Weights")  # never arrives
    opened(client, browser, "Signal")
    client["request"] = browser.request()
    assert opened(client, browser, "Signal")["history"] == []
    assert sent(opened(client, browser, "Weights")) == {"b": STEPS, "c": STEPS}


def test_what_the_viewer_opens_and_chooses_is_handed_on_once_and_only_if_there_is_such(monkeypatch):
    memory: dict = {}
    monkeypatch.setattr(session, "memory", lambda _: memory)
    monkeypatch.setattr(session, "current_url_path", lambda: "here")
    got: list[tuple] = []
    head = {"sections": SECTIONS, "choices": chosen(a="auto")}

    def hear(sent: object) -> list[tuple]:
        got.clear()
        monkeypatch.setattr(session, "value", lambda _: {"change": sent})
        board._change("demo", "here", head, lambda title: got.append((title,)), lambda *what: got.append(what))
        return list(got)

    axis = {"figure": "a", "name": "axis", "value": "log"}
    both = [{"number": 5, "section": "Weights"}, {"number": 6, **axis}]
    assert hear({"changes": both, "request": {"wanted": [3]}}) == [("Weights",), ("a", "axis", "log")]
    assert memory == {"acknowledged": 6, "request": {"wanted": [3]}}
    assert hear({"changes": both}) == []
    assert hear({"changes": [*both, {"number": 7, **axis, "value": "auto"}]}) == [("a", "axis", "auto")]
    for number, change in enumerate(
        [
            {"section": "Other"},
            {"section": ["Signal"]},
            {**axis, "value": "cube"},
            {**axis, "figure": "b"},
            {**axis, "name": 1},
        ],
        8,
    ):
        assert hear({"changes": [{"number": number, **change}]}) == [], change
        assert memory["acknowledged"] == number
    for garbage in (None, "x", {"changes": "x"}, {"changes": [1, {"number": "9"}, {}]}, {"request": 1}):
        assert hear(garbage) == [], garbage
    board._change("demo", "here", head, None, None)


def test_a_message_says_what_has_been_heard_also_after_the_server_starts_over():
    client, browser = {"acknowledged": 42}, Browser()
    assert opened(client, browser, "Signal")["head"]["acknowledged"] == 42
    client["request"] = browser.request(restart="nonce")
    message = Browser().take(send(client, Made, STEPS, sections=SECTIONS, section="Signal"))
    assert (message["head"]["full"], message["head"]["acknowledged"]) == (True, 42)
