"""Methods that move points on a surface: each takes what it needs of the surface and makes one step of it."""

import inspect
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn, optim

from nnviz.engine import randomness
from nnviz.engine.optim import optimizers
from nnviz.engine.optim.gradient_free.build_gradient_free import build as build_evolution
from nnviz.engine.optim.uncorrected_adam import UncorrectedAdam
from nnviz.engine.trajectories import surfaces
from nnviz.spec import clipping
from nnviz.spec import point_optimizers as spec
from nnviz.spec.gradient_free import CMAES, Genetic, OnePlusOneES, OpenES
from nnviz.spec.surfaces import AnySurface
from nnviz.spec.trajectories import Trajectories

REMEMBERED = {
    "momentum": ("momentum_buffer", "exp_avg"),
    "second_moment": ("exp_avg_sq", "square_avg", "exp_inf", "sum"),
    "step_size": ("step_size",),
}
"""What optimizers remember, by the part that it plays, and the names that torch has for it."""

GRADIENT_FREE = (spec.Newton, spec.LBFGS, OnePlusOneES, OpenES, CMAES, Genetic)
"""Methods that are given no gradient, but look at the surface for themselves."""


FLAT = 1e-14
"""A curvature is 0 where it is no more than this share of the largest at the point: rounding leaves that much."""


class PointOptimizer(Protocol):
    """Points (n, 2) under way, and what is seen of the last step: parts by name, each (n, …)."""

    points: Tensor
    parts: dict[str, Tensor]

    def move(self, gradient: Tensor | None, factor: float) -> None:
        """One step, the learning rate times `factor`; `gradient` (n, 2) is None for those that look for themselves."""


class TorchPointOptimizer:
    """A torch optimizer, all points as one parameter: its steps are elementwise, so each point moves as if alone.

    It moves the points that it is given in place, and its parts are one tensor each for good.
    """

    def __init__(self, method: spec.Method, points: Tensor) -> None:
        self.points = points  # no nn.Parameter: nothing is derived through it
        self.optimizer = _optimizer(method, points)
        self.lr = method.lr
        self.parts: dict[str, Tensor] = {}
        self._group = self.optimizer.param_groups[0]
        self._group["foreach"] = False
        # For a parameter of a few numbers what torch wraps around a step, hooks for profilers and a guard against
        # gradients, takes longer than the step; there is no gradient to guard against here.
        self._is_new = True
        self._step = partial(inspect.unwrap(type(self.optimizer).step), self.optimizer)

    def move(self, gradient: Tensor | None, factor: float) -> None:
        """One step of the optimizer."""
        self.points.grad = gradient
        self._group["lr"] = self.lr * factor
        self._step()
        if self._is_new:
            self._is_new = False
            self.parts = self._remembered()

    def _remembered(self) -> dict[str, Tensor]:
        state = self.optimizer.state[self.points]
        found = {part: [state[n] for n in names if state.get(n) is not None] for part, names in REMEMBERED.items()}
        return {part: tensors[0] for part, tensors in found.items() if tensors}


class ASGDPointOptimizer(TorchPointOptimizer):
    """ASGD with the scheduled rate at its own step: torch makes the rate of a step at the end of the one before."""

    def __init__(self, method: spec.ASGD, points: Tensor) -> None:
        super().__init__(method, points)
        self._done = 0

    def move(self, gradient: Tensor | None, factor: float) -> None:
        """One step, by η / (1 + λ η t)^α with the η of this step."""
        if state := self.optimizer.state.get(self.points):
            m, rate = self.optimizer.defaults, self.lr * factor
            state["eta"].fill_(rate / (1 + m["lambd"] * rate * self._done) ** m["alpha"])
        self._done += 1
        super().move(gradient, factor)


def _optimizer(method: spec.Method, parameter: Tensor) -> optim.Optimizer:
    match method:
        case spec.UncorrectedAdam():
            return UncorrectedAdam([parameter], method.lr, (method.beta1, method.beta2), method.eps)
        case spec.ASGD():
            return optim.ASGD([parameter], method.lr, method.lambd, method.alpha, weight_decay=method.weight_decay)
    return optimizers.build(method, [parameter])


class Newton:
    """Newton's method. Where the curvature is 0 the step along it is 0."""

    def __init__(self, method: spec.Newton, points: Tensor, surface: AnySurface) -> None:
        self.method, self.surface, self.points = method, surface, points.clone()
        self.parts: dict[str, Tensor] = {}

    def move(self, gradient: Tensor | None, factor: float) -> None:  # noqa: ARG002
        """One step."""
        slope, hessian = surfaces.curvature(self.surface, self.points)
        is_finite = torch.isfinite(hessian).all((1, 2)) & torch.isfinite(slope).all(1)
        values, vectors = torch.linalg.eigh(torch.where(is_finite[:, None, None], hessian, 0.0))
        if self.method.absolute:
            values = values.abs()
        values = values + self.method.damping
        size = values.abs()
        inverse = torch.where(size > FLAT * size.amax(1, keepdim=True), 1 / values, 0.0)
        along = (vectors.mT @ slope[..., None])[..., 0] * inverse
        step = (vectors @ along[..., None])[..., 0]
        self.points = self.points - self.method.lr * factor * torch.where(is_finite[:, None], step, torch.nan)
        self.parts = {"gradient": slope}


class _NoNumber(ArithmeticError):
    """The surface has no finite height or slope where it was asked."""


