"""The one loop that trains networks."""

import io
import math
from collections.abc import Mapping
from typing import Any

import torch

from nnviz.engine import checkpoints, device, learners, normalization
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.capture import Watch, probes
from nnviz.engine.device import EngineError
from nnviz.engine.divergence import Diverged, is_finite, trace_back
from nnviz.engine.early_stopping import EarlyStopper
from nnviz.engine.learners import CanBeBrief, Classifies, HasAverages, HasUntrainedPass, Learning
from nnviz.engine.running_job import RunningJob
from nnviz.engine.snapshots import module_layers
from nnviz.engine.snapshots.memorization import SampleCounter
from nnviz.records import Divergence, EarlyStop, Metric, Record, Scalar, Snapshot
from nnviz.spec.early_stopping import Patience
from nnviz.spec.jobs import Training
from nnviz.spec.probes import Activations, AtEvaluations, Memorization

SAVE_STATE_EVERY = 100
"""Steps between two states saved in memory, from which a divergence is replayed."""


class TrainingRun(RunningJob):
    """A running Training job: each `next` is one step. Every probe samples at step `until`, and at step 0, before any
    update, if the learner has an untrained pass.

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
            raise EngineError(f"a job that continues run {job.parent.run!r} needs that run's checkpoint")
        super().__init__(job, (learning or job.learner).work)
        self.learning = learning or learners.build(job.learner, job.seed, job.steps, self.device, None, read_file)
        self.step = 0
        self._evaluated = -1
        stopping = job.early_stopping
        self._stopper = EarlyStopper(stopping, self.learning.modules) if isinstance(stopping, Patience) else None
        is_counted = any(isinstance(p, Memorization) for p in job.probes) and isinstance(self.learning, Classifies)
        self._counter = SampleCounter() if is_counted else None
        self._is_new = checkpoint is None
        self._observers = normalization.build(job, self.learning)
        if checkpoint is not None:
            self._resume(checkpoint)
        # Reading a loss waits for the device: except on the CPU, losses are read many at a time.
        self._flush_every = 1 if self.device.type == "cpu" else 50
        self._losses: list[tuple[int, dict[tuple[str, str], torch.Tensor]]] = []
        # Records not returned yet, added one by one, so that a failure loses none of them.
        self._records: list[Record] = []
        built = [probes.build(probe) for probe in job.probes if not isinstance(probe, AtEvaluations)]
        first = 0 if isinstance(self.learning, HasUntrainedPass) else 1
        self._watch = Watch(self.learning.modules, self.learning.optimizers, built, first).__enter__()
        self._units = None
        if any(isinstance(p, Activations) for p in job.probes):
            self._units = probes.UnitStatistics({module: site for module, (_, site) in self._watch.activations.items()})
        self._saved_states = [(self.step, checkpoints.copied(self.learning.state_dict()))]

    def _resume(self, checkpoint: bytes) -> None:
        self.step, state = checkpoints.unpack(checkpoint, self.job.kind, self.job.steps, self.device)
        stopping, samples = state.pop("early_stopping", None), state.pop("memorization", None)
        observed = state.pop("observers", {})
        try:
            self.learning.load_state_dict(state)
            for kind, observer in self._observers.items():
                observer.load_state_dict(observed.get(kind, {}))
            if self._stopper and stopping:
                parent = self.job.parent
                self._stopper.load_state_dict(stopping, is_other_job=parent is not None and parent.step == self.step)
            if self._counter and samples:
                self._counter.load_state_dict(samples)
        except Exception as error:  # torch raises many types for a shape that differs
            raise checkpoints.refusal(error) from None

    @property
    def info(self) -> dict[str, Any]:
        """The machine, the job, the number of parameters, and steps per epoch where there are epochs."""
        parameters = sum(p.numel() for m in self.learning.modules.values() for p in m.parameters())
        return super().info | {"parameters": parameters, "steps_per_epoch": self.learning.steps_per_epoch}

    @property
    def metric(self) -> Metric | None:
        """The learner's metric."""
        return self.learning.metric

    @property
    def early_stop(self) -> EarlyStop | None:
        """How the run has ended because its test loss no longer improved."""
        if self._stopper and self._stopper.is_due and self.step < self.job.steps:
            return self._stopper.stop(self.step)
        return None

    @property
    def is_flushed(self) -> bool:
        """Whether the current step has been evaluated; then all that was measured has been returned too."""
        return self._evaluated == self.step

    def _advance(self) -> list[Record]:
        self._begin()
        number = self.step + 1
        is_forced = number == self.until
        with self._watch.step(number, force=is_forced):
            measured = self.learning.step(number)
        self.step = number
        for observer in self._observers.values():
            observer.after_step()
        self._losses.append((number, measured))
        is_evaluated = number % self.job.evaluate_every == 0 or number == self.job.steps
        if is_evaluated or is_forced or number % self._flush_every == 0:
            self._flush()
        if number % SAVE_STATE_EVERY == 0 and is_finite(self.learning):
            self._saved_states = [self._saved_states[-1], (number, checkpoints.copied(self.learning.state_dict()))]
        if is_evaluated:
            self._evaluate_once()
            # No later loss would show that the last update made a weight non-finite.
            if number == self.job.steps and not is_finite(self.learning):
                raise self._diverged(number, next((q for q, _ in self.learning.objectives), "loss"), math.nan)
        return self._take_records()

    def _evaluate_now(self) -> list[Record]:
        """Evaluation and snapshots of the current step, unless it has been evaluated already."""
        self._evaluate_once()
        return self._take_records()

    def unreturned_records(self) -> list[Record]:
        """Records that were measured and not returned, after a step or an evaluation has failed."""
        self._collect_probes()
        for step, losses in self._losses:
            self._records += [Scalar(step, quantity, float(value), site) for (quantity, site), value in losses.items()]
        self._losses.clear()
        return self._take_records()

    def weights(self) -> tuple[int, bytes] | None:
        """The current step and its weights, after divergence those of the last good step; of a run with early stopping
        that has come to its end the best step and its weights.

        They are named as in the module ("linear1.weight"), with several modules prefixed by the root
        ("generator.linear1.weight"); averages of weights likewise ("averaged_generator.linear1.weight")."""
        modules = dict(self.learning.modules)
        if isinstance(self.learning, HasAverages):
            modules |= self.learning.averages
        step, states = self.step, {root: module.state_dict() for root, module in modules.items()}
        if self._stopper and self._stopper.best_weights and (self.early_stop or step == self.job.steps):
            step, states = self._stopper.best_step, self._stopper.best_weights
        if not states:
            return None
        named = {
            name if len(states) == 1 else f"{root}.{name}": tensor.cpu()
            for root, state in states.items()
            for name, tensor in state.items()
        }
        target = io.BytesIO()
        torch.save(named, target)
        return step, target.getvalue()

    def close(self) -> None:
        """Removes all hooks; there are no more steps."""
        super().close()
        self._watch.__exit__(None, None, None)

    def _state(self) -> Mapping[str, Any]:
        state = dict(self.learning.state_dict())
        if self._stopper:
            state["early_stopping"] = self._stopper.state_dict()
        if self._counter:
            state["memorization"] = self._counter.state_dict()
        observed = {kind: own for kind, observer in self._observers.items() if (own := observer.state_dict())}
        return state | {"observers": observed} if observed else state

    def _take_records(self) -> list[Record]:
        records, self._records = self._records, []
        return records

    def _begin(self) -> None:
        if not self._is_new:
            return
        self._is_new = False
        self._evaluated = 0
        for root, module in self.learning.modules.items():
            self._records.append(Snapshot(0, "layers", module_layers.describe(root, module), root))
        self._records += self.learning.begin()
        self._sample_untrained()
        self._evaluate(0)

    def _sample_untrained(self) -> None:
        """Lets every probe sample the untrained network, without any effect on the training."""
        if not self.job.probes or not isinstance(self.learning, HasUntrainedPass):
            return
        with device.same_random_state(self.device), self._watch.step(0):
            for key in self.learning.untrained_pass():
                self._watch.without_update(key)
        # Besides this state the next step depends on gradients alone.
        self.learning.load_state_dict(checkpoints.copied(self._saved_states[0][1]))
        for module in self.learning.modules.values():
            module.zero_grad(set_to_none=True)
        self._collect_probes()

    def _evaluate_once(self) -> None:
        if self.step == 0:
            self._begin()
        if self._evaluated == self.step:
            return
        self._evaluated = self.step
        self._collect_probes()
        self._flush()
        self._evaluate(self.step)

    def _collect_probes(self) -> None:
        self._records += self._watch.flush()

    def _evaluate(self, step: int) -> None:
        if isinstance(self.learning, CanBeBrief):
            self.learning.is_brief = self._is_brief(step)
        before = len(self._records)
        if self._units is None:
            self._records += self.learning.evaluate(step)
        else:
            self._records += self.learning.evaluate(step, self._units)
            self._records += self._units.records(step)
        self._observe(step)
        if step % self.job.evaluate_every:
            return  # by hand, or the last: where it is must not decide what is counted
        if self._stopper:
            self._records += self._stopper.count(step, self._records[before:])
        if self._counter and (classified := self.learning.classified()):
            self._records += self._counter.count(step, classified)

    def _observe(self, step: int) -> None:
        """What is measured on passes of its own."""
        if not self._observers:
            return
        for module in self.learning.modules.values():
            module.eval()
        is_last = step in (self.until, self.job.steps) or step % self.job.evaluate_every > 0
        for observer in self._observers.values():
            self._records += observer.records(step, is_last)
        for module in self.learning.modules.values():
            module.train()

    def _is_brief(self, step: int) -> bool:
        gap = self.job.evaluate_every
        is_regular = step % gap == 0 and step not in (self.until, self.job.steps)
        return is_regular and step % (self.learning.full_every * gap) != 0

    def _flush(self) -> None:
        """Batch losses as records. Raises Diverged at the first that is not finite."""
        if not self._losses:
            return
        flat = [value.float() for _, measured in self._losses for value in measured.values()]
        values = iter(torch.stack(flat).tolist() if flat else ())
        losses, self._losses = self._losses, []
        for step, measured in losses:
            records = [Scalar(step, quantity, next(values), site) for quantity, site in measured]
            self._records += records
            for quantity, site in self.learning.objectives:
                for r in records:
                    if (r.quantity, r.site) == (quantity, site) and not math.isfinite(r.value):
                        raise self._diverged(step, quantity, r.value)

    def _diverged(self, step: int, objective: str, value: float) -> Diverged:
        """Finds the first non-finite value, restores the last good state and evaluates it."""
        self.close()
        self._collect_probes()
        origin = trace_back(self.learning, *self._saved_states[0], step, objective)
        self.step = origin.last_good
        if self._evaluated != origin.last_good:
            self._evaluate(origin.last_good)
        kind = "nan" if math.isnan(value) else "inf"
        divergence = Divergence(step, objective, kind, origin.nonfinite, origin.since, origin.last_good)
        return Diverged(divergence, self.checkpoint(), self._take_records())
