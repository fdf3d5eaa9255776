"""Gradient flow · do gradients vanish or explode on their way down a deep network?"""

from collections.abc import Callable, Mapping

from nnviz import figures, ui
from nnviz.presets import gradient_flow
from nnviz.ui import AXIS, Page, Panel


def profile(name: str, title: str, quantity: str, recorded: tuple[str, ...] = ()) -> Panel:
    """A quantity over depth at the chosen step, with theory under it."""
    needs = recorded or (quantity,)
    theory = quantity != "preactivation_spread"
    return Panel(
        name,
        lambda run, log: figures.depth_profile(
            run.scalars(*needs), quantity, run.step, ui.layers(run), run.snapshot("theory") if theory else None, log=log
        ),
        title,
        needs=needs,
        choices=(AXIS,),
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
        lambda run, **chosen: figures.percentile_bands(run.scalars(*recorded), ui.layers(run), prefix=what, **chosen),
        needs=recorded,
        choices=(AXIS, ui.smoothing()),
    )


def sizes(name: str, quantity: str, *title: str) -> Panel:
    """Histogram of magnitudes of every layer at the chosen step."""
    return Panel(
        name,
        lambda run: figures.log2_histograms(run.snapshot(quantity), ui.layers(run), *title),
        needs=(quantity,),
    )


def overlay(quantity: str) -> Callable[..., dict]:
    """The same curve of all networks."""
    return lambda runs, **chosen: figures.overlay(
        {name: run.scalars(quantity) for name, run in runs.items()}, quantity, **chosen
    )


def total(run: ui.RunView, **chosen: object) -> dict:
    """The norm of the whole gradient, before and after clipping."""
    return figures.clipped_norms(run.scalars("gradient_norm_total", "gradient_norm_unclipped"), **chosen)


def gradients(run: ui.RunView, **chosen: object) -> dict:
    """Gradient norms over time."""
    return figures.layer_curves(run.scalars("gradient_norm"), "gradient_norm", ui.layers(run), **chosen)


def ratios(run: ui.RunView, **chosen: object) -> dict:
    """The size of updates against that of weights, over time."""
    return figures.update_ratios(run.scalars("update_ratio"), ui.layers(run), **chosen)


def dead_and_saturated(run: ui.RunView) -> dict:
    """Dead and saturated units over time."""
    return figures.dead_and_saturated(run.scalars("dead_fraction", "saturated_fraction"), ui.layers(run))


CURVE = (AXIS, ui.smoothing())
LAYERS = (AXIS, ui.smoothing(0.9))
SECTIONS: Mapping[str, list[list[str]]] = {
    "Signal": [["signal", "spread"], ["gradient profile", "forward"], ["gradients", "total"]],
    "Activations": [
        ["activations", "preactivations"],
        ["dead and saturated"],
        ["activation bands", "preactivation bands"],
    ],
    "Weights and updates": [["ratios"], ["gradient sizes", "weight sizes"]],
    "Loss": [["loss", "accuracy"]],
}

PAGE = Page(
    name="gradient_flow",
    title="Gradient flow",
    question="Do gradients vanish or explode in a deep network?",
    default=gradient_flow.DEFAULT,
    examples=gradient_flow.EXAMPLES,
    groups={
        "Network": ["learner.model"],
        "Training": ["learner.optimizer", "learner.clipping", "learner.batch_size", "steps"],
        "Data, loss, seed": ["learner.data", "learner.loss", "seed"],
        "Evaluation, device": ["evaluate_every", "device"],
    },
    opened=["Network"],
    variant_fields=["learner.model", "learner.optimizer", "learner.clipping"],
    panels=[
        profile("signal", "Backpropagated signal over depth", "signal_rms"),
        profile("gradient profile", "Gradient norm over depth", "gradient_norm"),
        profile("forward", "Activation over depth", "activation_rms", ("activation_mean", "activation_std")),
        profile("spread", "Pre-activation spread over depth", "preactivation_spread"),
        Panel("gradients", gradients, "Gradient norm of every layer", needs=("gradient_norm",), choices=LAYERS),
        ridgelines("activations", "activation_histogram"),
        ridgelines("preactivations", "preactivation_histogram", "Pre-activations of every layer"),
        bands("activation"),
        bands("preactivation"),
        Panel("ratios", ratios, "Update-to-weight ratio", needs=("update_ratio",), choices=LAYERS),
        Panel("dead and saturated", dead_and_saturated, needs=("saturated_fraction",)),
        sizes("gradient sizes", "gradient_histogram"),
        sizes("weight sizes", "weight_histogram", "Weight magnitudes (histogram)"),
        Panel("total", total, "Gradient norm (whole network)", needs=("gradient_norm_total",), choices=CURVE),
        Panel("loss", overlay("loss"), per="set", needs=("loss",), choices=CURVE, height=300),
        Panel("accuracy", overlay("accuracy"), per="set", choices=(ui.smoothing(),), height=300),
    ],
    sections=SECTIONS,
    links_to={"Show loss landscape": "pages/loss_landscape.py"},
)

ui.render(PAGE)
