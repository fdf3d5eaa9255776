"""Short landscapes and what they said."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from nnviz.engine.survey import Survey
from nnviz.engine.survey.retraining import Trained, retrain
from nnviz.records import Record
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Experiment
from nnviz.spec.landscapes import Landscape, Network, Stretch, View
from tests.engine.running import job

CPU = torch.device("cpu")
SITUATIONS = {
    "tanh": {},
    "batch norm": {"learner__model__batch_norm": True},
    "dropout": {"learner__model__dropout": 0.3},
    "skip connections": {"learner__model": {"kind": "deep_mlp", "depth": 4, "width": 6, "skip": True}},
    "adam": {"learner__optimizer": "adam"},
    "momentum": {
        "learner__optimizer": {"kind": "sgd", "momentum": 0.9},
        "learner__schedule": "cosine",
        "learner__clipping": {"kind": "norm", "max_norm": 0.2},
    },
    "digits": {"learner__data": {"kind": "digits", "points": 200}},
    "curve": {"learner__data": "curve", "learner__loss": "mae", "learner__l1": 0.01},
    "one output": {"learner__loss": "binary_cross_entropy"},
}


def network(chosen: Experiment, *before: Stretch, **changes: Any) -> Network:
    """The network that the experiment trains."""
    return Network(learner=chosen.learner, steps=chosen.steps, seed=chosen.seed, before=before, **changes)


def stretch(chosen: Experiment, until: int) -> Stretch:
    """The experiment as far as it was gone on from."""
    return Stretch(learner=chosen.learner, steps=chosen.steps, seed=chosen.seed, until=until)


def landscape(*views: View, samples: int = 1000, other: Network | None = None, **changes: Any) -> Landscape:
    """A landscape around the short run `job(**changes)`."""
    return Landscape(network=network(job(**changes)), other=other, views=views, samples=samples, device="cpu")


def around(of: Network, *views: View, **changes: Any) -> Landscape:
    """A landscape around this network."""
    return replace_many(Landscape(network=of, views=views, device="cpu"), changes)


def trained(of: Network, samples: int = 1000) -> Trained:
    """The network, trained once more."""
    *_, found = retrain(of, samples, CPU)
    assert isinstance(found, Trained)
    return found


def said(chosen: Landscape | Survey) -> list[Record]:
    """Everything that is left to say."""
    survey = chosen if isinstance(chosen, Survey) else Survey(chosen)
    return [record for records in survey for record in records]


def seen(chosen: Landscape) -> dict[str, dict[str, np.ndarray]]:
    """The last picture of each name."""
    return {record.quantity: record.arrays for record in said(chosen)}


def same_bits(one: Iterable[torch.Tensor], other: Iterable[torch.Tensor]) -> bool:
    """Whether the tensors are equal to the bit."""
    return [t.numpy().tobytes() for t in one] == [t.numpy().tobytes() for t in other]
