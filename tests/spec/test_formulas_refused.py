"""What is no formula: it goes beyond a limit or has a part that is not known; one line says where, and at once."""

import ast
import random
import sys
from pathlib import Path

import pytest

from nnviz.spec import formulas
from nnviz.spec.formulas import parse, show
from tests.each import each
from tests.spec.formula_texts import refusal

# -- limits -----------------------------------------------------------------------------------------------------------


@each(
    ("good", "bad", "rule"),
    [
        ("x" + " " * 299, "x" + " " * 300, "character 301 of 301 exceeds the limit: use at most 300 characters"),
        ("+".join(["x"] * 100), "+".join(["x"] * 100) + "+x", '"+" at character 200 exceeds the limit'),
        ("-" + "+".join(["x"] * 100), "--" + "+".join(["x"] * 100), "exceeds the limit: use at most 200"),
        (
            "(" * 40 + "x" + ")" * 40,
            "(" * 41 + "x" + ")" * 41,
            '"(" at character 41 is nested too deeply: use at most 40',
        ),
        ("-" * 40 + "x", "-" * 41 + "x", '"-" at character 41 is nested too deeply'),
        ("+" * 40 + "x", "+" * 41 + "x", '"+" at character 41 is nested too deeply'),
        ("x" + "^x" * 40, "x" + "^x" * 41, '"^" at character 82 is nested too deeply'),
        ("ln(" * 40 + "x" + ")" * 40, "ln(" * 41 + "x" + ")" * 41, '"(" at character 123 is nested too deeply'),
        ("x**100", "x**100.001", 'the exponent "100.001" at character 4 is 100: use constants from -100 to 100'),
        ("x**-100", "x**-101", 'the exponent "-101" at character 4 is -101'),
        ("x**(99+1)", "x**(99+2)", 'the exponent "(99+2)" at character 4 is 101'),
        ("9**9**2", "9**9**9", 'the exponent "9**9" at character 4 is 3.874e+08'),
        ("2**2**2**2", "2**2**2**2**2", 'the exponent "2**2**2**2" at character 4 is 6.554e+04'),
        ("x**exp(4)", "x**exp(5)", 'the exponent "exp(5)" at character 4 is 148.4'),
        ("x**(1/2)", "x**(1/0)", 'the exponent "(1/0)" at character 4 has no finite value'),
        ("x**(9**9*y)", "x**(9**9*1)", "use constants from -100 to 100, or variables"),
        ("1e308", "1e309", '"1e309" at character 1 is not finite: use numbers up to 1.79e308'),
        ("9" * 300, "x+" + "9" * 298 + "e9", None),
    ],
)
def test_a_limit_is_met_by_the_one_and_not_by_the_other(good, bad, rule):
    parse(good)
    with pytest.raises(ValueError, match=r"^f\(x, y\): ") as caught:
        parse(bad)
    assert (rule or "exceeds the limit") in str(caught.value)


# -- refusals ---------------------------------------------------------------------------------------------------------

SAID = {
    "x**2 + z": '"z" at character 8 is not known: use x, y, pi, e or one of sin, cos, tan, asin, acos, atan, sinh, '
    "cosh, tanh, exp, log, log10, log2, sqrt, abs, sigmoid, ln",
    "x + sine(y)": '"sine" at character 5 is not known (did you mean sin?): use x, y, pi, e or one of',
    "X": '"X" at character 1 is not known (did you mean x?)',
    "arctan(x)": "(did you mean atan?)",
    "2x": '"x" at character 2 follows "2" at character 1 without an operator: to multiply, write 2*x',
    "2 (x)": '"(" at character 3 follows "2" at character 1 without an operator: to multiply, write 2*(…)',
    "(x)y": "to multiply, write (…)*y",
    "x(2)": "to multiply, write x*(…)",
    "x y": "to multiply, write x*y",
    "2sin(x)": "to multiply, write 2*sin",
    "2e": "to multiply, write 2*e",
    "x..y": '"." at character 2 is not allowed: use numbers, x, y, pi, e, + - * / ** ( ) and functions of one argument',
    ",": '"," at character 1 is not allowed: use numbers',
    "": "the formula is empty at character 1: use numbers",
    "   ": "the formula is empty at character 4: use numbers",
    "sin x": '"sin" at character 1 needs its one argument in parentheses: write sin(x)',
    "sin": "write sin(x)",
    "sin()": '")" at character 5 is not allowed there: a number, x, y, pi, e, a function or ( must come first',
    "atan(x, y)": '"," at character 7 is not allowed: atan takes one argument',
    "(x": '"(" at character 1 is not closed: write )',
    "sin(x": '"(" at character 4 is not closed: write )',
    "x)": '")" at character 2 has no opening parenthesis',
    "x +": 'nothing follows "+" at character 3: a number, x, y, pi, e, a function or ( must follow',
    "*x": '"*" at character 1 is not allowed there',
    "x // y": '"/" at character 4 is not allowed there',
    "1_000": '"_000" at character 2 is not known',
    "x − y": '"−" (U+2212) at character 3 is not ASCII (did you mean -?): use numbers',
    "2·x": "(did you mean *?)",
    "2π": '"π" (U+03C0) at character 2 is not ASCII (did you mean pi?)',
    "x²": "(did you mean **2?)",
    "ｘ": '"ｘ" (U+FF58) at character 1 is not ASCII (did you mean x?)',
    "х": '"х" (U+0445) at character 1 is not ASCII (did you mean x?)',
    "x\x00": "the control character U+0000 at character 2 is not allowed: use",
    "x\ny": "the control character U+000A at character 2",
    "\ud800": "U+D800 at character 1 is not ASCII: use",
    "x + \u202ey": "U+202E at character 5 is not ASCII: use",
    "x" * 10**6: "character 301 of 1000000 exceeds the limit",
}


