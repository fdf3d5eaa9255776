"""Short landscape jobs and their records."""

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nnviz.engine import losses
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.engine.landscape.retraining import Trained, retrain
from nnviz.records import Record
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training
from nnviz.spec.landscapes import Landscape, TrainedModel, TrainingPhase, View
from tests.engine.short_runs import job

CPU = torch.device("cpu")
SITUATIONS = {
    "tanh": {},
    "batch norm": {"learner__model__norm": "batch"},
    "dropout": {"learner__model__dropout": {"kind": "standard", "rate": 0.3}},
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


def network(chosen: Training, *before: TrainingPhase, **changes: Any) -> TrainedModel:
    """The network that the job trains."""
    return TrainedModel(learner=chosen.learner, steps=chosen.steps, seed=chosen.seed, before=before, **changes)


def phase(chosen: Training, until: int) -> TrainingPhase:
    """The part of the training before it was continued by another job."""
    return TrainingPhase(learner=chosen.learner, steps=chosen.steps, seed=chosen.seed, until=until)


def landscape(*views: View, samples: int = 1000, other: TrainedModel | None = None, **changes: Any) -> Landscape:
    """A landscape around the short run `job(**changes)`."""
    return Landscape(network=network(job(**changes)), other=other, views=views, samples=samples, device="cpu")


def around(of: TrainedModel, *views: View, **changes: Any) -> Landscape:
    """A landscape around this network."""
    return replace_many(Landscape(network=of, views=views, device="cpu"), changes)


def trained(of: TrainedModel, samples: int = 1000) -> Trained:
    """The network, trained once more."""
    *_, found = retrain(of, samples, CPU)
    assert isinstance(found, Trained)
    return found


def all_records(chosen: Landscape | LandscapeEvaluation) -> list[Record]:
    """All further records."""
    evaluation = chosen if isinstance(chosen, LandscapeEvaluation) else LandscapeEvaluation(chosen)
    return [record for records in evaluation for record in records]


def last_arrays(chosen: Landscape) -> dict[str, dict[str, np.ndarray]]:
    """The last snapshot of each quantity."""
    return {record.quantity: record.arrays for record in all_records(chosen)}


def same_bits(one: Iterable[torch.Tensor], other: Iterable[torch.Tensor]) -> bool:
    """Whether the tensors are equal to the bit."""
    return [t.numpy().tobytes() for t in one] == [t.numpy().tobytes() for t in other]


@torch.no_grad()
def float64_measures(of: Trained, state: dict[str, Tensor]) -> dict[str, float]:
    """Measures of a network with this state, in float64 and without the machinery of slices."""
    module = copy.deepcopy(of.module).double().eval()
    module.load_state_dict(state)
    found = {}
    for part, (x, y) in of.evaluated.data.items():
        outputs = module(x.double())
        found[f"{part}_loss"] = float(of.evaluated.loss(outputs, y if not y.is_floating_point() else y.double()))
        if of.learning.spec.data.classes:
            scores = losses.scores(of.learning.spec.loss, outputs)
            found[f"{part}_accuracy"] = float((scores.argmax(1) == y).double().mean())
    return found


def moved(of: Trained, *terms: tuple[float, list[Tensor]]) -> dict[str, Tensor]:
    """The last state with multiples of directions added to its parameters."""
    state = {name: t.double() if t.is_floating_point() else t for name, t in of.states[-1].items()}
    for scale, direction in terms:
        for (name, _), d in zip(of.module.named_parameters(), direction, strict=True):
            state[name] = state[name] + scale * d.double()
    return state


def agree(arrays: dict[str, np.ndarray], place: tuple[int, ...], expected: dict[str, float]) -> None:
    """Asserts that the measures at a grid point are the expected ones, within the precision of float32."""
    for name, value in expected.items():
        if name.endswith("loss"):
            assert arrays[name][place] == pytest.approx(value, rel=2e-5, abs=1e-6), (name, place)
        else:  # a sample on the edge may fall to either side
            assert arrays[name][place] == pytest.approx(value, abs=0.04), (name, place)
