"""Schedule specs -> a factor on the learning rate."""

import math

from nnviz.spec import schedules as spec


def factor(schedule: spec.Schedule, step: int, steps: int) -> float:
    """What the learning rate is multiplied by at update number `step` (0-based) of `steps`. A closed form, so any run
    can go on from any step."""
    done = step / max(1, steps)
    match schedule:
        case spec.ConstantRate():
            return 1.0
        case spec.StepDecay(every=every, factor=drop):
            return drop ** (step // every)
        case spec.ExponentialDecay(every=every, factor=drop):
            return drop ** (step / every)
        case spec.Cosine(final=final):
            return _cosine(1.0, final, done)
        case spec.WarmupCosine(warmup=warmup, final=final):
            rising = max(1, round(warmup * steps))
            if step < rising:
                return (step + 1) / rising
            return _cosine(1.0, final, (step - rising) / max(1, steps - rising))
        case spec.OneCycle(rising=rising):
            low = 1 / 25
            if done < rising:
                return _cosine(low, 1.0, done / rising)
            return _cosine(1.0, low / 1e4, (done - rising) / (1 - rising))
    raise TypeError(f"no schedule for {schedule!r}")


def _cosine(start: float, end: float, done: float) -> float:
    """Half a cosine from `start` at 0 to `end` at 1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2
