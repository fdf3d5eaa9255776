"""Every method equals torch.optim stepped by hand, to the last bit; Adam's first step; Newton's."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn, optim

from nnviz.engine.optim import schedules
from nnviz.spec import optimizers
from nnviz.spec import point_optimizers as spec
from nnviz.spec.clipping import ClipNorm, ClipValue
from nnviz.spec.schedules import OneCycle, StepDecay, WarmupCosine
from nnviz.spec.surfaces import Himmelblau, Quadratic, Ravine, Rosenbrock, Saddle
from nnviz.spec.trajectories import MAX_OPTIMIZERS
from tests.engine.trajectory_jobs import job, trajectories

STEPS = 100
SURFACES = {
    "ravine": (Ravine(), lambda x, y: x**2 / 20 + y**2),
    "rosenbrock": (Rosenbrock(), lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2),
    "himmelblau": (Himmelblau(), lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2),
}
METHODS = {
    "sgd": (optimizers.SGD(lr=0.001), lambda p: optim.SGD(p, 0.001)),
    "momentum": (optimizers.SGD(lr=0.001, momentum=0.9), lambda p: optim.SGD(p, 0.001, 0.9)),
    "dampening": (
        optimizers.SGD(lr=0.001, momentum=0.9, dampening=0.9),
        lambda p: optim.SGD(p, 0.001, 0.9, dampening=0.9),
    ),
    "nesterov": (
        optimizers.SGD(lr=0.001, momentum=0.8, nesterov=True),
        lambda p: optim.SGD(p, 0.001, 0.8, nesterov=True),
    ),
    "weight decay": (
        optimizers.SGD(lr=0.001, momentum=0.5, weight_decay=0.1),
        lambda p: optim.SGD(p, 0.001, 0.5, weight_decay=0.1),
    ),
    "adagrad": (
        optimizers.Adagrad(lr=0.3, lr_decay=0.01, initial_accumulator=0.1, weight_decay=0.01),
        lambda p: optim.Adagrad(p, 0.3, 0.01, 0.01, 0.1),
    ),
    "adadelta": (optimizers.Adadelta(lr=2.0, rho=0.8), lambda p: optim.Adadelta(p, 2.0, 0.8)),
    "rmsprop": (optimizers.RMSprop(lr=0.03), lambda p: optim.RMSprop(p, 0.03)),
    "rmsprop, centered": (
        optimizers.RMSprop(lr=0.01, alpha=0.9, centered=True),
        lambda p: optim.RMSprop(p, 0.01, 0.9, centered=True),
    ),
    "rmsprop, momentum": (
        optimizers.RMSprop(lr=0.01, momentum=0.7, centered=True, weight_decay=0.02),
        lambda p: optim.RMSprop(p, 0.01, momentum=0.7, centered=True, weight_decay=0.02),
    ),
    "adam": (optimizers.Adam(lr=0.1), lambda p: optim.Adam(p, 0.1)),
    "amsgrad": (
        optimizers.Adam(lr=0.1, beta2=0.9, amsgrad=True, weight_decay=0.1),
        lambda p: optim.Adam(p, 0.1, (0.9, 0.9), weight_decay=0.1, amsgrad=True),
    ),
    "adamw": (optimizers.AdamW(lr=0.1, weight_decay=0.2), lambda p: optim.AdamW(p, 0.1, weight_decay=0.2)),
    "adamw, amsgrad": (
        optimizers.AdamW(lr=0.1, beta1=0.5, amsgrad=True),
        lambda p: optim.AdamW(p, 0.1, (0.5, 0.999), amsgrad=True),
    ),
    "nadam": (
        optimizers.NAdam(lr=0.05, momentum_decay=0.01, weight_decay=0.1),
        lambda p: optim.NAdam(p, 0.05, momentum_decay=0.01, weight_decay=0.1),
    ),
    "radam": (optimizers.RAdam(lr=0.0005), lambda p: optim.RAdam(p, 0.0005)),
    "radam, short memory": (
        optimizers.RAdam(lr=0.0008, beta2=0.7, weight_decay=0.1),
        lambda p: optim.RAdam(p, 0.0008, (0.9, 0.7), weight_decay=0.1),
    ),
    "adamax": (optimizers.Adamax(lr=0.1, weight_decay=0.1), lambda p: optim.Adamax(p, 0.1, weight_decay=0.1)),
    "rprop": (
        optimizers.Rprop(lr=0.02, shrink=0.4, grow=1.3, largest=0.5),
        lambda p: optim.Rprop(p, 0.02, (0.4, 1.3), (1e-6, 0.5)),
    ),
    "asgd": (
        spec.ASGD(lr=0.001, lambd=0.01, alpha=0.5, weight_decay=0.1),
        lambda p: optim.ASGD(p, 0.001, 0.01, 0.5, weight_decay=0.1),
    ),
    "l-bfgs": (spec.LBFGS(lr=0.3, history=4), lambda p: optim.LBFGS(p, 0.3, max_iter=1, history_size=4)),
    "l-bfgs, line search": (
        spec.LBFGS(line_search=True),
        lambda p: optim.LBFGS(p, 1.0, max_iter=1, max_eval=25, history_size=10, line_search_fn="strong_wolfe"),
    ),
}
GRADIENT_FREE = ("l-bfgs", "l-bfgs, line search")


def by_hand(
    build: Callable[[list[nn.Parameter]], optim.Optimizer],
    f: Callable[[Tensor, Tensor], Tensor],
    start: tuple[float, float],
    clip: Callable[[Tensor], Tensor] = lambda gradient: gradient,
    factor: Callable[[int], float] = lambda _: 1.0,
) -> np.ndarray:
    """Points (STEPS + 1, 2) of the usual loop: one parameter, zero_grad, backward, step."""
    w = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = build([w])
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, factor)
    path = [w.detach().clone()]

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = f(w[0], w[1])
        loss.backward()
        w.grad = clip(w.grad)
        return loss

    for _ in range(STEPS):
        optimizer.step(closure)
        scheduler.step()
        path.append(w.detach().clone())
    return torch.stack(path).numpy()


def check(surface: str, names: list[str], changes: dict[str, Any], **by: Any) -> None:
    """Asserts that these optimizers equal the hand-written loop; in as few jobs as possible."""
    landscape, f = SURFACES[surface]
    for first in range(0, len(names), MAX_OPTIMIZERS):
        some = names[first : first + MAX_OPTIMIZERS]
        chosen = job(landscape, [METHODS[name][0] for name in some], steps=STEPS, **changes)
        for name, path in zip(some, trajectories(chosen)["points"], strict=True):
            expected = by_hand(METHODS[name][1], f, landscape.start, **by)
            assert np.isfinite(expected).all(), name
            assert len(np.unique(expected, axis=0)) > (5 if name in GRADIENT_FREE else STEPS // 2), name
            assert np.array_equal(path, expected), (name, abs(path - expected).max())


@pytest.mark.parametrize("surface", SURFACES)
def test_every_method_goes_the_way_of_torch_to_the_last_bit(surface):
    check(surface, list(METHODS), {})


def test_every_kind_of_method_that_torch_has_is_compared():
    kinds = {type(method) for method, _ in METHODS.values()}
    own = {spec.UncorrectedAdam, spec.Newton, spec.OnePlusOneES, spec.OpenES, spec.CMAES, spec.Genetic}
    assert kinds | own == set(spec.Method.__origin__.__args__)


GRADIENT_BASED = [name for name in METHODS if name not in GRADIENT_FREE]


def shorten(gradient: Tensor) -> Tensor:
    """To norm 2."""
    return gradient * min(1.0, 2.0 / float(gradient.norm()))


@pytest.mark.parametrize("surface", SURFACES)
def test_with_the_gradient_clipped_to_a_norm_it_is_the_same_way(surface):
    check(surface, GRADIENT_BASED, {"clipping": ClipNorm(max_norm=2.0)}, clip=shorten)


@pytest.mark.parametrize("surface", SURFACES)
def test_with_the_gradients_entries_clipped_it_is_the_same_way(surface):
    check(surface, GRADIENT_BASED, {"clipping": ClipValue(limit=1.5)}, clip=lambda gradient: gradient.clamp(-1.5, 1.5))


# LambdaLR writes the rate in the group, where Rprop and the first step of ASGD read it at other times than a schedule
# means; both make their own rate anyway.
RATED = [name for name in METHODS if name not in ("rprop", "asgd")]


@pytest.mark.parametrize(
    "schedule", [StepDecay(every=30), OneCycle(), WarmupCosine(warmup=0.2)], ids=lambda schedule: schedule.kind
)
def test_with_a_schedule_it_is_the_same_way(schedule):
    check("himmelblau", RATED, {"schedule": schedule}, factor=lambda k: schedules.factor(schedule, k, STEPS))


# -- Adam's first step ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
def test_adam_without_correction_follows_its_formula(surface):
    landscape, f = SURFACES[surface]
    eta, beta1, beta2, eps = 0.02, 0.8, 0.95, 1e-3
    method = spec.UncorrectedAdam(lr=eta, beta1=beta1, beta2=beta2, eps=eps)
    path = trajectories(job(landscape, [method], steps=STEPS))["points"][0]
    w, m, v = torch.tensor(landscape.start, dtype=torch.float64), torch.zeros(2), torch.zeros(2)
    for point in path:
        assert point == pytest.approx(w.numpy(), rel=1e-11, abs=1e-11)
        w.requires_grad_()
        (g,) = torch.autograd.grad(f(w[0], w[1]), w)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        w = w.detach() - eta * m / (v.sqrt() + eps)


def test_the_first_step_of_adam_is_the_rate_and_without_correction_it_is_longer():
    eta, beta1, beta2 = 0.25, 0.9, 0.999
    both = [kind(lr=eta, beta1=beta1, beta2=beta2, eps=1e-15) for kind in (optimizers.Adam, spec.UncorrectedAdam)]
    points = trajectories(job(Himmelblau(), both, steps=1))["points"]
    x, y = Himmelblau.start
    gradient = np.array([4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7), 2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7)])
    adam, uncorrected = points[:, 1] - points[:, 0]
    assert adam == pytest.approx(-eta * np.sign(gradient), rel=1e-12)
    assert uncorrected == pytest.approx(-eta * (1 - beta1) / math.sqrt(1 - beta2) * np.sign(gradient), rel=1e-12)


# -- Newton -----------------------------------------------------------------------------------------------------------


def test_newton_arrives_on_a_quadratic_in_one_step():
    bowl = Quadratic(curvature=30, condition=500, angle=33)
    points = trajectories(job(bowl, [spec.Newton()], steps=1))["points"][0]
    assert points[1] == pytest.approx([0, 0], abs=1e-12)


def test_newton_goes_to_a_saddle_and_away_from_it_with_absolute_curvature():
    saddle = Saddle(bounded=False)
    methods = [spec.Newton(), spec.Newton(absolute=True), spec.Newton(lr=0.5, absolute=True)]
    there, away, half = trajectories(job(saddle, methods, steps=1, x=-1.5, y=0.25))["points"][:, 1]
    assert there == pytest.approx([0, 0], abs=1e-14)
    assert away == pytest.approx([0, 0.5], abs=1e-14)
    assert half == pytest.approx([-0.75, 0.375], abs=1e-14)


def test_newton_with_absolute_curvature_finds_the_minimum_behind_the_saddle():
    to_saddle, to_minimum = trajectories(job(Saddle(), [spec.Newton(), spec.Newton(absolute=True)], steps=60))[
        "points"
    ][:, -1]
    assert to_saddle == pytest.approx([0, 0], abs=1e-9)
    assert to_minimum == pytest.approx([0, 1], abs=1e-9)


def test_newton_is_damped_by_what_is_added_to_each_curvature():
    bowl = Quadratic(curvature=4, condition=4)
    points = trajectories(job(bowl, [spec.Newton(damping=1)], steps=1, x=6, y=5))["points"][0]
    assert points[1] == pytest.approx([6 * (1 - 1 / 2), 5 * (1 - 4 / 5)], abs=1e-12)
