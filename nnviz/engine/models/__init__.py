"""Networks as torch modules. A module for each family."""

from nnviz.engine.models.build_model import build
from nnviz.engine.models.dropouts import Dropout
from nnviz.engine.models.mlp import Skipping, linears, walk

__all__ = ["Dropout", "Skipping", "build", "linears", "walk"]
