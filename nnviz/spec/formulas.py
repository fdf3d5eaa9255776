"""Formulas f(x, y) that a reader types: text -> tree -> text. What is not on the list is refused; nothing is executed.

    sum:      product (("+" | "-") product)*
    product:  signed (("*" | "/") signed)*
    signed:   ("-" | "+") signed | power
    power:    operand [("**" | "^") signed]              x**-y, and 2**3**2 = 2**9
    operand:  number | x | y | pi | e | function "(" sum ")" | "(" sum ")"

So −x**2 is −(x**2), as in Python and on paper.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from operator import add, mul, sub, truediv
from typing import Literal, NoReturn

MAX_CHARACTERS, MAX_NODES, MAX_DEPTH, MAX_EXPONENT = 300, 200, 40, 100


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number, not negative; pi and e are numbers too."""

    value: float


@dataclass(frozen=True, slots=True)
class Variable:
    """x or y."""

    name: Literal["x", "y"]


@dataclass(frozen=True, slots=True)
class Negative:
    """−of."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """left operator right."""

    operator: Literal["+", "-", "*", "/", "**"]
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """function(argument), the function by its first spelling: log, never ln."""

    function: str
    argument: "Node"


Node = Number | Variable | Negative | Binary | Call


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


VARIABLES = ("x", "y")
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}
FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(math, name) for name in ("exp", "log", "log10", "log2", "sqrt")},
    "abs": abs,
    "sigmoid": _sigmoid,
}
"""What can be called, with its value at one number. log is the natural one."""

_ARITHMETIC = {"+": add, "-": sub, "*": mul, "/": truediv, "**": math.pow}
_OTHER_SPELLINGS = {"ln": "log", "^": "**"}
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
_SIGN, _OPERAND = 3, 5


# -- trees ------------------------------------------------------------------------------------------------------------


def postorder(node: Node) -> Iterator[Node]:
    """Every node after its operands, left before right. No recursion, so that a tree may be as deep as it likes."""
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        here, ready = waiting.pop()
        if ready:
            yield here
            continue
        waiting.append((here, True))
        match here:
            case Negative(of=inner) | Call(argument=inner):
                waiting.append((inner, False))
            case Binary(left=left, right=right):
                waiting += [(right, False), (left, False)]


KINKED = ("abs", "sqrt", "asin", "acos", "log", "log10", "log2")
"""Functions that have no derivative somewhere on or at the edge of where they have values."""


def may_have_kinks(node: Node) -> bool:
    """Whether some part of a formula may have no derivative where the whole has a value."""
    for here in postorder(node):
        match here:
            case Call(function=function) if function in KINKED:
                return True
            case Binary(operator="**", right=right) if not float(constant(right) or 0.5).is_integer():
                return True
    return False


def constant(node: Node) -> float | None:
    """The value of a formula without variables, nan where any part of it is not finite; None if it has variables."""
    stack: list[float] = []
    for here in postorder(node):
        if isinstance(here, Variable):
            return None
        try:
            stack.append(_apply(here, stack))
        except (ArithmeticError, ValueError):
            stack.append(math.nan)
        # math.pow(nan, 0) is 1: a part that is not finite must not be forgotten.
        if not math.isfinite(stack[-1]):
            return None if any(isinstance(n, Variable) for n in postorder(node)) else math.nan
    return stack.pop()


def _apply(node: Node, stack: list[float]) -> float:
    match node:
        case Number(value=value):
            return value
        case Negative():
            return -stack.pop()
        case Call(function=function):
            return FUNCTIONS[function](stack.pop())
        case Binary(operator=operator):
            right, left = stack.pop(), stack.pop()
            return _ARITHMETIC[operator](left, right)
    raise TypeError(f"no value for {node!r}")


# -- tree -> text -----------------------------------------------------------------------------------------------------


def show(node: Node) -> str:
    """The formula in canonical text: `parse(show(node)) == node` for every node that `parse` returns."""
    text = _write(node, short=False)
    # Spaces, 0.5 for .5 and ** for ^ can make a text too long to be read back; the short one never outgrows its source.
    return text if len(text) <= MAX_CHARACTERS else _write(node, short=True)


def _write(node: Node, short: bool) -> str:
    stack: list[tuple[str, int]] = []  # texts, and how tightly each holds together

    def operand(tightness: int) -> str:
        text, own = stack.pop()
        return text if own >= tightness else f"({text})"

    for here in postorder(node):
        match here:
            case Number(value=value):
                stack.append((_digits(value, short), _OPERAND if math.copysign(1, value) > 0 else _SIGN))
            case Variable(name=name):
                stack.append((name, _OPERAND))
            case Negative():
                stack.append((f"-{operand(_SIGN)}", _SIGN))
            case Call(function=function):
                name = "ln" if short and function == "log" else function
                stack.append((f"{name}({operand(0)})", _OPERAND))
            case Binary(operator="**"):
                right, left = operand(_SIGN), operand(_OPERAND)
                stack.append((f"{left}{'^' if short else '**'}{right}", _PRECEDENCE["**"]))
            case Binary(operator=operator):
                own = _PRECEDENCE[operator]
                right, left = operand(own + 1), operand(own)
                sign = f" {operator} " if own == _PRECEDENCE["+"] and not short else operator
                stack.append((f"{left}{sign}{right}", own))
    return stack.pop()[0]


def _digits(value: float, short: bool) -> str:
    for name, known in CONSTANTS.items():
        if value == known:
            return name
    if not short:
        return repr(value).removesuffix(".0")
    number = Decimal(repr(value)).normalize()
    sign, digits, exponent = number.as_tuple()
    plain = f"{abs(number):f}"
    plain = plain.removeprefix("0") if "." in plain else plain
    return "-" * sign + min(plain, f"{''.join(map(str, digits))}e{exponent}", key=len)


# -- text -> tree -----------------------------------------------------------------------------------------------------


def parse(text: str) -> Node:
    """The tree of a formula. Raises ValueError with one line: the offending part, where it is, and what is allowed."""
    if len(text) > MAX_CHARACTERS:
        _refuse(
            f"character {MAX_CHARACTERS + 1} of {len(text)} exceeds the limit: use at most {MAX_CHARACTERS} characters"
        )
    for index, character in enumerate(text):
        if not " " <= character <= "~":
            _refuse_character(character, index + 1)
    return _Parser(text).parse()


_NAMES = (*VARIABLES, *CONSTANTS, *FUNCTIONS, "ln")
_KNOWN = f"use {', '.join((*VARIABLES, *CONSTANTS))} or one of {', '.join([*FUNCTIONS, 'ln'])}"
_ALLOWED = "use numbers, x, y, pi, e, + - * / ** ( ) and functions of one argument"
_OPERAND_IS = "a number, x, y, pi, e, a function or ("
_MEANT = dict(zip("−–—×·⋅∙÷∕²³√πхуе", [*"---****//", "**2", "**3", "sqrt", "pi", *"xye"], strict=True))
"""What typesetting and other alphabets (the last three are Cyrillic) put in the place of ASCII."""


def _refuse(problem: str) -> NoReturn:
    raise ValueError(f"f(x, y): {problem}")


def _refuse_character(character: str, position: int) -> NoReturn:
    code = f"U+{ord(character):04X}"
    if character < " " or character == "\x7f":
        _refuse(f"the control character {code} at character {position} is not allowed: {_ALLOWED}")
    plain = _MEANT.get(character) or unicodedata.normalize("NFKC", character)
    meant = f" (did you mean {plain}?)" if len(plain) <= 4 and plain.strip() and plain.isascii() else ""
    name = f'"{character}" ({code})' if character.isprintable() else code
    _refuse(f"{name} at character {position} is not ASCII{meant}: {_ALLOWED}")


def _cut(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:29]}…"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["number", "name", "operator", "(", ")", "other", "end"]
    text: str
    position: int  # from 1

    def __str__(self) -> str:
        return f'"{_cut(self.text)}" at character {self.position}'


_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<operator>\*\*|[-+*/^])|(?P<bracket>[()])|(?P<space> +)|(?P<other>.)"
)


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind, matched = match.lastgroup, match.group()
        if kind != "space":
            yield _Token(matched if kind == "bracket" else kind, matched, match.start() + 1)
    yield _Token("end", "", len(text) + 1)


class _Parser:
    """Precedence climbing over the tokens of one text; `depth` is how many brackets, signs and powers are open."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.index = 0
        self.nodes = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def parse(self) -> Node:
        if self.token.kind == "end":
            _refuse(f"the formula is empty at character {self.token.position}: {_ALLOWED}, as in x**2 + y**2")
        node = self.expression(_PRECEDENCE["+"], 0)
        self.expect("end")
        return node

    def expression(self, loosest: int, depth: int) -> Node:
        """Operands and the operators between them that hold at least as tightly as `loosest`."""
        left = self.operand(depth)
        while self.token.kind == "operator":
            operator = _OTHER_SPELLINGS.get(self.token.text, self.token.text)
            if _PRECEDENCE[operator] < loosest:
                break
            token = self.take()
            if operator == "**":
                first = self.token
                right = self.expression(_SIGN, self.deeper(depth, token))
                self.check_exponent(right, first)
            else:
                right = self.expression(_PRECEDENCE[operator] + 1, depth)
            left = self.counted(Binary(operator, left, right), token)
        return left

    def operand(self, depth: int) -> Node:
        token = self.take()
        match token.kind:
            case "number":
                value = float(token.text)
                if not math.isfinite(value):
                    _refuse(f"{token} is not finite: use numbers up to 1.79e308")
                return self.counted(Number(value), token)
            case "name":
                return self.counted(self.named(token, depth), token)
            case "(":
                return self.bracketed(token, depth)
            case "operator" if token.text in "+-":
                inner = self.expression(_SIGN, self.deeper(depth, token))
                return self.counted(Negative(inner), token) if token.text == "-" else inner
            case "end":
                _refuse(f"nothing follows {self.tokens[self.index - 2]}: {_OPERAND_IS} must follow")
            case "other":
                _refuse(f"{token} is not allowed: {_ALLOWED}")
        _refuse(f"{token} is not allowed there: {_OPERAND_IS} must come first")

    def named(self, token: _Token, depth: int) -> Node:
        name = _OTHER_SPELLINGS.get(token.text, token.text)
        if name in VARIABLES:
            return Variable(name)
        if name in CONSTANTS:
            return Number(CONSTANTS[name])
        if name not in FUNCTIONS:
            self.refuse_name(token)
        if self.token.kind != "(":
            _refuse(f"{token} needs its one argument in parentheses: write {token.text}(x)")
        return Call(name, self.bracketed(self.take(), depth, token.text))

    def bracketed(self, opening: _Token, depth: int, function: str = "") -> Node:
        inner = self.expression(_PRECEDENCE["+"], self.deeper(depth, opening))
        self.expect(")", opening, function)
        return inner

    def expect(self, wanted: Literal[")", "end"], opening: _Token | None = None, function: str = "") -> None:
        """Takes the token that must follow a whole expression, or says what is wrong with the one that does."""
        before, token = self.tokens[self.index - 1], self.token
        match token.kind:
            case kind if kind == wanted:
                self.index += 1
                return
            case "name" if token.text not in _NAMES:
                self.refuse_name(token)
            case "number" | "name" | "(":
                left = "(…)" if before.kind == ")" else _cut(before.text)
                right = "(…)" if token.kind == "(" else _cut(token.text)
                _refuse(f"{token} follows {before} without an operator: to multiply, write {left}*{right}")
            case ")":
                _refuse(f"{token} has no opening parenthesis: remove it, or add the missing (")
            case "end":
                _refuse(f"{opening} is not closed: write ) after what belongs to it")
            case "other" if token.text == "," and function:
                _refuse(f"{token} is not allowed: {function} takes one argument, as all functions do")
        _refuse(f"{token} is not allowed: {_ALLOWED}")

    def refuse_name(self, token: _Token) -> NoReturn:
        close = get_close_matches(token.text[:30].lower(), _NAMES, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        _refuse(f"{token} is not known{meant}: {_KNOWN}")

    def counted(self, node: Node, token: _Token) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            _refuse(f"{token} exceeds the limit: use at most {MAX_NODES} numbers, variables, operators, functions")
        return node

    def deeper(self, depth: int, token: _Token) -> int:
        if depth >= MAX_DEPTH:
            _refuse(
                f"{token} is nested too deeply: use at most {MAX_DEPTH} parentheses, signs and powers inside one "
                "another"
            )
        return depth + 1

    def check_exponent(self, exponent: Node, first: _Token) -> None:
        value = constant(exponent)
        if value is None or abs(value) <= MAX_EXPONENT:
            return
        last = self.tokens[self.index - 1]
        exponent = _cut(self.text[first.position - 1 : last.position - 1 + len(last.text)])
        got = f"is {value:.4g}" if math.isfinite(value) else "has no finite value"
        rule = f"use constants from -{MAX_EXPONENT} to {MAX_EXPONENT}, or variables"
        _refuse(f'the exponent "{exponent}" at character {first.position} {got}: {rule}')
