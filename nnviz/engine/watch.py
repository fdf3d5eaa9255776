"""Watch: capture a training step once, measure many things on it, without changing or slowing the training.

Between samples a step costs two empty optimizer hooks. On a sampled step forward hooks go on and off again; gradients
are read where the optimizer reads them; measurements stay on the device until `flush`, so that nothing waits for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from operator import attrgetter
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import activation as torch_activations
from torch.utils.hooks import RemovableHandle

from nnviz.engine.activations import Step, Tails, flat_tails
from nnviz.records import Record

NOT_ELEMENTWISE = (
    torch_activations.MultiheadAttention,
    torch_activations.Softmax,
    torch_activations.Softmax2d,
    torch_activations.LogSoftmax,
    torch_activations.Softmin,
    torch_activations.GLU,
)


@dataclass
class Trace:
    """One captured step. Lists run along `Watch.parameters`; mappings are by site in forward order."""

    step: int
    parameters: Sequence[nn.Parameter]
    gradients: list[Tensor] = field(default_factory=list)
    before: list[Tensor] = field(default_factory=list)
    """The parameters before the update; the probe that asks for them may work in them."""
    activations: dict[str, "Kept"] = field(default_factory=dict)
    signals: dict[str, Tensor] = field(default_factory=dict)
    """Derivative of the loss in a layer's output, (batch, units)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an activation, in one row: sampled pre-activations and activations, 2 · (entries,), then of each
    unit the largest and the smallest pre-activation over the batch, (units,) each, if the function is flat below or
    above them."""

    row: Tensor
    entries: int
    units: int
    tails: Tails


Sample = tuple[int, Sequence[np.ndarray]]
"""A step, and what a probe has measured at it."""


class Probe(Protocol):
    """One thing to measure. `needs` names the parts of the trace that have to be captured for it."""

    every: int
    needs: frozenset[str]

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """Small tensors, still on the device."""

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """The same as records, later, on the CPU, of all samples since the last time."""


class Watch:
    """Probes on a module and its optimizer: `with Watch(…) as watch: … with watch.step(n): <update> … watch.flush()`.

    Leaves losses and weights bit-identical and takes its hooks off at the end.
    """

    def __init__(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, probes: Sequence[Probe], root: str = "model"
    ) -> None:
        named = [(f"{root}.{name}", p) for name, p in module.named_parameters() if p.requires_grad]
        self.sites = [name for name, _ in named]
        self.parameters = [p for _, p in named]
        self.activations = {f"{root}.{n}": m for n, m in module.named_modules() if _is_activation(n, m)}
        self.tails = {site: flat_tails(m) for site, m in self.activations.items()}
        self.layers = {f"{root}.{n}": m for n, m in module.named_modules() if isinstance(m, nn.Linear | _CONVOLUTIONS)}
        self.optimizer, self.probes = optimizer, list(probes)
        self._pending: list[tuple[int, Probe, tuple[Tensor, ...]]] = []
        self._hooks: list[RemovableHandle] = []
        self._due: list[Probe] = []
        self._before: list[Tensor] = []
        self._trace: Trace | None = None

    def __enter__(self) -> Self:
        self._hooks = [
            self.optimizer.register_step_pre_hook(self._before_update),
            self.optimizer.register_step_post_hook(self._after_update),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def step(self, step: int, force: bool = False) -> "Sampling":
        """The context of one update, the `step`-th (1-based). A probe samples at multiples of its `every` and at
        step 1, which shows the network as it was initialized; with `force` all of them do."""
        self._due = [p for p in self.probes if force or step == 1 or step % p.every == 0]
        return Sampling(self, step)

    def flush(self) -> list[Record]:
        """Everything measured so far as records; the only place that waits for the device."""
        said: list[Record] = []
        for probe in self.probes:
            samples = [(step, [t.cpu().numpy() for t in found]) for step, p, found in self._pending if p is probe]
            said += probe.records(samples)
        self._pending.clear()
        return sorted(said, key=attrgetter("step"))

    def _before_update(self, *_: Any) -> None:
        if (trace := self._trace) is None:
            return
        trace.gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        if any("before" in p.needs for p in self._due):
            # Kept from sample to sample: fresh memory for every large layer costs more than the copy.
            if not self._before:
                self._before = [torch.empty_like(p) for p in self.parameters]
            torch._foreach_copy_(self._before, [p.detach() for p in self.parameters])
            trace.before = self._before

    def _after_update(self, *_: Any) -> None:
        if (trace := self._trace) is None:
            return
        with torch.no_grad():
            self._pending += [(trace.step, probe, probe.measure(trace)) for probe in self._due]


class Sampling:
    """One update under watch; a class and not a generator, since it is entered at every step of every run."""

    __slots__ = ("_hooks", "_step", "_watch")

    def __init__(self, watch: Watch, step: int) -> None:
        self._watch, self._step = watch, step
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> None:
        watch = self._watch
        if watch._due:
            trace = watch._trace = Trace(self._step, watch.parameters)
            needs = frozenset().union(*(p.needs for p in watch._due))
            if "activations" in needs:
                for site, module in watch.activations.items():
                    self._hooks.append(module.register_forward_hook(_keep_activation(trace, site, watch.tails[site])))
            if "signals" in needs:
                for site, module in watch.layers.items():
                    self._hooks.append(module.register_forward_hook(_keep_signal(trace, site)))

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        for hook in self._hooks:
            hook.remove()
        self._watch._trace = None


_CONVOLUTIONS = nn.modules.conv._ConvNd


def _is_activation(name: str, module: nn.Module) -> bool:
    if isinstance(module, nn.Identity):
        return name.rsplit(".", 1)[-1].startswith("activation")
    is_torch = type(module).__module__ == torch_activations.__name__ and not isinstance(module, NOT_ELEMENTWISE)
    return is_torch or isinstance(module, Step)


def _keep_activation(trace: Trace, site: str, tails: Tails) -> Any:
    def hook(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        x, y = inputs[0].detach(), output.detach()
        units = x.reshape(x.shape[0], -1)
        sample = evenly(x)
        parts = [sample, evenly(y)]
        if tails.has_low:
            parts.append(units.amax(0))
        if tails.has_high:
            parts.append(units.amin(0))
        # This copies: a later layer may work in place.
        trace.activations[site] = Kept(torch.cat(parts), sample.shape[0], units.shape[1], tails)

    return hook


def evenly(tensor: Tensor, at_most: int = 1024) -> Tensor:
    """Up to `at_most` entries, (entries,), every row and every column met equally often. May share memory with the
    tensor: copy it where that may change."""
    entries = tensor.numel()
    if entries <= at_most:
        return tensor.reshape(-1)
    stride = _stride(entries, entries // tensor.shape[0], at_most)
    if stride is None:
        return tensor.reshape(-1).index_select(0, _places(tensor.shape[0], entries, at_most, tensor.device))
    if tensor.is_contiguous():  # one call in place of two, which counts with hundreds of tensors
        return tensor.as_strided(((entries - 1) // stride + 1,), (stride,))
    return tensor.reshape(-1)[::stride]


@lru_cache(maxsize=512)
def _stride(entries: int, columns: int, at_most: int) -> int | None:
    # A stride that shares a factor with the row meets some columns again and again and others never. None if the next
    # one that does not would leave too few.
    stride = next(n for n in count(-(-entries // at_most)) if math.gcd(n, columns) == 1)
    return stride if entries / stride > 0.9 * at_most else None


@lru_cache(maxsize=512)
def _places(rows: int, entries: int, at_most: int, device: torch.device) -> Tensor:
    # With a count that shares no factor with the rows, the i-th entry's place in its row, i · rows / count mod 1, takes
    # every value k / count once.
    count = next(n for n in range(at_most, 0, -1) if math.gcd(n, rows) == 1)
    return (torch.arange(count) * entries // count).to(device)


def _keep_signal(trace: Trace, site: str) -> Any:
    # A hook on the tensor: module backward hooks fail on layers that work in place.
    def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: trace.signals.__setitem__(site, gradient))

    return hook
