"""A learner that is none of those that ship: two modules and two optimizers, several updates and passes a step.

It writes down by hand what probes should find, so that each of them has a naive twin.
"""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine.capture import named, silent
from nnviz.engine.randomness import generator
from nnviz.records import Metric, Record, Scalar, Snapshot

UPDATES = 2
"""Updates of `critic` a step."""


class Twin:
    """What happened in each step, by site."""

    def __init__(self) -> None:
        self.gradient_norm: dict[tuple[int, str], float] = {}
        self.weight_norm: dict[tuple[int, str], float] = {}
        self.update_norm: dict[tuple[int, str], float] = {}
        self.gradients: dict[tuple[int, str], np.ndarray] = {}
        self.weights: dict[tuple[int, str], np.ndarray] = {}
        self.signal_rms: dict[tuple[int, str], float] = {}
        self.activations: dict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = {}


class Maker(nn.Module):
    """(batch, 3) -> (batch, 4)."""

    def __init__(self, shared: nn.Linear) -> None:
        super().__init__()
        self.linear1 = nn.Linear(3, 5)
        self.activation1 = nn.Tanh()
        self.shared = shared
        self.output = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.shared(self.activation1(self.linear1(x))))


class Critic(nn.Module):
    """(batch, 4) -> (batch, 1)."""

    def __init__(self, shared: nn.Linear) -> None:
        super().__init__()
        self.linear1 = nn.Linear(4, 5)
        self.activation1 = nn.LeakyReLU(0.2)
        self.shared = shared
        self.output = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.shared(self.activation1(self.linear1(x))))


