"""Messages that come late, twice, in another order or not at all never bring a figure of one thing under another."""

import json
import math
import random
from itertools import product

import pytest

from tests.browser.board import until, zoom
from tests.browser.messages import NAMES, SECTIONS, Desk, ServerState, expected

pytestmark = pytest.mark.browser

MOONS, SPIRALS, RINGS = ServerState("moons"), ServerState("spirals"), ServerState("rings", steps=(0, 5))


def test_cards_out_of_view_show_the_other_run_though_a_message_of_the_first_was_lost(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    assert board.drawn() == expected(MOONS)
    board.leave("depth")
    board.next_message(MOONS, client)  # never arrives
    board.exchange_until_complete(SPIRALS, client)
    assert board.drawn() == expected(SPIRALS)
    assert board.wrong == []


def test_figures_are_those_of_the_newest_message_whatever_happens_on_the_way(board: Desk):
    options = [MOONS, SPIRALS, RINGS, MOONS._replace(variant="borders"), SPIRALS._replace(edition="2")]
    others = [{"section": title} for title in SECTIONS] + [
        {"axes": axes} for axes in product(("auto", "log"), repeat=3)
    ]
    for seed in range(3):
        chance = random.Random(seed)
        client: dict = {}
        shown, under_way, questions = MOONS, [], []
        for _ in range(40):
            if chance.random() < 0.3:
                shown = chance.choice(options)._replace(section=shown.section, axes=shown.axes)
            if chance.random() < 0.4:
                shown = shown._replace(**chance.choice(others))
            if chance.random() < 0.2:
                tab = "title => document.querySelector(`[role=tab][data-section=${title}]`)?.click()"
                board.page.evaluate(tab, chance.choice(list(SECTIONS)))  # where there are any yet
            under_way.append(board.next_message(shown, client))
            if chance.random() < 0.3:
                under_way.append(chance.choice(under_way))  # twice
            if chance.random() < 0.25:
                under_way.pop(chance.randrange(len(under_way)))  # lost
            if chance.random() < 0.4:
                chance.shuffle(under_way)
            while under_way and chance.random() < 0.6:
                heard = board.deliver(under_way.pop(0))
                questions += [value for name, value in heard if name == "request"]
                for value in [value for name, value in heard if name == "change"]:
                    shown = board.apply_changes(value, shown, client)
            if questions and chance.random() < 0.5:
                client["request"] = chance.choice(questions)  # late, again, or instead of others
            assert board.wrong == [], seed
        chance.shuffle(under_way)
        for text in [*under_way, board.next_message(shown, client)]:
            for value in [value for name, value in board.deliver(text) if name == "change"]:
                shown = board.apply_changes(value, shown, client)
        shown = board.exchange_until_complete(shown, client)
        assert board.drawn() == expected(shown), seed
        assert board.wrong == [], seed


def test_a_section_shows_at_once_and_the_server_is_told_until_it_has_heard(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS._replace(section="Signal"), client)
    assert board.drawn() == expected(MOONS._replace(section="Signal"))
    board.page.get_by_role("tab", name="Rest").click()
    shown = "[...document.querySelectorAll('.nnviz-card')].map(card => [card.dataset.figure, card.dataset.drawn > 0])"
    assert board.page.evaluate(shown) == [["sizes", False], ["loss", True], ["walk", False], ["depth", False]]
    board.deliver(board.next_message(MOONS._replace(section="Signal"), client))  # sent before the server heard
    assert board.state["section"] == "Rest"
    told = board.page.evaluate("new Promise(done => setTimeout(() => done(sentRequests()), 4200))")
    (again,) = [value for name, value in told if name == "change"]
    assert [change["section"] for change in again["changes"]] == ["Rest"]
    now = board.apply_changes(again, MOONS._replace(section="Signal"), client)
    assert now.section == "Rest"
    board.exchange_until_complete(now, client)
    assert board.drawn() == expected(now)
    board.page.get_by_role("tab", name="Signal").click()
    assert [drawn for _, drawn in board.page.evaluate(shown)] == [True, True, True]
    (told,) = [value for name, value in board.sent_requests() if name == "change"]
    board.exchange_until_complete(board.apply_changes(told, now, client), client)
    assert board.state["section"] == "Signal"
    assert board.wrong == []


def test_a_section_of_which_there_is_no_figure_says_so_and_asks_for_none(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    message = json.loads(board.next_message(MOONS, client))
    message["head"]["sections"]["None"] = [["gone"]]
    message["head"] |= {"section": "None", "names": [], "now_names": []}
    board.sent_requests()
    board.deliver(json.dumps(message | {"bases": [], "now": {}, "history": []}))
    board.page.locator("[data-figure=gone]").get_by_text("no result at this step").wait_for()
    until(board.page, "d.busy === 'false' && d.section === 'None' && d.history === d.stepsKnown")
    assert board.page.evaluate("new Promise(done => setTimeout(() => done(sentRequests()), 100))") == []


def test_tabs_are_reached_and_opened_by_keys(board: Desk):
    board.exchange_until_complete(MOONS, {})
    tabs = board.page.get_by_role("tab")
    assert tabs.all_inner_texts() == list(SECTIONS)
    assert (
        tabs.evaluate_all("tabs => tabs.map(tab => [tab.ariaSelected, tab.tabIndex])")
        == [["true", 0]] + [["false", -1]] * 2
    )
    tabs.first.focus()
    for key, title in (("ArrowRight", "Signal"), ("End", "Rest"), ("ArrowRight", "All"), ("ArrowLeft", "Rest")):
        board.page.keyboard.press(key)
        assert board.page.evaluate("document.activeElement.textContent") == title
        assert board.state["section"] == "All"
    board.page.keyboard.press("Enter")
    assert board.state["section"] == "Rest"
    assert board.page.get_by_role("tabpanel", name="Rest").locator(".nnviz-card").count() == len(SECTIONS["Rest"])


def test_a_choice_taken_in_a_card_shows_at_once_and_its_picture_waits_for_the_server(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    card = board.page.locator("[data-figure=map]")
    log, auto = (card.get_by_role("radio", name=label) for label in ("logarithmic", "auto"))
    counts = "[...document.querySelectorAll('.nnviz-card')].map(card => card.dataset.drawn)"
    drawn = board.page.evaluate(counts)

    def seen() -> tuple[str | None, str | None]:
        return log.get_attribute("aria-checked"), card.get_attribute("data-pending")

    log.click()
    assert seen() == ("true", "chosen")
    heard = board.deliver(board.next_message(MOONS, client))  # sent before the server heard
    assert seen() == ("true", "chosen")
    (told,) = [value for name, value in heard if name == "change"]
    assert [(c["figure"], c["name"], c["value"]) for c in told["changes"]] == [("map", "axis", "log")]
    now = board.apply_changes(told, MOONS, client)
    board.exchange_until_complete(now, client)
    assert (seen(), now.axis["map"]) == (("true", "false"), "log")
    assert [after for before, after in zip(drawn, board.page.evaluate(counts), strict=True) if before != after] == ["2"]
    assert board.drawn() == expected(now)
    log.press("ArrowLeft")
    assert board.page.evaluate("document.activeElement.textContent") == "auto"
    assert seen() == ("false", "chosen")
    (told,) = [value for name, value in board.sent_requests() if name == "change"]
    board.apply_changes(told, now, client)  # the server hears of it and stays with what it has
    board.exchange_until_complete(now, client)
    assert (seen(), auto.get_attribute("aria-checked")) == (("true", "false"), "false")
    assert board.wrong == []


def test_a_choice_keeps_the_other_figures_and_never_shows_the_old_picture_for_the_new(board: Desk):
    client: dict = {}
    shown = MOONS._replace(section="Signal")
    board.exchange_until_complete(shown, client)
    rate = "document.querySelector('[data-figure=rate]').dataset.drawn"
    before = board.page.evaluate(rate)
    for axes in (("log", "auto", "auto"), ("log", "log", "auto"), ("auto", "auto", "log")):
        board.next_message(shown._replace(axes=axes), client)  # never arrives
        shown = shown._replace(axes=axes)
        board.exchange_until_complete(shown, client)
        assert board.drawn() == expected(shown), axes
    assert board.page.evaluate(rate) == before
    assert board.wrong == []


def test_a_server_that_knows_nothing_of_the_browser_starts_over(board: Desk):
    board.exchange_until_complete(MOONS, {})
    other: dict = {}
    board.next_message(SPIRALS, other)  # its first message never arrives
    board.sent_requests()
    questions = board.deliver(board.next_message(SPIRALS, other))
    assert [value["restart"] != "" for _, value in questions] == [True]
    other["request"] = questions[0][1]
    board.exchange_until_complete(SPIRALS, other)
    assert board.drawn() == expected(SPIRALS)
    assert board.wrong == []


def test_cards_out_of_view_are_drawn_before_they_are_seen(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS._replace(steps=()), client)
    seen = "[...document.querySelectorAll('.nnviz-plot')].filter(plot => plot.style.visibility === 'visible').length"
    assert board.page.evaluate(seen) == 0
    for shown in (MOONS, SPIRALS):
        board.exchange_until_complete(shown, client)
        board.page.wait_for_function(f"{seen} === {len(NAMES)}")
        assert board.page.evaluate("scrollY") == 0
    assert board.wrong == []


def test_a_board_that_is_left_for_another_page_asks_nothing_until_it_is_back(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    board.next_message(MOONS, client)  # never arrives
    board.sent_requests()
    board.page.evaluate("go('/elsewhere')")
    assert board.deliver(board.next_message(MOONS, client)) == []
    board.next_message(MOONS, client)  # nor does this one
    board.page.evaluate("fresh()")
    ((_, asked),) = board.deliver(board.next_message(MOONS, client))
    assert len(asked["lost"]) == 2
    board.page.evaluate("go(location.pathname)")  # to where one is already
    board.next_message(MOONS, client)
    assert len(board.deliver(board.next_message(MOONS, client))) == 1


def test_the_time_slider_goes_where_it_is_moved_whatever_messages_are_lost_or_come_meanwhile(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    slider = board.page.get_by_role("slider", name="Time")
    for shown in (MOONS._replace(edition="2"), MOONS._replace(variant="borders")):
        board.next_message(shown, client)  # never arrives
        board.deliver(board.next_message(shown, client))
        slider.press("Home")
        slider.press("ArrowRight")
        board.exchange_until_complete(shown, client)
        until(board.page, "d.step === '1' && d.wanted === '1' && d.follows === 'false'")
        slider.press("End")
        until(board.page, "d.follows === 'true'")
    assert board.wrong == []


def test_the_time_slider_stays_under_the_pointer_that_holds_it_and_where_the_keys_are(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    slider = board.page.get_by_role("slider", name="Time")
    held = "(s => [String(Math.round(s.value)), s.max, s.disabled])(document.querySelector('.nnviz-slider'))"
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    board.page.mouse.move(box["x"] + box["width"] - 8, middle)
    board.page.mouse.down()
    board.page.mouse.move(box["x"] + 0.34 * box["width"], middle)
    assert board.page.evaluate(held) == ["1", "3", False]
    more = MOONS._replace(steps=(0, 1, 2, 3, 4, 5, 6))
    board.exchange_until_complete(more, client)
    assert board.page.evaluate(held) == ["1", "3", False]
    board.page.mouse.move(box["x"] + 0.66 * box["width"], middle)
    until(board.page, "d.step === '2' && d.follows === 'false'")
    board.page.mouse.up()
    assert board.page.evaluate(held) == ["2", "6", False]
    # Streamlit takes the board to another place of the page.
    board.page.evaluate("another()")
    board.exchange_until_complete(more, client)
    board.page.keyboard.press("ArrowRight")
    until(board.page, "d.step === '3'")


def test_the_sliders_place_is_in_proportion_to_the_step_or_to_its_logarithm(board: Desk):
    steps = (0, 1, 10, 100, 1000)
    board.exchange_until_complete(MOONS._replace(steps=steps), {})
    page = board.page
    slider, log = page.get_by_role("slider", name="Time"), page.get_by_role("button", name="Logarithmic time")
    share = "(({ value, min, max }) => (value - min) / (max - min))(document.querySelector('.nnviz-slider'))"
    for is_log in (False, True):
        assert log.get_attribute("aria-pressed") == str(is_log).lower()
        slider.press("Home")
        for step in steps:
            until(page, f"d.step === '{step}' && d.busy === 'false'")
            place = math.log1p(step) / math.log1p(1000) if is_log else step / 1000
            assert page.evaluate(share) == pytest.approx(place), (step, is_log)
            slider.press("ArrowRight")
        box = slider.bounding_box()
        page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
        until(page, f"d.step === '{10 if is_log else 100}'")
        log.click()
    log.click()
    board.page.evaluate("fresh()")
    Desk(page, "another").exchange_until_complete(MOONS, {})
    assert log.get_attribute("aria-pressed") == "true"  # remembered
    log.click()


def test_keys_go_from_picture_to_picture_wherever_they_mean_nothing_else(board: Desk):
    board.exchange_until_complete(MOONS, {})
    page = board.page
    for place in ("body", ".nnviz-slider", ".nnviz-menu-button", ".nnviz-play"):
        page.evaluate("place => { document.activeElement.blur(); document.querySelector(place).focus(); }", place)
        for key, step in (
            ("Home", 0),
            ("ArrowRight", 1),
            ("ArrowRight", 2),
            ("ArrowLeft", 1),
            ("End", 3),
            ("ArrowRight", 3),
        ):
            page.keyboard.press(key)
            until(page, f"d.wanted === '{step}' && d.follows === '{str(step == 3).lower()}'")
    assert page.evaluate("scrollY") == 0
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'other', value: 'a b' }))")
    page.locator("#other").focus()
    for key in ("Home", "ArrowLeft", " "):
        page.keyboard.press(key)
    assert board.state["wanted"] == "3"
    assert page.locator("#other").input_value() == " a b"
    page.evaluate("document.querySelector('#other').remove(); scrollTo(0, 0)")
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause playback").wait_for()
    page.keyboard.press(" ")
    page.get_by_role("button", name="Play all steps").wait_for()
    assert page.evaluate("scrollY") == 0


def test_playing_waits_for_each_picture_as_the_speed_says_and_ends_with_the_newest(board: Desk):
    board.exchange_until_complete(MOONS, {})
    page = board.page
    speed = page.get_by_label("Speed", exact=True)
    page.evaluate(
        """() => {
          const { setTimeout } = window;
          const board = document.querySelector(".nnviz-board");
          window.waits = [];
          window.steps = [];
          new MutationObserver(() => steps.push(board.dataset.step)).observe(board, { attributes: true });
          window.setTimeout = (call, wait, ...rest) => (waits.push(wait), setTimeout(call, wait, ...rest));
          window.mend = () => { window.setTimeout = setTimeout; };
        }"""
    )
    for choice, wait in (("4", 50), ("0.5", 400), ("1", 200)):
        speed.select_option(choice)
        page.evaluate("waits.length = steps.length = 0")
        page.get_by_role("button", name="Play all steps").click()
        page.wait_for_function("steps.includes('0') && steps.at(-1) === '3'")
        page.get_by_role("button", name="Play all steps").wait_for()
        assert wait in page.evaluate("waits"), choice
    page.evaluate("mend()")


def test_a_file_is_saved_of_what_was_announced_last_though_it_is_not_drawn_yet(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    saved = "document.querySelector('[data-figure=rate] [data-action=csv]').click()"
    with board.page.expect_download() as download:
        announced = {"subject": "spirals", "axes": SPIRALS.axis}
        arguments = [board.next_message(SPIRALS, client), announced]
        board.page.evaluate(f"([text, announced]) => {{ deliver(text, announced); {saved} }}", arguments)
    text = download.value.path().read_text(encoding="utf-8-sig")
    values = {float(value) for line in text.splitlines() for value in line.split(",") if value.strip("-.").isdigit()}
    own = expected(SPIRALS)["rate"][0]
    assert own in values
    assert expected(MOONS)["rate"][0] not in values


def test_a_zoom_and_a_hidden_curve_are_not_carried_to_another_run(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    plot = "document.querySelector('[data-figure=map] .nnviz-plot')"
    kept = f"[{plot}._fullLayout.xaxis.autorange, {plot}._fullData[0].visible]"
    zoom(board.page, "map")
    board.page.locator("[data-figure=map] .legendtoggle").first.click()
    board.page.wait_for_function(f"{plot}._fullData[0].visible === 'legendonly'")
    board.exchange_until_complete(MOONS._replace(variant="borders"), client)
    assert board.page.evaluate(kept) == [False, "legendonly"]
    board.exchange_until_complete(SPIRALS, client)
    assert board.page.evaluate(kept) == [True, True]


def picks(sent: list) -> list[dict]:
    return [value for name, value in sent if name == "pick"]


def test_a_chosen_point_says_what_it_was_chosen_in_and_is_told_until_the_server_has_heard(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    card = board.page.locator("[data-figure=walk]")
    card.scroll_into_view_if_needed()
    until(board.page, "d.busy === 'false'")
    box = card.locator(".nsewdrag").first.bounding_box()

    def click(share: float) -> None:
        board.page.mouse.click(box["x"] + share * box["width"], box["y"] + 0.3 * box["height"])

    click(0.2)
    (first,) = picks(board.sent_requests())
    assert (first["figure"], first["source"], first["done"]) == ("walk", "moons|", True)
    click(0.4)  # waits for the first, which the server has not heard
    click(0.6)
    assert picks(board.deliver(board.next_message(MOONS, client))) == []
    sent = board.page.evaluate("new Promise(done => setTimeout(() => done(sentRequests()), 1600))")
    assert picks(sent) == [first]
    told = [first]
    for _ in range(2):
        client["picked"] = told[-1]["number"]
        told += picks(board.deliver(board.next_message(MOONS, client)))
    client["picked"] = told[-1]["number"]
    assert picks(board.deliver(board.next_message(MOONS, client))) == []
    assert [pick["x"] for pick in told] == sorted({pick["x"] for pick in told})
    assert len(told) == 3
    sent = board.page.evaluate("new Promise(done => setTimeout(() => done(sentRequests()), 1600))")
    assert picks(sent) == []


def test_a_point_taken_in_a_picture_that_is_about_to_be_replaced_is_told_with_the_next_one(board: Desk):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    board.page.locator("[data-figure=walk]").scroll_into_view_if_needed()
    until(board.page, "d.busy === 'false'")
    borders = MOONS._replace(variant="borders")
    message = board.next_message(borders, client)
    board.sent_requests()
    # Pressed after the message has come, and before a picture of it is drawn.
    x, y, ghost = board.page.evaluate(
        """([text, of]) => {
          const plot = document.querySelector("[data-figure=walk] .nnviz-plot");
          const box = plot.getBoundingClientRect(), { xaxis, yaxis } = plot._fullLayout;
          const x = box.left + xaxis._offset + xaxis.d2p(1), y = box.top + yaxis._offset + yaxis.d2p(plot.data[0].y[0]);
          deliver(text, of);
          const press = { clientX: x, clientY: y, isPrimary: true, bubbles: true };
          plot.dispatchEvent(new PointerEvent("pointerdown", press));
          return [x, y, !plot.closest(".nnviz-card").querySelector(".nnviz-drag-point").hidden];
        }""",
        [message, {"subject": "moons", "axes": borders.axis}],
    )
    assert ghost
    board.exchange_until_complete(borders, client)
    board.page.mouse.move(x + 30, y)
    board.page.mouse.move(x + 60, y, steps=3)
    told = picks(board.sent_requests())
    assert {pick["source"] for pick in told} == {"moons|borders"}
    assert told[0]["x"] > 1
    board.page.mouse.up()
