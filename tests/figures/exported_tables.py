"""The table of a figure, as the board exports it, and its comparison with an expected one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

Frame = pd.DataFrame


def table_of(figure: dict) -> pd.DataFrame:
    """All parts of `layout.meta.table`, one below the other."""
    parts = figure["layout"]["meta"]["table"]
    whole = pd.concat([_rows(part, figure["data"]) for part in parts], ignore_index=True)
    return whole.apply(_numbers)


def _numbers(column: pd.Series) -> pd.Series:
    """Texts of non-finite values as numbers, as pandas reads them."""
    if not column.map(lambda value: isinstance(value, str)).any():
        return column
    try:
        return column.astype(float)
    except ValueError:
        return column


def _rows(part: dict, traces: list[dict]) -> pd.DataFrame:
    def found(value: object) -> np.ndarray:
        if isinstance(value, dict) and "of" in value:
            trace, key = value["of"]
            return np.asarray(traces[trace][key])
        return np.asarray(value["half"]).view(np.float16) if isinstance(value, dict) else np.asarray(value)

    down, across = ({name: found(v) for name, v in part[way].items()} for way in ("down", "across"))
    cells = [(names, found(values)) for names, values in part["cells"]]
    lengths = [len(v) for v in down.values()] + [len(v) for _, v in cells]
    high = lengths[0] if lengths else 1
    assert set(lengths) <= {high}, part
    wide = len(next(iter(across.values()))) if across else cells[0][1].shape[1] if cells else 1
    columns = {name: [value] * (high * wide) for name, value in part["same"].items()}
    columns |= {name: np.repeat(values, wide) for name, values in down.items()}
    columns |= {name: np.tile(values, high) for name, values in across.items()}
    if "edges" in part:
        low, top = (found(part["edges"][end]).astype(float)[:, None] for end in ("low", "high"))
        width = (top - low) / wide
        columns |= {
            "low": (low + np.arange(wide) * width).ravel(),
            "high": (low + np.arange(1, wide + 1) * width).ravel(),
        }
    for names, values in cells:
        flat = values.reshape(high * wide, -1)
        columns |= dict(zip(names, flat.T, strict=True))
    return pd.DataFrame(columns)


def same(found: Frame, expected: Frame, name: str = "") -> None:
    """The same rows in any order, numbers to single precision."""
    assert set(found.columns) == set(expected.columns), name
    columns = sorted(expected.columns)
    found, expected = found[columns], expected[columns]
    assert len(found) == len(expected), (name, len(found), len(expected))
    keys = [c for c in columns if expected[c].dtype.kind not in "f"] + [
        c for c in columns if expected[c].dtype.kind in "f"
    ]
    rounded = [
        frame.assign(**{c: frame[c].astype(np.float32) for c in columns if expected[c].dtype.kind == "f"})
        for frame in (found, expected)
    ]
    orders = [frame.sort_values(keys, kind="stable").index for frame in rounded]
    for column in columns:
        one, other = (
            frame[column].loc[order].to_numpy() for frame, order in zip((found, expected), orders, strict=True)
        )
        if expected[column].dtype.kind in "biuf":
            np.testing.assert_allclose(
                one.astype(float), other.astype(float), rtol=2e-6, atol=0, err_msg=f"{name}: {column}"
            )
        else:
            assert [str(v) for v in one] == [str(v) for v in other], (name, column)


def of(frame: Frame, quantity: str) -> Frame:
    """The rows of a run's frame of one quantity, as columns step, site, quantity."""
    rows = frame[frame["quantity"] == quantity]
    return Frame({"step": rows["step"], "site": rows["site"], quantity: rows["value"]})


def cells(down: Mapping, across: Mapping, values: Mapping) -> Frame:
    """A row for each cell of a grid."""
    high, wide = len(next(iter(down.values()))), len(next(iter(across.values())))
    return Frame(
        {name: np.repeat(np.asarray(v), wide) for name, v in down.items()}
        | {name: np.tile(np.asarray(v), high) for name, v in across.items()}
        | {name: np.asarray(v).ravel() for name, v in values.items()}
    )


def below(*frames: Frame) -> Frame:
    return pd.concat(frames, ignore_index=True)
