"""Generative adversarial networks."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nnviz.engine import gan_objectives, models
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.capture import named, silent
from nnviz.engine.learners import sample_spaces
from nnviz.engine.learners.learning import NO_CONTEXT
from nnviz.engine.learners.sample_spaces import Samples
from nnviz.engine.learners.unrolled import unroll
from nnviz.engine.models.spectral_norm import normalize_layers
from nnviz.engine.optim import clipping, optimizers, schedules
from nnviz.engine.randomness import generator
from nnviz.records import Metric, Record, Scalar
from nnviz.spec import learners as spec
from nnviz.spec.gan_objectives import WassersteinClipping, WassersteinPenalty

ROLES = ("generator", "discriminator")


class AdversarialLearning:
    """Generator and discriminator under way; see `Learning`. Real samples, noise, and all else that is random depend on
    the seed and the step's number alone, so that runs of other networks see the same samples and noise, and a run goes
    on from any step without a generator's state.

    Forward passes of the discriminator are named "real" and "fake" in its own updates and "update" in the generator's.
    """

    objectives = (("loss", "discriminator"), ("loss", "generator"))
    steps_per_epoch = None
    is_brief = False
    full_every = 2

    def __init__(
        self,
        learner: spec.AdversarialBase,
        seed: int,
        steps: int,
        device: torch.device,
        read_file: ReadFile = no_files,
    ) -> None:
        self.spec, self.seed, self.steps, self.device = learner, seed, steps, device
        self.work = learner.work
        self.space = sample_spaces.build(learner, seed, device, read_file)
        built = self.space.networks()
        if learner.spectral_norm:
            normalize_layers(built["discriminator"], generator(seed, "spectral norm"))
        self.modules: Mapping[str, nn.Module] = {role: module.to(device) for role, module in built.items()}
        self.generator, self.discriminator = self.modules["generator"], self.modules["discriminator"]
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False) if learner.average else None
        self.averages = {} if self.averaged is None else {"averaged_generator": self.averaged}
        self.chosen = {"generator": learner.generator_optimizer, "discriminator": learner.discriminator_optimizer}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            role: optimizers.build(self.chosen[role], self.modules[role].parameters()) for role in ROLES
        }
        self.dropouts = [d for role in ROLES for d in models.dropouts.find(self.modules[role])]
        for dropout in self.dropouts:
            dropout.generator = torch.Generator(device=device)

    @property
    def metric(self) -> Metric | None:
        """How good the samples are, in one number."""
        return self.space.metric

    def begin(self) -> list[Record]:
        """The data, and what measures of the samples are compared with."""
        return self.space.pictures.begin()

    def noise(self, n: int, g: torch.Generator) -> Tensor:
        """n noise vectors (n, dimensions)."""
        return sample_spaces.noise(self.spec, self.device, n, g)

    def step(self, number: int) -> Mapping[tuple[str, str], Tensor]:
        """Updates of the discriminator, then one of the generator. Losses are those before each update, without a
        penalty; of several updates the last counts."""
        measured: dict[tuple[str, str], Tensor] = {}
        for role in self._passes(number, measured):
            for group in self.optimizers[role].param_groups:
                group["lr"] = self.learning_rate(role, number)
            self.optimizers[role].step()
            self._after(role)
        return measured

    def untrained_pass(self) -> Iterator[str]:
        """Step 1 without its updates."""
        yield from self._passes(1, {})

    def learning_rate(self, role: str, number: int) -> float:
        """The rate that update `number` (1-based) of a network uses."""
        return self.chosen[role].lr * schedules.factor(self.spec.schedule, number - 1, self.steps)

    def _passes(self, number: int, measured: dict[tuple[str, str], Tensor]) -> Iterator[str]:
        """All passes of a step; yields the network's name where it is to be updated."""
        models.dropouts.reset(self.dropouts, self.seed, number)
        if self.spec.updates != "generator":
            with _same_buffers(self.generator, self.spec.updates == "discriminator"):
                for update in range(self.spec.discriminator_updates):
                    self._discriminator_pass(number, update, measured)
                    yield "discriminator"
        if self.spec.updates != "discriminator":
            with _same_buffers(self.discriminator, self.spec.updates == "generator"):
                self._generator_pass(number, measured)
                yield "generator"

    def _discriminator_pass(self, number: int, update: int, measured: dict[tuple[str, str], Tensor]) -> None:
        objective = self.spec.objective
        real, *labels = self._real(number, update)
        with silent(), torch.no_grad():
            noise = self.noise(len(real), self._stream("discriminator's noise", number, update))
            fake = self._generate(noise, labels)
        real, fake = self._noisy(real, number, f"real {update}"), self._noisy(fake, number, f"fake {update}")
        # Two batches, so that batch norm does not mix real and generated samples.
        with named("real"):
            on_real = self._judge(self.discriminator, real, labels)
        with named("fake"):
            on_fake = self._judge(self.discriminator, fake, labels)
        loss = gan_objectives.discriminator_loss(objective, on_real, on_fake, self.spec.label_smoothing)
        measured["loss", "discriminator"] = loss.detach()
        if isinstance(objective, WassersteinPenalty):
            share = torch.rand(len(real), 1, generator=self._stream("penalty", number, update)).to(self.device)
            with silent():
                penalty = gan_objectives.gradient_penalty(self.discriminator, real, fake, share, labels)
            measured["gradient_penalty", "discriminator"] = penalty.detach()
            loss = loss + objective.weight * penalty
        self._backward("discriminator", loss, measured)

    def _generator_pass(self, number: int, measured: dict[tuple[str, str], Tensor]) -> None:
        labels: Samples = ()
        if self.space.has_labels:
            labels = self.space.labels(self.spec.batch_size, self._stream("generator's labels", number))
        noise = self.noise(self.spec.batch_size, self._stream("generator's noise", number))
        seen = self._noisy(self._generate(noise, labels), number, "generator")
        self.discriminator.requires_grad_(False)
        if self.spec.unrolled:
            with silent():
                judge = unroll(
                    self.discriminator,
                    self._unrolled_loss(number, seen, labels),
                    self.spec.unrolled,
                    self.spec.unrolled_lr,
                )
        else:
            judge = self.discriminator
        with named("update"):
            loss = gan_objectives.generator_loss(self.spec.objective, self._judge(judge, seen, labels))
        measured["loss", "generator"] = loss.detach()
        self._backward("generator", loss, measured)
        self.discriminator.requires_grad_(True)

    def _unrolled_loss(
        self, number: int, fake: Tensor, labels: Sequence[Tensor]
    ) -> Callable[[Callable[..., Tensor]], Tensor]:
        """The discriminator's loss against these samples, as a function of the discriminator."""
        real, *real_labels = self._real(number, self.spec.discriminator_updates)
        real = self._noisy(real, number, "unrolled")
        objective, smoothing = self.spec.objective, self.spec.label_smoothing
        return lambda judge: gan_objectives.discriminator_loss(
            objective, self._judge(judge, real, real_labels), self._judge(judge, fake, labels), smoothing
        )

    def _generate(self, noise: Tensor, labels: Sequence[Tensor]) -> Tensor:
        with self.space.precision():
            return self.generator(self.space.generator_inputs(noise, *labels)).float()

    def _judge(self, judge: Callable[..., Tensor], x: Tensor, labels: Sequence[Tensor]) -> Tensor:
        """The discriminator's outputs, (n, 1)."""
        with self.space.precision():
            return judge(x, *labels).float()

    def _backward(self, role: str, loss: Tensor, measured: dict[tuple[str, str], Tensor]) -> None:
        self.optimizers[role].zero_grad()
        loss.backward()
        norm = clipping.clip(self.spec.clipping, list(self.modules[role].parameters()))
        if norm is not None:
            measured["gradient_norm_unclipped", role] = norm

    @torch.no_grad()
    def _after(self, role: str) -> None:
        """What follows an update: clipped weights, the averaged generator."""
        if role == "discriminator" and isinstance(self.spec.objective, WassersteinClipping):
            limit = self.spec.objective.limit
            for parameter in self.discriminator.parameters():
                parameter.clamp_(-limit, limit)
        if role == "generator" and self.averaged is not None:
            averages = list(self.averaged.parameters())
            torch._foreach_lerp_(averages, list(self.generator.parameters()), 1 - self.spec.average)
            for average, now in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
                average.copy_(now)

    def _stream(self, purpose: str, number: int, update: int = 0) -> torch.Generator:
        return generator(self.seed, purpose if not update else f"{purpose} {update}", number)

    def _real(self, number: int, update: int) -> Samples:
        return self.space.real(self.spec.batch_size, self._stream("real", number, update))

    def _noisy(self, x: Tensor, number: int, purpose: str) -> Tensor:
        """Inputs of the discriminator with the instance noise of this step."""
        sigma = self.spec.instance_noise_at(number)
        if not sigma:
            return x
        drawn = torch.randn(x.shape, generator=self._stream(f"instance noise, {purpose}", number))
        return x + sigma * drawn.to(self.device)

    def evaluate(self, step: int, watching: AbstractContextManager[None] = NO_CONTEXT) -> Iterator[Record]:
        """How good the samples are, and pictures, in evaluation mode. `watching` sees both networks."""
        for module in self.modules.values():
            module.eval()
        judged = self.averaged.eval() if self.averaged is not None else self.generator
        try:
            for role in ROLES:
                yield Scalar(step, "learning_rate", self.learning_rate(role, max(1, step)), role)
            networks = judged, self.generator, self.discriminator
            yield from self.space.pictures.draw(step, *networks, watching, self.is_brief)
        finally:
            for module in self.modules.values():
                module.train()

    def state_dict(self) -> dict[str, Any]:
        """The networks', the optimizers' and the averaged generator's state."""
        return {
            "modules": {role: module.state_dict() for role, module in self.modules.items()},
            "optimizers": {role: o.state_dict()["state"] for role, o in self.optimizers.items()},
            "averaged": self.averaged.state_dict() if self.averaged is not None else {},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes up a state; learning rates and other settings stay the job's. The state of another kind of optimizer is
        left out, and an average that there was not begins with the generator."""
        for role, module in self.modules.items():
            module.load_state_dict(state["modules"][role])
        for role, optimizer in self.optimizers.items():
            kept = optimizers.state_keys(self.chosen[role])
            entries = state["optimizers"][role]
            entries = entries if all(set(entry) == kept for entry in entries.values()) else {}
            optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"] or state["modules"]["generator"])


@contextmanager
def _same_buffers(module: nn.Module, kept: bool) -> Iterator[None]:
    """Afterwards the statistics of a network that is not trained are as they were, where they are to be `kept`."""
    before = [buffer.clone() for buffer in module.buffers()] if kept else []
    yield
    for buffer, old in zip(module.buffers() if kept else (), before, strict=True):
        buffer.copy_(old)
