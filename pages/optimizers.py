"""Optimizers · methods race down a surface: what a step is made of, and why some never arrive."""

from functools import partial

from nnviz import ui
from nnviz.presets import optimizers
from nnviz.ui import race_pictures as pictures

ui.heading("Optimizers", "Methods race down a surface: what a step is made of, and why some never arrive.")

asked = ui.race("optimizers", optimizers.DEFAULT, examples=optimizers.EXAMPLES)
height = ui.choice("Height", {"auto": "auto", "linear": "linear", "log": "logarithmic"}, key="optimizers:height")
chosen = ui.racer_choice(asked)

ui.watch_race(
    asked,
    {
        "map": partial(pictures.contour_map, scale=height, chosen=chosen),
        "surface": partial(pictures.surface_3d, scale=height),
        "heights": pictures.heights,
        "distances": pictures.distances,
        "step": partial(pictures.step_parts, chosen=chosen),
        "phase": pictures.phase,
        "basins": partial(pictures.basins, chosen=chosen),
        "arrivals": partial(pictures.arrivals, chosen=chosen),
    },
    searched={"rates": pictures.rate_search},
    rows=[["map", "surface"], ["heights", "distances"], ["step", "phase"], ["basins", "arrivals"], ["rates"]],
    heights={"map": 440, "surface": 440, "step": 460, "phase": 460, "basins": 400, "arrivals": 400, "rates": 340},
    variant=height,
)
