"""All families of models, and those that make or judge images."""

from typing import Annotated

from pydantic import Field

from nnviz.spec.models.dcgan import DCGANDiscriminator, DCGANGenerator
from nnviz.spec.models.mlp import MLP, DeepMLP

Model = Annotated[MLP | DeepMLP, Field(discriminator="kind")]

ImageGenerator = Annotated[DCGANGenerator | MLP | DeepMLP, Field(discriminator="kind")]
"""What makes images of noise."""

ImageDiscriminator = Annotated[DCGANDiscriminator | MLP | DeepMLP, Field(discriminator="kind")]
"""What judges images."""
