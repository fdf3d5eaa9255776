"""Model specs -> torch modules."""

from torch import nn

from nnviz.engine.models import dcgan, mlp
from nnviz.spec import models as spec
from nnviz.spec.shapes import Shape


def build(model: spec.Family, inputs: Shape, outputs: int, seed: int) -> nn.Module:
    """The network: (batch, *inputs) -> (batch, *model.output_shape(inputs, outputs)), on the CPU."""
    match model:
        case spec.Feedforward():
            return mlp.build(model, inputs, outputs, seed)
        case spec.DCGANGenerator():
            return dcgan.build_generator(model, inputs, outputs, seed)
        case spec.DCGANDiscriminator():
            return dcgan.build_discriminator(model, inputs, outputs, seed)
    raise TypeError(f"no network for {model!r}")
