"""What the board sends: JSON that browsers read, differences that give the figure back, and the order of backfill."""

import base64
import json
import time

import numpy as np
import pytest

from nnviz.ui import board, board_history, session
from nnviz.ui.board_history import coarse_first
from nnviz.ui.board_wire import diff, encode, sketch


def decoded(value):
    """What the browser makes of JSON: typed arrays as (dtype, shape, list)."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        shape = [int(n) for n in value["shape"].split(",")] if "shape" in value else [-1]
        return array.reshape(shape).tolist()
    if isinstance(value, dict):
        return {key: decoded(part) for key, part in value.items()}
    return value


def patched(base, changes):
    """The board's patch, in Python: the base with changes, the base itself untouched."""
    figure = json.loads(json.dumps(base))
    for path, *value in changes:
        if not path:
            figure = value[0]
            continue
        at = figure
        for key in path[:-1]:
            at = at[key]
        if value:
            at[path[-1]] = value[0]
        else:
            del at[path[-1]]
    return figure


def figure(step: int, **layout) -> dict:
    x = np.arange(5, dtype=np.float32)
    data = [
        {"type": "scatter", "x": x, "y": x * step, "name": "층 1"},
        {"type": "bar", "y": np.full((2, 3), step, np.uint8)},
    ]
    return {"data": data, "layout": {"meta": {"title": "t"}, "shapes": [{"x0": step}], **layout}}


def one(step: int) -> dict[str, dict]:
    return {"a": figure(step)}


class Browser:
    """Stands in for the board in the browser: takes messages in and keeps what it has."""

    def __init__(self):
        self.token, self.seq, self.lost = None, 0, []
        self.forget()

    def forget(self):
        self.bases, self.now, self.history, self.steps = {}, {}, {}, []

    def take(self, text: str) -> dict:
        message = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        head = message["head"]
        if head["full"]:
            self.forget()
            self.token = head["token"]
        assert head["token"] == self.token
        self.lost += [] if head["full"] else list(range(self.seq + 1, head["seq"]))
        if not head["full"] and head["source"] != self.source:
            self.forget()
        if head["forget"]:
            self.history.clear()
        self.seq, self.source = head["seq"], head["source"]
        self.bases.update(dict(message["bases"]))
        for name, (base, changes) in message["now"].items():
            self.now[name] = patched(self.bases[base], changes)
        for step, figures in message["history"]:
            usable = all(base in self.bases for base, _ in figures.values())
            if usable:
                self.history[step] = {
                    name: patched(self.bases[base], changes) for name, (base, changes) in figures.items()
                }
            else:
                self.lost.append(head["seq"])
        self.steps = head.get("steps", self.steps)
        return message


def send(client: dict, pictures, steps, *, source="run", edition="", live=False, budget=10.0) -> str:
    head = {"source": source, "edition": edition, "live": live}
    return board_history.message(client, pictures, steps, head, once={"themes": {}}, budget=budget)


def test_every_plotly_dtype_comes_back_bit_for_bit():
    for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"):
        array = np.array([[1, 2, 3], [4, 5, 120]], dtype)
        sent = json.loads(encode(array))
        assert sent["dtype"] == dtype
        assert sent["shape"] == "2,3"
        assert base64.b64decode(sent["bdata"]) == array.tobytes()


def test_other_dtypes_are_sent_as_the_nearest_that_plotly_has():
    assert json.loads(encode(np.arange(3)))["dtype"] == "i4"
    assert json.loads(encode(np.array([0, 1, 2**40])))["dtype"] == "f8"
    assert json.loads(encode(np.zeros(3, np.float16)))["dtype"] == "f4"
    assert json.loads(encode(np.arange(6.0)[::2])) == {
        "dtype": "f8",
        "bdata": base64.b64encode(np.array([0.0, 2, 4])).decode(),
    }
    assert json.loads(encode(np.array([True, False, True]))) == [True, False, True]
    assert json.loads(encode(np.array(["가", "b", "c"]))) == ["가", "b", "c"]
    assert json.loads(encode(np.array(["2026-01-02"] * 3, "M8[D]"))) == ["2026-01-02"] * 3
    assert json.loads(encode(np.array([0.0, 1.0]))) == [0.0, 1.0]


def test_big_endian_arrays_are_sent_little_endian():
    assert decoded(json.loads(encode(np.arange(3, dtype=">f4")))) == [0.0, 1.0, 2.0]


