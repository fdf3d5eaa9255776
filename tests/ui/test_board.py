"""The board beside its messages: points that are chosen on it, and its parts beside the app."""

from collections.abc import Callable
from itertools import count

import pytest

from nnviz.ui import session
from nnviz.ui.board import board


@pytest.fixture
def sends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list]:
    """`sends(pick)` is what the server takes from a browser that sends this, by whoever hears of it."""
    memories: dict[str, dict] = {"board:demo": {"source": "bowl"}}
    monkeypatch.setattr(session, "memory", lambda key: memories.setdefault(key, {}))

    def send(pick: object) -> list:
        got: list = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "value", lambda key: {"pick": pick} if key == "demo" else None)
            board._pick("other", lambda *picked: got.append(picked), lambda *drawn: got.append(drawn))
            board._pick("demo", lambda *picked: got.append(picked), lambda *drawn: got.append(drawn))
        return got

    return send


NUMBERS = count(1)


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ({"figure": "map", "x": 1, "y": -2.5, "done": True}, [("map", 1.0, -2.5, True)]),
        ({"x": 1, "y": 2}, [("", 1.0, 2.0, False)]),
        ({"x": 1}, []),
        ({"x": "1", "y": 2}, []),
        ({"x": float("nan"), "y": 2}, []),
        ({"x": float("inf"), "y": 2}, []),
        ({"x": 1, "y": 2, "number": "3"}, []),
        ([1, 2], []),
        ("1, 2", []),
        (None, []),
        ({"figure": "map", "stroke": [[1, 2.5], [3, 4]]}, [("map", [(1.0, 2.5), (3.0, 4.0)])]),
        (
            {"figure": "map", "stroke": [[1, 2], [None, 1], [1], "x", [float("inf"), 0], {"x": 1}]},
            [("map", [(1.0, 2.0)])],
        ),
        (
            {"figure": "map", "stroke": [[i, 0] for i in range(900)]},
            [("map", [(float(i), 0.0) for i in range(500)])],
        ),
        ({"stroke": []}, []),
        ({"stroke": [[True, 1e400]]}, []),
        ({"stroke": {"0": [1, 2]}}, []),
    ],
)
def test_a_point_chosen_and_a_line_drawn_are_handed_on_once_if_they_are_one(sends, sent, heard):
    whole = {"source": "bowl", "number": next(NUMBERS)} | sent if isinstance(sent, dict) else sent
    assert sends(whole) == heard
    assert sends(whole) == [], "the browser sends it again until it hears that it has been heard"


def test_a_point_chosen_in_a_picture_of_something_else_is_not_handed_on(sends):
    got = [
        (source, sends({"figure": "map", "x": 1, "y": 2, "source": source, "number": next(NUMBERS)}))
        for source in ("bowl", "ravine", None)
    ]
    assert got == [("bowl", [("map", 1.0, 2.0, False)]), ("ravine", []), (None, [])]


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
