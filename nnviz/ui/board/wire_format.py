"""How figures travel to the browser: JSON with typed arrays, and differences instead of whole figures.

A figure is Plotly JSON in plain dicts with numpy arrays inside. Most of it is the same from one step to the next,
so a step is sent as a list of changes to a base figure that the browser already has. The server keeps no figures
for that, only a `sketch` of each base: the same tree with a hash in place of each array.
"""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

# What plotly.js decodes; 64-bit integers are not among them.
_DTYPES = {"i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"}
_CONTAINERS = (dict, list, tuple, np.ndarray)

Change = list[Any]  # [path, value]: set the value at this path; [path]: take away what is there


def encode(value: Any) -> str:
    """JSON text of `value`; numpy arrays become Plotly's typed arrays, NaN and ±inf outside of arrays become null."""
    try:
        return json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    except ValueError:  # a NaN somewhere; looking for it each time would cost ten times as much
        return json.dumps(_without_nan(value), allow_nan=False, separators=(",", ":"))


def typed(array: np.ndarray) -> Any:
    """`{"dtype", "bdata", "shape"}` as plotly.js reads it (shape only from two dimensions on, "rows,cols").

    Lists are left as lists where plotly.js has no such type (text, booleans, dates) or takes none (ranges of two
    numbers).
    """
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        fits = array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)
        array = array.astype(np.int32 if fits else np.float64)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    name = array.dtype.str[1:]
    if name not in _DTYPES or array.ndim == 0 or array.size <= 2 or array.ndim > 3:
        return array.astype(str).tolist() if array.dtype.kind == "M" else array.tolist()
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    spec = {"dtype": name, "bdata": base64.b64encode(array).decode("ascii")}
    if array.ndim > 1:
        spec["shape"] = ",".join(map(str, array.shape))
    return spec


def sketch(value: Any) -> Any:
    """`value` with a small hash for every array, long text and list of plain values; containers keep their shape."""
    if isinstance(value, dict):
        return {key: sketch(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and any(isinstance(part, _CONTAINERS) for part in value):
        return [sketch(part) for part in value]
    return _leaf(value)


def diff(base: Any, value: Any) -> list[Change]:
    """The changes that turn the figure of which `base` is the sketch into `value`, as `[path, value]` or `[path]`.

    A list whose length changed is sent whole, as is whatever changed its kind.
    """
    changes: list[Change] = []
    _diff(base, value, [], changes)
    return changes


def _diff(base: Any, value: Any, path: list[str | int], changes: list[Change]) -> None:
    if isinstance(value, dict) and isinstance(base, dict):
        for key, part in value.items():
            if key in base:
                _diff(base[key], part, [*path, key], changes)
            else:
                changes.append([[*path, key], part])
        changes.extend([[*path, key]] for key in base if key not in value)
    elif isinstance(value, (list, tuple)) and isinstance(base, list) and len(base) == len(value):
        for index, part in enumerate(value):
            _diff(base[index], part, [*path, index], changes)
    elif isinstance(value, dict) or isinstance(base, (dict, list)) or _leaf(value) != base:
        changes.append([path, value])


def _leaf(value: Any) -> Any:
    """Something small, equal for equal leaves: a hash of arrays, lists and long text, else the value and its type."""
    if isinstance(value, np.ndarray):
        text = value.dtype.kind not in "biuf"
        return ("array", str(value.dtype), value.shape, hash(tuple(value.flat) if text else value.tobytes()))
    if isinstance(value, (list, tuple)):
        return ("list", len(value), hash(encode(value)))
    if isinstance(value, str) and len(value) > 64:
        return ("text", len(value), hash(value))
    return (type(value).__name__, None if isinstance(value, float) and math.isnan(value) else value)


def _plain(value: Any) -> Any:
    """What `json` cannot write by itself."""
    if isinstance(value, np.ndarray):
        return typed(value)
    if isinstance(value, np.generic):
        return _finite(value.item())
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a figure may hold plain values and numpy arrays, got {type(value).__name__}")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        value = typed(value)
        return _without_nan(value) if isinstance(value, list) else value
    if isinstance(value, (list, tuple)):
        return [_without_nan(part) for part in value]
    return _finite(value.item() if isinstance(value, np.generic) else value)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
