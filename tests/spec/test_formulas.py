"""Formulas: how they are read, that they can be written and read again, and what those without variables are worth."""

import ast
import math
import sys

import pytest

from nnviz.spec import formulas
from nnviz.spec.formulas import Binary, Call, Negative, Node, Number, Variable, constant, parse, postorder, show
from tests.each import each
from tests.spec.formula_texts import some_texts

X, Y = Variable("x"), Variable("y")


def power(left: Node, right: Node) -> Node:
    return Binary("**", left, right)


# -- reading ----------------------------------------------------------------------------------------------------------

READ = {
    "x": X,
    " x ": X,
    "((x))": X,
    "+x": X,
    "x - +y": Binary("-", X, Y),
    "2": Number(2.0),
    "2.": Number(2.0),
    ".5": Number(0.5),
    "1e3": Number(1000.0),
    "1.5E-3": Number(0.0015),
    "1e+2": Number(100.0),
    "pi": Number(math.pi),
    "e": Number(math.e),
    "2*e": Binary("*", Number(2.0), Number(math.e)),
    "-x^2": Negative(power(X, Number(2.0))),
    "-x**2": Negative(power(X, Number(2.0))),
    "(-x)**2": power(Negative(X), Number(2.0)),
    "x**-2": power(X, Negative(Number(2.0))),
    "x**-y**2": power(X, Negative(power(Y, Number(2.0)))),
    "2^3^2": power(Number(2.0), power(Number(3.0), Number(2.0))),
    "2**3^2": power(Number(2.0), power(Number(3.0), Number(2.0))),
    "(x^y)^2": power(power(X, Y), Number(2.0)),
    "2*x**2": Binary("*", Number(2.0), power(X, Number(2.0))),
    "x**2*y": Binary("*", power(X, Number(2.0)), Y),
    "-x*y": Binary("*", Negative(X), Y),
    "x*-y": Binary("*", X, Negative(Y)),
    "--x": Negative(Negative(X)),
    "x-y-1": Binary("-", Binary("-", X, Y), Number(1.0)),
    "x-(y-1)": Binary("-", X, Binary("-", Y, Number(1.0))),
    "x/y/2": Binary("/", Binary("/", X, Y), Number(2.0)),
    "x/y*2": Binary("*", Binary("/", X, Y), Number(2.0)),
    "x+y*2": Binary("+", X, Binary("*", Y, Number(2.0))),
    "sin(x)": Call("sin", X),
    "sin (x)": Call("sin", X),
    "ln(x)": Call("log", X),
    "log(x)": Call("log", X),
    "log10(log2(x))": Call("log10", Call("log2", X)),
    "sin(x)**2": power(Call("sin", X), Number(2.0)),
    "-sin(x)": Negative(Call("sin", X)),
}


@each("text", READ)
def test_a_formula_is_read_as_on_paper(text):
    assert parse(text) == READ[text]


@each("function", formulas.FUNCTIONS)
def test_every_function_can_be_called(function):
    assert parse(f"{function}(x + 1)") == Call(function, Binary("+", X, Number(1.0)))


def as_python_reads_it(text: str) -> Node:
    """The same tree by way of Python's own grammar."""
    return _converted(ast.parse(text.replace("^", "**").strip(), mode="eval").body)


