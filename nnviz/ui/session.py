"""What lasts as long as a browser session: the one file that touches Streamlit's session state."""

from typing import Any

import streamlit as st


def memory(key: str) -> dict[str, Any]:
    """A dict that this session keeps under `key` between reruns; the same object at each call, empty at first.

    It is not a widget's value, so it survives page changes. Keep plain values in it (numbers, text, lists of them),
    never specs or arrays: their classes are replaced by a hot reload.
    """
    return st.session_state.setdefault(f"_nnviz_memory:{key}", {})


def value(key: str) -> Any:
    """What the browser last sent for the widget or component with this `key`; None before it was first drawn."""
    return st.session_state.get(key)
