"""A walk of 21 steps that the board cuts in the browser, and a point to choose; what was chosen is written below."""

import numpy as np
import streamlit as st

from nnviz.ui.board.board import board

STEPS = np.arange(21, dtype=np.int32)
kept = st.session_state.setdefault("chosen", {"x": 2.0, "y": 3.0, "calls": 0, "done": False})


def walk(_: int) -> dict[str, dict]:
    x, y = np.float32(kept["x"] + 0.1 * STEPS), np.float32(kept["y"] + 0.05 * STEPS)
    common = {"type": "scatter", "x": x, "y": y, "text": [f"at {n}" for n in STEPS]}
    twice = np.repeat(STEPS[::5], 2)
    data = [
        {**common, "uid": "until", "mode": "lines", "meta": {"steps": STEPS, "show": "until"}},
        {
            **common,
            "uid": "at",
            "mode": "markers",
            "marker": {"size": 4 + STEPS, "color": "red"},
            "meta": {"steps": STEPS, "show": "at"},
        },
        {
            "type": "scatter",
            "uid": "pairs",
            "x": np.float32(twice),
            "y": np.float32(twice),
            "meta": {"steps": twice, "show": "at"},
        },
        {"type": "scatter", "uid": "whole", "mode": "markers", "x": x, "y": y},
    ]
    axes = {f"{axis}axis": {"range": [0, 10], "autorange": False} for axis in "xy"}
    pick = {"name": "start", "x": kept["x"], "y": kept["y"]}
    meta = {"title": "Walk", "reveals": True, "pick": pick}
    return {"walk": {"data": data, "layout": {"meta": meta, "showlegend": False, **axes}}}


def chosen(name: str, x: float, y: float, done: bool) -> None:
    kept.update(name=name, x=x, y=y, done=done, calls=kept["calls"] + 1)


board(walk, STEPS.tolist(), key="walk", sections={"": [["walk"]]}, heights={"walk": 500}, on_pick=chosen)
st.write(f"chosen {kept['calls']}: {kept.get('name', '')} {kept['x']:.2f} {kept['y']:.2f} {kept['done']}")
