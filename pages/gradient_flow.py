"""Gradient flow · do gradients vanish or explode on their way down a deep network?"""

from collections.abc import Callable, Mapping

from nnviz import figures, ui
from nnviz.presets import gradient_flow
from nnviz.ui import AXIS, SCALES, Page, Panel


def profile(name: str, quantity: str, recorded: tuple[str, ...] = ()) -> Panel:
    """A quantity over depth at the chosen step, with theory under it."""
    needs = recorded or (quantity,)
    theory = quantity != "preactivation_spread"
    return Panel(
        name,
        lambda run: figures.depth_profile(
            run.scalars(*needs), quantity, run.step, ui.layers(run), *([run.snapshot("theory")] if theory else [])
        ),
        needs=needs,
        height=320,
    )


def ridgelines(name: str, quantity: str, *title: str) -> Panel:
    """Distributions of every layer at the chosen step."""
    return Panel(
        name,
        lambda run: figures.ridgelines(run.snapshot(quantity), ui.layers(run), *title),
        needs=(quantity,),
        height=320,
    )


def bands(what: str) -> Panel:
    """Percentiles over time of the first, the middle and the last layer."""
    recorded = tuple(f"{what}_p{p}" for p in ("05", "25", "50", "75", "95"))
    return Panel(
        f"{what} bands",
        lambda run: figures.percentile_bands(run.scalars(*recorded), ui.layers(run), prefix=what),
        needs=recorded,
    )


def sizes(name: str, quantity: str, *title: str) -> Panel:
    """Histogram of magnitudes of every layer at the chosen step."""
    return Panel(
        name,
        lambda run: figures.exponent_histograms(run.snapshot(quantity), ui.layers(run), *title),
        needs=(quantity,),
    )


def overlay(quantity: str) -> Callable[..., dict]:
    """The same curve of all networks."""
    return lambda runs, axis="auto", smooth="0": figures.overlay(
        {name: run.scalars(quantity) for name, run in runs.items()},
        quantity,
        log_y=SCALES[axis],
        smooth=float(smooth),
    )


def total(run: ui.RunView) -> dict:
    """The norm of the whole gradient, before and after clipping."""
    return figures.clipped_norms(run.scalars("gradient_norm_total", "gradient_norm_unclipped"))


def by_layer(draw: Callable[..., dict], *quantities: str) -> Callable[[ui.RunView], dict]:
    """A figure of scalars with a line or mark for each layer."""
    return lambda run: draw(run.scalars(*quantities), ui.layers(run))


SECTIONS: Mapping[str, list[list[str]]] = {
    "Signal": [["signal", "gradient profile"], ["gradients", "forward"], ["spread", "total"]],
    "Activations": [["activations", "preactivations"], ["shares"], ["activation bands", "preactivation bands"]],
    "Weights and updates": [["ratios"], ["gradient sizes", "weight sizes"]],
    "Loss": [["loss", "accuracy"]],
}

PAGE = Page(
    name="gradient_flow",
    title="Gradient flow",
    question="Do gradients vanish or explode on their way down a deep network?",
    default=gradient_flow.DEFAULT,
    examples=gradient_flow.EXAMPLES,
    groups={
        "Network": ["learner.model"],
        "Training": ["learner.optimizer", "learner.clipping", "learner.batch_size", "steps"],
        "Data, loss, seed": ["learner.data", "learner.loss", "seed"],
        "Measuring, device": ["evaluate_every", "device"],
    },
    opened=["Network"],
    variant_fields=["learner.model", "learner.optimizer", "learner.clipping"],
    panels=[
        profile("signal", "signal_rms"),
        profile("gradient profile", "gradient_norm"),
        profile("forward", "activation_rms", ("activation_mean", "activation_std")),
        profile("spread", "preactivation_spread"),
        Panel(
            "gradients",
            lambda run: figures.layer_curves(run.scalars("gradient_norm"), "gradient_norm", ui.layers(run)),
            needs=("gradient_norm",),
        ),
        ridgelines("activations", "activation_histogram"),
        ridgelines("preactivations", "preactivation_histogram", "Pre-activations of every layer"),
        bands("activation"),
        bands("preactivation"),
        Panel("ratios", by_layer(figures.update_ratios, "update_ratio"), needs=("update_ratio",)),
        Panel("shares", by_layer(figures.shares, "dead_share", "saturated_share"), needs=("saturated_share",)),
        sizes("gradient sizes", "gradient_histogram"),
        sizes("weight sizes", "weight_histogram", "Weights by size"),
        Panel("total", total, needs=("gradient_norm_total",)),
        Panel("loss", overlay("loss"), per="set", needs=("loss",), choices=(AXIS, ui.smoothing()), height=300),
        Panel("accuracy", overlay("accuracy"), per="set", choices=(ui.smoothing(),), height=300),
    ],
    sections=SECTIONS,
    links_to={"Its loss landscape": "pages/loss_landscape.py"},
)

ui.render(PAGE)
