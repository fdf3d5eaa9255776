"""Watch: capture a training step once, measure many things on it, without changing or slowing the training.

Between samples a step costs two empty hooks per optimizer. On a sampled step a forward hook is registered and removed
again; gradients are read when the optimizer reads them; measurements stay on the device until `flush`, so that nothing
waits for it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.hooks import RemovableHandle

from nnviz.engine.capture import passes
from nnviz.engine.capture.entry_sampling import evenly
from nnviz.engine.capture.parameter_owners import ParameterOwners
from nnviz.engine.capture.trace import Pass, PassSample, Place, Probe, Trace, Update, UpdateSample
from nnviz.engine.snapshots.module_layers import is_activation, is_layer, is_norm
from nnviz.records import Record

Site = tuple[str, str]
"""A root, and the path of a module with the root in front."""


class Watch:
    """Probes on modules and optimizers: `with Watch(…) as watch: … with watch.step(n): <updates> … watch.flush()`.

    A parameter is measured whenever an optimizer that owns it makes a step, a layer whenever it is used in a forward
    pass that is not silent. Losses and weights stay bit-identical; the hooks are removed at the end.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        optimizers: Mapping[str, torch.optim.Optimizer],
        probes: Sequence[Probe],
        first: int = 1,
    ) -> None:
        """`first` is the step that samples the untrained network: 1, or 0 if there is a pass without an update before
        it."""
        self.optimizers, self.probes, self._first = dict(optimizers), list(probes), first
        self.activations: dict[nn.Module, Site] = {}
        self.layers: dict[nn.Module, Site] = {}
        for root, module in modules.items():
            named = list(module.named_modules())
            for name, m in named:
                if is_activation(m):
                    self.activations.setdefault(m, (root, f"{root}.{name}"))
            for m, name in _layers(named).items():
                self.layers.setdefault(m, (root, f"{root}.{name}"))
        self._owners = ParameterOwners(modules, optimizers)
        self._updates: dict[int, list[str]] = {}  # of each step that has not been flushed
        self._update_rows: list[tuple[Probe, int, list[Tensor]]] = []  # rows of each update of a step
        self._pass_rows: list[tuple[Probe, int, list[Place], Tensor]] = []
        self._hooks: list[RemovableHandle] = []
        self._due: list[Probe] = []
        self._before: dict[str, list[Tensor]] = {}
        self._gradients: dict[str, list[Tensor]] = {}
        self._trace: Trace | None = None

    @property
    def sites(self) -> list[str]:
        """Of all parameters, in the order of the modules."""
        return self._owners.sites

    def __enter__(self) -> Self:
        for key, optimizer in self.optimizers.items():
            self._hooks.append(optimizer.register_step_pre_hook(partial(self._before_update, key)))
            self._hooks.append(optimizer.register_step_post_hook(partial(self._after_update, key)))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def step(self, step: int, force: bool = False) -> "Sampling":
        """The context of one step of training, the `step`-th (1-based), or of a pass without updates, step 0.

        A probe samples at multiples of its `every` and at the step that shows the untrained network; a probe of
        updates, of which step 0 has none, also at step 1. With `force` all probes sample."""
        self._due = [p for p in self.probes if force or step % p.every == 0 or self._is_first(step, p)]
        return Sampling(self, step)

    def without_update(self, key: str) -> None:
        """Within a step: measures gradients and parameters of this optimizer as if it made an update."""
        self._before_update(key)
        self._after_update(key)

    def flush(self) -> list[Record]:
        """Returns everything measured so far as records; the only method that waits for the device."""
        records: list[Record] = []
        for probe in self.probes:
            measured = [
                UpdateSample(
                    step,
                    self._owners.layout(self._updates[step]),
                    (rows[0] if len(rows) == 1 else torch.cat(rows)).cpu().numpy(),
                )
                for p, step, rows in self._update_rows
                if p is probe
            ]
            passed = [
                PassSample(step, places, row.cpu().numpy()) for p, step, places, row in self._pass_rows if p is probe
            ]
            if samples := measured or passed:
                records += probe.records(samples)
        self._update_rows.clear()
        self._pass_rows.clear()
        self._updates.clear()
        return sorted(records, key=attrgetter("step"))

    def _is_first(self, step: int, probe: Probe) -> bool:
        return step == self._first or (step == 1 and "before" in probe.needs)

    def _before_update(self, key: str, *_: Any) -> None:
        if self._trace is None:
            return
        parameters = self._owners.parameters[key]
        self._gradients[key] = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        if any("before" in p.needs for p in self._due):
            # Reused from sample to sample: allocating memory for every large layer costs more than the copy.
            if key not in self._before:
                self._before[key] = [torch.empty_like(p) for p in parameters]
            if parameters:
                with torch.no_grad():
                    torch._foreach_copy_(self._before[key], parameters)

    def _after_update(self, key: str, *_: Any) -> None:
        if (trace := self._trace) is None or not self._owners.parameters[key]:
            return
        is_first = not trace.updates
        trace.updates.append(key)
        update = Update(key, self._owners.parameters[key], self._gradients.pop(key), self._before.get(key, []))
        due = [p for p in self._due if "gradients" in p.needs]
        with torch.no_grad():
            rows = [probe.measure(update) for probe in due]
        if is_first:
            self._updates[trace.step] = trace.updates
            self._update_rows += [(probe, trace.step, [row]) for probe, row in zip(due, rows, strict=True)]
        else:
            for (_, _, earlier), row in zip(self._update_rows[-len(due) :] if due else (), rows, strict=True):
                earlier.append(row)

    def _end(self, trace: Trace) -> None:
        """Measures the forward passes at the end of a step."""
        found = {
            "activations": _with_places(trace.activations),
            "signals": _with_places([p for p in trace.layers if p.signal is not None]),
        }
        with torch.no_grad():
            for probe in self._due:
                for need in probe.needs & found.keys():
                    uses, places = found[need]
                    if uses:
                        self._pass_rows.append((probe, trace.step, places, probe.measure(uses)))


