"""The one loop that trains networks."""

import copy
import io
import math
from collections.abc import Mapping
from typing import Any

import torch

from nnviz.engine import checkpoints, device, learners
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.capture import Watch, probes
from nnviz.engine.device import EngineError
from nnviz.engine.divergence import Diverged, is_finite, trace_back
from nnviz.engine.learners import HasUntrainedPass, Learning
from nnviz.engine.running_job import RunningJob
from nnviz.engine.snapshots import module_layers
from nnviz.records import Divergence, Metric, Record, Scalar, Snapshot
from nnviz.spec.jobs import Training
from nnviz.spec.probes import Activations

REMEMBERED_EVERY = 100
"""Steps between two states kept in memory, from which a divergence is replayed."""


class Run(RunningJob):
    """A training that runs: each `next` is one step. At step `until` every probe samples, and at step 0, before any
    update, if the learner has a pass for it.

    Raises Diverged when an objective is no longer finite.
    """

    def __init__(
        self,
        job: Training,
        checkpoint: bytes | None = None,
        learning: Learning | None = None,
        read_file: ReadFile = no_files,
    ) -> None:
        """`learning` is a learner at step 0 to be trained in place of the job's own."""
        if job.parent and checkpoint is None:
            raise EngineError(f"a job that goes on from run {job.parent.run!r} needs that run's checkpoint")
        super().__init__(job, (learning or job.learner).work)
        self.learning = learning or learners.build(job.learner, job.seed, job.steps, self.device, None, read_file)
        self.step = 0
        self._evaluated = -1
        self._is_new = checkpoint is None
        if checkpoint is not None:
            self._resume(checkpoint)
        # Each look at a loss waits for the device, so elsewhere than on the CPU losses are looked at together.
        self._flush_every = 1 if self.device.type == "cpu" else 50
        self._losses: list[tuple[int, dict[tuple[str, str], torch.Tensor]]] = []
        # Records go through here one by one, so that whatever fails later loses none of them.
        self._unreturned: list[Record] = []
        built = [probes.build(probe) for probe in job.probes]
        first = 0 if isinstance(self.learning, HasUntrainedPass) else 1
        self._watch = Watch(self.learning.modules, self.learning.optimizers, built, first).__enter__()
        self._units = None
        if any(isinstance(p, Activations) for p in job.probes):
            self._units = probes.Units({module: site for module, (_, site) in self._watch.activations.items()})
        self._remembered = [(self.step, copy.deepcopy(self.learning.state_dict()))]

    def _resume(self, checkpoint: bytes) -> None:
        self.step, state = checkpoints.unpack(checkpoint, self.job.kind, self.job.steps, self.device)
        try:
            self.learning.load_state_dict(state)
        except Exception as error:  # torch has many names for a shape that differs
            raise checkpoints.refusal(error) from None

    @property
    def info(self) -> dict[str, Any]:
        """The machine, the job, the number of parameters, and steps an epoch where there are epochs."""
        parameters = sum(p.numel() for m in self.learning.modules.values() for p in m.parameters())
        return super().info | {"parameters": parameters, "steps_per_epoch": self.learning.steps_per_epoch}

    @property
    def metric(self) -> Metric | None:
        """What the learner says."""
        return self.learning.metric

    @property
    def is_flushed(self) -> bool:
        """Whether the present step has been evaluated, when all that was measured is returned too."""
        return self._evaluated == self.step

    def _advance(self) -> list[Record]:
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

    def _see(self) -> list[Record]:
        """Evaluation and pictures of the present step, unless it has been evaluated already."""
        self._look()
        return self._hand_out()

    def rest(self) -> list[Record]:
        """What was measured and not handed out, once a step or an evaluation has failed."""
        self._measured()
        for step, losses in self._losses:
            self._unreturned += [
                Scalar(step, quantity, float(value), site) for (quantity, site), value in losses.items()
            ]
        self._losses.clear()
        return self._hand_out()

    def weights(self) -> bytes | None:
        """The networks after the present step, after divergence those of the last good one: by the names of the module
        ("linear1.weight"), and of several modules with the root in front ("generator.linear1.weight")."""
        modules = self.learning.modules
        if not modules:
            return None
        named = {
            name if len(modules) == 1 else f"{root}.{name}": tensor.cpu()
            for root, module in modules.items()
            for name, tensor in module.state_dict().items()
        }
        target = io.BytesIO()
        torch.save(named, target)
        return target.getvalue()

    def close(self) -> None:
        """Takes all hooks off; there are no more steps."""
        super().close()
        self._watch.__exit__(None, None, None)

    def _state(self) -> Mapping[str, Any]:
        return self.learning.state_dict()

    def _hand_out(self) -> list[Record]:
        records, self._unreturned = self._unreturned, []
        return records

    def _begin(self) -> None:
        if not self._is_new:
            return
        self._is_new = False
        self._evaluated = 0
        for root, module in self.learning.modules.items():
            self._unreturned.append(Snapshot(0, "layers", module_layers.describe(root, module), root))
        self._unreturned += self.learning.begin()
        self._sample_untrained()
        self._evaluate(0)

    def _sample_untrained(self) -> None:
        """Lets every probe sample the network as it was initialized, and leaves no trace of that in the training."""
        if not self.job.probes or not isinstance(self.learning, HasUntrainedPass):
            return
        with device.same_random_state(self.device), self._watch.step(0):
            for key in self.learning.untrained_pass():
                self._watch.without_update(key)
        # The state is all that the next step depends on, besides gradients.
        self.learning.load_state_dict(copy.deepcopy(self._remembered[0][1]))
        for module in self.learning.modules.values():
            module.zero_grad(set_to_none=True)
        self._measured()

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
        self._unreturned += self._watch.flush()

    def _evaluate(self, step: int) -> None:
        if self._units is None:
            self._unreturned += self.learning.evaluate(step)
        else:
            self._unreturned += self.learning.evaluate(step, self._units)
            self._unreturned += self._units.records(step)

    def _flush(self) -> None:
        """Batch losses as records; Diverged at the first that is not finite."""
        if not self._losses:
            return
        measured = [value.float() for _, found in self._losses for value in found.values()]
        values = iter(torch.stack(measured).tolist() if measured else ())
        losses, self._losses = self._losses, []
        for step, found in losses:
            records = [Scalar(step, quantity, next(values), site) for quantity, site in found]
            self._unreturned += records
            for quantity, site in self.learning.objectives:
                for r in records:
                    if (r.quantity, r.site) == (quantity, site) and not math.isfinite(r.value):
                        raise self._diverged(step, quantity, r.value)

    def _diverged(self, step: int, objective: str, value: float) -> Diverged:
        """Finds out what went wrong, goes back to the last good state and evaluates that once more."""
        self.close()
        self._measured()
        found = trace_back(self.learning, *self._remembered[0], step, objective)
        self.step = found.last_good
        if self._evaluated != found.last_good:
            self._evaluate(found.last_good)
        what = "nan" if math.isnan(value) else "inf"
        how = Divergence(step, objective, what, found.culprit, found.since, found.last_good)
        return Diverged(how, self.checkpoint(), self._hand_out())
