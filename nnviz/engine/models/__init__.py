"""Networks as torch modules. A module for each family."""

from nnviz.engine.models import dropouts, thinned_networks
from nnviz.engine.models.build_model import build
from nnviz.engine.models.dropouts import Dropout
from nnviz.engine.models.mlp import ResidualMLP, linears, module_outputs

__all__ = ["Dropout", "ResidualMLP", "build", "dropouts", "linears", "module_outputs", "thinned_networks"]
