"""Point optimizers: a batch of starts equals single starts to the bit; steps equal those of torch."""

import pytest
import torch
from torch import Tensor

from nnviz.engine.trajectories.point_optimizers import GRADIENT_FREE, PointOptimizers, TorchPointOptimizer, build
from nnviz.spec import point_optimizers as spec
from nnviz.spec.base import options
from nnviz.spec.clipping import ClipNorm
from nnviz.spec.optimizers import SGD, Adam, RMSprop, Rprop, can_be_scheduled
from nnviz.spec.surfaces import Ackley, AnySurface, Formula, Himmelblau, Rastrigin, Rosenbrock
from tests.each import each
from tests.engine.trajectory_jobs import job

KINDS = options(spec.Method)
GRADIENT_BASED = [kind(lr=1e-3) for kind in KINDS.values() if kind not in GRADIENT_FREE]
MORE = [
    SGD(lr=1e-3, momentum=0.9, nesterov=True, weight_decay=0.1),
    RMSprop(lr=1e-3, momentum=0.5, centered=True),
    Adam(lr=1e-3, amsgrad=True, weight_decay=0.1),
]
INDEPENDENT = [*GRADIENT_BASED, *MORE, spec.Newton(lr=0.3), spec.Newton(absolute=True, damping=0.1), spec.LBFGS(lr=0.1)]
"""Methods whose points do not depend on one another."""


def starts(n: int, seed: int = 0) -> Tensor:
    """Points (n, 2) within ±2."""
    return 4 * torch.rand(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 2


def point_paths(point_optimizers: PointOptimizers, steps: int, noise: Tensor | None = None) -> Tensor:
    """Points (steps, optimizers, n, 2)."""
    path = []
    for _ in range(steps):
        point_optimizers.advance(0.9, noise)
        path.append(point_optimizers.points)
    return torch.stack(path)


@pytest.mark.parametrize("surface", [Rosenbrock(), Himmelblau(), Rastrigin(), Ackley()], ids=lambda s: s.kind)
def test_a_batch_of_starts_goes_as_each_start_alone_to_the_last_bit(surface: AnySurface):
    noise = torch.tensor([[0.3, -0.7]], dtype=torch.float64)
    at = starts(23)
    for first in range(0, len(INDEPENDENT), 12):
        chosen = job(surface, INDEPENDENT[first : first + 12], noise=0.1, clipping=ClipNorm(max_norm=50))
        together = point_paths(PointOptimizers(chosen, at), 25, noise)
        for i in range(0, len(at), 4):
            assert torch.equal(
                point_paths(PointOptimizers(chosen, at[i : i + 1]), 25, noise), together[:, :, i : i + 1]
            )


def test_starts_and_optimizers_are_left_as_they_are():
    at = starts(5)
    before = at.clone()
    point_optimizers = PointOptimizers(job(Himmelblau(), INDEPENDENT[:12]), at)
    first = point_optimizers.points
    assert first.shape == (12, 5, 2)
    assert torch.equal(first, before.expand(12, 5, 2))
    point_optimizers.advance(1.0, None)
    assert torch.equal(at, before)
    assert torch.equal(first, before.expand(12, 5, 2))  # a copy, not where they are now
    assert (point_optimizers.points != before).any(-1).all()


def test_a_stopped_optimizer_stays_and_the_others_continue():
    chosen = job(Himmelblau(), [SGD(lr=0.01), Adam(), spec.Newton(), spec.CMAES()])
    stopped, free = PointOptimizers(chosen, starts(3)), PointOptimizers(chosen, starts(3))
    for optimizer in (1, 2):
        stopped.stop(optimizer)
    was = stopped.points
    first, second = point_paths(stopped, 5)[-1], point_paths(free, 5)[-1]
    assert torch.equal(first[1:3], was[1:3])
    assert torch.equal(first[[0, 3]], second[[0, 3]])


def test_every_method_is_built_and_moves():
    for kind in KINDS.values():
        point_optimizers = PointOptimizers(job(Himmelblau(), [kind()]), starts(4))
        assert torch.isfinite(point_paths(point_optimizers, 3)).all(), kind


KEYWORDS = {
    *("lr", "momentum", "nesterov", "dampening", "weight_decay", "betas", "eps", "amsgrad", "alpha", "centered"),
    *("rho", "lr_decay", "initial_accumulator_value", "etas", "step_sizes", "lambd", "t0", "momentum_decay"),
}


@each("method", [*GRADIENT_BASED, *MORE])
def test_a_step_is_that_of_torchs_optimizer_to_the_last_bit(method):
    points = starts(3)
    point_optimizer = TorchPointOptimizer(method, points)
    other = torch.nn.Parameter(starts(3))
    optimizer = type(point_optimizer.optimizer)(
        [other], **{k: v for k, v in point_optimizer.optimizer.defaults.items() if k in KEYWORDS}
    )
    generator = torch.Generator().manual_seed(1)
    # Under a schedule torch's ASGD takes a step's rate from the one before.
    falls = not isinstance(method, spec.ASGD)
    for step in range(30):
        gradient = torch.randn(3, 2, dtype=torch.float64, generator=generator)
        factor = 1 / (1 + step) if falls else 1.0
        point_optimizer.move(gradient, factor)
        other.grad = gradient.clone()
        optimizer.param_groups[0]["lr"] = method.lr * factor
        optimizer.step()
        assert torch.equal(points, other.detach())
    assert torch.isfinite(points).all()


def test_every_method_with_a_learning_rate_stands_where_a_schedule_makes_it_0_but_rprop_which_takes_no_schedule():
    rated = [kind() for kind in KINDS.values() if "lr" in kind.model_fields] + [spec.LBFGS(line_search=True)]
    for method in rated:
        if not can_be_scheduled(method):
            assert isinstance(method, Rprop)
            continue
        point_optimizers = PointOptimizers(job(Himmelblau(), [method]), starts(4))
        for factor in (0.01, 0.01):
            point_optimizers.advance(factor, None)
        before = point_optimizers.points
        point_optimizers.advance(0.0, None)
        assert torch.equal(point_optimizers.points, before), method
        point_optimizers.advance(0.01, None)
        assert not torch.equal(point_optimizers.points, before), method


def test_averaged_descent_takes_each_step_at_the_rate_of_that_step():
    point = torch.zeros(1, 2, dtype=torch.float64)
    point_optimizer = build(spec.ASGD(lr=0.5, lambd=0.0), point, Himmelblau(), torch.Generator())
    ones, at = torch.ones(1, 2, dtype=torch.float64), [0.0]
    for factor in (1.0, 0.5, 0.25, 0.0):
        point_optimizer.move(ones, factor)
        at.append(float(point[0, 0]))
    assert at == [0, -0.5, -0.75, -0.875, -0.875]


def test_newtons_step_does_not_depend_on_the_scale_of_the_surface():
    for size in ("1", "1e-13", "1e-200", "1e200"):
        bowl = Formula(text=f"{size}*(x**2 + 3*y**2)")
        point_optimizers = PointOptimizers(job(bowl, [spec.Newton()]), starts(3))
        point_optimizers.advance(1.0, None)
        assert point_optimizers.points.abs().max() < 1e-12, size
    valley = PointOptimizers(
        job(Formula(text="1e-13*x**2"), [spec.Newton()]), starts(3)
    )  # along y there is no curvature
    valley.advance(1.0, None)
    torch.testing.assert_close(valley.points[0], starts(3) * torch.tensor([0.0, 1.0]), atol=1e-12, rtol=0)
