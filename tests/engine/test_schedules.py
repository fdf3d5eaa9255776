"""Schedules against torch.optim.lr_scheduler where it has them, and at their ends."""

import math
import warnings
from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler

from nnviz.engine import schedules
from nnviz.spec import schedules as spec
from tests.each import each
from tests.spec.options import families

STEPS = 240


def factors(schedule: spec.Schedule, steps: int = STEPS) -> list[float]:
    """The factor at every update of a run."""
    return [schedules.factor(schedule, step, steps) for step in range(steps)]


def torch_factors(build, steps: int = STEPS) -> list[float]:
    """The same of a torch scheduler on an optimizer with rate 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = build(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step()
    return found


PAIRS = [
    (spec.StepDecay(every=50, factor=0.3), lambda o: lr_scheduler.StepLR(o, 50, 0.3)),
    (spec.StepDecay(every=1, factor=0.99), lambda o: lr_scheduler.StepLR(o, 1, 0.99)),
    (spec.ExponentialDecay(every=50, factor=0.3), lambda o: lr_scheduler.ExponentialLR(o, 0.3 ** (1 / 50))),
    (spec.Cosine(), lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS)),
    (spec.Cosine(final=0.2), lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.2)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda v: getattr(v, "kind", ""))
def test_rates_are_those_of_torch(ours, theirs):
    assert factors(ours) == pytest.approx(torch_factors(theirs), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rising", [0.1, 0.3, 0.55])
def test_one_cycle_is_that_of_torch_over_the_same_points(rising):
    # torch's phases end at pct · total − 1 and total − 1; ours at rising · steps and steps.
    total = STEPS + 1
    theirs = torch_factors(
        lambda o: lr_scheduler.OneCycleLR(
            o, max_lr=1.0, total_steps=total, pct_start=(rising * STEPS + 1) / total, cycle_momentum=False
        )
    )
    assert factors(spec.OneCycle(rising=rising)) == pytest.approx(theirs, rel=1e-9)


@each("cls", families()["schedule"].values())
@each("steps", [1, 2, 3, 10, 1000])
def test_factors_lie_between_0_and_1(cls, steps):
    assert all(0 <= f <= 1 and math.isfinite(f) for f in factors(cls(), steps))
    assert factors(cls(), steps)[0] > 0


def test_warm_up_rises_in_a_line_to_1_and_falls_in_half_a_cosine():
    found = factors(spec.WarmupCosine(warmup=0.25, final=0.1))
    up, down = found[:60], found[60:]
    assert up == pytest.approx([(i + 1) / 60 for i in range(60)])
    assert down == pytest.approx([0.1 + 0.9 * (1 + math.cos(math.pi * i / 180)) / 2 for i in range(180)])


def test_exponential_decay_meets_step_decay_at_every_drop():
    stairs, slope = factors(spec.StepDecay(every=60)), factors(spec.ExponentialDecay(every=60))
    assert stairs[::60] == pytest.approx(slope[::60])
    assert all(a >= b - 1e-12 for a, b in zip(stairs, slope, strict=True))


def test_one_cycle_begins_at_a_25th_peaks_at_1_and_ends_near_0():
    found = factors(spec.OneCycle(rising=0.5), 1000)
    assert found[0] == pytest.approx(1 / 25)
    assert found[500] == max(found) == 1
    assert found[-1] < 1e-4
    assert all(a < b for a, b in pairwise(found[:501]))
    assert all(a > b for a, b in pairwise(found[500:]))
