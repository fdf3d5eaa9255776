"""Formulas f(x, y) -> elementwise torch."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from nnviz.spec import formulas as spec

LARGEST_PRODUCT = 16
"""Integer powers up to this one are products: exact where float64 is, on every machine."""


def _absolute(x: Tensor) -> Tensor:
    """|x| with the derivative 0 at 0. The second derivative of `torch.abs` imports torch's compiler, for seconds."""
    return x * x.sign() + 0.0


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    **{name: getattr(torch, name) for name in spec.FUNCTIONS},
    "abs": _absolute,
}

OPERATORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "**": torch.pow,
}


def compile_formula(node: spec.Node) -> Callable[[Tensor, Tensor], Tensor]:
    """The function of x and y, elementwise on float64 tensors that broadcast; twice differentiable by autograd.

    A variable that the formula does not contain has the derivative 0, and the result always has the full shape.
    """
    steps = _steps(node)

    def formula(x: Tensor, y: Tensor) -> Tensor:
        inputs = {"x": x, "y": y}
        stack: list[Tensor] = []
        for step in steps:
            match step:
                case str():
                    stack.append(inputs[step])
                case float():
                    stack.append(torch.tensor(step, dtype=torch.float64, device=x.device))
                case arity, function:
                    operands = stack[len(stack) - arity :]
                    del stack[len(stack) - arity :]
                    stack.append(function(*operands))
        # Adds 0: both inputs are then in the graph of every first and second derivative.
        zero = _attached_zero(x) + _attached_zero(y)
        return stack.pop() + zero * zero

    return formula


def _attached_zero(x: Tensor) -> Tensor:
    """Zeros that depend on x in the graph, with the derivative 0; at inf and nan too."""
    return 0 * x.nan_to_num(0, 0, 0)


Step = str | float | tuple[int, Callable[..., Tensor]]
"""A variable, a number, or the number of operands and the function of them."""


def _steps(node: spec.Node) -> list[Step]:
    """The tree as a program for a stack machine, so that its depth is not limited by recursion."""
    steps: list[Step] = []
    pending: list[spec.Node | tuple[int, Callable[..., Tensor]]] = [node]
    while pending:
        current = pending.pop()
        match current:
            case spec.Number(value=value):
                steps.append(float(value))
            case spec.Variable(name=name):
                steps.append(name)
            case spec.Negative(of=inner):
                pending += [(1, torch.neg), inner]
            case spec.Call(function=function, argument=inner):
                pending += [(1, FUNCTIONS[function]), inner]
            case spec.Binary(operator="**", left=base, right=right) if (exponent := spec.constant(right)) is not None:
                pending += [(1, partial(_power, exponent=exponent)), base]
            case spec.Binary(operator=operator, left=left, right=right):
                pending += [(2, OPERATORS[operator]), right, left]
            case (_, _):
                steps.append(current)
            case _:
                raise TypeError(f"no formula for {current!r}")
    return steps


def _power(base: Tensor, exponent: float) -> Tensor:
    """base ** exponent; integer exponents are exact, and differentiable, at 0 and below."""
    if exponent == -0.5:
        # As a tensor: for the number, torch computes 1/sqrt(x), which is −inf at −0 where the power is +inf.
        return torch.pow(base, torch.tensor(exponent, dtype=torch.float64, device=base.device))
    if not exponent.is_integer() or abs(exponent) > LARGEST_PRODUCT:
        return torch.pow(base, exponent)
    power = _product(base, int(abs(exponent)))
    return power if exponent >= 0 else power.reciprocal()


def _product(base: Tensor, n: int) -> Tensor:
    """base · base · …, n times, by squaring."""
    if n == 0:
        return torch.ones_like(base)
    product = base
    for digit in f"{n:b}"[1:]:
        product = product * product * base if digit == "1" else product * product
    return product
