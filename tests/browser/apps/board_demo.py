"""Eight figures of a made-up run that grows by one picture at each tick; what the board's browser tests look at.

The address says how: `start` pictures at the beginning, `ticks` more to come, one each `every` seconds; `slow` seconds
to make the pictures of an earlier step. More sections hold rows of four, a legend that tells values, and a scene in
space; some figures have choices.
"""

import time

import numpy as np
import pandas as pd
import streamlit as st

from nnviz import figures
from nnviz.ui.board.board import board

SECTIONS = {
    "All": [["loss", "boundary"], ["gradients", "histogram"], ["ridges", "weights", "depth"], ["scatter"]],
    "Side by side": [["loss", "gradients", "histogram", "depth"], ["boundary", "weights", "ridges", "scatter"]],
    "Legend": [["told"]],
    "In space": [["space"]],
}
AXIS = {"auto": "auto", "linear": "linear", "log": "log"}
SMOOTHING = {"0": "off", "0.6": "0.6", "0.9": "0.9", "0.99": "0.99"}
CHOICES = {
    "loss": {"axis": ("Axis", AXIS, "linear"), "smoothing": ("Smoothing", SMOOTHING, "0")},
    "gradients": {"axis": ("Axis", AXIS, "log")},
    "boundary": {"style": ("Surface", {"soft": "soft", "borders": "boundaries only"}, "soft")},
}
SAID = st.session_state.setdefault("said", {name: float(said) for name, said in st.query_params.items()})
START, TICKS, EVERY, SLOW = int(SAID.get("start", 4)), SAID.get("ticks", 0), SAID.get("every", 0.3), SAID.get("slow", 0)
GRID = np.linspace(-3, 3, 50, dtype=np.float32)
POINTS = np.random.default_rng(0).normal(size=(2, 300)).astype(np.float32)

st.set_page_config(page_title="Board", layout="wide")


def known() -> list[int]:
    """Steps 0, 10, 20, …: as many as have come so far."""
    born = st.session_state.setdefault("born", time.monotonic())
    return [10 * n for n in range(START + int(min(TICKS, (time.monotonic() - born) / EVERY)))]


def chosen() -> dict[str, dict[str, str]]:
    """What the viewer has chosen in the cards."""
    first = {figure: {name: value for name, (_, _, value) in own.items()} for figure, own in CHOICES.items()}
    return st.session_state.setdefault("chosen", first)


def choices() -> dict[str, list[dict]]:
    return {
        figure: [
            {"name": name, "label": label, "options": options, "value": chosen()[figure][name]}
            for name, (label, options, _) in own.items()
        ]
        for figure, own in CHOICES.items()
    }


def curves(last: int, title: str, kind: str) -> dict:
    x = np.linspace(0, last, min(500, last + 1))
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"층 {i}",
            "x": x,
            "y": np.exp(-x / (100 + 40 * i)) + 0.01 * (i + 1),
        }
        for i in range(6)
    ]
    layout = {
        "meta": {"x_is_step": True, "title": title, "help": "Falls while the network learns.", "link": "step"},
        "xaxis": {"title": {"text": "step"}},
        "yaxis": {"type": {"auto": "-"}.get(kind, kind)},
        "showlegend": False,
    }
    return {"data": data, "layout": layout}


def told(last: int) -> dict:
    """Curves whose legend tells values: of the test data every 70 steps, of the training data every 7."""
    rows = [
        (step, "accuracy", site, 1 - np.exp(-(step + 40) / far), 0)
        for site, every, far in (("test", 70, 300), ("train", 7, 200))
        for step in range(every - 7, last + 1, every)
    ]
    return figures.curves(pd.DataFrame(rows, columns=["step", "quantity", "site", "value", "member"]), "accuracy")


def pictures(step: int) -> dict[str, dict]:
    last = known()[-1]
    if step < last:
        time.sleep(SLOW)
    phase = step / 60
    z = np.sin(GRID[None, :] + phase) * np.cos(GRID[:, None] - phase)
    bins = np.arange(-16, 16, dtype=np.int32)
    counts = (1000 * np.exp(-((bins - 6 * np.sin(phase)) ** 2) / 30)).astype(np.int32)
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": POINTS[0],
        "y": POINTS[1],
        "marker": {"size": 4, "color": "#d62728"},
    }
    ridges = [
        {
            "type": "scatter",
            "mode": "lines",
            "fill": "tozeroy",
            "x": GRID,
            "y": np.exp(-((GRID - np.sin(phase + i)) ** 2)) + i,
        }
        for i in reversed(range(8))
    ]
    stretched = POINTS[1] * np.float32(1 + np.sin(phase))
    if chosen()["boundary"]["style"] == "borders":
        z = np.sign(z)
    square = {"yaxis": {"scaleanchor": "x"}}
    return {
        "space": {
            "data": [{"type": "surface", "z": z[::4, ::4].astype(np.float32), "showscale": False}],
            "layout": {"meta": {"title": "Surface"}},
        },
        "told": told(last),
        "loss": curves(last, "손실 · loss", chosen()["loss"]["axis"]),
        "boundary": {
            "data": [{"type": "heatmap", "x": GRID, "y": GRID, "z": z.astype(np.float32), "showscale": False}, points],
            "layout": {"meta": {"title": "Decision surface", "help": f"At step {step}."}, "showlegend": False},
        },
        "gradients": curves(last, "Gradient norm", chosen()["gradients"]["axis"]),
        "histogram": {
            "data": [{"type": "bar", "x": bins, "y": counts, "marker": {"line": {"width": 0}}}],
            "layout": {
                "meta": {"title": "Gradients"},
                "bargap": 0,
                "annotations": [{"text": f"step {step}", "showarrow": False}],
            },
        },
        "ridges": {"data": ridges, "layout": {"meta": {"title": "Activations"}, "showlegend": False}},
        "weights": {
            "data": [{"type": "heatmap", "z": (127 * (1 + z[:20, :30])).astype(np.uint8), "showscale": False}],
            "layout": {"meta": {"title": "Weights"}},
        },
        "depth": {
            "data": [
                {
                    "type": "scatter",
                    "x": np.arange(20),
                    "y": np.exp(-np.arange(20) / (2 + phase)),
                    "mode": "lines+markers",
                }
            ],
            "layout": {"meta": {"title": "Depth profile"}, "yaxis": {"type": "log", "range": [-5, 0]}},
        },
        "scatter": {
            "data": [{**points, "y": stretched}, {**points, "y": stretched, "marker": {"opacity": 0}, "name": "hover"}],
            "layout": {"meta": {"title": "Fit"}, **square},
        },
    }


@st.fragment(run_every=EVERY if TICKS else None)
def draw() -> None:
    steps = known()
    board(
        pictures,
        steps,
        key="demo",
        source="run",
        live=len(steps) < START + TICKS,
        sections=SECTIONS,
        section=st.session_state.get("section", "All"),
        on_section=lambda title: st.session_state.update(section=title),
        choices=choices(),
        on_choice=lambda figure, name, value: chosen()[figure].update({name: value}),
    )


def first() -> None:
    if st.button("Shift everything"):
        st.write("shifted")
    again = st.button("Rerun everything")
    draw()
    if again:
        st.write("reran")


def second() -> None:
    st.write("nothing here")


pages = [st.Page(page, title=page.__name__.title(), url_path=page.__name__) for page in (first, second)]
more = [st.Page(f"{name}_demo.py", title=name.title(), url_path=name) for name in ("reveal", "views")]
st.navigation([*pages, *more]).run()
