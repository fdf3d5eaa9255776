"""A map with ranges of its own beside a scene in space, over a page that scrolls; one of them can be dimmed."""

import numpy as np
import streamlit as st

from nnviz.ui.board.board import board

GRID = np.linspace(-3, 3, 20, dtype=np.float32)
LINES = {"None": {}, "One": {"map": "old map"}, "Two": {"map": "old", "space": "old"}, "Whole": "all old"}


def pictures(step: int) -> dict[str, dict]:
    z = np.sin(GRID[None, :] + step) * np.cos(GRID[:, None])
    axes = {f"{axis}axis": {"range": [-10, 10], "autorange": False, "uirevision": axis} for axis in "xy"}
    scene = {"camera": {"eye": {"x": 1.3, "y": -1.5, "z": 1.0}}, "uirevision": "space"}
    return {
        "map": {"data": [{"type": "scatter", "x": GRID, "y": GRID + step}], "layout": axes},
        "space": {"data": [{"type": "surface", "x": GRID, "y": GRID, "z": z}], "layout": {"scene": scene}},
    }


with st.container(horizontal=True):
    for name in LINES:
        if st.button(name):
            st.session_state["dimmed"] = name
    if st.button("Onward"):
        st.session_state["step"] = st.session_state.get("step", 1) + 1
stale = LINES[st.session_state.get("dimmed", "None")]
steps = list(range(1, st.session_state.get("step", 1) + 1))
board(pictures, steps, key="views", sections={"": [["map", "space"]]}, stale=stale, heights={"map": 400, "space": 160})
st.container(height=1500)
