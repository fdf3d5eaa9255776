"""Optimizers · methods race down a surface: what each step is made of, and why some never arrive."""

from nnviz import figures, ui
from nnviz.spec import races

ui.heading("Optimizers", "Methods race down a surface: what a step is made of, and why some never arrive.")

asked = ui.race("optimizers", races.OPTIMIZERS, examples=races.OPTIMIZERS_EXAMPLES)
height = ui.choice("Height", {"linear": "linear", "log": "logarithmic"}, key="optimizers:height")
chosen = ui.racer_choice(asked)

is_log = height == "log"

ui.watch_race(
    asked,
    {
        "map": lambda run: figures.contour_map(
            run.snapshot("surface"),
            run.snapshot("race"),
            ui.names(run),
            log_height=is_log,
            note=run.job.conditions,
            chosen=chosen,
        ),
        "surface": lambda run: figures.surface_3d(
            run.snapshot("surface"), run.snapshot("race"), ui.names(run), log_height=is_log
        ),
        "heights": lambda run: figures.heights(run.snapshot("race"), ui.names(run), ui.lowest(run)),
        "distances": lambda run: figures.distances(run.snapshot("race"), ui.names(run)),
        "step": lambda run: figures.step_parts(run.snapshot("race"), chosen, ui.names(run)[chosen]),
        "phase": lambda run: figures.phase_diagram(run.snapshot("phase"), ui.momentum_racers(run)),
        "basins": lambda run: figures.basin_map(run.snapshot("basins"), chosen, ui.names(run)[chosen]),
        "arrival": lambda run: figures.basin_steps(run.snapshot("basins"), chosen, ui.names(run)[chosen]),
    },
    rows=[["map", "surface"], ["heights", "distances"], ["step", "phase"], ["basins", "arrival"]],
    heights={"map": 460, "surface": 460, "heights": 280, "distances": 280, "step": 420, "phase": 420},
    variant=height,
)
