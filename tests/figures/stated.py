"""The table that a figure states, as the board writes it."""

import numpy as np
import pandas as pd


def stated(figure: dict) -> pd.DataFrame:
    """All parts of `layout.meta.table`, one below the other."""
    parts = figure["layout"]["meta"]["table"]
    whole = pd.concat([_rows(part, figure["data"]) for part in parts], ignore_index=True)
    return whole.apply(_numbers)


def _numbers(column: pd.Series) -> pd.Series:
    """Words for what is not finite as the numbers that pandas reads them as."""
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
