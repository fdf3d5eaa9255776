"""Networks as torch modules. A module for each family."""

from nnviz.engine.models.build import build
from nnviz.engine.models.dropouts import Dropout
from nnviz.engine.models.feedforward import Skipping, linears, walk

__all__ = ["Dropout", "Skipping", "build", "linears", "walk"]