def test_scalars_that_are_not_finite_become_null_and_nan_in_arrays_stays():
    value = {"a": float("nan"), "b": [1.0, float("inf")], "c": np.float32("nan"), "d": np.array([1.0, np.nan, 3.0])}
    sent = json.loads(encode(value), parse_constant=lambda name: pytest.fail(name))
    assert (sent["a"], sent["b"], sent["c"]) == (None, [1.0, None], None)
    assert np.isnan(decoded(sent["d"])[1])
    assert json.loads(encode({"z": np.array([np.nan, 1.0])})) == {"z": [None, 1.0]}


def test_what_json_cannot_hold_is_named():
    with pytest.raises(TypeError, match="got set"):
        encode({"data": {1, 2}})


def test_a_figure_of_twelve_curves_is_encoded_within_milliseconds():
    x = np.linspace(0, 1, 500)
    curves = {"data": [{"type": "scatter", "x": x, "y": x**i} for i in range(12)], "layout": {}}
    times = []
    for _ in range(20):
        started = time.perf_counter()
        encode(curves)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.004  # 0.4 ms where nothing else runs


@pytest.mark.parametrize(
    "new",
    [
        figure(3),
        figure(1, extra={"a": [1, {"b": None}]}),
        figure(1, shapes=[]),
        figure(1, shapes=[{"x0": 1}, {"x0": 2}]),
        {"data": figure(1)["data"][:1], "layout": {}},
        {"data": [{"type": "heatmap", "z": np.eye(3)}, {"type": "bar", "y": None}], "layout": {"shapes": None}},
        {"layout": {"meta": []}},
        figure(1, meta="text", width=float("nan")),
    ],
)
def test_base_and_differences_give_the_figure_back(new):
    base = figure(1)
    changes = json.loads(encode(diff(sketch(base), new)))
    assert patched(json.loads(encode(base)), changes) == json.loads(encode(new))


def test_equal_figures_have_no_differences_and_arrays_are_compared_by_value():
    assert diff(sketch(figure(2)), figure(2)) == []
    one, other = figure(2), figure(2)
    other["data"][0]["x"] = other["data"][0]["x"].astype(np.float64)
    assert [path for path, _ in diff(sketch(one), other)] == [["data", 0, "x"]]


def test_true_is_not_taken_for_one():
    assert diff(sketch({"visible": 1}), {"visible": True}) == [[["visible"], True]]


def test_only_what_changed_is_sent():
    assert [path for path, _ in diff(sketch(figure(1)), figure(2))] == [
        ["data", 0, "y"],
        ["data", 1, "y"],
        ["layout", "shapes", 0, "x0"],
    ]


def test_a_sketch_holds_no_arrays():
    big = {"z": np.zeros((500, 500)), "text": "x" * 1000, "list": list(range(1000))}
    assert len(repr(sketch(big))) < 300


def test_backfill_goes_from_the_ends_to_the_middle_of_the_widest_gap():
    assert list(coarse_first([0, 1, 2, 3, 4, 5, 6, 7, 8], set())) == [8, 0, 4, 2, 6, 1, 3, 5, 7]
    assert list(coarse_first([0, 10, 100, 1000, 10_000], {10_000})) == [0, 100, 10, 1000]


def test_backfill_starts_in_the_gap_that_is_left():
    assert next(coarse_first(list(range(100)), {0, 10, 20, 99})) == 59


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_backfill_names_each_missing_step_once(count):
    steps = list(range(0, 3 * count, 3))
    have = set(steps[::4])
    assert sorted(coarse_first(steps, have)) == sorted(set(steps) - have)


def test_first_message_holds_the_newest_step_alone_and_later_ones_the_rest():
    client, browser = {}, Browser()
    steps = list(range(0, 100, 10))
    browser.take(send(client, one, steps))
    assert list(browser.history) == [90]
    assert browser.steps == steps
    browser.take(send(client, one, steps))
    assert sorted(browser.history) == steps
    for step, figures in browser.history.items():
        assert figures["a"] == json.loads(encode(figure(step)))


def test_without_a_budget_one_missing_step_is_sent_at_a_time():
    client, browser = {}, Browser()
    for known in range(1, 6):
        browser.take(send(client, one, [0, 1, 2, 3, 4], budget=0))
        assert len(browser.history) == known


def test_a_message_with_nothing_new_is_small():
    client, browser = {}, Browser()
    for _ in range(3):
        text = send(client, one, [0, 1, 2])
        browser.take(text)
    assert len(text) < 250
    assert len(browser.history) == 3


def test_figures_over_steps_are_kept_in_their_newest_version_alone():
    client, browser = {}, Browser()
    built = []

    def pictures(step):
        built.append(step)
        return {"loss": figure(len(built), meta={"x_is_step": True}), "map": figure(step)}

    for _ in range(2):
        browser.take(send(client, pictures, [0, 1, 2]))
    assert all(list(figures) == ["map"] for figures in browser.history.values())
    assert browser.now["loss"]["data"][0]["y"] == json.loads(encode(figure(2)["data"][0]["y"]))


