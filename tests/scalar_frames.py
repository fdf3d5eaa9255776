"""Records as the frame that a run file gives back."""

from collections.abc import Iterable

import pandas as pd

from nnviz.records import COLUMNS, Record, Scalar


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """The scalars among `records` as a tidy frame with the columns of `COLUMNS`, in the order given."""
    rows = [(r.step, r.quantity, r.site, r.value, r.member) for r in records if isinstance(r, Scalar)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {"step": "int64", "quantity": "object", "site": "object", "value": "float64", "member": "int64"}
    )
