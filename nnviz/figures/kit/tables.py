"""The data of a figure as a table, which the board exports as CSV.

A table is a list of parts whose rows are concatenated; its columns are the union of theirs. Values are those recorded,
not their transformed positions: zeros on a logarithmic axis are 0, and there are no rows for legend entries and marks.
Long curves have only the points drawn, extremes included. Arrays that a trace already holds are not sent again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Part = dict[str, Any]
Columns = Mapping[str, object]
# Smaller numbers are subnormal in single precision and lose digits.
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
# Entries of a trace that a table may refer to.
_SHARED_KEYS = ("x", "y", "z", "customdata", "text")


def rows(columns: Columns) -> Part:
    """A part with columns (n,); scalars are repeated in all rows."""
    return grid(columns, {}, {})


def grid(down: Columns, across: Columns, cells: Mapping[str | tuple[str, ...], object]) -> Part:
    """A row per cell of `cells` (m, n), in row-major order; (m, n, names) for several columns at once.

    `down` (m,) and `across` (n,) are the index columns; scalars are repeated in all rows.
    """
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
    """A row per bin of histograms `counts` (m, bins) with equal bins between `low` and `high` (m,)."""
    counts = np.asarray(counts)
    small = counts.astype(np.uint16) if counts.max(initial=0) < 2**16 else counts
    return grid(down, {}, {"count": small}) | {"edges": {"low": wire_column(low), "high": wire_column(high)}}


def wire_column(values: object) -> Any:
    """A column as it is sent to the board: text without HTML, numbers in the smallest exact type."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        return [_plain_scalar(value) for value in array.ravel().tolist()]
    if array.dtype == np.float16:  # JavaScript has no float16 array: sent as bits
        return {"half": np.ascontiguousarray(array).view(np.uint16)}
    if array.dtype.kind == "f":
        return _short_list(array) if array.size <= 2 else _compact_floats(array)
    return np.ascontiguousarray(array, np.int32) if array.dtype.itemsize > 2 else array


def with_trace_references(parts: Sequence[Part], traces: Sequence[Mapping]) -> list[Part]:
    """The parts with {"of": [trace index, key]} in place of each array that a trace holds too."""
    known: dict[tuple, list] = {}
    for i, trace in enumerate(traces):
        for key in _SHARED_KEYS:
            if isinstance(trace.get(key), np.ndarray):
                known.setdefault(_array_key(trace[key]), [i, key])

    def replace(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            reference = known.get(_array_key(value)) if value.size > 2 else None
            return {"of": reference} if reference else value
        if isinstance(value, dict):
            return {key: replace(part) for key, part in value.items()}
        return (
            [replace(part) for part in value]
            if isinstance(value, list) and value and _may_hold_arrays(value[0])
            else value
        )

    return [replace(part) for part in parts]


def parts_of_run(run: str, parts: Sequence[Part], first: int) -> list[Part]:
    """The parts of one of several runs; `first` is the index of its first trace in the combined figure."""

    def shift(value: Any) -> Any:
        if isinstance(value, dict) and "of" in value:
            return {"of": [value["of"][0] + first, value["of"][1]]}
        if isinstance(value, dict):
            return {key: shift(part) for key, part in value.items()}
        return (
            [shift(part) for part in value]
            if isinstance(value, list) and value and _may_hold_arrays(value[0])
            else value
        )

    return [{**shift(part), "same": {"run": run, **part["same"]}} for part in parts]


def _compact_floats(array: np.ndarray) -> np.ndarray:
    """Single precision where no value is subnormal or out of its range, else double."""
    if array.dtype == np.float32:
        return np.ascontiguousarray(array)
    magnitudes = np.abs(array[np.isfinite(array) & (array != 0)])
    fits = not len(magnitudes) or (magnitudes.min() >= SMALLEST_NORMAL and magnitudes.max() <= np.finfo(np.float32).max)
    return np.ascontiguousarray(array, np.float32 if fits else np.float64)


def _short_list(array: np.ndarray) -> list:
    """Up to two numbers as a list, in the digits of their type; non-finite ones as text, since JSON has none."""
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
