"""What happened when a loss stopped being finite."""

import itertools

import torch
from torch import Tensor, nn

from nnviz.engine.learners import Learning
from nnviz.records import Record

ZERO_BY_ZERO = "after its update, which is 0/0: ε = 0 and the gradient is zero"


class Diverged(ArithmeticError):
    """A run whose loss is inf or nan. `checkpoint` holds the last step at which loss and weights were finite, `records`
    what was measured and not handed out yet."""

    def __init__(self, message: str, step: int, last_good: int, checkpoint: bytes, records: list[Record]) -> None:
        super().__init__(message)
        self.message, self.step, self.last_good = message, step, last_good
        self.checkpoint, self.records = checkpoint, records


def first_nonfinite(learning: Learning, number: int) -> str | None:
    """Does update `number` and names the first thing in it that is not finite: a layer's output, the loss, a gradient,
    or a parameter after the update, `ZERO_BY_ZERO` where that is why; None if all is finite. Backpropagation meets the
    last layer first."""
    found: list[str] = []

    def look(name: str, value: object) -> None:
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(value.isfinite().all()):
            found.append(name)

    hooks = []
    names: dict[nn.Parameter, str] = {}
    for root, module in learning.modules.items():
        for name, parameter in module.named_parameters():
            names.setdefault(parameter, f"{root}.{name}")
        for name, child in module.named_modules():
            if not any(True for _ in child.children()):
                site = f"output of {root}.{name}" if name else f"output of {root}"
                hooks.append(child.register_forward_hook(lambda _m, _i, out, site=site: look(site, out)))

    def gradients(optimizer: torch.optim.Optimizer, *_: object) -> None:
        owned = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter in reversed(owned):
            look(f"gradient of {names.get(parameter, 'a parameter of no module')}", parameter.grad)

    hooks += [optimizer.register_step_pre_hook(gradients) for optimizer in learning.optimizers.values()]
    try:
        measured = learning.step(number)
    finally:
        for hook in hooks:
            hook.remove()
    forward = [f for f in found if f.startswith("output")]
    if not forward:
        for quantity, site in learning.objectives:
            value = measured.get((quantity, site))
            if value is not None and not bool(value.isfinite()):
                return "the loss"
    if found:
        return found[0]
    for root, module in learning.modules.items():
        for name, value in itertools.chain(module.named_parameters(), module.named_buffers()):
            why = ZERO_BY_ZERO if _is_zero_by_zero(value, learning.optimizers.get(root)) else "after its update"
            look(f"{root}.{name} {why}", value)
    return found[0] if found else None


def _is_zero_by_zero(value: Tensor, optimizer: torch.optim.Optimizer | None) -> bool:
    """Whether entries of a parameter are no number where its gradient was 0, under an optimizer without ε."""
    if optimizer is None or value.grad is None or optimizer.defaults.get("eps") != 0:
        return False
    return bool((value.isnan() & (value.grad == 0)).any())


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
