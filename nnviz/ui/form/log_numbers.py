"""A number on a logarithmic scale: a slider in coarse steps, and beside it a box in which any value can be typed."""

import math
from typing import Any

from nnviz.spec.base import Limits
from nnviz.spec.number_format import format_number
from nnviz.ui import session


def draw(text: str, bounds: Limits, value: float, help: str | None, key: str, on: Any) -> float | str:
    """The two widgets; the slider's key is `key`, that of the box ends in "=typed".

    What is typed holds until the box is empty again; the slider is disabled as long. Neither is moved after the other:
    what a script gives a widget before drawing it is lost where another run cuts it off in between. A text that is no
    number is given back, so that the spec says what is wrong with it.
    """
    held, box = session.value(key, value), f"{key}=typed"
    coarse, exact = on.columns([5, 3], vertical_alignment="bottom", gap="small")
    with coarse:
        on.select_slider(
            text,
            ladder(bounds, value),
            value,
            format_func=format_number,
            help=f"{help} Any other value can be typed beside the slider; an empty box leaves it to the slider.",
            disabled=bool((session.value(box) or "").strip()),
            key=key,
        )
    with exact:
        on.text_input(f"{text}: exact value", placeholder=_plain(held), label_visibility="collapsed", key=box)
    return read(value, key)


def read(value: float, key: str) -> float | str:
    """What the widgets with this key hold, drawn or not."""
    held, typed = session.value(key, value), (session.value(f"{key}=typed") or "").strip()
    if not typed:
        return held
    try:
        number = float(typed.replace(",", "."))
    except ValueError:
        return typed
    return int(number) if isinstance(value, int) and number.is_integer() else number


def ladder(bounds: Limits, value: float) -> list[float]:
    """1, 2, 3, 5, 10 … within the limits, 0 where it is allowed, and `value`; whole numbers for a whole one."""
    whole = isinstance(value, int)
    low, high = bounds.low or 0, bounds.high or 10
    start = math.floor(math.log10(low)) if low > 0 else 0 if whole else -10 if value and value < 1e-7 else -6
    rungs = {m * 10.0**e for e in range(start, math.ceil(math.log10(high)) + 1) for m in (1, 2, 3, 5)}
    within = {float(f"{r:.6g}") for r in rungs if low < r < high or (r in (low, high) and not bounds.low_open)}
    if not bounds.high_open:
        within.add(float(high))
    if low == 0 and not bounds.low_open:
        within.add(0.0)
    return sorted({int(r) for r in within if r == int(r)} | {value}) if whole else sorted(within | {float(value)})


def _plain(value: float) -> str:
    """The shortest text that is this number exactly."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