def test_a_figure_that_is_cut_in_the_browser_is_sent_once_for_all_steps():
    client, browser, built = {}, Browser(), []

    def pictures(step):
        built.append(step)
        return {"map": figure(1, meta={"reveals": True}), "a": figure(step)}

    steps = list(range(20))
    for _ in range(2):
        message = browser.take(send(client, pictures, steps))
    assert message["now"] == {}
    assert browser.now["map"] == json.loads(encode(figure(1, meta={"reveals": True})))
    assert sorted(browser.history) == steps
    assert all(list(figures) == ["a"] for figures in browser.history.values())


def test_a_board_of_figures_that_are_cut_in_the_browser_is_replaced_when_one_changes():
    client, browser = {}, Browser()
    for size in (1, 2):
        message = browser.take(send(client, lambda _: {"map": figure(size, meta={"reveals": True})}, [0, 1]))  # noqa: B023
    assert list(message["now"]) == ["map"]
    assert browser.now["map"] == json.loads(encode(figure(2, meta={"reveals": True})))


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ({"name": "start", "x": 1, "y": -2.5, "done": True}, [("start", 1.0, -2.5, True)]),
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


def test_a_lazy_mapping_is_asked_for_earlier_steps_only_for_figures_that_change():
    asked = []

    class Lazy(dict):
        def __getitem__(self, name):
            asked.append((self.step, name))
            return super().__getitem__(name)

    def pictures(step):
        made = Lazy(loss=figure(step, meta={"x_is_step": True}), map=figure(step))
        made.step = step
        return made

    client = {}
    for _ in range(2):
        send(client, pictures, [0, 1])
    assert (0, "map") in asked
    assert (0, "loss") not in asked


def test_a_step_asked_for_comes_first():
    client, browser = {}, Browser()
    steps = list(range(100))
    browser.take(send(client, one, steps))
    client["ask"] = {"want": [37, 12345]}
    message = browser.take(send(client, one, steps, budget=0))
    assert [step for step, _ in message["history"]] == [37]


def test_a_lost_message_is_sent_again():
    def pictures(step):
        return {"loss": figure(step, meta={"x_is_step": True}), "a": figure(step)}

    client, browser = {}, Browser()
    browser.take(send(client, pictures, [0, 1]))
    send(client, pictures, [0, 1, 2, 3])  # never arrives
    browser.take(send(client, pictures, [0, 1, 2, 3, 4]))
    assert browser.lost == [2]
    client["ask"] = {"lost": browser.lost}
    browser.take(send(client, pictures, [0, 1, 2, 3, 4]))
    assert sorted(browser.history) == browser.steps == [0, 1, 2, 3, 4]


def test_a_base_lost_on_the_way_is_sent_again():
    def pictures(step):
        return {"a": figure(step) if step else {"data": [], "layout": {}}}

    client, browser = {}, Browser()
    browser.take(send(client, pictures, [0]))
    send(client, pictures, [0, 1])  # the base of figures with two traces is lost
    browser.take(send(client, pictures, [0, 1, 2]))
    assert browser.lost == [2, 3]
    client["ask"] = {"lost": browser.lost}
    browser.take(send(client, pictures, [0, 1, 2]))
    assert browser.history[2]["a"] == json.loads(encode(figure(2)))
    assert sorted(browser.history) == [0, 1, 2]


def test_a_new_page_is_sent_everything_again():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2]))
    client["ask"] = {"hello": "nonce"}
    reloaded = Browser()
    for _ in range(2):
        reloaded.take(send(client, one, [0, 1, 2]))
    assert reloaded.history == browser.history
    assert reloaded.token != browser.token


def test_another_source_drops_history():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2], source="one"))
    for _ in range(2):
        browser.take(send(client, lambda step: {"a": figure(step + 100)}, [0, 1], source="two"))
    assert sorted(browser.history) == [0, 1]
    assert browser.history[0]["a"] == json.loads(encode(figure(100)))


def test_another_edition_drops_pictures_of_steps_and_sends_the_newest_whatever_was_sent_before():
    def race(surface, *names):
        return lambda step: {
            "map": figure(surface, meta={"reveals": True}),
            **{n: figure(surface + step) for n in names},
        }

    client, browser = {}, Browser()
    for edition, (surface, last, *names) in enumerate([(10, 4, "phase"), (20, 6), (30, 4, "phase"), (40, 2, "phase")]):
        pictures, steps = race(surface, *names), list(range(last + 1))
        first = browser.take(send(client, pictures, steps, edition=str(edition)))
        assert set(browser.history[last]) == set(names)
        browser.take(send(client, pictures, steps, edition=str(edition)))
        assert sorted(browser.history) == steps
        for step, figures in browser.history.items():
            assert figures == {n: json.loads(encode(figure(surface + step))) for n in names}
        assert browser.now["map"] == json.loads(encode(figure(surface, meta={"reveals": True})))
    assert first["bases"] == []  # differences only


