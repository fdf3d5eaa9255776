"""Compiled formulas: their derivatives against differences, powers, constants, shapes and depth."""

import ast
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.autograd import grad, gradcheck, gradgradcheck

from nnviz.engine.trajectories import formulas
from nnviz.engine.trajectories.formulas import compile_formula
from nnviz.spec.formulas import Binary, Call, Negative, Number, Variable, parse
from tests.each import each
from tests.engine.points import points, tensor

# -- derivatives ------------------------------------------------------------------------------------------------------

SMOOTH = [
    *("x", "y", "2", "x - y", "x*y", "x/(2 + y**2)", "x**2 + y**2", "x**3*y", "x**-2 + y", "x**20", "x**(1+1)*y**5"),
    *(
        "sin(x)*cos(y)",
        "tan(x/3)",
        "asin(x/4)",
        "acos(y/4)",
        "atan(x*y)",
        "sinh(x)",
        "cosh(y)",
        "tanh(x + y)",
        "exp(x)",
    ),
    *("log(x**2 + 1)", "log10(4 + x)", "log2(4 + y)", "sqrt(x**2 + 1)", "sigmoid(2*x - y)", "abs(x + 10)", "2**x"),
    *("(x + 4)**y", "(x + 4)**1.5", "e**(-x^2 - y^2)", "(1 - x)**2 + 100*(y - x**2)**2", "sin(cos(sin(x*y)))"),
    "20 + x**2 + y**2 - 10*(cos(2*pi*x) + cos(2*pi*y))",
]
every_smooth = each("text", SMOOTH)


@every_smooth
def test_gradients_are_those_of_central_differences(text):
    f = compile_formula(parse(text))
    x, y = (tensor(p[12:]).requires_grad_() for p in points())
    h = 1e-5
    for got, plus, minus in zip(
        grad(f(x, y).sum(), (x, y)), (f(x + h, y), f(x, y + h)), (f(x - h, y), f(x, y - h)), strict=True
    ):
        torch.testing.assert_close(got, ((plus - minus) / (2 * h)).detach(), rtol=1e-6, atol=1e-6)


@every_smooth
def test_first_and_second_derivatives_pass_the_check_of_torch(text):
    f = compile_formula(parse(text))
    x, y = (tensor([-1.3, 0.4, 2.1]).requires_grad_(), tensor([0.7, -1.6, 1.1]).requires_grad_())
    assert gradcheck(f, (x, y))
    assert gradgradcheck(f, (x, y))


def hessian(f: Callable[[Tensor, Tensor], Tensor], x: float, y: float) -> list[list[float]]:
    """By two calls of autograd that ask for both inputs each, as a caller without special cases does."""
    a, b = tensor(x).requires_grad_(), tensor(y).requires_grad_()
    first = grad(f(a, b), (a, b), create_graph=True)
    return [[float(g) for g in grad(d, (a, b), retain_graph=True)] for d in first]


@each(
    ("text", "expected"),
    {
        "3": [[0, 0], [0, 0]],
        "1/0": [[0, 0], [0, 0]],
        "2*x": [[0, 0], [0, 0]],
        "x - 5*y": [[0, 0], [0, 0]],
        "x**2": [[2, 0], [0, 0]],
        "x*y": [[0, 1], [1, 0]],
        "x**2 + 3*x*y + 5*y**2": [[2, 3], [3, 10]],
        "x**3*y**2": [[6 * 2 * 9, 3 * 4 * 2 * 3], [3 * 4 * 2 * 3, 2 * 8]],
    }.items(),
)
def test_hessians_are_those_on_paper(text, expected):
    assert hessian(compile_formula(parse(text)), 2.0, 3.0) == expected


def test_transforms_of_torch_differentiate_a_formula_too():
    f = compile_formula(parse("x**2*y + 3*x"))
    both = torch.func.jacrev(torch.func.jacrev(f, (0, 1)), (0, 1))(tensor(2.0), tensor(3.0))
    assert [[float(d) for d in row] for row in both] == [[6.0, 4.0], [4.0, 0.0]]
    slopes = torch.func.vmap(torch.func.grad(f))(tensor([1.0, 2.0]), tensor([3.0, 4.0]))
    assert slopes.tolist() == [9.0, 19.0]


# -- powers -----------------------------------------------------------------------------------------------------------