@each("text", SAID)
def test_a_refusal_names_the_part_the_place_and_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"^f\(x, y\): ") as caught:
        parse(text)
    assert SAID[text] in str(caught.value)


PYTHON = """
x.__class__|x.real|().__class__|(1).__class__|"".__class__|''|'x'|"x"|f'{x}'|f"{x}"|r'x'|b'x'|rb'x'|'''x'''|x.y|x . y
__import__('os')|__import__|__builtins__|__name__|__class__|__x|x__|_|_x|x_|eval(x)|eval('x')|exec(x)|compile(x)|open(x)
globals()|locals()|vars()|dir()|getattr(x, y)|print(x)|input()|breakpoint()|exit()|help|os|os.system(x)|math.sin(x)
np.sin(x)|torch.exp(x)|sin.__call__(x)|sin(x)(y)|(sin)(x)|sin(x, y)|sin(x,)|sin(*x)|sin(**x)|sin(x=1)|sin(x for x in y)
atan2(x, y)|max(x, y)|min(x)|pow(x, 2)|round(x)|floor(x)|sign(x)|relu(x)|hypot(x, y)|log1p(x)|expm1(x)|cbrt(x)|gamma(x)
lambda: x|lambda x: x|(lambda x: x)(1)|[x]|[]|[x for x in y]|{x}|{}|{x: y}|{x for x in y}|(x for x in y)|(x, y)|x, y|x,
x[0]|x[y]|x[:]|x[::2]|x[0][0]|x := 1|(x := 1)|x = 1|x == y|x != y|x < y|x > y|x <= y|x >= y|x <> y|1 < x < 2|x is y
x in y|not x|x and y|x or y|x if y else 1|x & y|x && y|x ^^ y|~x|!x|x!|x << 2|x >> 2|x // y|x % y|x @ y|x ? y
x; y|x;|x:|x: y|# x|x # y|x \\ y|`x`|$x|x$|@x|x?|x -> y|...|None|True|False|nan|inf|NaN|Infinity|yield x|await x
return x|import os|del x|pass|assert x|raise x|async|while x|global x|1j|2j*x|0x10|0b1|0o7|1_000|1__0|1e|1e+|1.e+|1ee2
1.2.3|1..2|x..y|..|.|.e5|e5|1 2|x 2|2 x|2x|2pi|xy|yx|x2|pix|2(x)|(x)(y)|(x)2|pi(x)|e(x)|x(y)|X|Y|Pi|PI|E|SIN(x)|Sin(x)
z|t|theta|foo|foo(x)|sine(x)|sin|sin x|sin + x|sin()|sin( )|sin(sin)|sin^2(x)|()|( )|(()|())|(|)|((|))|)(|x)|(x|x))|((x)
(x]|[x)|+|-|*|/|**|^|x+|x-|x*|x/|x**|x^|*x|/x|**x|^x|x***y|x^*y|x*/y|x+*y|x-/y|x * * y|x^^y|sin(x|sin x)|sin(x))|-()
9**9**9|9^9^9|9**9**9**9|x**101|x**-101|x**1e3|x**(10*11)|x**(1/0)|x**log(0)|x**sqrt(-1)|x**exp(9)|x**-(9**9)|2**2**9
x**(0/0)|x**(-1)**0.5|1e999|-1e400|x+1e309|x**1e999|x**9999999999999999999999|x**x**101|x**(5**3)|(x**2)**1000
"""
UNICODE = """
ｘ|ｙ|ｓｉｎ(x)|х|у|е|𝑥|𝐱|ⅹ|χ|ｘ+ｙ|π|Π|τ|∞|√x|∑x|∂x|x²|x³|x⁻¹|ˣ|½|٣|३|３|1３|𝟛|๓|〇|x＋y|x−y|x–y|x—y|x×y|x·y|x⋅y|x÷y|x∕y
（x）|x｟y|ⓧ|é|e\u0301|sin\u200b(x)|x\u00a0+y|x\u2003y|\u3000x|x\u2028y|x\u2029|\ufeffx|x\u202e+y|x\ud800|\udfffx|\udc80
😀|x+😀|\U0010ffff|\ue000|x\u0085|x\u00ad|s\u0131n(x)|s\u0456n(x)|ſin(x)|ﬁ|ａｂｓ(x)|“x”|‘x’|x‑y|x⁄y|＿|：|，|；|x∧y|≤|≠
"""
HOSTILE = [
    *(
        "x | y",
        "x || y",
        "x|y",
        "|",
        "",
        " ",
        "   ",
        " " * 300,
        " " * 10**6,
        "\x00",
        "x\x00",
        "x\x00y",
        "\x00" * 300,
        "x\n",
        "\nx",
        "x\r\ny",
        "x\ty",
    ),
    *("\x1b[31mx", "x\x7f", "x\x0b", "x\x0c", "\x85", "\x1cx", "x" * 10**6, "(" * 10**6, ")" * 10**6, "-" * 10**6),
    *("9" * 10**6, "9" * 301, "**" * 10**5, "x+" * 10**5 + "x", "sin(" * 10**5, "\ud800" * 10**6, "ｘ" * 10**6),
    *("(" * 300, ")" * 300, "-" * 300, "+" * 300, "^" * 300, "." * 300, "," * 300, "e" * 300, "_" * 300, "s" * 300),
    *("(" * 150 + ")" * 150, "(" * 149 + "x" + ")" * 149, "-" * 299 + "x", "x^" * 149 + "x", "9**" * 75 + "9"),
    *("sin(" * 60 + "x" + ")" * 60, "ln(" * 74 + "x" + ")" * 74, "-(" * 60 + "x" + ")" * 60, "x+" * 149 + "x"),
    *("1e" + "9" * 298, "9" * 300 + "x", "9" * 290 + "e99", "0." + "0" * 290 + "x", "x" * 300, "[" * 300, "{" * 300),
    *(
        "1^" * 149 + "1",
        "2x" * 150,
        "sin" * 100,
        "()" * 150,
        ")(" * 150,
        "x**(" + "9*" * 40 + "9)",
        "9^9^" + "(9)" * 90,
    ),
    *("x" + "**2" * 30, "(" * 39 + "9**9**9" + ")" * 39, "\\" * 300, "'" * 300, "\ud800", "x" + "\udc00" * 299),
]
# Not splitlines: some of the texts are line separators.
TEXTS = [text for line in (PYTHON + UNICODE).split("\n") for text in line.split("|")]
BAD = list(dict.fromkeys([*HOSTILE, *TEXTS, *SAID]))
every_bad = each("text", BAD)


