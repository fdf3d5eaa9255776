"""A data set that is none of those that ship: a table of the user's own, which the job names by its hash."""

import io
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from pydantic import Field

from nnviz.engine import data
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.data.dataset import Dataset, split
from nnviz.spec import jobs, landscapes
from nnviz.spec.attachments import Attachment
from nnviz.spec.base import Spec
from nnviz.spec.data import Moons
from nnviz.spec.learners import Supervised
from nnviz.spec.shapes import Shape

ROWS = np.random.default_rng(0).normal(size=(60, 2)).round(3)
CSV = "\n".join(f"{x},{y},{int(x > y)}" for x, y in ROWS).encode()
"""Two inputs and a class, for 60 samples."""


class Table(Spec):
    """Rows of two numbers and a class."""

    kind: Literal["table"] = "table"
    file: Attachment = Attachment()
    train_fraction: float = 0.7
    points: ClassVar[int] = 60
    shape: ClassVar[Shape] = (2,)
    classes: ClassVar[int] = 2


class Learner(Supervised):
    """Supervised learning with the table among the data sets."""

    data: Annotated[Moons | Table, Field(discriminator="kind")] = Table()


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
    """The two lines that a data set costs: in the union, here of all jobs, and in the engine's `build`."""
    build = data.build

    def with_table(chosen: Any, seed: int, read_file: ReadFile = no_files) -> Dataset:
        if not isinstance(chosen, Table):
            return build(chosen, seed, read_file)
        rows = np.loadtxt(io.BytesIO(read_file(chosen.file)), delimiter=",", dtype=np.float32)
        order, test = split(chosen.points, chosen.train_fraction, seed)
        inputs, targets = torch.tensor(rows[:, :2]), torch.tensor(rows[:, 2]).long()
        return Dataset(inputs[order], targets[order], test, ("x₁", "x₂"), ("0", "1"))

    monkeypatch.setattr(data, "build", with_table)
    monkeypatch.setattr(
        jobs, "Job", Annotated[Training | jobs.Trajectories | jobs.RateSearch | Landscape, Field(discriminator="kind")]
    )