@each("n", range(21))
def test_whole_powers_of_whole_numbers_are_exact_and_smooth_at_0_and_below(n):
    f = compile_formula(parse(f"x**{n}"))
    bases = [b for b in (-3, -2, -1, 0, 1, 2, 3) if abs(b) ** n < 2**53]
    x = tensor(bases).requires_grad_()
    value = f(x, tensor(0.0))
    (first,) = grad(value.sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    if n <= formulas.LARGEST_PRODUCT:
        assert value.tolist() == [b**n for b in bases]
    torch.testing.assert_close(value, tensor([float(b**n) for b in bases]))
    torch.testing.assert_close(first, tensor([float(n * b ** (n - 1)) if n else 0.0 for b in bases]))
    torch.testing.assert_close(second, tensor([float(n * (n - 1) * b ** (n - 2)) if n > 1 else 0.0 for b in bases]))


@each("n", range(1, 17))
def test_negative_whole_powers_are_exact_at_powers_of_2(n):
    f = compile_formula(parse(f"x**-{n}"))
    assert f(tensor([-2.0, 2.0, -1.0]), tensor(0.0)).tolist() == [(-0.5) ** n, 0.5**n, (-1.0) ** n]


def test_roots_of_negative_numbers_are_nan():
    for text in ("x**0.5", "x**(1/2)", "x**-0.5", "x**(1/3)", "sqrt(x)", "x**y"):
        assert compile_formula(parse(text))(tensor(-4.0), tensor(0.5)).isnan(), text


def test_minus_0_has_the_roots_of_0():
    for text, expected in (("(-x)**0.5", 0.0), ("(-x)**-0.5", math.inf), ("(-x)**-1.5", math.inf)):
        assert compile_formula(parse(text))(tensor(0.0), tensor(0.0)).item() == expected, text


def test_a_variable_exponent_is_numpys_at_0():
    f = compile_formula(parse("x**y"))
    assert f(tensor([0.0, 0.0, 0.0, -2.0]), tensor([0.0, 2.0, -1.0, 3.0])).tolist() == [1, 0, math.inf, -8]


# -- shapes, constants, depth -----------------------------------------------------------------------------------------


@each("text", ["2", "x", "y", "x*y + 1", "pi**2", "x**0", "1/0"])
@each(
    ("x", "y", "expected"),
    [((), (), ()), ((3,), (3,), (3,)), ((4, 1), (5,), (4, 5)), ((2, 3), (), (2, 3)), ((0,), (1,), (0,))],
)
def test_the_result_has_the_shape_that_the_inputs_broadcast_to(text, x, y, expected):
    a, b = (torch.ones(s, dtype=torch.float64, requires_grad=True) for s in (x, y))
    value = compile_formula(parse(text))(a, b)
    assert value.shape == expected
    assert value.dtype == torch.float64
    assert [g.shape for g in grad(value.sum(), (a, b))] == [x, y]


@each("text", ["0", "2", "-pi", "1/0", "0/0", "2**0.5", "sin(1)"])
def test_a_constant_has_the_gradient_0(text):
    x, y = tensor([0.0, -1.0, math.inf, math.nan]).requires_grad_(), tensor(2.0).requires_grad_()
    slopes = grad(compile_formula(parse(text))(x, y).sum(), (x, y))
    assert slopes[0].tolist() == [0.0] * 4
    assert slopes[1].item() == 0.0


def test_a_variable_that_is_not_used_changes_nothing_even_at_infinity():
    f = compile_formula(parse("x + 1"))
    assert f(tensor([1.0, 1.0]), tensor([math.inf, math.nan])).tolist() == [2.0, 2.0]


def test_inputs_are_left_as_they_are():
    x, y = tensor([1.0, 2.0]), tensor([3.0, 4.0])
    for text in ("x", "y", "x**2", "abs(x)", "-y"):
        value = compile_formula(parse(text))(x, y)
        value += 1
    assert (x.tolist(), y.tolist()) == ([1.0, 2.0], [3.0, 4.0])


@pytest.mark.parametrize("shape", ["left", "right", "signs", "calls"])
def test_a_tree_made_by_hand_may_be_deep(shape):
    x, node, n = Variable("x"), Variable("x"), 20_000
    for _ in range(n):
        match shape:
            case "left":
                node = Binary("+", node, x)
            case "right":
                node = Binary("+", x, node)
            case "signs":
                node = Negative(node)
            case "calls":
                node = Call("abs", node)
    at = tensor([3.0]).requires_grad_()
    value = compile_formula(node)(at, tensor([0.0]))
    (slope,) = grad(value.sum(), at)
    times = n + 1 if shape in ("left", "right") else 1
    assert (value.item(), slope.item()) == (3.0 * times, times)


@pytest.mark.parametrize("text", ["x" + "+x" * 99, "(" * 40 + "x" + ")" * 40, "x" + "**x" * 40, "-" * 40 + "x"])
def test_the_largest_formulas_that_can_be_read_are_computed(text):
    assert compile_formula(parse(text))(tensor(1.0), tensor(1.0)).isfinite()


def test_something_else_than_a_formula_is_refused():
    with pytest.raises(TypeError, match="no formula for 'x'"):
        compile_formula(Binary("+", Number(1.0), "x"))


def test_nothing_is_executed():
    names = {n.id for n in ast.walk(ast.parse(Path(formulas.__file__).read_text())) if isinstance(n, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__", "globals", "open"}