def test_there_are_more_than_two_hundred_bad_texts():
    assert len(BAD) > 200


@every_bad
def test_what_is_not_on_the_list_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=r"^f\(x, y\): .*character \d+.*: ") as caught:
        parse(text)
    (line,) = caught.value.args
    assert type(caught.value) is ValueError
    assert line.isprintable()
    assert len(line) < 320


@each("character", [chr(c) for c in [*range(0x20), *range(0x7F, 0x180)]])
def test_what_is_not_printable_ascii_is_refused_by_its_code(character):
    with pytest.raises(ValueError, match=rf"U\+{ord(character):04X}.* at character 2 "):
        parse(f"x{character}+ y")


def test_every_printable_character_is_read_or_refused_in_one_line():
    for character in map(chr, range(0x20, 0x7F)):
        for text in (character, f"x{character}", f"{character}x", f"x{character}y", f"sin({character})"):
            assert (refusal(text) or show(parse(text))).isprintable(), text


def test_random_noise_is_read_or_refused_in_one_line():
    rng = random.Random(0)
    words = [*formulas._NAMES, *"+-*/^()", "**", " ", "1", ".5", "2e3", ",", ".", "[", "z"]
    for _ in range(3000):
        text = "".join(rng.choices(words, k=rng.randint(1, 30)))
        assert (refusal(text) or show(parse(text))).isprintable(), text


def test_nothing_is_executed():
    names = {n.id for n in ast.walk(ast.parse(Path(formulas.__file__).read_text())) if isinstance(n, ast.Name)}
    assert not names & {"eval", "exec", "compile", "__import__", "globals", "open"}


# -- refusing is fast -------------------------------------------------------------------------------------------------


class Unread(str):
    """A text that says its length and nothing more."""

    __slots__ = ()

    def __len__(self) -> int:
        return 10**9

    def __iter__(self):
        raise AssertionError("a text that is too long was read")

    __getitem__ = __str__ = __hash__ = __eq__ = __iter__


def test_a_text_that_is_too_long_is_refused_unread():
    with pytest.raises(ValueError, match="character 301 of 1000000000 exceeds the limit"):
        parse(Unread("x"))


def work(text: str) -> tuple[int, int]:
    """How many calls refusing the text takes, Python's and C's, and how deep they go."""
    calls = depth = deepest = 0

    def count(frame, event, argument):  # noqa: ARG001
        nonlocal calls, depth, deepest
        calls += event in ("call", "c_call")
        depth += (event == "call") - (event == "return")
        deepest = max(deepest, depth)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parse(text)
    except ValueError:
        pass
    finally:
        sys.setprofile(before)
    return calls, deepest


def test_refusing_takes_a_bounded_number_of_calls_and_little_stack():
    for text in BAD:
        calls, deepest = work(text)
        assert calls < 20_000, ascii(text[:30])
        assert deepest < 250, ascii(text[:30])
