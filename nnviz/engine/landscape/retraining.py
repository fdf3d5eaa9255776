"""Trains a network again from its seed and saves its weights at some steps.

Run files hold no weights except for resuming. The same job gives the same bits on a CPU, so its weights at any step can
be computed again, in less time than the first training, since there are no probes and snapshots.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import learners
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.device import EngineError
from nnviz.engine.landscape.adaptive_stability import preconditioner
from nnviz.engine.landscape.evaluated_measures import EvaluatedMeasures
from nnviz.engine.landscape.thread_counts import threads
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.spec.base import fingerprint
from nnviz.spec.landscapes import SAVED_STATES, TrainedModel
from nnviz.spec.learners import Learner

State = dict[str, Tensor]

CACHE_BYTES = 256 * 2**20
"""Memory for networks trained before, so that a changed view of the same network does not train it again."""

FINITE_CHECK_EVERY = 100
"""Steps between two checks that the weights are finite."""


@dataclass
class Trained:
    """A network at some steps of its training."""

    network: TrainedModel
    learning: SupervisedLearning
    evaluated: EvaluatedMeasures
    steps: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    """At each of the steps, by the names of `state_dict`."""
    learners: list[Learner] = field(default_factory=list)
    """How each of the steps was trained."""
    preconditioners: list[Tensor | None] = field(default_factory=list)
    """What each optimizer divided gradients by at each of the steps; see `adaptive_stability`."""
    rates: list[float] = field(default_factory=list)
    """Learning rate of the update that led to each step."""
    measures: list[dict[str, float]] = field(default_factory=list)
    """Losses and accuracies at each step, by "train_loss", "test_accuracy", …, as the run recorded them: with the data
    and the loss of that training phase."""

    @property
    def module(self) -> nn.Module:
        """The trained network, in evaluation mode. Must not be changed."""
        return self.learning.network

    def weights(self, place: int = -1) -> list[Tensor]:
        """The parameters at a place in `steps`, in the order of `module.parameters()`."""
        return [self.states[place][name] for name, _ in self.module.named_parameters()]

    def arrays(self) -> dict[str, np.ndarray]:
        """steps (T,), learning_rate (T,) and each measure (T,), nan where a training phase had none: one for
        regression has no accuracy."""
        found = {"steps": np.array(self.steps, np.int64), "learning_rate": np.array(self.rates)}
        names = dict.fromkeys(name for measured in self.measures for name in measured)
        return found | {name: np.array([m.get(name, np.nan) for m in self.measures]) for name in names}

    @property
    def bytes(self) -> int:
        """Memory of the states."""
        scales = sum(scale.nbytes for scale in self.preconditioners if scale is not None)
        return scales + sum(t.nbytes for state in self.states for t in state.values())


_cache: OrderedDict[tuple[str, int, str], Trained] = OrderedDict()


def cached(network: TrainedModel, samples: int, device: torch.device) -> Trained | None:
    """The network, if it is in the cache of this process."""
    key = (fingerprint(network), samples, str(device))
    if key in _cache:
        _cache.move_to_end(key)
    return _cache.get(key)


def _add_to_cache(trained: Trained, samples: int, device: torch.device) -> None:
    _cache[fingerprint(trained.network), samples, str(device)] = trained
    while len(_cache) > 1 and sum(t.bytes for t in _cache.values()) > CACHE_BYTES:
        _cache.popitem(last=False)


class Retraining:
    """A running training. All landscape evaluations of a network in a process share it and advance it in turns."""

    def __init__(self, network: TrainedModel, samples: int, device: torch.device, read_file: ReadFile) -> None:
        self._work = retrain(network, samples, device, read_file)
        self.step = 0
        self.trained = cached(network, samples, device)
        self.error: Exception | None = None

    def advance(self) -> None:
        """One step of training, or its end. Raises the error of the training, for every evaluation that shares it."""
        if self.error is not None:
            raise self.error
        try:
            found = next(self._work)
        except Exception as error:
            self.error = error
            raise
        if isinstance(found, Trained):
            self.trained = found
        else:
            self.step = found


_running: WeakValueDictionary[tuple[str, int, str], Retraining] = WeakValueDictionary()


def retraining(network: TrainedModel, samples: int, device: torch.device, read_file: ReadFile = no_files) -> Retraining:
    """The running training of this network in this process, or a new one."""
    key = (fingerprint(network), samples, str(device))
    found = _running.get(key)
    # A failed training is tried again: a missing file of the user may be there by now.
    if found is None or found.error or (found.trained is None and cached(network, samples, device)):
        found = _running[key] = Retraining(network, samples, device, read_file)
    return found


def retrain(
    network: TrainedModel, samples: int, device: torch.device, read_file: ReadFile = no_files
) -> Iterator[int | Trained]:
    """Trains; yields the number of steps done after each step, then the trained network.

    Raises EngineError where the weights are no longer finite before the wanted step.
    """
    saved_steps = set(np.linspace(0, network.at, SAVED_STATES).round().astype(int).tolist())
    trained = None
    number = 0
    state = None
    for phase in network.phases:
        work = phase.learner.work
        with threads(work):
            learning = learners.build(phase.learner, phase.seed, phase.steps, device, phase.weights_seed, read_file)
            if state is not None:
                _load_state(learning, state)
            trained = _with_learning(trained, network, learning, samples)
            if not trained.steps:
                _save_state(trained, 0)
        while number < phase.until:
            number += 1
            with threads(work):
                learning.step(number)
                if number in saved_steps:
                    _save_state(trained, number)
                elif number % FINITE_CHECK_EVERY == 0:
                    _check_finite(trained, number)
            yield number
        state = learning.state_dict()
    assert trained is not None  # there is at least one phase
    trained.learning.network.eval()
    _add_to_cache(trained, samples, device)
    yield trained


def _with_learning(
    trained: Trained | None, network: TrainedModel, learning: SupervisedLearning, samples: int
) -> Trained:
    """The same states with the learner of the next training phase, whose data are used for evaluation."""
    evaluated = EvaluatedMeasures(learning, samples)
    if trained is None:
        return Trained(network, learning, evaluated)
    trained.learning, trained.evaluated = learning, evaluated
    return trained


def _load_state(learning: SupervisedLearning, state: dict) -> None:
    try:
        learning.load_state_dict(state)
    except Exception as error:  # torch raises many types for a shape that differs
        reason = " ".join(str(error).split())[:200]
        raise EngineError(
            f"TrainedModel.before must be of the same model as the training that continues it: {reason}"
        ) from None


def _save_state(trained: Trained, step: int) -> None:
    _check_finite(trained, step)
    trained.steps.append(step)
    trained.states.append({name: t.detach().clone() for name, t in trained.module.state_dict().items()})
    trained.learners.append(trained.learning.spec)
    trained.preconditioners.append(
        preconditioner(trained.learning.spec.optimizer, trained.learning.optimizer, trained.learning.parameters)
    )
    trained.rates.append(trained.learning.learning_rate(max(1, step)))
    trained.learning.network.eval()
    trained.measures.append(trained.evaluated.of(trained.module))
    trained.learning.network.train()


def _check_finite(trained: Trained, step: int) -> None:
    if all(bool(torch.isfinite(p).all()) for p in trained.module.parameters()):
        return
    good = trained.steps[-1]
    raise EngineError(
        f"TrainedModel.step must be one where all weights are finite; this training has diverged by step {step}: "
        f"choose step {good} or earlier"
    )
