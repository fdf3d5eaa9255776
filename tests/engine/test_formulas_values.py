"""Values of compiled formulas against numpy: of some by hand, and of random trees."""

import random
from collections.abc import Callable

import numpy as np
import torch

from nnviz.engine.trajectories.formulas import compile_formula
from nnviz.spec.formulas import parse
from tests.each import each
from tests.engine.points import Array, points, tensor


def assert_is(text: str, expected: Array) -> None:
    x, y = points()
    got = compile_formula(parse(text))(tensor(x), tensor(y))
    assert got.dtype == torch.float64
    np.testing.assert_allclose(got.numpy(), np.broadcast_to(expected, x.shape), rtol=1e-12, atol=1e-15, err_msg=text)


# -- values: by hand --------------------------------------------------------------------------------------------------


def by_hand(x: Array, y: Array) -> dict[str, Array]:
    return {
        "x": x,
        "y": y,
        "+x": x,
        "-x": -x,
        "--x": x,
        "x + y": x + y,
        "x - y - 1": (x - y) - 1,
        "x - (y - 1)": x - y + 1,
        "x*y": x * y,
        "x/y": x / y,
        "x/y/2": (x / y) / 2,
        "x/(y/2)": x / (y / 2),
        "x/y*2": (x / y) * 2,
        "-x^2": -(x**2),
        "(-x)^2": x**2,
        "-x**2*y": -(x**2) * y,
        "x**2 + y**2": np.square(x) + np.square(y),
        "x^3 - 3*x*y^2": x * x * x - 3 * x * y * y,
        "x**0": np.ones_like(x),
        "x**1": x,
        "x**-1": 1 / x,
        "x**-2": 1 / (x * x),
        "x**(1+1)": x * x,
        "x**(6/2)": x * x * x,
        "x**7": np.power(x, 7),
        "x**16": np.power(x, 16),
        "x**17": np.power(x, 17),
        "x**100": np.power(x, 100),
        "x**-100": np.power(x, -100.0),
        "x**0.5": np.sqrt(x),
        "x**.5*y": np.sqrt(x) * y,
        "x**1.5": np.power(x, 1.5),
        "x**-0.5": np.power(x, -0.5),
        "(x**2)**(1/3)": np.power(x * x, 1 / 3),
        "x**y": np.power(x, y),
        "2**x": np.exp2(x),
        "2**3**2 + x": 512 + x,
        "(2**3)**2 + x": 64 + x,
        "2**-x**2": np.exp2(-(x**2)),
        "e**x": np.power(np.e, x),
        "(-2)**x": np.power(-2.0, x),
        "pi*x + e*y": np.pi * x + np.e * y,
        "1e-3*x + 1E2*y": 0.001 * x + 100 * y,
        "2": np.full_like(x, 2.0),
        "1/0": np.full_like(x, np.inf),
        "0/0": np.full_like(x, np.nan),
        "-1/0 + x": np.full_like(x, -np.inf),
        "sqrt(-1)*x": np.full_like(x, np.nan),
        "exp(1000)": np.full_like(x, np.inf),
        "sin(x)": np.sin(x),
        "cos(y)": np.cos(y),
        "tan(x/2)": np.tan(x / 2),
        "asin(x)": np.arcsin(x),
        "acos(x)": np.arccos(x),
        "atan(x*y)": np.arctan(x * y),
        "sinh(x)": np.sinh(x),
        "cosh(x)": np.cosh(x),
        "tanh(x)": np.tanh(x),
        "exp(-x)": np.exp(-x),
        "log(x)": np.log(x),
        "ln(x)": np.log(x),
        "log10(x)": np.log10(x),
        "log2(x)": np.log2(x),
        "sqrt(x)": np.sqrt(x),
        "abs(x - y)": np.abs(x - y),
        "sigmoid(4*x)": 1 / (1 + np.exp(-4 * x)),
        "sigmoid(-300*x**2)": 1 / (1 + np.exp(300 * x**2)),
        "(1 - x)**2 + 100*(y - x**2)**2": (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        "(x**2 + y - 11)**2 + (x + y**2 - 7)**2": (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
        "20 + x**2 + y**2 - 10*(cos(2*pi*x) + cos(2*pi*y))": (
            20 + x**2 + y**2 - 10 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))
        ),
        "exp(-(x^2 + y^2)/2)/(2*pi)": np.exp(-(x**2 + y**2) / 2) / (2 * np.pi),
        "sin(x)*cos(y) + ln(1 + x^2)/sqrt(2 + y^2)": (np.sin(x) * np.cos(y) + np.log(1 + x**2) / np.sqrt(2 + y**2)),
    }


with np.errstate(all="ignore"):
    HAND = by_hand(*points())


@each("text", HAND)
def test_values_are_those_of_numpy(text):
    assert_is(text, HAND[text])


