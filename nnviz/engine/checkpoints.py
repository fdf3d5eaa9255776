"""Checkpoints: the bytes from which a job of any kind is resumed."""

import copy
import io
from collections.abc import Mapping
from typing import Any

import torch

from nnviz.engine.device import EngineError

FORMAT = 1
"""Increased when older checkpoints can no longer be read."""


def pack(kind: str, step: int, state: Mapping[str, Any]) -> bytes:
    """The state of a job of this kind after `step` steps: tensors and plain values, as `torch.save` writes them."""
    target = io.BytesIO()
    torch.save({"format": FORMAT, "kind": kind, "step": step, "state": dict(state)}, target)
    return target.getvalue()


def copied(state: Any) -> Any:
    """A copy of a state: tensors, plain values, and dicts and lists of them. Faster than `copy.deepcopy`, which takes
    longer than a small network's step."""
    match state:
        case torch.Tensor():
            return state.detach().clone()
        case Mapping():
            return {key: copied(value) for key, value in state.items()}
        case list() | tuple():
            return type(state)(map(copied, state))
    return copy.deepcopy(state)


def unpack(data: bytes, kind: str, steps: int, device: torch.device) -> tuple[int, dict[str, Any]]:
    """(step, state) of a checkpoint of a job of this kind with this many steps. Raises EngineError for anything
    else."""
    try:
        plain = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
        version, saved_kind, step, state = (plain[name] for name in ("format", "kind", "step", "state"))
    except Exception as error:  # torch raises many types for a truncated file
        raise refusal(error) from None
    if version != FORMAT:
        raise refusal(f"its format is {version!r}, not {FORMAT}")
    if saved_kind != kind:
        raise refusal(f"it is of a job of kind {saved_kind!r}, not {kind!r}")
    if not isinstance(state, dict) or type(step) is not int or not 0 <= step <= steps:
        raise refusal(f"its step is {step!r}, not one of 0 to {steps:,}")
    return step, state


def refusal(reason: Exception | str) -> EngineError:
    """One line for a checkpoint that a job cannot be resumed from."""
    text = " ".join(str(reason).split())[:200] or type(reason).__name__
    return EngineError(
        f"the checkpoint is damaged, or of another job, data set or model: {text}; run the job from step 0"
    )
