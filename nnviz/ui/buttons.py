"""A button whose click counts once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from nnviz.ui.session import current_url_path, redraw_if_page_changed, stored


@dataclass
class Clicks:
    """How many clicks on each button have counted, by its key."""

    counted: dict[str, int] = field(default_factory=dict)


def button(text: str, act: Callable[[], None], *, key: str, disabled: bool = False, **options: Any) -> None:
    """Draws a button that does `act` in a callback when it is clicked; `options` are those of st.button.

    Streamlit's browser side puts a click on its way in two parts, and where a timer or another widget sends something
    between them, the click is sent by both; how much later the second copy is run nobody knows. So the button's key
    holds how many of its clicks have counted: a copy is a click on a button that is no longer drawn. Streamlit calls
    the callback of its last drawing for that.
    """
    clicks = stored(Clicks).counted
    number, drawn_at = clicks.get(key, 0), current_url_path()

    def click() -> None:
        redraw_if_page_changed(drawn_at)
        if disabled or clicks.get(key, 0) != number:
            return
        clicks[key] = number + 1
        act()

    st.button(text, key=f"{number}:{key}", on_click=click, disabled=disabled, **options)
