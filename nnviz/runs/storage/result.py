"""The number that a run came to, for a line about it: which one it is, its learner says when it starts."""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from nnviz.records import Metric
from nnviz.runs.storage.status import Status
from nnviz.spec.number_format import format_number


class Result(NamedTuple):
    """What the number is ("test accuracy"), and its newest value."""

    label: str
    value: float
    is_fraction: bool = False

    @property
    def words(self) -> str:
        """The value, a fraction in percent."""
        return f"{100 * self.value:.1f}%" if self.is_fraction else format_number(self.value, 4)

    def __str__(self) -> str:
        return f"{self.label} {self.words}"


_NEWEST = """
SELECT (SELECT value FROM points WHERE name = names.id AND step <= ? ORDER BY id DESC LIMIT 1) FROM names
WHERE quantity = ? AND (site = ? OR ? IS NULL)
"""


def metric(info: Mapping[str, Any]) -> Metric | None:
    """The run's main metric; None where it has none or has not started."""
    return Metric(**info["metric"]) if info.get("metric") else None


def read_result(connection: sqlite3.Connection, status: Status) -> Result | None:
    """What the run has come to, of one that stopped early at its best step; None where nothing is known yet."""
    if (of := metric(status.info)) is None:
        return None
    until = 2**62 if status.early_stop is None else status.early_stop.best_step
    best = of.best(value for (value,) in connection.execute(_NEWEST, (until, of.quantity, of.site, of.site)))
    return None if best is None else Result(of.label, best, of.is_fraction)
