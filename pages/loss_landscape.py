"""Loss landscape · the surface that a network really sees, around its weights and along its training."""

from dataclasses import replace

from nnviz import ui
from nnviz.presets import loss_landscape, playground
from nnviz.ui import AXIS, Page, Panel
from nnviz.ui import landscape_pictures as pictures
from nnviz.ui.form import landscape_widgets
from nnviz.ui.landscape_pictures import MEASURE

SCALE = replace(AXIS, label="Scale of values", shared=True)
CURVE = (AXIS, ui.smoothing())


def panel(name: str, part: str, draw: ui.Draw, height: int, *choices: ui.Choice, **more: object) -> Panel:
    """A picture of one kind of view, which holds the whole training."""
    return Panel(name, draw, part=part, choices=choices, height=height, shows_all_steps=True, **more)


def heights(name: str, title: str, part: str, draw: ui.Draw, height: int, quantity: str) -> Panel:
    """A picture whose heights have one scale for all networks."""
    return panel(
        name, part, draw, height, MEASURE, SCALE, title=title, scale=pictures.scale_of(quantity), needs=(quantity,)
    )


PAGE = Page(
    name="loss_landscape",
    title="Loss landscape",
    question="The loss around a trained network and along its training trajectory.",
    default=loss_landscape.DEFAULT,
    examples=loss_landscape.EXAMPLES,
    groups={
        "Network": ["network.learner.model", "network.step", "network.weights_seed"],
        "Data and training": [
            "network.learner.data",
            "network.learner.loss",
            "network.learner.optimizer",
            "network.learner.batch_size",
            "network.steps",
            "network.seed",
        ],
        "Schedule, clipping, penalties": [
            "network.learner.schedule",
            "network.learner.clipping",
            "network.learner.l1",
            "network.learner.l2",
        ],
        "Evaluation, device": ["samples", "device"],
        " ": ["views"],
    },
    opened=["Data and training"],
    lists={"views": landscape_widgets.VIEW_LIST},
    variant_fields=["network.learner.model", "network.learner.optimizer", "network.learner.batch_size", "network.step"],
    panels=[
        heights("path", "Loss along the training trajectory (PCA plane)", "path", pictures.path_map, 430, "path_plane"),
        heights(
            "path 3-D", "Loss along the training trajectory (3-D)", "path", pictures.path_surface_3d, 430, "path_plane"
        ),
        panel("residual to the plane", "path", pictures.projection_residuals, 280, AXIS, needs=("path",)),
        panel(
            "training and map",
            "path",
            pictures.training_against_projection,
            280,
            MEASURE,
            SCALE,
            title="Loss during training and on the plane",
            needs=("training", "path"),
        ),
        heights("plane", "Loss on a random plane", "plane", pictures.plane_map, 430, "plane"),
        heights("plane 3-D", "Loss on a random plane (3-D)", "plane", pictures.plane_surface_3d, 430, "plane"),
        heights("lines", "Loss along random directions", "lines", pictures.lines, 360, "lines"),
        panel("line", "line", pictures.line, 360, SCALE, title="Loss between two networks", needs=("line",)),
        panel(
            "sharpness",
            "curvature",
            pictures.sharpness,
            340,
            *CURVE,
            title="Largest Hessian eigenvalues (sharpness)",
            needs=("curvature",),
        ),
        panel(
            "adaptive sharpness",
            "curvature",
            pictures.adaptive_sharpness,
            340,
            *CURVE,
            title="Preconditioned sharpness",
            needs=("curvature",),
        ),
        panel("trace", "curvature", pictures.trace, 340, *CURVE, title="Hessian trace", needs=("curvature",)),
    ],
    sections={
        "": [
            ["path", "path 3-D"],
            ["residual to the plane", "training and map"],
            ["plane", "plane 3-D"],
            ["lines", "line"],
            ["sharpness", "adaptive sharpness", "trace"],
        ]
    },
    starts_on="change",
    completed=landscape_widgets.completed,
    remarks=landscape_widgets.remarks,
    jobs_from_runs=landscape_widgets.jobs_with_networks,
    library=("Use a network from a run", playground.DEFAULT),
    steps=landscape_widgets.positions,
    status=landscape_widgets.status,
)

ui.render(PAGE)
