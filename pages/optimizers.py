"""Optimizers · methods race down a surface: what a step is made of, and why some never arrive."""

from dataclasses import replace

from nnviz import ui
from nnviz.presets import optimizers
from nnviz.ui import AXIS, Page, Panel, race, race_pictures, racers, rate_search
from nnviz.ui.race_pictures import RACER

HEIGHT = replace(AXIS, label="Height", shared=True)
CURVE = (AXIS, ui.smoothing())


def panel(name: str, draw: ui.Draw, height: int, *choices: ui.Choice, **more: object) -> Panel:
    """A picture that holds the whole race."""
    needs = more.pop("needs", ("race",))
    return Panel(name, draw, needs=needs, choices=choices, height=height, is_whole=True, **more)


PAGE = Page(
    name="optimizers",
    title="Optimizers",
    question="Methods race down a surface: what a step is made of, and why some never arrive.",
    default=optimizers.DEFAULT,
    examples=optimizers.EXAMPLES,
    groups={
        "Surface": ["surface", "start"],
        "": ["racers"],
        "Steps, noise, clipping, schedule": ["steps", "noise", "clipping", "schedule"],
        "Basins, seed": ["grid", "seed"],
    },
    opened=["Surface"],
    editors={"start": racers.start, "racers": racers.racers},
    variant_fields=["surface", "x", "y", "noise", "schedule", "clipping"],
    panels=[
        panel("map", race_pictures.contour_map, 440, HEIGHT, RACER, on_event=race.started_at, is_map=True),
        panel("surface", race_pictures.surface_3d, 440, HEIGHT, needs=("surface",), is_map=True),
        panel("heights", race_pictures.heights, 280, *CURVE),
        panel("distances", race_pictures.distances, 280, *CURVE),
        panel("step", race_pictures.step_parts, 460, RACER, AXIS),
        panel("phase", race_pictures.phase, 460, needs=()),
        panel("basins", race_pictures.basins, 400, RACER, needs=(), is_map=True),
        panel("arrivals", race_pictures.arrivals, 400, RACER, needs=(), is_map=True),
        panel("rates", race_pictures.rate_search, 340, AXIS, part=rate_search.PART, needs=()),
    ],
    sections={
        "": [["map", "surface"], ["heights", "distances"], ["step", "phase"], ["basins", "arrivals"], ["rates"]],
    },
    starts_on="change",
    steps=race.positions,
    controls=rate_search.tuning,
    status=race.status,
    note=race.theory,
    hurried=race.hurried,
)

ui.render(PAGE)
