"""A family of models that is none of those that ship: one convolution."""

from collections import OrderedDict
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field
from torch import nn

from nnviz.engine import activations, initializers, models
from nnviz.engine.randomness import generator
from nnviz.spec import jobs, landscapes
from nnviz.spec.activations import Activation, ReLU
from nnviz.spec.data import Data, Digits
from nnviz.spec.initializers import HeNormal
from nnviz.spec.learners import Supervised
from nnviz.spec.models import MLP, DeepMLP, Family, Size
from nnviz.spec.shapes import Shape

SIDE = 3
"""Pixels along each side of a filter."""


class Convolution(Family):
    """One convolution, an activation, and a linear output."""

    kind: Literal["convolution"] = "convolution"
    channels: int = Field(4, ge=1, le=64, description="Filters.")
    activation: Activation = ReLU()

    takes: ClassVar[str] = "images"

    @classmethod
    def accepts(cls, inputs: Shape) -> bool:
        return len(inputs) == 3

    def output_shape(self, inputs: Shape, outputs: int) -> Shape:  # noqa: ARG002
        return (outputs,)

    def size(self, inputs: Shape, outputs: int) -> Size:
        channels, height, width = inputs
        places = (height - SIDE + 1) * (width - SIDE + 1)
        weights, last = self.channels * channels * SIDE**2, self.channels * places * outputs
        return Size(
            parameters=weights + self.channels + last + outputs,
            work=weights * places + last,
            entries=channels * height * width + self.channels * places + outputs,
            layers=2,
        )

    def function(self) -> dict[str, Any]:
        return {"channels": self.channels, "activation": self.activation}


def network(model: Convolution, inputs: Shape, outputs: int, seed: int) -> nn.Module:
    """The module: (batch, channels, height, width) -> (batch, outputs)."""
    filters = nn.Conv2d(inputs[0], model.channels, SIDE)
    places = (inputs[1] - SIDE + 1) * (inputs[2] - SIDE + 1)
    output = nn.Linear(model.channels * places, outputs)
    matrix = nn.Linear(inputs[0] * SIDE**2, model.channels)
    for number, layer in enumerate((matrix, output), 1):
        initializers.fill(layer, HeNormal(), generator(seed, "weights", number))
    filters.weight.data = matrix.weight.data.reshape(filters.weight.shape)
    filters.bias.data = matrix.bias.data
    parts = {"conv1": filters, "activation1": activations.build(model.activation), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict(parts | {"output": output}))


class Learner(Supervised):
    """Supervised learning with the family among the others."""

    data: Data = Digits(points=200)
    model: Annotated[MLP | DeepMLP | Convolution, Field(discriminator="kind")] = Convolution()


class Training(jobs.Training):
    """A job with it."""

    learner: Learner = Learner()


class TrainedModel(landscapes.TrainedModel):
    """A network trained on it."""

    learner: Learner = Learner()


class Landscape(landscapes.Landscape):
    """A landscape job of it."""

    network: TrainedModel = TrainedModel()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two lines that a family costs: in the union of models, here of all jobs, and in the engine's `build`."""
    build = models.build

    def with_convolution(model: Any, *others: Any) -> nn.Module:
        return network(model, *others) if isinstance(model, Convolution) else build(model, *others)

    monkeypatch.setattr(models, "build", with_convolution)
    monkeypatch.setattr(
        jobs, "Job", Annotated[Training | jobs.Trajectories | jobs.RateSearch | Landscape, Field(discriminator="kind")]
    )