def test_pictures_of_another_edition_are_dropped_though_the_message_that_says_so_is_lost():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2, 3], edition="one"))
    other = lambda step: {"a": figure(step + 50)}  # noqa: E731
    send(client, other, [0, 1, 2, 3], edition="two", budget=0)  # never arrives
    browser.take(send(client, other, [0, 1, 2, 3], edition="two", budget=0))
    client["ask"] = {"lost": browser.lost}
    browser.take(send(client, other, [0, 1, 2, 3], edition="two", budget=0))
    assert 3 in browser.history
    assert all(browser.history[s] == {"a": json.loads(encode(figure(s + 50)))} for s in browser.history)


def test_a_figure_that_comes_late_in_each_edition_is_sent_for_all_steps():
    client, browser = {}, Browser()
    for edition in ("one", "two"):
        for names in ((), ("basins",), ("basins",)):
            pictures = lambda step: {n: figure(step) for n in ("phase", *names)}  # noqa: B023, E731
            browser.take(send(client, pictures, [0, 1, 2], edition=edition, live=not names))
        assert all(set(figures) == {"phase", "basins"} for figures in browser.history.values())


def test_another_edition_costs_nothing_where_no_picture_is_kept_for_each_step():
    client, browser = {}, Browser()
    for edition in range(4):
        pictures = lambda _: {"map": figure(edition, meta={"reveals": True})}  # noqa: B023, E731
        message = browser.take(send(client, pictures, list(range(50)), edition=str(edition)))
    assert message["history"] == []


def test_a_picture_that_changed_while_nothing_trains_drops_earlier_ones():
    client, browser = {}, Browser()
    for color in ("red", "red", "blue", "blue"):
        browser.take(send(client, lambda step: {"a": figure(step, color=color)}, [0, 1, 2]))  # noqa: B023
    assert {figures["a"]["layout"]["color"] for figures in browser.history.values()} == {"blue"}
    assert len(browser.history) == 3


def test_steps_thinned_out_are_not_believed_to_be_there():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2, 3]))
    browser.take(send(client, one, [0, 3]))
    message = browser.take(send(client, one, [0, 1, 3]))
    assert [step for step, _ in message["history"]] == [1]


def test_a_figure_that_appears_later_is_sent_for_earlier_steps_too():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2]))
    for _ in range(2):
        browser.take(send(client, lambda step: {"a": figure(step), "b": figure(step + 50)}, [0, 1, 2]))
    assert all(set(figures) == {"a", "b"} for figures in browser.history.values())


def test_a_board_without_steps_sends_no_figures():
    client, browser = {}, Browser()
    message = browser.take(send(client, lambda _: pytest.fail("no step, no picture"), []))
    assert message["head"]["newest"] is None
    assert message["history"] == []


def test_what_is_kept_of_a_client_is_small_and_plain():
    client = {}
    z = np.random.default_rng(0).normal(size=(100, 100))
    for _ in range(3):
        send(client, lambda step: {"map": {"data": [{"type": "heatmap", "z": z + step}]}}, list(range(50)))
    assert len(repr(client)) < 10_000


def test_parts_for_the_browser_are_copied_beside_the_app(tmp_path):
    from nnviz.ui import plotly_js

    static = tmp_path / "static"
    plotly_js.publish(static)
    names = plotly_js.names()
    assert (static / names["plotly"]).stat().st_size > 1_000_000
    assert (static / names["board"] / "board.js").exists()
    assert (static / ".gitignore").read_text() == "*\n"
    before = (static / names["plotly"]).stat().st_mtime_ns
    plotly_js.publish.cache_clear()
    plotly_js.publish(static)
    assert (static / names["plotly"]).stat().st_mtime_ns == before
    assert {path.name for path in static.iterdir()} == {".gitignore", names["plotly"], names["board"]}


def test_the_newest_pictures_come_again_while_a_run_comes_to_rest():
    client, browser = {}, Browser()
    browser.take(send(client, one, [0, 1], live=True))
    browser.take(send(client, one, [0, 1], live=True))
    assert browser.take(send(client, one, [0, 1], live=True))["history"] == []
    for _ in range(2):
        assert [step for step, _ in browser.take(send(client, one, [0, 1]))["history"]] == [1]
    client["rested"] -= board_history.RESTING
    assert browser.take(send(client, one, [0, 1]))["history"] == []
