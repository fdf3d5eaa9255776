"""GANs · a generator learns from its discriminator: what is covered, and how far both are from the optimum."""

from collections.abc import Callable

from nnviz import ui
from nnviz.presets import gans
from nnviz.ui import AXIS, Choice, Page, Panel
from nnviz.ui import gan_pictures as draw
from nnviz.ui.form import drawing_widgets, gan_fields
from nnviz.ui.gan_pictures import ARROWS, BATCH, MODES, NETWORK, SHOW

CURVE = (AXIS, ui.smoothing())
LAYERS = (NETWORK, AXIS, ui.smoothing(0.9))


def whole(
    name: str, draw: Callable[..., ui.Figure], *choices: Choice, title: str = "", needs: str = "", height: int = 260
) -> Panel:
    """A picture of all networks together."""
    return Panel(name, draw, title, per="set", needs=(needs or name,), choices=choices, height=height)


PAGE = Page(
    name="gans",
    title="GANs",
    question="What does a generator learn from its discriminator, and why does it forget modes?",
    default=gans.DEFAULT,
    examples=gans.EXAMPLES,
    groups={
        "Data, noise": ["learner.data", "learner.noise"],
        **gan_fields.GROUPS,
        gan_fields.TRAINING: gan_fields.TRAINING_FIELDS,
    },
    opened=["Data, noise", "Objective"],
    editors={"learner.data": drawing_widgets.data},
    variant_fields=[
        "learner.discriminator_optimizer.lr",
        "learner.objective",
        "learner.generator_optimizer",
        "learner.discriminator_optimizer",
        "learner.instance_noise",
        "learner.spectral_norm",
        "learner.discriminator_updates",
        "seed",
    ],
    max_variants=4,
    panels=[
        Panel(
            "samples",
            draw.samples,
            needs=("real", "generated", "discriminator_field"),
            choices=(ARROWS, MODES),
            on_event=drawing_widgets.with_stroke,
            height=430,
            is_map=True,
        ),
        Panel("noise", draw.noise, "Noise grid mapped by the generator", needs=("real",), height=430, is_map=True),
        whole("modes covered", draw.modes, AXIS, needs="high_quality_fraction"),
        whole(
            "high-quality samples", draw.curve("high_quality_fraction"), ui.smoothing(), needs="high_quality_fraction"
        ),
        whole(
            "jensen_shannon",
            draw.curve("jensen_shannon", "jensen_shannon_floor"),
            *CURVE,
            title="Jensen–Shannon divergence",
        ),
        whole("mmd", draw.curve("mmd", "mmd_floor"), *CURVE, title="Maximum mean discrepancy"),
        Panel(
            "optimal",
            draw.optimal,
            "Learned and optimal discriminator",
            needs=("discriminator_field",),
            choices=(SHOW,),
            height=400,
            has_axes=False,
        ),
        Panel(
            "histogram",
            draw.histogram,
            "Discriminator outputs (histogram)",
            needs=("discriminator_histogram",),
            height=300,
        ),
        whole(
            "outputs",
            draw.curve("discriminator_output"),
            *CURVE,
            title="Mean output of the discriminator",
            needs="discriminator_output",
            height=300,
        ),
        whole(
            "optimal_gap",
            draw.curve("optimal_gap"),
            *CURVE,
            title="Distance to the optimal discriminator",
            needs="discriminator_field",
        ),
        whole("losses", draw.losses, AXIS, ui.smoothing(0.9), needs="loss", height=300),
        Panel("gradients", draw.gradients, "Gradient norm of every layer", needs=("gradient_norm",), choices=LAYERS),
        Panel("ratios", draw.ratios, "Update-to-weight ratio", needs=("update_ratio",), choices=LAYERS),
        Panel(
            "signal",
            draw.signal,
            "Backpropagated signal over depth",
            needs=("signal_rms",),
            choices=(NETWORK, BATCH, AXIS),
        ),
        Panel(
            "gradient sizes",
            draw.sizes("gradient_histogram"),
            "Gradient magnitudes (histogram)",
            needs=("gradient_histogram",),
            choices=(NETWORK,),
        ),
        Panel(
            "weight sizes",
            draw.sizes("weight_histogram", "Weight magnitudes (histogram)"),
            needs=("weight_histogram",),
            choices=(NETWORK,),
        ),
        Panel("activations", draw.activations, needs=("activation_histogram",), choices=(NETWORK, BATCH), height=320),
        Panel("dead and saturated", draw.dead_and_saturated, needs=("saturated_fraction",), choices=(NETWORK,)),
    ],
    sections={
        "Samples": [["samples", "noise"], ["modes covered", "high-quality samples"], ["jensen_shannon", "mmd"]],
        "Discriminator": [["optimal"], ["histogram", "outputs"], ["optimal_gap"]],
        "Losses and gradients": [["losses"], ["gradients", "ratios"], ["signal", "gradient sizes", "weight sizes"]],
        "Activations": [["activations", "dead and saturated"]],
    },
)

ui.render(PAGE)
