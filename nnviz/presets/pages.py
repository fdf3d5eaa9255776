"""All pages with their presets."""

from dataclasses import dataclass

from nnviz.presets import (
    dropout,
    gans,
    gans_images,
    gradient_flow,
    loss_landscape,
    normalization,
    optimizers,
    playground,
)
from nnviz.spec.jobs import Job
from nnviz.spec.preset import Preset


@dataclass(frozen=True)
class PagePresets:
    """What a page, called by its title, starts from and offers."""

    title: str
    default: Job
    examples: tuple[Preset, ...]


PAGES = {
    "playground": PagePresets("Playground", playground.DEFAULT, playground.EXAMPLES),
    "gradient_flow": PagePresets("Gradient flow", gradient_flow.DEFAULT, gradient_flow.EXAMPLES),
    "normalization": PagePresets("Normalization", normalization.DEFAULT, normalization.EXAMPLES),
    "optimizers": PagePresets("Optimizers", optimizers.DEFAULT, optimizers.EXAMPLES),
    "loss_landscape": PagePresets("Loss landscape", loss_landscape.DEFAULT, loss_landscape.EXAMPLES),
    "dropout": PagePresets("Dropout & overfitting", dropout.DEFAULT, dropout.EXAMPLES),
    "gans": PagePresets("GANs", gans.DEFAULT, gans.EXAMPLES),
    "gans_images": PagePresets("GAN images", gans_images.DEFAULT, gans_images.EXAMPLES),
}
"""By the name of the page's file, in the order of the menu."""
