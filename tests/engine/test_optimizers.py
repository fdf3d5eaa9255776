"""Optimizers: each one's path over 100 steps is that of its formula, written out by hand, in float64."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from nnviz.engine.optim import optimizers
from nnviz.spec import optimizers as spec
from tests.each import each
from tests.spec.options import families

STEPS, SIZE = 100, 7
VARIANTS = [cls() for cls in families()["optimizer"].values()] + [
    spec.SGD(lr=0.03, momentum=0.9, dampening=0.3, weight_decay=0.1),
    spec.SGD(lr=0.03, momentum=0.8, nesterov=True, weight_decay=0.01),
    spec.Adagrad(lr=0.2, lr_decay=0.1, initial_accumulator=0.5, eps=1e-3, weight_decay=0.1),
    spec.Adadelta(lr=0.5, rho=0.7, eps=1e-3, weight_decay=0.1),
    spec.RMSprop(lr=0.02, alpha=0.9, momentum=0.7, eps=1e-3, weight_decay=0.1),
    spec.RMSprop(lr=0.02, alpha=0.8, centered=True, eps=1e-2),
    spec.Adam(lr=0.02, beta1=0.7, beta2=0.95, eps=1e-3, amsgrad=True, weight_decay=0.1),
    spec.Adam(beta1=0, beta2=0),
    spec.AdamW(lr=0.02, beta1=0.7, beta2=0.95, eps=1e-3, amsgrad=True, weight_decay=0.3),
    spec.NAdam(lr=0.02, beta1=0.7, beta2=0.95, eps=1e-3, momentum_decay=0.1, weight_decay=0.1),
    spec.RAdam(lr=0.02, beta1=0.7, beta2=0.9, eps=1e-3, weight_decay=0.1),
    spec.Adamax(lr=0.02, beta1=0.7, beta2=0.9, eps=1e-3, weight_decay=0.1),
    spec.Rprop(lr=0.02, shrink=0.3, grow=2, smallest=1e-3, largest=0.1),
]
every_optimizer = each("optimizer", VARIANTS)


def gradients() -> list[Tensor]:
    """A fixed sequence with changes of sign and of scale."""
    g = torch.Generator().manual_seed(0)
    scale = 10 ** torch.linspace(-3, 1, SIZE, dtype=torch.float64)
    return [scale * (torch.randn(SIZE, generator=g, dtype=torch.float64) + 0.5) for _ in range(STEPS)]


def path(optimizer: spec.Optimizer, steps: list[Tensor] | None = None) -> Tensor:
    """Weights (steps + 1, SIZE) from all ones under the given gradients."""
    w = torch.nn.Parameter(torch.ones(SIZE, dtype=torch.float64))
    built = optimizers.build(optimizer, [w])
    found = [w.detach().clone()]
    for g in steps or gradients():
        w.grad = g.clone()
        built.step()
        found.append(w.detach().clone())
    return torch.stack(found)


def by_hand(o: spec.Optimizer) -> Tensor:
    """The same by the update rule alone."""
    w, found = torch.ones(SIZE, dtype=torch.float64), [torch.ones(SIZE, dtype=torch.float64)]
    update = _rule(o)
    for t, g in enumerate(gradients(), 1):
        decay = getattr(o, "weight_decay", 0.0)
        if isinstance(o, spec.AdamW):
            w, decay = w * (1 - o.lr * decay), 0.0
        w = w - update(t, g + decay * w)
        found.append(w)
    return torch.stack(found)


def _rule(o: spec.Optimizer) -> Callable[[int, Tensor], Tensor]:
    """(step number, gradient) -> what is subtracted; memory in `s`."""
    s = {name: torch.zeros(SIZE, dtype=torch.float64) for name in ("m", "v", "d", "largest", "before")}

    def means(g: Tensor) -> tuple[Tensor, Tensor]:
        s["m"] = o.beta1 * s["m"] + (1 - o.beta1) * g
        s["v"] = o.beta2 * s["v"] + (1 - o.beta2) * g**2
        return s["m"], s["v"]

    def sgd(t: int, g: Tensor) -> Tensor:
        s["m"] = g if t == 1 else o.momentum * s["m"] + (1 - o.dampening) * g
        return o.lr * (g + o.momentum * s["m"] if o.nesterov else s["m"])

    def adagrad(t: int, g: Tensor) -> Tensor:
        s["v"] = s["v"] + g**2
        return o.lr / (1 + (t - 1) * o.lr_decay) * g / ((o.initial_accumulator + s["v"]).sqrt() + o.eps)

    def adadelta(_t: int, g: Tensor) -> Tensor:
        s["v"] = o.rho * s["v"] + (1 - o.rho) * g**2
        step = ((s["d"] + o.eps) / (s["v"] + o.eps)).sqrt() * g
        s["d"] = o.rho * s["d"] + (1 - o.rho) * step**2
        return o.lr * step

    def rmsprop(_t: int, g: Tensor) -> Tensor:
        s["v"] = o.alpha * s["v"] + (1 - o.alpha) * g**2
        s["m"] = o.alpha * s["m"] + (1 - o.alpha) * g
        spread = (s["v"] - s["m"] ** 2 if o.centered else s["v"]).sqrt() + o.eps
        s["d"] = o.momentum * s["d"] + g / spread
        return o.lr * s["d"]

    def adam(t: int, g: Tensor) -> Tensor:
        m, v = means(g)
        s["largest"] = torch.maximum(s["largest"], v)
        v = s["largest"] if o.amsgrad else v
        return o.lr * m / (1 - o.beta1**t) / ((v / (1 - o.beta2**t)).sqrt() + o.eps)

    def nadam(t: int, g: Tensor) -> Tensor:
        m, v = means(g)
        mu = [o.beta1 * (1 - 0.5 * 0.96 ** (i * o.momentum_decay)) for i in range(1, t + 2)]
        mean = mu[t] * m / (1 - math.prod(mu)) + (1 - mu[t - 1]) * g / (1 - math.prod(mu[:t]))
        return o.lr * mean / ((v / (1 - o.beta2**t)).sqrt() + o.eps)

    def radam(t: int, g: Tensor) -> Tensor:
        m, v = means(g)
        m = m / (1 - o.beta1**t)
        most = 2 / (1 - o.beta2) - 1
        length = most - 2 * t * o.beta2**t / (1 - o.beta2**t)
        if length <= 5:
            return o.lr * m
        rectified = ((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) ** 0.5
        return o.lr * rectified * m * (1 - o.beta2**t) ** 0.5 / (v.sqrt() + o.eps)

    def adamax(t: int, g: Tensor) -> Tensor:
        s["m"] = o.beta1 * s["m"] + (1 - o.beta1) * g
        s["v"] = torch.maximum(o.beta2 * s["v"], g.abs() + o.eps)
        return o.lr / (1 - o.beta1**t) * s["m"] / s["v"]

    def rprop(t: int, g: Tensor) -> Tensor:
        step = torch.full_like(g, o.lr) if t == 1 else s["d"]
        agrees = g * s["before"]
        step = step * o.grow ** (agrees > 0).double() * o.shrink ** (agrees < 0).double()
        s["d"] = step.clamp(o.smallest, o.largest)
        s["before"] = g * (agrees >= 0)
        return s["before"].sign() * s["d"]

    rules = [sgd, adagrad, adadelta, rmsprop, adam, nadam, radam, adamax, rprop]
    return {"adamw": adam, **{rule.__name__: rule for rule in rules}}[o.kind]


@every_optimizer
def test_the_path_is_that_of_the_formula(optimizer):
    # torch keeps NAdam's product of momenta in float32.
    tolerance = 1e-6 if optimizer.kind == "nadam" else 1e-11
    torch.testing.assert_close(path(optimizer), by_hand(optimizer), rtol=tolerance, atol=tolerance / 10)


@each(("cls", "name"), [(c, n) for c in families()["optimizer"].values() for n in c.model_fields if n != "kind"])
def test_every_setting_changes_the_path(cls, name):
    other = {"nesterov": {"momentum": 0.9}, "dampening": {"momentum": 0.9}}.get(name, {})
    start = cls.parse({"lr": 0.05, **other})
    value = getattr(start, name)
    changed = {
        **other,
        "lr": 0.05,
        name: (not value)
        if isinstance(value, bool)
        else 0.04
        if name in ("largest", "smallest")
        else value * 0.8 + 0.05,
    }
    assert not torch.allclose(path(start), path(cls.parse(changed)), rtol=1e-6)


def test_every_setting_acts_when_it_changes_on_the_way_but_those_that_count_at_the_first_step_alone():
    """So that no setting or schedule is offered for a continued run that would have no effect."""
    start = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "smallest": 1e-3, "largest": 0.1, "centered": True}

    def end(before: spec.Optimizer, after: spec.Optimizer) -> Tensor:
        w = torch.nn.Parameter(torch.ones(SIZE, dtype=torch.float64))
        built, steps = optimizers.build(before, [w]), gradients()
        for number, g in enumerate(steps[:20]):
            if number == 10:
                state, built = built.state_dict()["state"], optimizers.build(after, [w])
                built.load_state_dict({"state": state, "param_groups": built.state_dict()["param_groups"]})
            w.grad = g.clone()
            built.step()
        return w.detach()

    for cls in families()["optimizer"].values():
        known = {name: value for name, value in start.items() if name in cls.model_fields}
        first = cls.parse(known)
        for name in cls.model_fields:
            if name in ("kind", "amsgrad", "centered"):  # another memory, which is begun anew
                continue
            value = getattr(first, name)
            other = not value if isinstance(value, bool) else 0.7 * value + 0.01 if value <= 1 else 0.9 * value + 0.3
            after = cls.parse(known | {name: other})
            acts = not torch.equal(end(first, first), end(first, after))
            says = (cls.model_fields[name].json_schema_extra or {}).get("resumable")
            assert acts == (says is not False), (cls, name)


@pytest.mark.parametrize("optimizer", [spec.Adam(), spec.AdamW(weight_decay=0), spec.Adamax()], ids=lambda o: o.kind)
def test_the_first_step_of_adam_is_lr_times_the_sign_of_the_gradient(optimizer):
    first = path(optimizer, gradients()[:1])[1] - 1
    torch.testing.assert_close(first, -optimizer.lr * gradients()[0].sign(), rtol=1e-4, atol=0)


def test_steps_of_adam_stay_near_lr_and_do_not_depend_on_the_scale_of_the_loss():
    exact = spec.Adam(eps=0)
    torch.testing.assert_close(path(exact), path(exact, [1000 * g for g in gradients()]), rtol=1e-9, atol=0)
    longest = max(float((b - a).abs().max()) for a, b in pairwise(path(exact)))
    # Kingma & Ba, 2015, section 2.1: (1 − β₁)/√(1 − β₂) · lr at most, lr where gradients keep coming.
    assert longest < 1.2 * exact.lr


def test_amsgrad_never_steps_further_than_adam_does():
    shrinking = [g * 0.9**i for i, g in enumerate(gradients())]
    plain, never_falling = (path(spec.Adam(amsgrad=a), shrinking) for a in (False, True))
    assert bool(((never_falling[1:] - never_falling[:-1]).abs() <= (plain[1:] - plain[:-1]).abs() + 1e-12).all())


def test_rprop_looks_at_signs_alone():
    torch.testing.assert_close(path(spec.Rprop()), path(spec.Rprop(), [g.sign() for g in gradients()]))
