"""Schedules are those of torch.optim.lr_scheduler for any number of steps, and reach their ends at the first and the
last update."""

import math
import warnings
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler

from nnviz.engine.optim import schedules
from nnviz.spec import schedules as spec
from tests.spec.options import families

LENGTHS = (1, 2, 3, 4, 5, 7, 10, 11, 50, 240, 1000)
"""Runs, in steps."""


def factors(schedule: spec.Schedule, steps: int) -> list[float]:
    """The factor at every update of a run."""
    return [schedules.factor(schedule, step, steps) for step in range(steps)]


def torch_factors(build: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler], steps: int) -> list[float]:
    """The same of a torch scheduler on an optimizer with rate 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its first step comes before the optimizer's
        scheduler = build(optimizer)
        found = []
        for number in range(steps):
            found.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if number < steps - 1:
                scheduler.step()
    return found


def test_step_and_exponential_decay_are_those_of_torch():
    pairs = [
        (spec.StepDecay(every=50, factor=0.3), lambda o: lr_scheduler.StepLR(o, 50, 0.3)),
        (spec.StepDecay(every=1, factor=0.99), lambda o: lr_scheduler.StepLR(o, 1, 0.99)),
        (spec.ExponentialDecay(every=50, factor=0.3), lambda o: lr_scheduler.ExponentialLR(o, 0.3 ** (1 / 50))),
    ]
    for ours, theirs in pairs:
        assert factors(ours, 240) == pytest.approx(torch_factors(theirs, 240), rel=1e-9), ours


def test_the_cosine_is_that_of_torch_with_its_end_at_the_last_step():
    for steps in LENGTHS[1:]:
        for final in (0.0, 0.2, 1.0):
            theirs = torch_factors(
                lambda o, n=steps, low=final: lr_scheduler.CosineAnnealingLR(o, n - 1, eta_min=low), steps
            )
            ours = factors(spec.Cosine(final=final), steps)
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12), (steps, final)


def test_one_cycle_is_that_of_torch_to_rounding_for_any_number_of_steps():
    for steps in (*LENGTHS, *range(12, 40)):
        for rising in (0.1, 0.25, 0.3, 0.5, 0.99):
            if rising * steps == 1:
                continue  # its first phase has no length, and torch divides by it
            theirs = torch_factors(
                lambda o, n=steps, part=rising: lr_scheduler.OneCycleLR(
                    o, max_lr=1.0, total_steps=n, pct_start=part, cycle_momentum=False
                ),
                steps,
            )
            ours = factors(spec.OneCycle(rising=rising), steps)
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-15), (steps, rising)


def test_one_cycle_begins_at_its_peak_where_its_rise_has_no_length():
    assert factors(spec.OneCycle(rising=0.25), 4)[0] == 1
    assert factors(spec.OneCycle(rising=0.5), 2) == pytest.approx([1, 1 / 250_000])


def test_warm_up_is_a_linear_rise_then_a_cosine_as_torchs_in_sequence():
    for steps in (10, 11, 50, 240):
        for warmup, final in ((0.25, 0.1), (0.4, 0.0)):
            rising = round(warmup * steps)

            def build(o: torch.optim.Optimizer, n: int = steps, up: int = rising, low: float = final):
                rise = lr_scheduler.LinearLR(o, 1 / up, total_iters=up - 1)
                return lr_scheduler.SequentialLR(
                    o, [rise, lr_scheduler.CosineAnnealingLR(o, n - up, eta_min=low)], milestones=[up - 1]
                )

            ours = factors(spec.WarmupCosine(warmup=warmup, final=final), steps)
            assert ours == pytest.approx(torch_factors(build, steps), rel=1e-9, abs=1e-12), (steps, warmup)
            assert ours[:rising] == pytest.approx([(i + 1) / rising for i in range(rising)])


def test_the_final_factor_is_that_of_the_last_step_to_the_last_bit():
    for steps in LENGTHS[1:]:
        for final in (0.0, 0.1, 0.5):
            assert factors(spec.Cosine(final=final), steps)[-1] == final, steps
            for warmup in (0.01, 0.1, 0.5, 0.99):
                assert factors(spec.WarmupCosine(warmup=warmup, final=final), steps)[-1] == final, (steps, warmup)
        assert factors(spec.OneCycle(), steps)[-1] == pytest.approx(1 / 250_000, rel=1e-12), steps
        assert factors(spec.Cosine(), steps)[0] == 1
    assert factors(spec.Cosine(), 10)[-2] == pytest.approx((1 + math.cos(math.pi * 8 / 9)) / 2)


def test_a_run_of_one_step_has_the_full_rate_under_a_cosine():
    assert factors(spec.Cosine(), 1) == factors(spec.WarmupCosine(), 1) == [1]


def test_factors_lie_between_0_and_1_also_beyond_the_last_step():
    for cls in families()["schedule"].values():
        for steps in LENGTHS:
            found = [schedules.factor(cls(), step, steps) for step in range(steps + 3)]
            assert all(0 <= f <= 1 and math.isfinite(f) for f in found), (cls, steps)
            assert found[0] > 0, (cls, steps)


def test_exponential_decay_meets_step_decay_at_every_drop():
    stairs, slope = (factors(kind(every=60), 240) for kind in (spec.StepDecay, spec.ExponentialDecay))
    assert stairs[::60] == pytest.approx(slope[::60])
    assert all(a >= b - 1e-12 for a, b in zip(stairs, slope, strict=True))


def test_one_cycle_rises_from_a_25th_to_1_and_falls():
    found = factors(spec.OneCycle(rising=0.5), 1000)
    assert found[0] == pytest.approx(1 / 25)
    assert found[499] == max(found) == 1
    assert all(a < b for a, b in pairwise(found[:500]))
    assert all(a > b for a, b in pairwise(found[499:]))
