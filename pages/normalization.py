"""Normalization · what batch norm and its relatives do to a network that is really trained."""

from nnviz import figures, ui
from nnviz.presets import normalization
from nnviz.ui import AXIS, Page, Panel
from nnviz.ui import norm_pictures as draw
from nnviz.ui.norm_pictures import CELL, CURVE_UNIT, LAYER, MEASURE

CURVE = (AXIS, ui.smoothing())
GAP = (
    "Root mean square difference of the network's outputs in training and in evaluation mode, for the same inputs and "
    "weights, as a fraction of the outputs' root mean square."
)
CHANGE = (
    "The largest change of the gradient on the line that the loss is measured on: how far from the current weights the "
    "gradient stays what it is (gradient predictiveness, Santurkar et al., 2018)."
)
SMOOTHNESS = "The largest ratio of the change of the gradient to the distance moved along it (effective β-smoothness)."


def overlay(quantity: str) -> ui.Draw:
    """The same curve of all networks."""
    return lambda runs, **chosen: figures.overlay(
        {name: run.scalars(quantity) for name, run in runs.items()}, quantity, **chosen
    )


def heatmap(name: str, side: str) -> Panel:
    """What goes into a layer or comes out; a click chooses a cell in all pictures of the section."""
    return Panel(
        name,
        draw.values(side),
        needs=("norm_values",),
        choices=CELL,
        picks=draw.cell_picked,
        height=380,
        has_axes=False,
    )


PAGE = Page(
    name="normalization",
    title="Normalization",
    question="What does batch norm do to a network that trains, and what do its relatives?",
    default=normalization.DEFAULT,
    examples=normalization.EXAMPLES,
    groups={
        "Network": ["learner.model"],
        "Training": ["learner.optimizer", "learner.batch_size", "steps"],
        "Data, loss, seed": ["learner.data", "learner.loss", "seed"],
        "Evaluation, device": ["evaluate_every", "device"],
    },
    opened=["Network"],
    variant_fields=[
        "learner.model.norm",
        "learner.model.norm.place",
        "learner.model.norm.momentum",
        "learner.model.norm.eps",
        "learner.model.norm.affine",
        "learner.batch_size",
        "learner.optimizer.lr",
    ],
    panels=[
        Panel("loss", overlay("loss"), per="set", needs=("loss",), choices=CURVE, height=300),
        Panel("accuracy", overlay("accuracy"), per="set", choices=(ui.smoothing(),), height=300),
        heatmap("before", "input"),
        heatmap("after", "output"),
        Panel("arithmetic", draw.arithmetic, needs=("norm_values",), choices=CELL, height=300, has_axes=False),
        Panel("averages", draw.averages, choices=(LAYER, CURVE_UNIT), height=340),
        Panel("outputs", draw.outputs, needs=("norm_values",), height=340),
        Panel(
            "gap",
            draw.curve("mode_gap", "Gap between training and evaluation mode", GAP),
            per="set",
            needs=("mode_gap",),
            choices=CURVE,
        ),
        Panel("gap over batch size", draw.over_batch_size, per="set", needs=("norm_batch_sizes",), choices=(MEASURE,)),
        Panel("gap over momentum", draw.over_momentum, per="set", needs=("norm_momenta",), choices=(MEASURE,)),
        Panel("loss range", draw.ranges, per="set", needs=("line_loss_low",), choices=(AXIS,), height=300),
        Panel("loss line", draw.line, per="set", needs=("gradient_line",), height=300),
        Panel(
            "gradient change",
            draw.curve("line_gradient_change", "Change of the gradient along its direction", CHANGE),
            per="set",
            needs=("line_gradient_change",),
            choices=CURVE,
        ),
        Panel(
            "smoothness",
            draw.curve("line_smoothness", "Effective smoothness", SMOOTHNESS),
            per="set",
            needs=("line_smoothness",),
            choices=CURVE,
        ),
        Panel("scaling", draw.scaling, per="set", needs=("norm_scaling",), height=300),
        Panel("effective rates", draw.effective_rates, needs=("weight_norm",), choices=(AXIS, ui.smoothing())),
        Panel("dead units", draw.dead_units, needs=("norm_units",), height=320),
    ],
    sections={
        "Training": [["loss", "accuracy"]],
        "Operation": [["before", "after"], ["arithmetic"]],
        "Training vs. evaluation mode": [
            ["averages", "outputs"],
            ["gap", "gap over batch size", "gap over momentum"],
        ],
        "Along the gradient": [["loss range", "loss line"], ["gradient change", "smoothness"]],
        "Scale and dead units": [["scaling", "effective rates"], ["dead units"]],
    },
    links_to={"Show loss landscape": "pages/loss_landscape.py"},
)

ui.render(PAGE)
