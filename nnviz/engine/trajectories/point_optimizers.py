"""Optimizers of points on a surface: torch's, Newton's method, L-BFGS, and gradient-free methods."""

import inspect
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn, optim

from nnviz.engine import randomness
from nnviz.engine.optim import optimizers
from nnviz.engine.optim.gradient_free.build_gradient_free import build as build_gradient_free
from nnviz.engine.optim.uncorrected_adam import UncorrectedAdam
from nnviz.engine.trajectories import surfaces
from nnviz.spec import clipping
from nnviz.spec import point_optimizers as spec
from nnviz.spec.gradient_free import CMAES, Genetic, OnePlusOneES, OpenES
from nnviz.spec.surfaces import AnySurface
from nnviz.spec.trajectories import Trajectories

STATE_KEYS = {
    "momentum": ("momentum_buffer", "exp_avg"),
    "second_moment": ("exp_avg_sq", "square_avg", "exp_inf", "sum"),
    "step_size": ("step_size",),
}
"""Optimizer state, by its role, and the keys that torch has for it."""

GRADIENT_FREE = (spec.Newton, spec.LBFGS, OnePlusOneES, OpenES, CMAES, Genetic)
"""Methods that are given no gradient; they evaluate the surface themselves."""


ZERO_CURVATURE = 1e-14
"""A curvature counts as 0 up to this fraction of the largest at the point, which is rounding error."""


class PointOptimizer(Protocol):
    """Points (n, 2), and the parts of the last step by name, each (n, …)."""

    points: Tensor
    parts: dict[str, Tensor]

    def move(self, gradient: Tensor | None, factor: float) -> None:
        """One step, the learning rate times `factor`; `gradient` (n, 2) is None for gradient-free methods."""


class TorchPointOptimizer:
    """A torch optimizer, all points as one parameter: its steps are elementwise, so each point moves as if alone.

    It updates the given points in place, and each of its parts stays the same tensor.
    """

    def __init__(self, method: spec.Method, points: Tensor) -> None:
        self.points = points  # not an nn.Parameter: no gradient flows through it
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
            self.parts = self._state_parts()

    def _state_parts(self) -> dict[str, Tensor]:
        state = self.optimizer.state[self.points]
        found = {part: [state[n] for n in names if state.get(n) is not None] for part, names in STATE_KEYS.items()}
        return {part: tensors[0] for part, tensors in found.items() if tensors}


class ASGDPointOptimizer(TorchPointOptimizer):
    """ASGD with the scheduled rate of the current step: torch computes a step's rate at the end of the step before."""

    def __init__(self, method: spec.ASGD, points: Tensor) -> None:
        super().__init__(method, points)
        self._steps_done = 0

    def move(self, gradient: Tensor | None, factor: float) -> None:
        """One step, by η / (1 + λ η t)^α with the η of this step."""
        if state := self.optimizer.state.get(self.points):
            m, rate = self.optimizer.defaults, self.lr * factor
            state["eta"].fill_(rate / (1 + m["lambd"] * rate * self._steps_done) ** m["alpha"])
        self._steps_done += 1
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
        slope, hessian = surfaces.gradient_and_hessian(self.surface, self.points)
        is_finite = torch.isfinite(hessian).all((1, 2)) & torch.isfinite(slope).all(1)
        values, vectors = torch.linalg.eigh(torch.where(is_finite[:, None, None], hessian, 0.0))
        if self.method.absolute:
            values = values.abs()
        values = values + self.method.damping
        size = values.abs()
        inverse = torch.where(size > ZERO_CURVATURE * size.amax(1, keepdim=True), 1 / values, 0.0)
        along = (vectors.mT @ slope[..., None])[..., 0] * inverse
        step = (vectors @ along[..., None])[..., 0]
        self.points = self.points - self.method.lr * factor * torch.where(is_finite[:, None], step, torch.nan)
        self.parts = {"gradient": slope}


class _NotFinite(ArithmeticError):
    """The surface has no finite value or gradient at the evaluated point."""


