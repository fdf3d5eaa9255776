"""Messages to a board: the order of backfill, what is sent once, what is lost on the way, new sources and editions."""

import json

import numpy as np
import pytest

from nnviz.ui.board import picture_history
from nnviz.ui.board.picture_history import coarse_first
from nnviz.ui.board.wire_format import encode
from tests.ui.messages_sent import Browser, figure, one, send


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


def test_a_lazy_mapping_is_asked_for_earlier_steps_only_for_figures_that_change():
    requested = []

    class Lazy(dict):
        def __getitem__(self, name):
            requested.append((self.step, name))
            return super().__getitem__(name)

    def pictures(step):
        made = Lazy(loss=figure(step, meta={"x_is_step": True}), map=figure(step))
        made.step = step
        return made

    client = {}
    for _ in range(2):
        send(client, pictures, [0, 1])
    assert (0, "map") in requested
    assert (0, "loss") not in requested


def test_a_step_asked_for_comes_first():
    client, browser = {}, Browser()
    steps = list(range(100))
    browser.take(send(client, one, steps))
    client["request"] = browser.request(wanted=[[37, ["a"]], [12345, ["a"]]])
    message = browser.take(send(client, one, steps, budget=0))
    assert [step for step, _ in message["history"]] == [37]


def test_what_went_from_the_browser_is_sent_again_when_it_is_asked_for_and_nothing_else():
    def pictures(step):
        return {"loss": figure(step, meta={"x_is_step": True}), "a": figure(step), "b": figure(step)}

    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, pictures, list(range(20))))
    before = browser.history[7].pop("a")
    assert browser.take(send(client, pictures, list(range(20))))["history"] == []
    client["request"] = browser.request(wanted=[[7, ["a", "loss", "gone"]]])
    message = browser.take(send(client, pictures, list(range(20))))
    assert [(step, list(figures)) for step, figures in message["history"]] == [(7, ["a"])]
    assert browser.history[7]["a"] == before


def test_a_lost_message_is_sent_again():
    def pictures(step):
        return {"loss": figure(step, meta={"x_is_step": True}), "a": figure(step)}

    client, browser = {}, Browser()
    browser.take(send(client, pictures, [0, 1]))
    send(client, pictures, [0, 1, 2, 3])  # never arrives
    browser.take(send(client, pictures, [0, 1, 2, 3, 4]))
    assert browser.lost == [2]
    client["request"] = browser.request()
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
    client["request"] = browser.request()
    browser.take(send(client, pictures, [0, 1, 2]))
    assert browser.history[2]["a"] == json.loads(encode(figure(2)))
    assert sorted(browser.history) == [0, 1, 2]


def test_a_new_page_is_sent_everything_again():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2]))
    client["request"] = browser.request(restart="nonce")
    reloaded = Browser()
    for _ in range(2):
        reloaded.take(send(client, one, [0, 1, 2]))
    assert reloaded.history == browser.history
    assert reloaded.memory != browser.memory


def test_another_source_drops_history():
    client, browser = {}, Browser()
    for _ in range(2):
        browser.take(send(client, one, [0, 1, 2], source="one"))
    for _ in range(2):
        browser.take(send(client, lambda step: {"a": figure(step + 100)}, [0, 1], source="two"))
    assert sorted(browser.history) == [0, 1]
    assert browser.history[0]["a"] == json.loads(encode(figure(100)))


def test_another_edition_drops_pictures_of_steps_and_sends_the_newest_whatever_was_sent_before():
    def trajectories(surface, *names):
        return lambda step: {
            "map": figure(surface, meta={"reveals": True}),
            **{n: figure(surface + step) for n in names},
        }

    client, browser = {}, Browser()
    for edition, (surface, last, *names) in enumerate([(10, 4, "phase"), (20, 6), (30, 4, "phase"), (40, 2, "phase")]):
        pictures, steps = trajectories(surface, *names), list(range(last + 1))
        first = browser.take(send(client, pictures, steps, edition=str(edition)))
        assert set(browser.history.get(last, ())) == set(names)
        browser.take(send(client, pictures, steps, edition=str(edition)))
        assert sorted(browser.history) == (steps if names else [])
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
    client["request"] = browser.request()
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


