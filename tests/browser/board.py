"""What tests of pages with a board share: wait for its published state, move its slider, zoom, use its menus."""

from pathlib import Path

DEMO = Path(__file__).parent / "apps" / "board_demo.py"
BOARD = "document.querySelector('.nnviz-board')"


def until(page, condition: str) -> None:
    """Waits until a JavaScript condition on the board's published state `d` and the page holds."""
    page.wait_for_function(f"(d => d && ({condition}))({BOARD}?.dataset)", polling=30)


def open_board(page, url: str) -> None:
    page.goto(url)
    until(page, "d.drawn > 0 && d.busy === 'false'")


def state(page) -> dict[str, str]:
    return page.evaluate(f"({{...{BOARD}.dataset}})")


def filled(page) -> None:
    until(page, "d.history === d.stepsKnown && d.busy === 'false'")


def all_drawn(page) -> None:
    """Waits for the charts out of view too."""
    page.wait_for_function(
        "(plots => plots.length === 8 && plots.every(e => e.querySelector('.subplot')))"
        "([...document.querySelectorAll('.nnviz-plot')])"
    )


def scrub(page, place: int) -> None:
    """Moves the slider to the picture of this number, of steps that are equally far from each other."""
    page.evaluate(
        """place => {
          const slider = document.querySelector('.nnviz-slider'), { min, max } = slider;
          slider.value = +min + (max - min) * place / (document.querySelector('.nnviz-board').dataset.stepsKnown - 1);
          slider.dispatchEvent(new Event('input'));
        }""",
        place,
    )


def plot(name: str) -> str:
    return f"document.querySelector('[data-figure={name}] .nnviz-plot')"


def zoom(page, name: str) -> list[float]:
    """Drags over the middle of a chart; the x range that it has then."""
    page.locator(f"[data-figure={name}]").scroll_into_view_if_needed()
    box = page.locator(f"[data-figure={name}] .nsewdrag").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y + 2, steps=5)
    page.mouse.up()
    page.wait_for_function(f"{plot(name)}._fullLayout.xaxis.autorange === false")
    return x_range(page, name)


def x_range(page, name: str) -> list[float]:
    return page.evaluate(f"{plot(name)}._fullLayout.xaxis.range.slice()")


def choose(page, name: str, item: str):
    """The download that an item of a figure's menu gives."""
    page.locator(f"[data-figure={name}] .nnviz-menu-button").click()
    with page.expect_download() as download:
        page.locator(f"[data-figure={name}] [role=menuitem]", has_text=item).click()
    return download.value
