"""Short trainings of small generative adversarial networks."""

from typing import Any

import torch

from nnviz.engine.learners.adversarial import AdversarialLearning
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Adversarial

NETWORK = {
    "kind": "mlp",
    "hidden": [{"width": 8, "activation": {"kind": "relu"}}, {"width": 8, "activation": {"kind": "tanh"}}],
}
PROBES = [{"kind": k, "every": 3} for k in ("gradient_norms", "updates", "activations", "signal", "histograms")]


def learner(**changes: Any) -> Adversarial:
    """A small one with changes by field."""
    plain = {"kind": "adversarial", "generator": NETWORK, "discriminator": NETWORK, "batch_size": 16}
    return Adversarial.parse(plain | changes)


def job(steps: int = 6, **changes: Any) -> Training:
    """Its training, with all probes, evaluated every 3 steps."""
    plain = {"learner": learner(**changes).model_dump(), "steps": steps, "evaluate_every": 3, "device": "cpu"}
    return Training.parse(plain | {"probes": PROBES})


def learning(seed: int = 0, **changes: Any) -> AdversarialLearning:
    """It before its first step."""
    return AdversarialLearning(learner(**changes), seed, 1000, torch.device("cpu"))


def network(**changes: Any) -> dict[str, Any]:
    """NETWORK with changes by field."""
    return NETWORK | changes
