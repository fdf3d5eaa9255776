"""A network trained once more from its seed, with its weights kept along the way.

Runs keep no weights but those to go on from; the same job gives the same bits on a CPU, so its weights at any step can
be had again, without probes and pictures in less time than the first time.
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
from nnviz.engine.landscape.evaluated_measures import EvaluatedMeasures
from nnviz.engine.landscape.thread_counts import threads
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.spec.base import fingerprint
from nnviz.spec.landscapes import KEPT, TrainedModel
from nnviz.spec.learners import Learner

State = dict[str, Tensor]

REMEMBERED_BYTES = 256 * 2**20
"""Of networks trained before: who changes how a landscape is looked at need not wait for the training again."""

CHECKED_EVERY = 100
"""Steps between two looks at whether the weights are still finite."""


@dataclass
class Trained:
    """A network at some steps of its training."""

    network: TrainedModel
    learning: SupervisedLearning
    heights: EvaluatedMeasures
    steps: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    """At each of the steps, by the names of `state_dict`."""
    learners: list[Learner] = field(default_factory=list)
    """How each of the steps was trained."""
    rates: list[float] = field(default_factory=list)
    """Learning rate of the update that led to each step."""
    measures: list[dict[str, float]] = field(default_factory=list)
    """Losses and accuracies at each step, by "train_loss", "test_accuracy", …, as a run tells them: on the data and by
    the loss of that time."""

    @property
    def module(self) -> nn.Module:
        """The network as it is in the end, in evaluation mode. Not to be changed."""
        return self.learning.network

    def weights(self, place: int = -1) -> list[Tensor]:
        """The parameters at a place in `steps`, in the order of `module.parameters()`."""
        return [self.states[place][name] for name, _ in self.module.named_parameters()]

    def arrays(self) -> dict[str, np.ndarray]:
        """steps (T,), learning_rate (T,) and each measure (T,), nan where training had none: in a run that goes on from
        another one with numbers for targets there is no accuracy before."""
        found = {"steps": np.array(self.steps, np.int64), "learning_rate": np.array(self.rates)}
        names = dict.fromkeys(name for measured in self.measures for name in measured)
        return found | {name: np.array([m.get(name, np.nan) for m in self.measures]) for name in names}

    @property
    def bytes(self) -> int:
        """Memory that the states hold."""
        return sum(t.nbytes for state in self.states for t in state.values())


_remembered: OrderedDict[tuple[str, int, str], Trained] = OrderedDict()


def remembered(network: TrainedModel, samples: int, device: torch.device) -> Trained | None:
    """The network, if this process has trained it a short while ago."""
    key = (fingerprint(network), samples, str(device))
    if key in _remembered:
        _remembered.move_to_end(key)
    return _remembered.get(key)


def _remember(trained: Trained, samples: int, device: torch.device) -> None:
    _remembered[fingerprint(trained.network), samples, str(device)] = trained
    while len(_remembered) > 1 and sum(t.bytes for t in _remembered.values()) > REMEMBERED_BYTES:
        _remembered.popitem(last=False)


class Retraining:
    """A training under way. All surveys of a network in a process take turns at the same one, and none trains alone."""

    def __init__(self, network: TrainedModel, samples: int, device: torch.device, read_file: ReadFile) -> None:
        self._work = retrain(network, samples, device, read_file)
        self.step = 0
        self.trained = remembered(network, samples, device)
        self.trouble: Exception | None = None

    def advance(self) -> None:
        """One step of training, or the last word. Raises EngineError, for every survey that waits."""
        if self.trouble is not None:
            raise self.trouble
        try:
            found = next(self._work)
        except Exception as error:
            self.trouble = error
            raise
        if isinstance(found, Trained):
            self.trained = found
        else:
            self.step = found


_under_way: WeakValueDictionary[tuple[str, int, str], Retraining] = WeakValueDictionary()


def retraining(network: TrainedModel, samples: int, device: torch.device, read_file: ReadFile = no_files) -> Retraining:
    """The training of this network that is under way in this process, or a new one."""
    key = (fingerprint(network), samples, str(device))
    found = _under_way.get(key)
    # One that has failed is tried again: a file of the user's own may be there by now.
    if found is None or found.trouble or (found.trained is None and remembered(network, samples, device)):
        found = _under_way[key] = Retraining(network, samples, device, read_file)
    return found


def retrain(
    network: TrainedModel, samples: int, device: torch.device, read_file: ReadFile = no_files
) -> Iterator[int | Trained]:
    """Trains; the number of steps done so far again and again, the trained network last.

    Raises EngineError where the weights are no longer finite before the step that is looked at.
    """
    kept = set(np.linspace(0, network.at, KEPT).round().astype(int).tolist())
    trained = None
    number = 0
    state = None
    for phase in network.phases:
        work = phase.learner.work
        with threads(work):
            learning = learners.build(phase.learner, phase.seed, phase.steps, device, phase.weights_seed, read_file)
            if state is not None:
                _take_up(learning, state)
            trained = _with_heights(trained, network, learning, samples)
            if not trained.steps:
                _keep(trained, 0)
        while number < phase.until:
            number += 1
            with threads(work):
                learning.step(number)
                if number in kept:
                    _keep(trained, number)
                elif number % CHECKED_EVERY == 0:
                    _check(trained, number)
            yield number
        state = learning.state_dict()
    assert trained is not None  # there is at least one stretch
    trained.learning.network.eval()
    _remember(trained, samples, device)
    yield trained


def _with_heights(
    trained: Trained | None, network: TrainedModel, learning: SupervisedLearning, samples: int
) -> Trained:
    """What was kept so far goes on with another learner; its data are those of the last one."""
    heights = EvaluatedMeasures(learning, samples)
    if trained is None:
        return Trained(network, learning, heights)
    trained.learning, trained.heights = learning, heights
    return trained


def _take_up(learning: SupervisedLearning, state: dict) -> None:
    try:
        learning.load_state_dict(state)
    except Exception as error:  # torch has many names for a shape that differs
        why = " ".join(str(error).split())[:200]
        raise EngineError(f"TrainedModel.before must be of the same model as what goes on from it: {why}") from None


def _keep(trained: Trained, step: int) -> None:
    _check(trained, step)
    trained.steps.append(step)
    trained.states.append({name: t.detach().clone() for name, t in trained.module.state_dict().items()})
    trained.learners.append(trained.learning.spec)
    trained.rates.append(trained.learning.learning_rate(max(1, step)))
    trained.learning.network.eval()
    trained.measures.append(trained.heights.of(trained.module))
    trained.learning.network.train()


def _check(trained: Trained, step: int) -> None:
    if all(bool(torch.isfinite(p).all()) for p in trained.module.parameters()):
        return
    good = trained.steps[-1]
    raise EngineError(
        f"TrainedModel.step must be one where all weights are finite; this training has diverged by step {step}: "
        f"look at step {good} or earlier"
    )
