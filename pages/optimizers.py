"""Optimizers · what an update is made of, and why some optimizers never arrive at the minimum."""

from dataclasses import replace

from nnviz import ui
from nnviz.presets import optimizers
from nnviz.ui import AXIS, Page, Panel, rate_tuning, trajectory_pictures, trajectory_status
from nnviz.ui.form import trajectory_widgets
from nnviz.ui.trajectory_pictures import OPTIMIZER

HEIGHT = replace(AXIS, label="Scale of f", shared=True)
CURVE = (AXIS, ui.smoothing())


def panel(name: str, draw: ui.Draw, height: int, *choices: ui.Choice, **more: object) -> Panel:
    """A picture that holds the whole run."""
    needs = more.pop("needs", ("trajectories",))
    return Panel(name, draw, needs=needs, choices=choices, height=height, shows_all_steps=True, **more)


PAGE = Page(
    name="optimizers",
    title="Optimizers",
    question="Optimizers on a function of two variables: what an update consists of, and why some do not converge.",
    default=optimizers.DEFAULT,
    examples=optimizers.EXAMPLES,
    groups={
        "Surface": ["surface", "start"],
        "": ["optimizers"],
        "Steps, noise, clipping, schedule": ["steps", "noise", "clipping", "schedule"],
        "Basin map, seed": ["grid", "seed"],
    },
    opened=["Surface"],
    editors={"start": trajectory_widgets.start},
    lists={"optimizers": trajectory_widgets.OPTIMIZER_LIST},
    variant_fields=["surface", "x", "y", "noise", "schedule", "clipping", "optimizers"],
    panels=[
        panel(
            "map",
            trajectory_pictures.contour_map,
            440,
            HEIGHT,
            OPTIMIZER,
            title="Surface and trajectories",
            on_event=trajectory_status.started_at,
            is_map=True,
        ),
        panel(
            "surface",
            trajectory_pictures.surface_3d,
            440,
            HEIGHT,
            title="Surface and trajectories (3-D)",
            needs=("surface",),
            is_map=True,
        ),
        panel("heights", trajectory_pictures.function_values, 280, *CURVE, title="Function value"),
        panel(
            "distances", trajectory_pictures.distances_to_minimum, 280, *CURVE, title="Distance to the nearest minimum"
        ),
        panel("step", trajectory_pictures.update_parts, 460, OPTIMIZER, AXIS, title="Parts of the update"),
        panel("phase", trajectory_pictures.phase_diagram, 460, title="Learning rate and momentum", needs=()),
        panel(
            "basins", trajectory_pictures.basin_map, 400, OPTIMIZER, title="Basins of attraction", needs=(), is_map=True
        ),
        panel(
            "arrivals",
            trajectory_pictures.basin_arrival_steps,
            400,
            OPTIMIZER,
            title="Steps to convergence",
            needs=(),
            is_map=True,
        ),
        panel(
            "rates",
            trajectory_pictures.rate_search,
            340,
            AXIS,
            title="Final function value by learning rate",
            part=rate_tuning.PART,
            needs=(),
        ),
    ],
    sections={
        "": [["map", "surface"], ["heights", "distances"], ["step", "phase"], ["basins", "arrivals"], ["rates"]],
    },
    starts_on="change",
    steps=trajectory_status.positions,
    controls=rate_tuning.tuning,
    status=trajectory_status.status,
    note=trajectory_status.theory,
    while_dragged=trajectory_status.while_dragged,
)

ui.render(PAGE)
