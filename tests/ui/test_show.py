"""What a page shows of its runs: where they cannot be started, and as the viewer chooses to see them."""

import sys
from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st
from streamlit.testing.v1 import AppTest

from nnviz.runs import RunError
from nnviz.ui import runtime
from tests.each import each
from tests.ui import landscape_page
from tests.ui.pages import at, entries, fine, head, opened, press, shown

store = landscape_page.store


def said(app: AppTest) -> dict[str, str]:
    """What the address says of how the page is looked at."""
    return {name: value for name, value in app.query_params.items() if name.startswith("view.") or name == "section"}


def choices(app: AppTest, name: str) -> dict[str, str]:
    """The values of a choice, by the pictures of the surface that offer it."""
    offered = head(app)["choices"]
    found = {figure: offer["value"] for figure, own in offered.items() for offer in own if offer["name"] == name}
    return {figure: found[figure] for figure in ("map", "surface") if figure in found}


def test_a_choice_is_kept_in_the_address_and_holds_for_all_pictures_that_share_it(store, monkeypatch):
    assert store
    module = sys.modules["nnviz.ui.show"]
    board = module.board

    def pressed(*arguments: object, on_choice: Callable, **told: object) -> None:
        for choice in (
            ("map", "log", "log"),
            ("surface", "log", "auto"),
            ("map", "optimizer", "1"),
            ("map", "log", "no"),
        ):
            st.button(" ".join(choice), on_click=partial(on_choice, *choice))
        board(*arguments, on_choice=on_choice, **told)

    monkeypatch.setattr(module, "board", pressed)
    app = press(opened("pages/optimizers.py"), "map log log")
    assert choices(app, "log") == {"map": "log", "surface": "log"}
    assert said(app) == {"view.log": "log"}
    assert choices(opened("pages/optimizers.py", view__log="log"), "log") == {"map": "log", "surface": "log"}
    press(app, "map log no")
    assert choices(app, "log") == {"map": "log", "surface": "log"}
    press(app, "map optimizer 1")
    assert set(choices(app, "optimizer").values()) == {"1"}
    # Back at what it is without being chosen it need not be said.
    press(app, "surface log auto")
    assert choices(app, "log") == {"map": "auto", "surface": "auto"}
    assert said(app) == {"view.optimizer": "1"}


def test_a_section_is_opened_and_the_address_says_so_unless_it_is_the_first(store, monkeypatch):
    assert store
    module = sys.modules["nnviz.ui.show"]
    board = module.board

    def pressed(*arguments: object, on_section: Callable, sections: Mapping, **told: object) -> None:
        for title in sections:
            st.button(f"open {title}", on_click=partial(on_section, title))
        board(*arguments, on_section=on_section, sections=sections, **told)

    monkeypatch.setattr(module, "board", pressed)
    app = opened("pages/gradient_flow.py")
    first, *others = head(app)["sections"]
    assert (head(app)["section"], said(app)) == (first, {})
    for title in others:
        assert head(press(app, f"open {title}"))["section"] == title
        assert said(app) == {"section": title}
    assert head(opened("pages/gradient_flow.py", section=others[0]))["section"] == others[0]
    assert head(press(app, f"open {first}"))["section"] == first
    assert said(app) == {}


@each("page, field, value", [("playground", ":seed", 5), ("optimizers", ":x", 1.5)])
def test_what_cannot_be_started_is_answered_with_one_line_and_comes_when_it_can(store, monkeypatch, page, field, value):
    def refuse(*_: object, **__: object) -> None:
        raise RunError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(runtime.pool(), "submit", refuse)
        app = opened(f"pages/{page}.py")
        assert [e.value for e in app.error] == ["the disk is full"]
        assert entries(app) == []
        at(app.number_input, field).set_value(value)
        assert [e.value for e in fine(app.run()).error] == ["the disk is full"]
    fine(app.run())
    assert not app.error
    assert [store.open(run).status().state for run in shown(app)] == ["queued"]
