"""The Hessian of the loss in the weights, by its products with vectors alone: it is never formed."""

import copy
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from nnviz.engine.landscape.directions import as_vector, as_weights, in_double
from nnviz.engine.losses import LossFunction

Product = Callable[[Tensor], Tensor]
"""v (parameters,) -> H·v (parameters,)."""

EXTRA_STEPS = 20
"""Steps of the Lanczos method beyond the number of eigenvalues, at least: after fewer, a converged value may be the
next eigenvalue below one of which the start vector has too small a component."""

Found = TypeVar("Found")
Interruptible = Generator[None, None, Found]
"""Work that yields after each product with the Hessian, so that other jobs can run in between; returns its result."""


def hessian(module: nn.Module, loss: LossFunction, inputs: Tensor, targets: Tensor) -> Product:
    """Products with the Hessian of loss(module(inputs), targets) in all parameters, in the order of
    `module.parameters()` (Pearlmutter, 1994, "Fast exact multiplication by the Hessian").

    In evaluation mode, on a copy. The graph of the gradient lives as long as the function, so a product costs
    about one gradient more. Exact where the loss is smooth; a piecewise linear activation counts as flat at its kinks.
    """
    frozen = copy.deepcopy(module).eval().requires_grad_(True)
    weights = list(frozen.parameters())
    with torch.enable_grad():
        slopes = torch.autograd.grad(
            loss(frozen(inputs), targets), weights, create_graph=True, allow_unused=True, materialize_grads=True
        )
    used = [i for i, slope in enumerate(slopes) if slope.requires_grad]

    def product(vector: Tensor) -> Tensor:
        if not used:  # the loss is linear in the weights
            return torch.zeros_like(vector)
        parts = as_weights(vector, weights)
        found = torch.autograd.grad(
            [slopes[i] for i in used],
            weights,
            [parts[i] for i in used],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        return as_vector(found)

    return product


class Spectrum(NamedTuple):
    """The largest eigenvalues, in descending order."""

    values: Tensor
    """(k,)"""
    vectors: Tensor
    """(k, parameters), orthonormal."""
    residuals: Tensor
    """(k,): ‖H·v − λ·v‖; some eigenvalue lies within that distance of λ."""
    steps: int
    """Products that were computed, without those for the residuals."""


def lanczos(
    product: Product,
    like: Tensor,
    generator: torch.Generator,
    *,
    k: int = 3,
    steps: int = 100,
    tolerance: float | None = None,
) -> Spectrum:
    """The k algebraically largest eigenvalues of a symmetric matrix, by the Lanczos method (1950) with every vector
    orthogonalized twice against all before.

    `like` is a vector (parameters,) that gives length, type and device. Ends when the estimated residuals are below
    `tolerance` (default: 1e-6 in float32, 1e-10 in float64) of the largest eigenvalue in size, or after `steps`. For
    the smallest ones pass lambda v: -product(v) and change the signs. An eigenvalue that is exactly repeated may be
    found once only. Memory: steps · parameters. Raises ValueError where there are fewer than k parameters or steps.
    """
    return _result(interruptible_lanczos(product, like, generator, k=k, steps=steps, tolerance=tolerance))


def interruptible_lanczos(
    product: Product,
    like: Tensor,
    generator: torch.Generator,
    *,
    k: int = 3,
    steps: int = 100,
    tolerance: float | None = None,
) -> Interruptible[Spectrum]:
    """The same, yielding after each product."""
    size = len(like)
    if not 1 <= k <= min(size, steps):
        raise ValueError(f"k must be in [1, {min(size, steps)}], the fewer of parameters and steps, got {k}")
    if tolerance is None:
        tolerance = 1e-6 if like.dtype == torch.float32 else 1e-10
    basis = like.new_empty(min(steps, size), size)
    # The small tridiagonal matrix, in float64 on the CPU.
    tridiagonal = torch.zeros(len(basis), len(basis), dtype=torch.float64)
    vector = _orthogonal(_normal(like, generator), basis[:0])
    values, ritz_vectors, steps_taken = tridiagonal[0], tridiagonal, 0
    for steps_taken in range(1, len(basis) + 1):
        basis[steps_taken - 1] = vector
        image = product(vector)
        yield
        tridiagonal[steps_taken - 1, steps_taken - 1] = float(vector @ image)
        values, ritz_vectors = torch.linalg.eigh(tridiagonal[:steps_taken, :steps_taken])
        rest = _orthogonal_part(image, basis[:steps_taken])
        length = float(rest.norm())
        scale = float(values.abs().max())
        if k + EXTRA_STEPS <= steps_taken < size and bool(
            (length * ritz_vectors[-1, -k:].abs() <= tolerance * scale).all()
        ):
            break
        if steps_taken == len(basis):
            break
        if length > torch.finfo(like.dtype).eps * scale * 10:
            tridiagonal[steps_taken - 1, steps_taken] = tridiagonal[steps_taken, steps_taken - 1] = length
            vector = rest / length
        else:  # an invariant subspace: continue in its complement
            vector = _orthogonal(_normal(like, generator), basis[:steps_taken])
    values = values[-k:].flip(0)
    vectors = ritz_vectors[:, -k:].flip(1).T.to(like) @ basis[:steps_taken]
    residuals = []
    for v, value in zip(vectors, values, strict=True):
        residuals.append((product(v) - float(value) * v).norm())
        yield
    return Spectrum(values.to(like), vectors, torch.stack(residuals), steps_taken)


def _result(work: Interruptible[Found]) -> Found:
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(len(like), generator=generator, dtype=torch.float64, device=generator.device).to(like)


def _orthogonal_part(vector: Tensor, basis: Tensor) -> Tensor:
    """The part orthogonal to all rows of the basis; projected twice, since once leaves rounding errors."""
    for _ in range(2):
        vector = vector - (basis @ vector) @ basis
    return vector


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    vector = _orthogonal_part(vector, basis)
    return vector / vector.norm()


class Trace(NamedTuple):
    """The sum of all eigenvalues, estimated."""

    value: float
    error: float
    """Standard error of the mean."""


def trace(product: Product, like: Tensor, generator: torch.Generator, *, probes: int = 100) -> Trace:
    """Mean of vᵀ·H·v over random signs v (Hutchinson, 1990); its variance comes from the off-diagonal entries alone.

    `like` is a vector (parameters,) that gives length, type and device. Raises ValueError for fewer than two probes.
    """
    return _result(interruptible_trace(product, like, generator, probes=probes))


def interruptible_trace(
    product: Product, like: Tensor, generator: torch.Generator, *, probes: int = 100
) -> Interruptible[Trace]:
    """The same, yielding after each product."""
    if probes < 2:
        raise ValueError(f"probes must be at least 2, for a standard error, got {probes}")
    found = []
    for _ in range(probes):
        signs = torch.randint(0, 2, (len(like),), generator=generator, device=generator.device).to(like) * 2 - 1
        found.append((in_double(signs) @ in_double(product(signs))).cpu())
        yield
    values = torch.stack(found)
    return Trace(float(values.mean()), float(values.std() / probes**0.5))
