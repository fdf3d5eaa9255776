"""All families of models."""

from typing import Annotated

from pydantic import Field

from nnviz.spec.models.mlp import MLP, DeepMLP

Model = Annotated[MLP | DeepMLP, Field(discriminator="kind")]
