"""The arithmetic of torch's optimizers without what torch wraps around it, for parameters of a few numbers."""

import inspect
import sys
from collections.abc import Callable
from functools import cache

from torch import Tensor, optim

Update = Callable[[Tensor, float], None]
"""One more step with a gradient and a learning rate."""

OTHER_NAMES = {"params_with_grad": "params"}
PAIRS = {"betas": ("beta1", "beta2"), "etas": ("etaminus", "etaplus"), "step_sizes": ("step_size_min", "step_size_max")}
ALWAYS = {"has_complex": False, "has_sparse_grad": False, "grad_scale": None, "found_inf": None}


def step(optimizer: optim.Optimizer) -> None:
    """`optimizer.step()` for parameters that want no gradient, without hooks for profilers and compilers."""
    inspect.unwrap(type(optimizer).step)(optimizer)


def update(optimizer: optim.Optimizer) -> Update | None:
    """What makes the steps after the first of an optimizer of one parameter, the same to the last bit.

    It is the function that `step` calls in the end, given the same tensors: collecting them anew and counting steps in
    a tensor takes longer than the arithmetic. None where torch has it under another name or with other arguments.
    """
    module = sys.modules[inspect.unwrap(type(optimizer).step).__module__]
    function = getattr(module, f"_single_tensor_{module.__name__.rpartition('.')[2]}", None)
    collect = getattr(type(optimizer), "_init_group", None)
    if function is None or collect is None:
        return None
    group = optimizer.param_groups[0]
    collected: dict[str, list] = {OTHER_NAMES.get(n, n): [] for n in _parameters(collect)[2:]}
    collect(optimizer, group, *collected.values())
    settings = {**ALWAYS, **{name: value for name, value in group.items() if name not in ("params", *PAIRS)}}
    for pair, names in PAIRS.items():
        settings.update(zip(names, group.get(pair, ()), strict=False))
    wanted = _parameters(function)
    if not {*wanted} <= {*collected, *settings} or not {*collected} <= {*wanted}:
        return None
    settings = {name: value for name, value in settings.items() if name in wanted}
    gradients, counts = collected["grads"], collected.get("state_steps", [])
    lists = [collected[name] for name in wanted if name in collected]
    counts[:] = [float(count) for count in counts]
    takes_rate = "lr" in settings

    def one_more(gradient: Tensor, lr: float) -> None:
        gradients[0] = gradient
        if takes_rate:
            settings["lr"] = lr
        function(*lists, **settings)
        if counts:
            counts[0] += 1.0

    return one_more


@cache
def _parameters(function: Callable[..., None]) -> tuple[str, ...]:
    """Names of what a function takes; `self` is one."""
    return tuple(inspect.signature(function).parameters)
