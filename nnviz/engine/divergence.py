"""Finds what was not finite first when a loss is no longer finite."""

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nnviz.engine.checkpoints import copied
from nnviz.engine.learners import Learning
from nnviz.records import Cause, Divergence, NonFinite, Record


class Diverged(ArithmeticError):
    """A run whose objective is inf or nan. `checkpoint` is of the last good step, `records` were measured and not
    returned yet."""

    def __init__(self, divergence: Divergence, checkpoint: bytes, records: list[Record]) -> None:
        super().__init__(str(divergence))
        self.divergence, self.checkpoint, self.records = divergence, checkpoint, records


class Origin(NamedTuple):
    """Where a divergence began: what was not finite first, at which step, and the last good step before it."""

    nonfinite: NonFinite
    since: int
    last_good: int


def trace_back(learning: Learning, number: int, state: Mapping[str, Any], step: int, objective: str) -> Origin:
    """Replays from the state of step `number` to `step`, whose objective was not finite; leaves the learner in the last
    good state."""
    learning.load_state_dict(copied(state))
    nonfinite, states = None, [(number, state)]
    while nonfinite is None and number < step:
        number += 1
        nonfinite = first_nonfinite(learning, number)
        states = [*states[-2:], (number, copied(learning.state_dict()))]
    nonfinite = nonfinite or NonFinite(Cause.OBJECTIVE, objective)
    # If a gradient or an update was not finite, the state before it is good. If an output was, that state is already
    # bad, and the one before it is good.
    last_good, good = states[0] if nonfinite.cause in (Cause.OUTPUT, Cause.OBJECTIVE) else states[-2:][0]
    learning.load_state_dict(good)
    return Origin(nonfinite, number, last_good)


def first_nonfinite(learning: Learning, number: int) -> NonFinite | None:
    """Does step `number` and returns what is not finite first: a module's output, an objective, a gradient, or a
    parameter after an update; None if all is finite. Gradients are checked from the last layer to the first, as they
    are computed."""
    found: list[NonFinite] = []

    def check(cause: Cause, site: str, value: object) -> None:
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(value.isfinite().all()):
            found.append(NonFinite(cause, site))

    hooks = []
    names: dict[nn.Parameter, str] = {}
    for root, module in learning.modules.items():
        for name, parameter in module.named_parameters():
            names.setdefault(parameter, f"{root}.{name}")
        for name, child in module.named_modules():
            if not any(True for _ in child.children()):
                site = f"{root}.{name}" if name else root
                hooks.append(child.register_forward_hook(lambda _m, _i, out, site=site: check(Cause.OUTPUT, site, out)))

    def gradients(optimizer: torch.optim.Optimizer, *_: object) -> None:
        owned = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter in reversed(owned):
            check(Cause.GRADIENT, names.get(parameter, "a parameter of no module"), parameter.grad)

    hooks += [optimizer.register_step_pre_hook(gradients) for optimizer in learning.optimizers.values()]
    try:
        measured = learning.step(number)
    finally:
        for hook in hooks:
            hook.remove()
    if not any(nonfinite.cause is Cause.OUTPUT for nonfinite in found):
        for quantity, site in learning.objectives:
            value = measured.get((quantity, site))
            if value is not None and not bool(value.isfinite()):
                return NonFinite(Cause.OBJECTIVE, quantity)
    if found:
        return found[0]
    parameters_without_eps = {
        p
        for optimizer in learning.optimizers.values()
        if optimizer.defaults.get("eps") == 0
        for group in optimizer.param_groups
        for p in group["params"]
    }
    for root, module in learning.modules.items():
        for name, value in itertools.chain(module.named_parameters(), module.named_buffers()):
            is_zero = value in parameters_without_eps and _is_zero_by_zero(value)
            check(Cause.ZERO_BY_ZERO if is_zero else Cause.PARAMETER, f"{root}.{name}", value)
    return found[0] if found else None


def _is_zero_by_zero(value: Tensor) -> bool:
    """Whether entries of a parameter are nan where its gradient was 0."""
    return value.grad is not None and bool((value.isnan() & (value.grad == 0)).any())


@torch.no_grad()
def is_finite(learning: Learning) -> bool:
    """Whether all parameters and buffers are finite."""
    tensors = [
        t
        for module in learning.modules.values()
        for t in itertools.chain(module.parameters(), module.buffers())
        if t.is_floating_point()
    ]
    return not tensors or bool(torch.stack([n.isfinite() for n in torch._foreach_norm(tensors)]).all())
