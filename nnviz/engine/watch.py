"""Watch: capture a training step once, measure many things on it, without changing or slowing the training.

Between samples a step costs two empty optimizer hooks. On a sampled step forward hooks go on and off again; gradients
are read where the optimizer reads them; measurements stay on the device until `flush`, so that nothing waits for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import activation as torch_activations
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.hooks import RemovableHandle

from nnviz.engine.activations import Step
from nnviz.engine.sampling import evenly
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
    """Derivative of the loss in a layer's output, after batch norm where there is one, (batch, units)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an activation, in one row: sampled pre-activations and activations, 2 · (entries,)."""

    row: Tensor
    entries: int


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
        modules = list(module.named_modules())
        self.activations = {m: f"{root}.{name}" for name, m in modules if _is_activation(name, m)}
        self.layers = _layers(modules, root)
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
            with torch.no_grad():
                torch._foreach_copy_(self._before, self.parameters)
            trace.before = self._before

    def _after_update(self, *_: Any) -> None:
        if (trace := self._trace) is None:
            return
        with torch.no_grad():
            self._pending += [(trace.step, probe, probe.measure(trace)) for probe in self._due]


class Sampling:
    """One update under watch; a class and not a generator, since it is entered at every step of every run."""

    __slots__ = ("_hook", "_step", "_watch")

    def __init__(self, watch: Watch, step: int) -> None:
        self._watch, self._step = watch, step
        self._hook: RemovableHandle | None = None

    def __enter__(self) -> None:
        watch = self._watch
        if watch._due:
            trace = watch._trace = Trace(self._step, watch.parameters)
            needs = frozenset().union(*(p.needs for p in watch._due))
            activations = watch.activations if "activations" in needs else {}
            layers = watch.layers if "signals" in needs else {}
            if activations or layers:
                # One hook for all modules of the process: putting one on each and taking it off takes much longer.
                self._hook = register_module_forward_hook(_keep(trace, activations, layers))

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._hook is not None:
            self._hook.remove()
        self._watch._trace = None


_CONVOLUTIONS = nn.modules.conv._ConvNd
_BATCH_NORM = nn.modules.batchnorm._BatchNorm


def _layers(modules: Sequence[tuple[str, nn.Module]], root: str) -> dict[nn.Module, str]:
    """The modules that give what enters the activations, and the sites of their layers: the layer itself, or the batch
    norm right after it."""
    found: dict[nn.Module, str] = {}
    layer: nn.Module | None = None
    for name, m in modules:
        if isinstance(m, nn.Linear | _CONVOLUTIONS):
            found[m] = f"{root}.{name}"
        elif isinstance(m, _BATCH_NORM) and layer in found:
            found[m] = found.pop(layer)
        layer = m
    return found


def _is_activation(name: str, module: nn.Module) -> bool:
    if isinstance(module, nn.Identity):
        return name.rsplit(".", 1)[-1].startswith("activation")
    is_torch = type(module).__module__ == torch_activations.__name__ and not isinstance(module, NOT_ELEMENTWISE)
    return is_torch or isinstance(module, Step)


def _keep(
    trace: Trace, activations: Mapping[nn.Module, str], layers: Mapping[nn.Module, str]
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if site := activations.get(module):
            trace.activations[site] = _kept(inputs[0].detach(), output.detach())
        elif (site := layers.get(module)) and output.requires_grad:
            # A hook on the tensor: module backward hooks fail on layers that work in place.
            output.register_hook(partial(trace.signals.__setitem__, site))

    return hook


def _kept(x: Tensor, y: Tensor) -> Kept:
    """What is kept of pre-activations x and activations y, (batch, …)."""
    sample = evenly(x)
    # This copies: a later layer may work in place.
    return Kept(torch.cat([sample, evenly(y)]), sample.shape[0])