def test_the_newest_pictures_come_again_while_a_run_comes_to_rest():
    client, browser = {}, Browser()
    browser.take(send(client, one, [0, 1], live=True))
    browser.take(send(client, one, [0, 1], live=True))
    assert browser.take(send(client, one, [0, 1], live=True))["history"] == []
    for _ in range(2):
        assert [step for step, _ in browser.take(send(client, one, [0, 1]))["history"]] == [1]
    client["rested"] -= picture_history.RESTING
    assert browser.take(send(client, one, [0, 1]))["history"] == []


def test_what_was_lost_before_another_source_came_does_not_start_over():
    client, browser = {}, Browser()
    browser.take(send(client, one, [0, 1], source="one"))
    send(client, one, [0, 1], source="one")  # never arrives
    browser.take(send(client, one, [0, 1, 2], source="two"))
    assert browser.lost == [2]
    before = browser.memory
    client["request"] = browser.request()
    message = browser.take(send(client, one, [0, 1, 2], source="two"))
    assert message["head"]["full"] is False
    assert browser.memory == before
    assert browser.lost == []


def test_a_figure_is_of_the_identity_announced_last_though_that_message_was_lost():
    pictures = {
        name: lambda step, own=own: {"loss": figure(own, meta={"x_is_step": True}), "a": figure(own + step)}
        for name, own in (("one", 100), ("two", 200))
    }
    client, browser = {}, Browser()
    for source, edition in (("one", ""), ("two", ""), ("one", ""), ("one", "new")):
        for _ in range(2):
            browser.take(send(client, pictures[source], [0, 1], source=source, edition=edition, budget=0))
        identity = browser.identity
        send(client, pictures["two"], [0, 1], source="two", edition=edition, budget=0)  # never arrives
        message = browser.take(send(client, pictures["one"], [0, 1], source="one", edition=edition, budget=0))
        assert browser.identity != identity
        own = json.loads(encode(pictures["one"](1)))
        assert browser.now.get("loss", own["loss"]) == own["loss"]
        assert all(
            figures["a"] == json.loads(encode(pictures["one"](s)["a"])) for s, figures in browser.history.items()
        )
        assert message["head"]["steps"] == [0, 1]


def test_what_is_asked_late_or_twice_is_not_answered():
    client, browser = {}, Browser()
    browser.take(send(client, one, list(range(20)), budget=0))
    late = [browser.request(wanted=[[7, ["a"]]]), browser.request(restart="nonce"), browser.request(lost=[1])]
    browser.take(send(client, one, list(range(20)), edition="other", budget=0))
    client["request"] = late[0]
    message = browser.take(send(client, one, list(range(20)), edition="other", budget=0))
    assert [step for step, _ in message["history"]] != [7]
    client["request"] = late[1]
    reloaded = Browser()
    assert reloaded.take(send(client, one, list(range(20)), budget=0))["head"]["full"]
    for ask in late:
        client["request"] = ask
        assert not reloaded.take(send(client, one, list(range(20)), budget=0))["head"]["full"]
    assert reloaded.lost == []
    for garbage in ({}, {"restart": "x"}, {"session": None, "lost": [1]}):
        client["request"] = garbage
        assert not reloaded.take(send(client, one, list(range(20)), budget=0))["head"]["full"]


def test_what_was_lost_is_sent_again_until_the_browser_hears_so():
    pictures = lambda step: {"loss": figure(step, meta={"x_is_step": True})}  # noqa: E731
    client, browser = {}, Browser()
    browser.take(send(client, pictures, [0]))
    send(client, pictures, [0, 1])  # never arrives
    browser.take(send(client, pictures, [0, 1]))
    for arrives in (False, False, True):
        client["request"] = browser.request()
        text = send(client, pictures, [0, 1])
        if arrives:
            browser.take(text)
    assert browser.now["loss"] == json.loads(encode(figure(1, meta={"x_is_step": True})))
    client["request"] = browser.request()
    browser.take(send(client, pictures, [0, 1]))
    assert browser.lost == []