class Sampling:
    """Context of one step; a class and not a generator for speed, since every step of every run enters it."""

    __slots__ = ("_hook", "_step", "_watch")

    def __init__(self, watch: Watch, step: int) -> None:
        self._watch, self._step = watch, step
        self._hook: RemovableHandle | None = None

    def __enter__(self) -> None:
        watch = self._watch
        if watch._due:
            trace = watch._trace = Trace(self._step)
            needs = frozenset().union(*(p.needs for p in watch._due))
            activations = watch.activations if "activations" in needs else {}
            layers = watch.layers if "signals" in needs else {}
            if activations or layers:
                # One hook for all modules of the process: one for each module takes much longer.
                self._hook = register_module_forward_hook(partial(_record_use, trace, activations, layers))

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._hook is not None:
            self._hook.remove()
        trace, self._watch._trace = self._watch._trace, None
        if trace is not None and kind is None:
            self._watch._end(trace)


def _layers(modules: Sequence[tuple[str, nn.Module]]) -> dict[nn.Module, str]:
    """The modules whose output is the pre-activation, and their names: the layer itself, or the normalization right
    after it."""
    found: dict[nn.Module, str] = {}
    layer: nn.Module | None = None
    for name, m in modules:
        if is_layer(m):
            found[m] = name
        elif is_norm(m) and layer in found:
            found[m] = found.pop(layer)
        layer = m
    return found


def _record_use(
    trace: Trace,
    activations: Mapping[nn.Module, Site],
    layers: Mapping[nn.Module, Site],
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    output: Tensor,
) -> None:
    """A forward hook that records the use of an activation or a layer."""
    if site := activations.get(module):
        if (name := passes.current()) is not None:
            # Concatenating copies: a later layer may work in place.
            samples = torch.cat([evenly(inputs[0].detach()), evenly(output.detach())])
            trace.activations.append(Pass(*site, name, output.shape, samples))
    elif (site := layers.get(module)) and output.requires_grad and (name := passes.current()) is not None:
        use = Pass(*site, name, output.shape)
        trace.layers.append(use)
        # A hook on the tensor: module backward hooks fail on layers that work in place.
        output.register_hook(partial(setattr, use, "signal"))


def _with_places(uses: list[Pass]) -> tuple[list[Pass], list[Place]]:
    """The passes, and the places under which they are recorded."""
    times = Counter((use.site, use.name) for use in uses)
    so_far: Counter[Site] = Counter()
    places = []
    for use in uses:
        so_far[use.site, use.name] += 1
        tag = f"#{use.name}" if use.name else ""
        if times[use.site, use.name] > 1:
            tag += f"#{so_far[use.site, use.name]}"
        places.append(Place(use.root, use.site, tag, use.shape, 0 if use.samples is None else len(use.samples) // 2))
    return uses, places
