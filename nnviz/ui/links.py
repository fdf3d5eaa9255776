"""Links: an experiment as the query part of an address, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from nnviz.spec.base import SpecError, differences, replace_many
from nnviz.spec.jobs import Experiment

LONGEST = 8000
"""Characters of a query; browsers and proxies begin to fail above."""

SECOND = "b."
"""Before the paths of a second job, which is said as differences from the first."""


def query(jobs: Sequence[Experiment], default: Experiment, runs: Sequence[str] = ()) -> dict[str, str]:
    """The parameters of a link: what differs from the page's default job, and the runs shown."""
    plain: dict[str, Any] = dict(differences(jobs[0], default))
    if len(jobs) > 1:
        plain |= {SECOND + path: value for path, value in differences(jobs[1], jobs[0]).items()}
        plain.setdefault("compare", True)
    said = {path: v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for path, v in plain.items()}
    return {**said, **({"run": ",".join(runs)} if runs else {})}


def read(parameters: Mapping[str, str], default: Experiment) -> tuple[list[Experiment], list[str], list[str]]:
    """Jobs, ids of runs, and what is wrong with the link, one line each. What is right in it is kept."""
    if sum(len(k) + len(v) for k, v in parameters.items()) > LONGEST:
        return [default], [], [f"the link must be at most {LONGEST} characters long; share the job as JSON instead"]
    values = {path: _value(text) for path, text in parameters.items()}
    runs = [r for r in str(values.pop("run", "") or "").split(",") if r]
    compare = bool(values.pop("compare", False))
    second = {path.removeprefix(SECOND): v for path, v in values.items() if path.startswith(SECOND)}
    first, problems = _apply(default, {p: v for p, v in values.items() if not p.startswith(SECOND)})
    if not (second or compare):
        return [first], runs, problems
    other, more = _apply(first, second)
    return [first, other], runs, problems + more


def _apply(default: Experiment, values: Mapping[str, Any]) -> tuple[Experiment, list[str]]:
    """All values at once; if that fails, each for itself, so that one bad value loses nothing but itself."""
    try:
        return replace_many(default, values), []
    except SpecError as error:
        job, problems = default, []
        for path, value in sorted(values.items(), key=lambda item: (item[0].count("."), item[0])):
            try:
                job = replace_many(job, {path: value})
            except SpecError as problem:
                problems.append(str(problem))
        return job, [f"link: {p}" for p in problems or [str(error)]]


def _value(text: str) -> Any:
    """JSON where it is JSON, else the text: `lr=0.3` is a number, `kind=adam` a word."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def address(url: str, parameters: Mapping[str, str]) -> str:
    """`url` with these parameters for its own."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(parameters), ""))