class TwoModules:
    """`maker` and `critic` share the layer `shared`. The optimizer "joint" owns all of maker, the shared layer among
    it, and the critic's output; "own" owns the critic's first layer and output."""

    objectives = (("loss", "critic"), ("loss", "maker"))
    metric = Metric("distance", "maker", "distance to the data", higher_is_better=False)
    steps_per_epoch = None
    work = 1000

    def __init__(self, seed: int = 0, rate: float = 0.05) -> None:
        self.seed, self.rate = seed, rate
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            shared = nn.Linear(5, 5)
            self.maker, self.critic = Maker(shared), Critic(shared)
        self.modules: Mapping[str, nn.Module] = {"maker": self.maker, "critic": self.critic}
        joint = [*self.maker.parameters(), *self.critic.output.parameters()]
        own = [*self.critic.linear1.parameters(), *self.critic.output.parameters()]
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            "joint": torch.optim.SGD(joint, rate, momentum=0.5),
            "own": torch.optim.Adam(own, rate),
        }
        self.sites: dict[nn.Parameter, str] = {}
        for root, module in self.modules.items():
            for name, parameter in module.named_parameters():
                self.sites.setdefault(parameter, f"{root}.{name}")
        self.twin: Twin | None = None
        self.number = 0

    def begin(self) -> list[Record]:
        return []

    def step(self, number: int) -> Mapping[tuple[str, str], Tensor]:
        self.number = number
        found: dict[tuple[str, str], Tensor] = {}
        for key in self._passes(number, found):
            self.optimizers[key].step()
        return found

    def untrained_pass(self) -> Iterator[str]:
        self.number = 0
        yield from self._passes(1, {})

    def _passes(self, number: int, found: dict[tuple[str, str], Tensor]) -> Iterator[str]:
        """All passes of a step; yields an optimizer's key where it updates."""
        g = generator(self.seed, "batches", number)
        for update in range(1, UPDATES + 1):
            real, noise = torch.randn(6, 4, generator=g) + 1, torch.randn(7, 3, generator=g)
            with silent(), torch.no_grad():
                fake = self.maker(noise)
            real_score, real_uses = self._see(self.critic, "critic", real, f"#real#{update}", "real")
            fake_score, fake_uses = self._see(self.critic, "critic", fake, f"#fake#{update}", "fake")
            with silent():
                penalty = self.critic(real + 0.1).square().mean()
            loss = fake_score.mean() - real_score.mean() + 0.1 * penalty
            yield from self._update("own", loss, [*real_uses, *fake_uses], update)
            found["loss", "critic"] = loss.detach()
        noise = torch.randn(8, 3, generator=g)
        made, maker_uses = self._see(self.maker, "maker", noise, "", "")
        score, uses = self._see(self.critic, "critic", made, "#made", "made")
        yield from self._update("joint", -score.mean(), [*maker_uses, *uses], 1)
        if number % 2 == 0:
            found["loss", "maker"] = -score.mean().detach()
        if number % 3 == 0:
            found["penalty", "critic"] = penalty.detach()

    def _see(
        self, module: nn.Module, root: str, x: Tensor, tag: str, name: str
    ) -> tuple[Tensor, list[tuple[str, Tensor]]]:
        """The module's output, and what enters its activations and comes out of its layers by site."""
        uses: list[tuple[str, Tensor]] = []
        hooks = []
        if self.twin is not None:
            first = {"linear1": f"{root}.linear1", "shared": "maker.shared", "output": f"{root}.output"}
            for layer, site in first.items():
                keep = lambda _m, _i, out, site=site: uses.append((site + tag, out))  # noqa: E731
                hooks.append(getattr(module, layer).register_forward_hook(keep))

            def activation(_m: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
                values = inputs[0].detach().numpy().copy(), out.detach().numpy().copy()
                self.twin.activations[self.number, f"{root}.activation1{tag}"] = values

            hooks.append(module.activation1.register_forward_hook(activation))
        with named(name) if name else nullcontext():
            out = module(x)
        for hook in hooks:
            hook.remove()
        for _, use in uses:
            use.retain_grad()
        return out, uses

    def _update(self, key: str, loss: Tensor, uses: list[tuple[str, Tensor]], update: int) -> Iterator[str]:
        optimizer = self.optimizers[key]
        for module in self.modules.values():
            module.zero_grad()
        loss.backward()
        owned = [p for group in optimizer.param_groups for p in group["params"]]
        before = [p.detach().clone() for p in owned]
        gradients = [p.grad.clone() for p in owned]
        yield key
        if (twin := self.twin) is None:
            return
        for p, old, gradient in zip(owned, before, gradients, strict=True):
            site = self.sites[p]
            if site.startswith("critic.output"):  # both own it: two updates by "own", then one by "joint"
                site += f"#{update if key == 'own' else UPDATES + 1}"
            elif key == "own":
                site += f"#{update}"
            at = self.number, site
            twin.gradients[at], twin.weights[at] = gradient.numpy(), p.detach().clone().numpy()
            twin.gradient_norm[at] = float(gradient.double().norm())
            twin.weight_norm[at] = float(old.double().norm())
            twin.update_norm[at] = float((p.detach().double() - old.double()).norm())
        for site, use in uses:
            # The shared layer belongs to the maker, and is used by the critic too: its uses in the maker's own pass
            # have no name.
            signal = use.grad.double() * len(use)
            twin.signal_rms[self.number, site] = float(signal.square().mean().sqrt())

    def evaluate(self, step: int, context: object = None) -> Iterator[Record]:  # noqa: ARG002
        if step % 4 == 0:
            yield Snapshot(step, "samples", {"points": np.full((3, 2), step, np.float32)}, "maker")
        if step % 10 == 0:
            yield Scalar(step, "distance", 1.0 / (1 + step), "maker")

    def state_dict(self) -> dict[str, Any]:
        return {
            "modules": {root: m.state_dict() for root, m in self.modules.items()},
            "optimizers": {key: o.state_dict()["state"] for key, o in self.optimizers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for root, module in self.modules.items():
            module.load_state_dict(state["modules"][root])
        for key, optimizer in self.optimizers.items():
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state["optimizers"][key], "param_groups": groups})
