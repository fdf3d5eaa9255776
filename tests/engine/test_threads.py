"""The number of threads of a step: it depends on job and machine, not on other trainings in the process."""

import os

import pytest
import torch

from nnviz.engine import run
from nnviz.records import Scalar
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training

SMALL = Training(steps=6, device="cpu", probes=(), evaluate_every=3)
LARGE = replace_many(
    SMALL, {"learner.model.hidden": [{"width": 384}] * 3, "learner.batch_size": 256, "learner.data.points": 600}
)


def losses(records: list) -> list[float]:
    return [record.value for record in records if isinstance(record, Scalar) and record.quantity == "loss"]


def test_a_run_has_the_same_losses_alone_and_in_turns_with_one_that_uses_more_threads(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = {job: losses([r for records in run(job) for r in records]) for job in (SMALL, LARGE)}
        used: dict[Training, set[int]] = {SMALL: set(), LARGE: set()}
        found: dict[Training, list] = {SMALL: [], LARGE: []}
        both = {job: run(job) for job in (SMALL, LARGE)}
        for job in (LARGE, SMALL):
            found[job] += both[job].evaluate_now()
            used[job].add(torch.get_num_threads())
        for _ in range(SMALL.steps):
            for job, running in both.items():
                found[job] += next(running)
                used[job].add(torch.get_num_threads())
        assert used == {SMALL: {1}, LARGE: {3}}
        for job in (SMALL, LARGE):
            assert losses(found[job]) == alone[job], f"{job.learner.model.hidden[0].width} units"
    finally:
        torch.set_num_threads(before)