class LBFGS:
    """torch's L-BFGS, one iteration a step. Its memory is of all it moves, so each point has its own."""

    def __init__(self, method: spec.LBFGS, points: Tensor, surface: AnySurface) -> None:
        self.method, self.surface = method, surface
        self.parameters = [nn.Parameter(p[None].clone()) for p in points]
        search = "strong_wolfe" if method.line_search else None
        self.optimizers = [
            optim.LBFGS([p], method.lr, max_iter=1, max_eval=25, history_size=method.history, line_search_fn=search)
            for p in self.parameters
        ]
        self.parts: dict[str, Tensor] = {}

    @property
    def points(self) -> Tensor:
        """(n, 2)."""
        return torch.cat([p.data for p in self.parameters])

    def move(self, gradient: Tensor | None, factor: float) -> None:  # noqa: ARG002
        """One iteration for each point."""
        self.parts["gradient"] = surfaces.slope(self.surface, self.points)[1]
        if factor == 0:  # torch's line search divides by the length of its first trial
            return
        for parameter, optimizer in zip(self.parameters, self.optimizers, strict=True):
            if not torch.isfinite(parameter.data).all():
                continue
            optimizer.param_groups[0]["lr"] = self.method.lr * factor

            def closure(parameter: nn.Parameter = parameter) -> Tensor:
                found, slope = surfaces.slope(self.surface, parameter.data)
                if not (torch.isfinite(found).all() and torch.isfinite(slope).all()):
                    raise _NoNumber
                parameter.grad = slope
                return found.sum()

            try:
                optimizer.step(closure)
            except _NoNumber:  # torch's line search would search on among nan, and fail
                parameter.data.fill_(torch.nan)


class GradientFreePointOptimizer:
    """An evolution strategy: it asks for heights alone."""

    def __init__(self, method: spec.Method, points: Tensor, surface: AnySurface, generator: torch.Generator) -> None:
        self.surface = surface
        self.evolution = build_evolution(method, points, generator)
        self.parts: dict[str, Tensor] = {}

    @property
    def points(self) -> Tensor:
        """(n, 2)."""
        return self.evolution.points

    def move(self, gradient: Tensor | None, factor: float) -> None:  # noqa: ARG002
        """One generation."""
        self.evolution.factor = factor
        self.parts = self.evolution.move(lambda at: surfaces.values(self.surface, at))


def build(method: spec.Method, points: Tensor, surface: AnySurface, generator: torch.Generator) -> PointOptimizer:
    """What moves `points` (n, 2), float64, by the method."""
    match method:
        case spec.Newton():
            return Newton(method, points, surface)
        case spec.LBFGS():
            return LBFGS(method, points, surface)
        case spec.ASGD():
            return ASGDPointOptimizer(method, points)
        case OnePlusOneES() | OpenES() | CMAES() | Genetic():
            return GradientFreePointOptimizer(method, points, surface, generator)
    return TorchPointOptimizer(method, points)


class PointOptimizers:
    """What moves the optimizers of a job, each from the same starts (n, 2). Gradients are taken for all at once."""

    def __init__(self, job: Trajectories, starts: Tensor) -> None:
        self.job = job
        self.gradient_based = [
            i for i, optimizer in enumerate(job.optimizers) if not isinstance(optimizer.method, GRADIENT_FREE)
        ]
        """Optimizers that are given gradients."""
        # One block of points and one of gradients: each of them works on its own rows, in place.
        self._at = starts.repeat(len(self.gradient_based), 1)
        self._given = torch.empty_like(self._at)
        own = dict(zip(self.gradient_based, self._at.split(len(starts)), strict=True)) if self.gradient_based else {}
        # The evolution strategies draw the same samples.
        self.each = [
            build(optimizer.method, own.get(i, starts), job.surface, randomness.generator(job.seed, "evolution"))
            for i, optimizer in enumerate(job.optimizers)
        ]
        self.gradients = self._at[:0].view(0, len(starts), 2)
        """What those of `led` were given last, (led, n, 2), anew for each step."""
        given = self._given.split(len(starts)) if self.gradient_based else ()
        self._led = {i: (self.each[i].move, gradient) for i, gradient in zip(self.gradient_based, given, strict=True)}
        self._looking = {i: point_optimizer.move for i, point_optimizer in enumerate(self.each) if i not in own}

    @property
    def points(self) -> Tensor:
        """A copy of where all are, (optimizers, n, 2)."""
        if len(self.gradient_based) == len(self.each):
            return self._at.reshape(len(self.each), -1, 2).clone()
        return torch.stack([point_optimizer.points for point_optimizer in self.each])

    def advance(self, rate: float, noise: Tensor | None) -> None:
        """One step of all, the learning rates times `rate`; `noise` (1, 2) of standard deviation 1."""
        if self.gradient_based:
            gradients = gradient_at(self.job, self._at, noise)
            self._given.copy_(gradients)
            self.gradients = gradients.view(len(self.gradient_based), -1, 2)
            for move, given in self._led.values():
                move(given, rate)
        for move in self._looking.values():
            move(None, rate)

    def stop(self, optimizer: int) -> None:
        """Lets an optimizer stand from now on."""
        self._led.pop(optimizer, None)
        self._looking.pop(optimizer, None)


def gradient_at(job: Trajectories, points: Tensor, noise: Tensor | None) -> Tensor:
    """The gradient (n, 2) that methods are given at points (n, 2): with `noise` (1, 2) times σ, then clipped."""
    _, gradient = surfaces.slope(job.surface, points)
    if noise is not None:
        gradient = gradient + job.noise * noise
    match job.clipping:
        case clipping.ClipNorm(max_norm=most):
            return gradient * (most / gradient.norm(dim=1, keepdim=True)).clamp(max=1)
        case clipping.ClipValue(limit=most):
            return gradient.clamp(-most, most)
    return gradient