# -- values: random trees ---------------------------------------------------------------------------------------------

NUMPY = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sqrt", "abs")},
    **dict(zip(("asin", "acos", "atan"), (np.arcsin, np.arccos, np.arctan), strict=True)),
    **dict(zip(("log", "ln", "log10", "log2"), (np.log, np.log, np.log10, np.log2), strict=True)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def numpy_power(base: Array, exponent: Array) -> Array:
    """x**0.5 is the root, as `x**0.5` is in numpy: the two differ at −inf."""
    return np.sqrt(base) if np.ndim(exponent) == 0 and exponent == 0.5 else np.power(base, exponent)


ARITHMETIC = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": numpy_power, "^": numpy_power}


def some_tree(rng: random.Random, depth: int) -> tuple:
    """("x",), (number text,), ("-", tree), (function, tree) or (tree, operator, tree)."""
    if depth == 0 or rng.random() < 0.1:
        return (rng.choice(["x", "y", "x", "y", "pi", "e", "2", "3", ".5", "1.25", "7e-1", "0.1e1"]),)
    match rng.choice(["call", "call", "binary", "binary", "binary", "power", "sign"]):
        case "call":
            return rng.choice(list(NUMPY)), some_tree(rng, depth - 1)
        case "sign":
            return "-", some_tree(rng, depth - 1)
        case "power":
            exponent = (rng.choice(["0", "1", "2", "3", "5", "20", "0.5", "1.5"]),)
            if rng.random() < 0.3:
                exponent = rng.choice([("-", exponent), some_tree(rng, depth - 1)])
            return some_tree(rng, depth - 1), rng.choice(["**", "^"]), exponent
    return some_tree(rng, depth - 1), rng.choice("+-*/"), some_tree(rng, depth - 1)


def written(tree: tuple, rng: random.Random) -> str:
    """The tree as a text in which parentheses say all that belongs together."""
    space = rng.choice(["", " "])
    match tree:
        case (leaf,):
            return leaf
        case ("-", inner):
            return f"(-{written(inner, rng)})"
        case (str() as function, inner):
            return f"{function}({space}{written(inner, rng)})"
        case (left, operator, right):
            return f"({written(left, rng)}{space}{operator}{space}{written(right, rng)})"
    raise AssertionError(tree)


def by_numpy(tree: tuple, x: Array, y: Array, noise: Callable[[Array], Array] = lambda value: value) -> Array:
    """The tree's value by numpy; `noise` is put on every intermediate result."""
    match tree:
        case (leaf,):
            known = {"x": x, "y": y, "pi": np.float64(np.pi), "e": np.float64(np.e)}
            return known[leaf] if leaf in known else np.float64(leaf)
        case ("-", inner):
            return -by_numpy(inner, x, y, noise)
        case (str() as function, inner):
            return noise(NUMPY[function](by_numpy(inner, x, y, noise)))
        case (left, operator, right):
            return noise(ARITHMETIC[operator](by_numpy(left, x, y, noise), by_numpy(right, x, y, noise)))
    raise AssertionError(tree)


def is_well_conditioned(tree: tuple, value: Array) -> bool:
    """Whether a few units in the last place of every intermediate result leave 13 digits of the value alone."""
    x, y = points()
    rng = np.random.default_rng(0)
    for _ in range(4):
        noisy = by_numpy(tree, x, y, lambda v: v * (1 + 1e-15 * rng.uniform(-1, 1, np.shape(v))))
        finite = np.isfinite(value)
        if (np.isfinite(noisy) != finite).any() or (np.isnan(noisy) != np.isnan(value)).any():
            return False
        if (np.abs(noisy - value)[finite] > 1e-13 * np.abs(value)[finite]).any():
            return False
    return True


def some_formulas(n: int) -> dict[str, Array]:
    """n random formulas, finite somewhere, with their values by numpy."""
    rng, found = random.Random(0), {}
    x, y = points()
    while len(found) < n:
        tree = some_tree(rng, rng.randint(2, 5))
        text = written(tree, rng)
        if len(text) > 300 or not {"x", "y"} & set(text):
            continue
        with np.errstate(all="ignore"):
            value = np.broadcast_to(by_numpy(tree, x, y), x.shape)
            if not np.isfinite(value).sum() >= 10 or not is_well_conditioned(tree, value):
                continue
        try:
            parse(text)
        except ValueError as error:
            if "the exponent" in str(error):
                continue
            raise
        found[text] = value
    return found


RANDOM = some_formulas(200)


@each("text", RANDOM)
def test_values_of_random_trees_are_those_of_numpy(text):
    assert_is(text, RANDOM[text])


def test_random_trees_use_every_function_and_operator():
    for word in [*NUMPY, *ARITHMETIC]:
        assert sum(word in text for text in RANDOM) >= 3, word
