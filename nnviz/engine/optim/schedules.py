"""Schedule specs -> a factor on the learning rate."""

import math

from nnviz.spec import schedules as spec

INITIAL_FACTOR, FINAL_FACTOR = 1 / 25, 1 / 250_000
"""Initial and final factor of one-cycle, the defaults of `torch.optim.lr_scheduler.OneCycleLR`."""


def factor(schedule: spec.Schedule, step: int, steps: int) -> float:
    """The factor on the learning rate at update `step` (0-based) of `steps`. A closed form, so that a run can resume
    from any step."""
    last = max(1, steps - 1)
    match schedule:
        case spec.ConstantRate():
            return 1.0
        case spec.StepDecay(every=every, factor=drop):
            return drop ** (step // every)
        case spec.ExponentialDecay(every=every, factor=drop):
            return drop ** (step / every)
        case spec.Cosine(final=final):
            return _cosine(1.0, final, step / last)
        case spec.WarmupCosine(warmup=warmup, final=final):
            rising = max(1, min(round(warmup * steps), steps - 1))
            if step < rising:
                return (step + 1) / rising
            return _cosine(1.0, final, (step + 1 - rising) / max(1, steps - rising))
        case spec.OneCycle(rising=rising):
            top = rising * steps - 1
            if step <= top:
                return _cosine(INITIAL_FACTOR, 1.0, step / top) if top else 1.0
            return _cosine(1.0, FINAL_FACTOR, (step - top) / (steps - 1 - top))
    raise TypeError(f"no schedule for {schedule!r}")


def _cosine(start: float, end: float, done: float) -> float:
    """Half a cosine from `start` at 0 to `end` at 1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2
