"""Models: the shape of a network, without torch. A module for each family."""

from nnviz.spec.models.family import SHOWN_UNITS, Family, Size
from nnviz.spec.models.mlp import MLP, DeepMLP, Feedforward, Hidden
from nnviz.spec.models.model_union import Model

__all__ = ["MLP", "SHOWN_UNITS", "DeepMLP", "Family", "Feedforward", "Hidden", "Model", "Size"]
