"""A job becomes a stream of records; the one loop that trains networks."""

import copy
import io
import math
import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Self

import torch

from nnviz.engine import device, layers, learners, probes
from nnviz.engine.capture import Watch
from nnviz.engine.descent.race import Race
from nnviz.engine.descent.rate_search import Search
from nnviz.engine.device import EngineError
from nnviz.engine.divergence import Diverged, first_nonfinite, is_finite
from nnviz.engine.learners import Learning
from nnviz.engine.survey import Survey
from nnviz.records import Cause, Culprit, Divergence, Record, Scalar, Snapshot
from nnviz.spec.jobs import Descent, Experiment, Job, Landscape, RateSearch
from nnviz.spec.probes import Activations

REMEMBERED_EVERY = 100
"""Steps between two states kept in memory, from which a divergence is replayed."""


class Run(Iterator[list[Record]]):
    """A job under way: each `next` is one training step and returns its records.

    Pause by not calling it, cancel by `close`. `until` names a step after which the caller will look closely: every
    probe samples it. Raises Diverged when the loss is no longer finite.
    """

    def __init__(self, job: Experiment, checkpoint: bytes | None = None, learning: Learning | None = None) -> None:
        """`learning` is a learner at step 0 to be trained in place of the job's own."""
        if job.parent and checkpoint is None:
            raise EngineError(f"a job that goes on from run {job.parent.run!r} needs that run's checkpoint")
        self.job = job
        self.device = device.choose(job.device)
        self.learning = learning or learners.build(job.learner, job.seed, job.steps, self.device)
        device.set_threads(self.learning.work)
        self.step, self.until = 0, -1
        self._evaluated, self._is_closed = -1, False
        # Each look at a loss waits for the device, so elsewhere than on the CPU losses are looked at together.
        self._flush_every = 1 if self.device.type == "cpu" else 50
        self._losses: list[tuple[int, dict[tuple[str, str], torch.Tensor]]] = []
        # Records go through here one by one, so that whatever fails later loses none of them.
        self._unsaid: list[Record] = []
        built = [probes.build(probe) for probe in job.probes]
        self._watch = Watch(self.learning.modules, self.learning.optimizers, built).__enter__()
        self._units = None
        if any(isinstance(p, Activations) for p in job.probes):
            self._units = probes.Units({module: site for module, (_, site) in self._watch.activations.items()})
        self._is_new = checkpoint is None
        if checkpoint is not None:
            self._take_up(checkpoint)
        self._remembered = [(self.step, copy.deepcopy(self.learning.state_dict()))]

    def _take_up(self, checkpoint: bytes) -> None:
        try:
            state = torch.load(io.BytesIO(checkpoint), map_location=self.device, weights_only=True)
            self.learning.load_state_dict(state["learning"])
            self.step = state["step"]
        except Exception as error:  # torch has many names for a file that is cut off and a shape that differs
            self.close()
            why = " ".join(str(error).split())[:200] or type(error).__name__
            raise EngineError(f"the checkpoint is damaged or of another data set or model: {why}") from None

    @property
    def info(self) -> dict[str, Any]:
        """What the run file remembers of the machine and the model."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else platform.machine()
        return {
            "device": f"{self.device} ({name})",
            "torch": torch.__version__,
            "python": platform.python_version(),
            "nnviz": version("nnviz"),
            "parameters": sum(p.numel() for m in self.learning.modules.values() for p in m.parameters()),
            "seed": self.job.seed,
            "steps_per_epoch": self.learning.steps_per_epoch,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> list[Record]:
        if self._is_closed or self.step >= self.job.steps:
            self.close()
            raise StopIteration
        self._begin()
        number = self.step + 1
        looked_at = number == self.until
        with self._watch.step(number, force=looked_at):
            measured = self.learning.step(number)
        self.step = number
        self._losses.append((number, measured))
        evaluates = number % self.job.evaluate_every == 0 or number == self.job.steps
        if evaluates or looked_at or number % self._flush_every == 0:
            self._flush()
        if number % REMEMBERED_EVERY == 0 and is_finite(self.learning):
            self._remembered = [self._remembered[-1], (number, copy.deepcopy(self.learning.state_dict()))]
        if evaluates:
            self._look()
            # No later batch would tell of a last update that broke the weights.
            if number == self.job.steps and not is_finite(self.learning):
                raise self._diverged(number, next((q for q, _ in self.learning.objectives), "loss"), math.nan)
        return self._hand_out()

    def look(self) -> list[Record]:
        """Evaluation and pictures of the present step, unless it has been evaluated already."""
        self._look()
        return self._hand_out()

    def rest(self) -> list[Record]:
        """What was measured and not handed out, once a step or an evaluation has failed."""
        self._measured()
        for step, losses in self._losses:
            self._unsaid += [Scalar(step, quantity, float(value), site) for (quantity, site), value in losses.items()]
        self._losses.clear()
        return self._hand_out()

    def checkpoint(self) -> bytes:
        """The state after the present step, as `torch.save` writes it."""
        return _pack(self.step, self.learning.state_dict())

    def weights(self) -> bytes:
        """The network after the present step, after divergence that of the last good one: a state dict by the names of
        its modules ("linear1.weight"), on the CPU, as `torch.save` writes it."""
        (module,) = self.learning.modules.values()
        target = io.BytesIO()
        torch.save({name: tensor.cpu() for name, tensor in module.state_dict().items()}, target)
        return target.getvalue()

    def close(self) -> None:
        """Takes all hooks off; there are no more steps."""
        self._is_closed = True
        self._watch.__exit__(None, None, None)

    def _hand_out(self) -> list[Record]:
        said, self._unsaid = self._unsaid, []
        return said

    def _begin(self) -> None:
        if not self._is_new:
            return
        self._is_new = False
        self._evaluated = 0
        for root, module in self.learning.modules.items():
            self._unsaid.append(Snapshot(0, "layers", layers.describe(root, module), root))
        self._unsaid += self.learning.begin()
        self._evaluate(0)

    def _look(self) -> None:
        if self.step == 0:
            self._begin()
        if self._evaluated == self.step:
            return
        self._evaluated = self.step
        self._measured()
        self._flush()
        self._evaluate(self.step)

    def _measured(self) -> None:
        self._unsaid += self._watch.flush()

    def _evaluate(self, step: int) -> None:
        if self._units is None:
            self._unsaid += self.learning.evaluate(step)
        else:
            self._unsaid += self.learning.evaluate(step, self._units)
            self._unsaid += self._units.records(step)

    def _flush(self) -> None:
        """Batch losses as records; Diverged at the first that is not finite."""
        if not self._losses:
            return
        measured = [value.float() for _, found in self._losses for value in found.values()]
        values = iter(torch.stack(measured).tolist() if measured else ())
        losses, self._losses = self._losses, []
        for step, found in losses:
            records = [Scalar(step, quantity, next(values), site) for quantity, site in found]
            self._unsaid += records
            for quantity, site in self.learning.objectives:
                for r in records:
                    if (r.quantity, r.site) == (quantity, site) and not math.isfinite(r.value):
                        raise self._diverged(step, quantity, r.value)

    def _diverged(self, step: int, objective: str, value: float) -> Diverged:
        """Replays from the last remembered state to find where it went wrong and the last good state before it, which
        is evaluated once more."""
        self.close()
        self._measured()
        number, state = self._remembered[0]
        self.learning.load_state_dict(copy.deepcopy(state))
        culprit, states = None, [(number, state)]
        while culprit is None and number < step:
            number += 1
            culprit = first_nonfinite(self.learning, number)
            states = [*states[-2:], (number, copy.deepcopy(self.learning.state_dict()))]
        culprit = culprit or Culprit(Cause.OBJECTIVE, objective)
        # If a gradient or an update broke, the state before it is good. If the forward pass did, that state is the one
        # to blame, and the one before it is good.
        last_good, good = states[0] if culprit.cause in (Cause.OUTPUT, Cause.OBJECTIVE) else states[-2:][0]
        self.step = last_good
        self.learning.load_state_dict(good)
        if self._evaluated != last_good:
            self._evaluate(last_good)
        how = Divergence(step, objective, "nan" if math.isnan(value) else "inf", culprit, number, last_good)
        return Diverged(how, self.checkpoint(), self._hand_out())


def run(job: Job, checkpoint: bytes | None = None, learning: Learning | None = None) -> Run | Race | Search | Survey:
    """The job as an iterator of lists of records, from its beginning or from a checkpoint of it or of its parent.

    The same job on the CPU gives the same records, whether it is paused, resumed or watched. `learning` is a learner at
    step 0 to be trained in place of the job's own.
    """
    match job:
        case Experiment():
            return Run(job, checkpoint, learning)
        case Descent():
            return Race(job, checkpoint)
        case RateSearch():
            return Search(job, checkpoint)
        case Landscape():
            return Survey(job, checkpoint)
    raise TypeError(f"nothing runs {job!r}")


def _pack(step: int, state: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    torch.save({"step": step, "learning": state}, target)
    return target.getvalue()