def _converted(node: ast.expr) -> Node:
    match node:
        case ast.Constant(value=value):
            return Number(float(value))
        case ast.Name(id="pi"):
            return Number(math.pi)
        case ast.Name(id="e"):
            return Number(math.e)
        case ast.Name(id=name):
            return Variable(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negative(_converted(operand))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _converted(operand)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return Call({"ln": "log"}.get(name, name), _converted(argument))
        case ast.BinOp(left=left, op=operator, right=right):
            signs = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
            return Binary(signs[type(operator)], _converted(left), _converted(right))
    raise AssertionError(ast.dump(node))


RANDOM = some_texts(500)


def test_precedence_is_that_of_python():
    for text in RANDOM:
        assert parse(text) == as_python_reads_it(text), text


# -- writing ----------------------------------------------------------------------------------------------------------


@each(
    ("text", "canonical"),
    {
        "-x^2": "-x**2",
        "((x))+(y)": "x + y",
        "x-(y-1)": "x - (y - 1)",
        "(x-y)-1": "x - y - 1",
        "x/(y*2)": "x/(y*2)",
        "(x*y)*2": "x*y*2",
        "-(x*y)": "-(x*y)",
        "(-x)*y": "-x*y",
        "(-x)**2": "(-x)**2",
        "2^(3^x)": "2**3**x",
        "(2^3)^x": "(2**3)**x",
        "x**(-y)": "x**-y",
        "x**(y+1)": "x**(y + 1)",
        "sin((x))": "sin(x)",
        "ln( x )": "log(x)",
        "2.50*x": "2.5*x",
        "3.141592653589793*e": "pi*e",
    }.items(),
)
def test_the_canonical_text_has_only_the_parentheses_it_needs(text, canonical):
    assert show(parse(text)) == canonical


LONG = [
    "+".join(["x"] * 100),
    "+".join(["1e9"] * 75),
    "*".join([".5^.5"] * 50),
    "+".join(["ln(.5)"] * 43),
    "/".join(["x^-.5"] * 40),
    "-".join(["5e-324"] * 42),
    "ln(.5^" * 20 + "x" + ")" * 20,
    "+".join(["1e9*1e-9"] * 33),
    "x" + " " * 298 + "",
]


@each("text", [*READ, *LONG])
def test_what_is_shown_is_read_as_the_same_formula(text):
    node = parse(text)
    assert parse(show(node)) == node
    assert show(parse(show(node))) == show(node)


def test_what_is_shown_of_random_formulas_is_read_as_the_same_formula():
    for text in RANDOM:
        assert parse(show(parse(text))) == parse(text), text


@each("value", [0.0, 0.1, 1 / 3, 1e16, 1e17 / 3, 123456789.0, 1e-5, 1.5e-7, 5e-324, sys.float_info.max])
@each("short", [False, True])
def test_numbers_are_shown_to_the_last_bit(value, short):
    assert parse(formulas._write(Number(value), short)) == Number(value)


def test_a_negative_number_made_by_hand_is_shown_like_a_sign():
    assert show(power(Number(-2.0), X)) == "(-2)**x"
    assert show(Binary("-", X, Number(-0.5))) == "x - -0.5"


def test_a_tree_made_by_hand_may_be_deep():
    node = X
    for _ in range(20_000):
        node = Negative(node)
    assert show(node) == "-" * 20_000 + "x"
    assert sum(1 for _ in postorder(node)) == 20_001


# -- constants --------------------------------------------------------------------------------------------------------


@each(
    ("text", "value"),
    [
        *[("2", 2), ("-2**2", -4), ("7/2 - 1", 2.5), ("sin(pi/2)", 1), ("log(e)", 1), ("abs(-3)", 3), ("sqrt(16)", 4)],
        *[("sigmoid(0)", 0.5), ("sigmoid(-1000)", 0), ("sigmoid(1000)", 1), ("log2(8)*log10(100)", 6), ("tanh(0)", 0)],
    ],
)
def test_a_formula_without_variables_has_a_value(text, value):
    assert constant(parse(text)) == pytest.approx(value, rel=1e-15, abs=1e-300)


@each("text", ["1/0", "log(0)", "sqrt(-1)", "(-1)**0.5", "exp(1000)", "1/exp(1000)", "tanh(1/0)"])
def test_a_constant_with_a_part_that_is_not_finite_is_nan(text):
    assert math.isnan(constant(parse(text)))


@each("text", ["x", "2*y", "x - x", "0*x", "1/0 + x", "sin(x)*2"])
def test_a_formula_with_variables_has_no_constant(text):
    assert constant(parse(text)) is None