class LBFGS:
    """torch's L-BFGS, one iteration per step. Its history is of all its parameters together, so each point has its
    own."""

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
        self.parts["gradient"] = surfaces.value_and_gradient(self.surface, self.points)[1]
        if factor == 0:  # torch's line search divides by the length of its first step
            return
        for parameter, optimizer in zip(self.parameters, self.optimizers, strict=True):
            if not torch.isfinite(parameter.data).all():
                continue
            optimizer.param_groups[0]["lr"] = self.method.lr * factor

            def closure(parameter: nn.Parameter = parameter) -> Tensor:
                found, slope = surfaces.value_and_gradient(self.surface, parameter.data)
                if not (torch.isfinite(found).all() and torch.isfinite(slope).all()):
                    raise _NotFinite
                parameter.grad = slope
                return found.sum()

            try:
                optimizer.step(closure)
            except _NotFinite:  # torch's line search would continue with nan, and fail
                parameter.data.fill_(torch.nan)


class GradientFreePointOptimizer:
    """A gradient-free method: it evaluates f alone."""

    def __init__(self, method: spec.Method, points: Tensor, surface: AnySurface, generator: torch.Generator) -> None:
        self.surface = surface
        self.strategy = build_gradient_free(method, points, generator)
        self.parts: dict[str, Tensor] = {}

    @property
    def points(self) -> Tensor:
        """(n, 2)."""
        return self.strategy.points

    def move(self, gradient: Tensor | None, factor: float) -> None:  # noqa: ARG002
        """One generation."""
        self.strategy.factor = factor
        self.parts = self.strategy.move(lambda at: surfaces.values(self.surface, at))


def build(method: spec.Method, points: Tensor, surface: AnySurface, generator: torch.Generator) -> PointOptimizer:
    """The optimizer of the method for `points` (n, 2), float64."""
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
    """The optimizers of a job, each from the same starts (n, 2). Gradients are computed for all at once."""

    def __init__(self, job: Trajectories, starts: Tensor) -> None:
        self.job = job
        self.gradient_based = [
            i for i, optimizer in enumerate(job.optimizers) if not isinstance(optimizer.method, GRADIENT_FREE)
        ]
        """Optimizers that are given gradients."""
        # One block of points and one of gradients: each optimizer works on its own rows, in place.
        self._points = starts.repeat(len(self.gradient_based), 1)
        self._gradients = torch.empty_like(self._points)
        own = (
            dict(zip(self.gradient_based, self._points.split(len(starts)), strict=True)) if self.gradient_based else {}
        )
        # All gradient-free methods draw the same random numbers.
        self.each = [
            build(optimizer.method, own.get(i, starts), job.surface, randomness.generator(job.seed, "evolution"))
            for i, optimizer in enumerate(job.optimizers)
        ]
        self.gradients = self._points[:0].view(0, len(starts), 2)
        """The gradients of the last step, (gradient_based, n, 2); a new tensor for each step."""
        given = self._gradients.split(len(starts)) if self.gradient_based else ()
        self._gradient_steps = {
            i: (self.each[i].move, gradient) for i, gradient in zip(self.gradient_based, given, strict=True)
        }
        self._gradient_free_steps = {
            i: point_optimizer.move for i, point_optimizer in enumerate(self.each) if i not in own
        }

    @property
    def points(self) -> Tensor:
        """A copy of all points, (optimizers, n, 2)."""
        if len(self.gradient_based) == len(self.each):
            return self._points.reshape(len(self.each), -1, 2).clone()
        return torch.stack([point_optimizer.points for point_optimizer in self.each])

    def advance(self, rate: float, noise: Tensor | None) -> None:
        """One step of all, the learning rates times `rate`; `noise` (1, 2) of standard deviation 1."""
        if self.gradient_based:
            gradients = gradient_at(self.job, self._points, noise)
            self._gradients.copy_(gradients)
            self.gradients = gradients.view(len(self.gradient_based), -1, 2)
            for move, given in self._gradient_steps.values():
                move(given, rate)
        for move in self._gradient_free_steps.values():
            move(None, rate)

    def stop(self, optimizer: int) -> None:
        """Stops an optimizer: its points no longer move."""
        self._gradient_steps.pop(optimizer, None)
        self._gradient_free_steps.pop(optimizer, None)


def gradient_at(job: Trajectories, points: Tensor, noise: Tensor | None) -> Tensor:
    """The gradient (n, 2) that methods are given at points (n, 2): with `noise` (1, 2) times σ, then clipped."""
    _, gradient = surfaces.value_and_gradient(job.surface, points)
    if noise is not None:
        gradient = gradient + job.noise * noise
    match job.clipping:
        case clipping.ClipNorm(max_norm=limit):
            return gradient * (limit / gradient.norm(dim=1, keepdim=True)).clamp(max=1)
        case clipping.ClipValue(limit=limit):
            return gradient.clamp(-limit, limit)
    return gradient
