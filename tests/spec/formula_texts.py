"""Random formulas, and what is said against texts that are none."""

import random

from nnviz.spec import formulas
from nnviz.spec.formulas import parse


def some_text(rng: random.Random, depth: int = 3) -> str:
    """A random formula in which nothing but precedence says what belongs together, save a few parentheses."""
    parts = []
    for _ in range(rng.randint(1, 4)):
        kind = rng.random()
        if depth and kind < 0.2:
            part = f"{rng.choice([*formulas.FUNCTIONS, 'ln'])}({some_text(rng, depth - 1)})"
        elif depth and kind < 0.35:
            part = f"({some_text(rng, depth - 1)})"
        else:
            part = rng.choice(["x", "y", "x", "y", "2", "3", ".5", "1.25", "1e1", "pi", "e"])
        parts.append(rng.choice(["", "", "", "-", "- ", "+", "--"]) + part)
        parts.append(rng.choice(["+", " + ", "-", " - ", "*", " * ", "/", "**", "^", " ^ "]))
    return "".join(parts[:-1])


def refusal(text: str) -> str | None:
    """What is said against a text, None where it is a formula."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None


def some_texts(n: int) -> list[str]:
    """n random formulas without those whose exponents or sizes go beyond the limits."""
    rng, found = random.Random(0), []
    while len(found) < n:
        text = some_text(rng)
        line = refusal(text)
        assert line is None or "the exponent" in line or "too many" in line, text
        if line is None:
            found.append(text)
    return found
