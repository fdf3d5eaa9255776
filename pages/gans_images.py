"""GANs images · grids of generated images through time, up to four variants side by side."""

from collections.abc import Callable

from nnviz import ui
from nnviz.presets import gans_images
from nnviz.ui import AXIS, Choice, Page, Panel, gan_pictures
from nnviz.ui import gan_image_pictures as draw
from nnviz.ui.form import gan_fields
from nnviz.ui.form.time_estimate import time_estimate
from nnviz.ui.gan_pictures import BATCH, NETWORK

CURVE = (AXIS, ui.smoothing())
LAYERS = (NETWORK, AXIS, ui.smoothing(0.9))


def grid(name: str, draw: Callable[..., ui.Figure], needs: str, height: int) -> Panel:
    """Images of each network."""
    return Panel(name, draw, needs=(needs,), height=height, has_axes=False)


def whole(name: str, draw: Callable[..., ui.Figure], *choices: Choice, needs: str = "", height: int = 260) -> Panel:
    """A picture of all networks together."""
    return Panel(name, draw, per="set", needs=(needs,) if needs else (), choices=choices, height=height)


PAGE = Page(
    name="gans_images",
    title="GAN images",
    question="How does a GAN learn to generate images, and which design choices matter?",
    default=gans_images.DEFAULT,
    examples=gans_images.EXAMPLES,
    groups={
        "Images, class labels, noise": ["learner.data", "learner.conditional", "learner.noise"],
        **gan_fields.GROUPS,
        gan_fields.TRAINING: [*gan_fields.TRAINING_FIELDS, "learner.precision", "learner.channels_last"],
    },
    opened=["Images, class labels, noise"],
    variant_fields=[
        "learner.conditional",
        "learner.generator_optimizer.lr",
        "learner.discriminator_optimizer.lr",
        "learner.generator",
        "learner.discriminator",
        "learner.objective",
        "learner.data",
        "seed",
    ],
    max_variants=4,
    remarks=time_estimate,
    panels=[
        grid("generated images", draw.samples, "sample_grid", 760),
        whole("real images", draw.real, needs="real_images", height=760),
        grid("interpolation", draw.interpolation, "interpolation", 460),
        grid("nearest real images", draw.nearest, "nearest_real", 360),
        Panel("classes", draw.classes, "Classes of generated images", height=300),
        whole("confident images", draw.measure("confident_fraction"), ui.smoothing()),
        whole("classes covered", draw.covered, ui.smoothing()),
        whole("discrepancy", draw.measure("pixel_discrepancy"), *CURVE, needs="pixel_discrepancy"),
        whole("diversity", draw.measure("diversity"), ui.smoothing(), height=300),
        whole("distance to real images", draw.measure("nearest_distance"), ui.smoothing(), needs="nearest_distance"),
        Panel("output histogram", gan_pictures.histogram, needs=("discriminator_histogram",), height=300),
        whole("outputs", gan_pictures.curve("discriminator_output"), *CURVE, needs="discriminator_output", height=300),
        whole("losses", gan_pictures.losses, AXIS, ui.smoothing(0.9), needs="loss", height=300),
        Panel(
            "gradients",
            gan_pictures.gradients,
            "Gradient norm of every layer",
            needs=("gradient_norm",),
            choices=LAYERS,
        ),
        Panel("ratios", gan_pictures.ratios, "Update-to-weight ratio", needs=("update_ratio",), choices=LAYERS),
        Panel(
            "activations",
            gan_pictures.activations,
            needs=("activation_histogram",),
            choices=(NETWORK, BATCH),
            height=320,
        ),
        Panel("dead and saturated", gan_pictures.dead_and_saturated, needs=("saturated_fraction",), choices=(NETWORK,)),
    ],
    sections={
        "Images": [["generated images", "real images"], ["confident images", "classes covered", "discrepancy"]],
        "Diversity": [
            ["interpolation"],
            ["nearest real images"],
            ["classes", "diversity"],
            ["distance to real images"],
        ],
        "Discriminator and losses": [["output histogram", "outputs"], ["losses"]],
        "Gradients": [["gradients", "ratios"]],
        "Activations": [["activations", "dead and saturated"]],
    },
)

ui.render(PAGE)
