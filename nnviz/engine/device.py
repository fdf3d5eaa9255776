"""Devices, numbers of threads, and random state."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


class EngineError(RuntimeError):
    """A job that cannot be run here; one line that says what is wrong and what to do."""


_AVAILABLE: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


def choose(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA, then MPS, then CPU. Raises EngineError where it is missing."""
    if name == "auto":
        name = next(n for n, available in _AVAILABLE.items() if available())
    device = torch.device(name)
    if not _AVAILABLE[device.type]():
        raise EngineError(f"device must be available here, got {name!r}; use auto or cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"device must be one of {torch.cuda.device_count()} CUDA devices, got {name!r}")
    return device


def set_threads(work: int) -> None:
    """Threads for one step of `work` multiply-adds: one for small networks, where more are slower."""
    torch.set_num_threads(1 if work < 50_000_000 else max(1, (os.cpu_count() or 1) - 1))


@contextmanager
def same_random_state(device: torch.device) -> Iterator[None]:
    """Restores the state of PyTorch's own generators, of the CPU and of this device, at the end."""
    arguments = (device,) if device.index else ()  # not every device module takes an index
    modules = [(torch, ())] if device.type == "cpu" else [(torch, ()), (torch.get_device_module(device), arguments)]
    states = [module.get_rng_state(*arguments) for module, arguments in modules]
    try:
        yield
    finally:
        for (module, arguments), state in zip(modules, states, strict=True):
            module.set_rng_state(state, *arguments)
