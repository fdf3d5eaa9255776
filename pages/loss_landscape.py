"""Loss landscape · the surface that a network really sees, around its weights and along its training."""

from functools import partial

from nnviz import ui
from nnviz.presets import loss_landscape, playground
from nnviz.ui import landscape_pictures as pictures

ui.heading("Loss landscape", "The surface that a network really sees: around its weights, and along its training.")

asked = ui.landscape(
    "loss_landscape", loss_landscape.DEFAULT, trained=playground.DEFAULT, examples=loss_landscape.EXAMPLES
)
measure = ui.choice("Height", pictures.MEASURES, key="loss_landscape:measure")
scale = ui.choice(
    "Scale of heights", {"auto": "auto", "linear": "linear", "log": "logarithmic"}, key="loss_landscape:height"
)

ui.watch_landscape(
    asked,
    partial(pictures.drawn, measure=measure, scale=scale),
    rows=[
        ["path", "path in space"],
        ["off the plane", "on the plane"],
        ["plane", "plane in space"],
        ["lines", "line"],
        ["sharpness", "trace"],
    ],
    heights={
        "path": 430,
        "path in space": 430,
        "plane": 430,
        "plane in space": 430,
        "lines": 360,
        "line": 360,
        "sharpness": 340,
        "trace": 340,
    },
    variant=f"{measure}|{scale}",
)
