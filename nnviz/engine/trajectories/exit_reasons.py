"""Why an optimizer has stopped: it diverged, or its update is not a number."""

from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.spec.point_optimizers import LBFGS, Method, Newton
from nnviz.spec.surfaces import AnySurface

REASONS = ("diverged", "zero_by_zero", "no_value", "no_gradient", "no_curvature", "not_a_number")


def exit_reason(method: Method, surface: AnySurface, before: Tensor, after: Tensor, gradient: Tensor | None) -> str:
    """One of `REASONS` for the step from `before` (2,) to `after` (2,), which diverged or is not a number, with the
    `gradient` (2,) that the method was given, None where it takes none.

    diverged: a coordinate is too large; zero_by_zero: ε = 0 and a gradient of 0, so that the update is 0/0 there;
    no_value, no_gradient, no_curvature: what the surface does not have, as a finite number, at `before` (for L-BFGS
    also where its line search evaluated it); not_a_number: the update is nan for another reason, such as ∞ − ∞.
    """
    if not after.isnan().any():
        return "diverged"
    if not surfaces.values(surface, before[None]).isfinite().all():
        return "no_value"
    if gradient is not None and not gradient.isfinite().all():
        return "no_gradient"
    if isinstance(method, LBFGS):
        return "no_value"
    if isinstance(method, Newton):
        return "no_curvature"
    is_zero = gradient is not None and bool((gradient[after.isnan()] == 0).any())
    return "zero_by_zero" if is_zero and getattr(method, "eps", None) == 0 else "not_a_number"
