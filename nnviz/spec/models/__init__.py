"""Models: the shape of a network, without torch. A module for each family."""

from nnviz.spec.models.dcgan import DCGANDiscriminator, DCGANGenerator
from nnviz.spec.models.family import SHOWN_UNITS, Family, Size
from nnviz.spec.models.mlp import MLP, DeepMLP, Feedforward, Hidden
from nnviz.spec.models.model_union import ImageDiscriminator, ImageGenerator, Model

__all__ = [
    "MLP",
    "SHOWN_UNITS",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DeepMLP",
    "Family",
    "Feedforward",
    "Hidden",
    "ImageDiscriminator",
    "ImageGenerator",
    "Model",
    "Size",
]
