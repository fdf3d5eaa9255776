"""Model specs -> torch modules."""

from torch import nn

from nnviz.engine.models import mlp
from nnviz.spec import models as spec
from nnviz.spec.shapes import Shape


def build(model: spec.Model, inputs: Shape, outputs: int, seed: int) -> nn.Module:
    """The network: (batch, *inputs) -> (batch, outputs), on the CPU."""
    match model:
        case spec.Feedforward():
            return mlp.build(model, inputs, outputs, seed)
    raise TypeError(f"no network for {model!r}")
