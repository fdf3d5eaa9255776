"""Short trainings and their records."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from nnviz.engine import RunningJob, TrainingRun, run
from nnviz.records import Record, Scalar, Snapshot
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training

SHORT = Training.parse(
    {
        "learner": {"data": {"kind": "moons", "points": 100}, "batch_size": 16},
        "steps": 20,
        "evaluate_every": 5,
        "device": "cpu",
    }
)
"""20 steps on 70 samples, 5 steps per epoch, the last batch of 6."""


def job(**changes: Any) -> Training:
    """SHORT with changes by path, "__" for the dots: `job(learner__optimizer="adam")`."""
    return replace_many(SHORT, {path.replace("__", "."): value for path, value in changes.items()})


def all_records(chosen: Training | RunningJob) -> list[Record]:
    """All records of a run."""
    running = chosen if isinstance(chosen, RunningJob) else run(chosen)
    with running:
        return [record for records in running for record in records]


def after(chosen: Training) -> TrainingRun:
    """The run at its last step."""
    running = run(chosen)
    all_records(running)
    return running


def scalars(records: Iterable[Record], quantity: str, site: str | None = None) -> dict[Any, float]:
    """step -> value at one site, or (step, site) -> value."""
    found = (r for r in records if isinstance(r, Scalar) and r.quantity == quantity)
    return {r.step if site is not None else (r.step, r.site): r.value for r in found if site in (None, r.site)}


def snapshots(records: Iterable[Record], quantity: str) -> dict[int, Any]:
    """step -> arrays."""
    return {r.step: r.arrays for r in records if isinstance(r, Snapshot) and r.quantity == quantity}


def as_bytes(records: Iterable[Record]) -> list[tuple[Any, ...]]:
    """Records in a form in which equality is equality to the bit."""
    return [
        (r.step, r.quantity, r.site, np.float64(r.value).tobytes(), r.member)
        if isinstance(r, Scalar)
        else (r.step, r.quantity, r.site, [(n, str(a.dtype), a.shape, a.tobytes()) for n, a in r.arrays.items()])
        for r in records
    ]


def state(running: TrainingRun) -> dict[str, Any]:
    """Everything that the next step depends on, flat, as bytes and plain values."""
    return dict(_flat(running.learning.state_dict(), ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(part, f"{path}/{name}")
    else:
        yield path, value.numpy().tobytes() if isinstance(value, torch.Tensor) else value
