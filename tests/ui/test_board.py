"""The board beside its messages: points that are chosen on it, and its parts beside the app."""

import pytest

from nnviz.ui import session
from nnviz.ui.board import board
from tests.each import each


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ({"figure": "map", "x": 1, "y": -2.5, "done": True}, [("map", 1.0, -2.5, True)]),
        ({"x": 1, "y": 2}, [("", 1.0, 2.0, False)]),
        ({"x": 1}, []),
        ({"x": "1", "y": 2}, []),
        ({"x": float("nan"), "y": 2}, []),
        ({"x": float("inf"), "y": 2}, []),
        ([1, 2], []),
        ("1, 2", []),
        (None, []),
    ],
)
def test_a_point_chosen_is_handed_on_if_it_is_one(monkeypatch, sent, heard):
    got = []
    monkeypatch.setattr(session, "value", lambda key: {"pick": sent} if key == "demo" else None)
    board._pick("demo", lambda *picked: got.append(picked))
    board._pick("demo", None)
    board._pick("other", lambda *picked: got.append(picked))
    assert got == heard


@each(
    ("sent", "heard"),
    [
        ([[1, 2.5], [3, 4]], [("map", [(1.0, 2.5), (3.0, 4.0)])]),
        ([[1, 2], [None, 1], [1], "x", [float("inf"), 0], {"x": 1}], [("map", [(1.0, 2.0)])]),
        ([[i, 0] for i in range(900)], [("map", [(float(i), 0.0) for i in range(500)])]),
        ([], []),
        ([[True, 1e400]], []),
        ({"0": [1, 2]}, []),
    ],
)
def test_a_line_drawn_is_handed_on_with_those_of_its_points_that_are_some(sent, heard):
    got = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "value", lambda _: {"pick": {"figure": "map", "stroke": sent}})
        board._pick("demo", None, lambda *drawn: got.append(drawn))
        board._pick("demo", None)
    assert got == heard


def test_a_point_chosen_in_a_picture_of_something_else_is_not_handed_on(monkeypatch):
    got = []
    monkeypatch.setattr(session, "memory", lambda key: {"source": "bowl"} if key == "board:demo" else {})
    for source in ("bowl", "ravine", None):
        sent = {"figure": "map", "x": 1, "y": 2, "source": source}
        monkeypatch.setattr(session, "value", lambda _, sent=sent: {"pick": sent})
        board._pick("demo", lambda *picked, source=source: got.append((source, *picked)))
    assert got == [("bowl", "map", 1.0, 2.0, False)]


def test_parts_for_the_browser_are_copied_beside_the_app(tmp_path):
    from nnviz.ui.board import browser_files

    static = tmp_path / "static"
    browser_files.publish(static)
    names = browser_files.names()
    assert (static / names["plotly"]).stat().st_size > 1_000_000
    assert (static / names["board"] / "board.js").exists()
    assert (static / ".gitignore").read_text() == "*\n"
    before = (static / names["plotly"]).stat().st_mtime_ns
    browser_files.publish.cache_clear()
    browser_files.publish(static)
    assert (static / names["plotly"]).stat().st_mtime_ns == before
    assert {path.name for path in static.iterdir()} == {".gitignore", names["plotly"], names["board"]}
