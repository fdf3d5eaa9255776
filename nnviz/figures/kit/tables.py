"""The numbers that a figure shows, as a table for whoever wants them: what the board writes as CSV.

A figure states its table as a list of parts, whose rows follow each other; its columns are all that any part has. They
hold what was recorded, not where it is drawn: zeros of a logarithmic axis as 0, no rows for legends and marks. Long
curves have the points that are drawn, extremes kept. What a trace holds already is sent once.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Part = dict[str, Any]
Columns = Mapping[str, object]
# Smaller numbers lose digits in single precision.
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
# Parts of a trace that may hold what a table needs too.
_SHARED_KEYS = ("x", "y", "z", "customdata", "text")


def rows(columns: Columns) -> Part:
    """Columns (n,), and single values that are the same in all rows."""
    return grid(columns, {}, {})


def grid(down: Columns, across: Columns, cells: Mapping[str | tuple[str, ...], object]) -> Part:
    """A row for each cell, row by row: columns `down` (m,) and `across` (n,), and `cells` (m, n), or (m, n, names) for
    several names. Single values are the same in all rows."""
    same = {name: value for name, value in {**down, **across}.items() if np.ndim(value) == 0}
    return {
        "same": {name: _plain_scalar(value) for name, value in same.items()},
        "down": {name: wire_column(values) for name, values in down.items() if name not in same},
        "across": {name: wire_column(values) for name, values in across.items() if name not in same},
        "cells": [
            [[name] if isinstance(name, str) else list(name), wire_column(values)] for name, values in cells.items()
        ],
    }


def histograms(down: Columns, low: object, high: object, counts: np.ndarray) -> Part:
    """A row for each bin of histograms with equal bins between `low` and `high` (m,): `counts` (m, bins)."""
    counts = np.asarray(counts)
    small = counts.astype(np.uint16) if counts.max(initial=0) < 2**16 else counts
    return grid(down, {}, {"count": small}) | {"edges": {"low": wire_column(low), "high": wire_column(high)}}


def wire_column(values: object) -> Any:
    """What the board's wire carries of a column: text without HTML, numbers in the smallest type that keeps them."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        return [_plain_scalar(value) for value in array.ravel().tolist()]
    if array.dtype == np.float16:  # JavaScript reads its bits
        return {"half": np.ascontiguousarray(array).view(np.uint16)}
    if array.dtype.kind == "f":
        return _short_list(array) if array.size <= 2 else _compact_floats(array)
    return np.ascontiguousarray(array, np.int32) if array.dtype.itemsize > 2 else array


def with_trace_references(parts: Sequence[Part], traces: Sequence[Mapping]) -> list[Part]:
    """The parts with {"of": [trace, key]} in place of each array that a trace holds as well."""
    known: dict[tuple, list] = {}
    for i, trace in enumerate(traces):
        for key in _SHARED_KEYS:
            if isinstance(trace.get(key), np.ndarray):
                known.setdefault(_array_key(trace[key]), [i, key])

    def find(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            place = known.get(_array_key(value)) if value.size > 2 else None
            return {"of": place} if place else value
        if isinstance(value, dict):
            return {key: find(part) for key, part in value.items()}
        return (
            [find(part) for part in value]
            if isinstance(value, list) and value and _may_hold_arrays(value[0])
            else value
        )

    return [find(part) for part in parts]


def parts_of_run(run: str, parts: Sequence[Part], first: int) -> list[Part]:
    """The parts of one of several runs, whose traces begin at `first` in the figure of all."""

    def move(value: Any) -> Any:
        if isinstance(value, dict) and "of" in value:
            return {"of": [value["of"][0] + first, value["of"][1]]}
        if isinstance(value, dict):
            return {key: move(part) for key, part in value.items()}
        return (
            [move(part) for part in value]
            if isinstance(value, list) and value and _may_hold_arrays(value[0])
            else value
        )

    return [{**move(part), "same": {"run": run, **part["same"]}} for part in parts]


def _compact_floats(array: np.ndarray) -> np.ndarray:
    """Single precision where it keeps all digits that it has for numbers of usual size."""
    if array.dtype == np.float32:
        return np.ascontiguousarray(array)
    size = np.abs(array[np.isfinite(array) & (array != 0)])
    fits = not len(size) or (size.min() >= SMALLEST_NORMAL and size.max() <= np.finfo(np.float32).max)
    return np.ascontiguousarray(array, np.float32 if fits else np.float64)


def _short_list(array: np.ndarray) -> list:
    """Up to two numbers travel as a list, which has no word for what is not finite; in the digits of their type."""
    if array.ndim > 1:
        return [_short_list(row) for row in array]
    return [float(str(value)) if np.isfinite(value) else str(value) for value in array]


def _plain_scalar(value: object) -> object:
    if isinstance(value, str):
        return re.sub(r"</?(?:b|i|sub|sup)>", "", value.replace("<br>", " "))
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _array_key(array: np.ndarray) -> tuple:
    return array.dtype.str, array.shape, hash(array.tobytes())


def _may_hold_arrays(value: object) -> bool:
    return isinstance(value, dict | list | np.ndarray)
