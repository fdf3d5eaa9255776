"""Links: an experiment as the query part of an address, and back."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from nnviz.spec.base import SpecError, differences, fingerprint, replace_many
from nnviz.spec.jobs import Job

LONGEST = 8000
"""Characters of a query; browsers and proxies begin to fail above."""

SECOND = "b."
"""Before the paths of a second job, which is said as differences from the first."""

OF = "default"
"""The parameter that says which default job a link is to be read with."""

MOST_RUNS = 2
"""Runs that a page shows side by side."""

MOST_PAIRED, MOST_SAID = 12, 5
"""Of the values that are wrong: how many are tried two by two, and how many are said one by one."""


def query(jobs: Sequence[Job], default: Job, runs: Sequence[str] = ()) -> dict[str, str]:
    """The parameters of a link: what differs from the page's default job, and the runs shown."""
    plain: dict[str, Any] = dict(differences(jobs[0], default))
    if len(jobs) > 1:
        plain |= {SECOND + path: value for path, value in differences(jobs[1], jobs[0]).items()}
        plain.setdefault("compare", True)
    said = {path: _text(value) for path, value in plain.items()}
    return {**said, **({"run": ",".join(runs)} if runs else {})}


def shared(jobs: Sequence[Job], default: Job) -> dict[str, str]:
    """The parameters of a link for others: what differs from the page's default job, and which default that was."""
    return query(jobs, default) | {OF: fingerprint(default)[:8]}


def read(parameters: Mapping[str, str], default: Job) -> tuple[list[Job], list[str], list[str]]:
    """Jobs, ids of runs, and what is wrong with the link, one line each. What is right in it is kept."""
    if sum(len(k) + len(v) for k, v in parameters.items()) > LONGEST:
        return [default], [], [f"the link must be at most {LONGEST} characters long; share the job as JSON instead"]
    of = parameters.get(OF, "")
    values = {path: _value(text) for path, text in parameters.items() if path != OF}
    runs = list(dict.fromkeys(r for r in str(values.pop("run", "") or "").split(",") if r))[:MOST_RUNS]
    compare = bool(values.pop("compare", False))
    second = {path.removeprefix(SECOND): v for path, v in values.items() if path.startswith(SECOND)}
    first, problems = _apply(default, {p: v for p, v in values.items() if not p.startswith(SECOND)})
    if of and of != fingerprint(default)[:8]:
        problems = [
            "link: it was made when this page started from other settings; what it does not name may differ from what "
            "was shared",
            *problems,
        ]
    if not (second or compare):
        return [first], runs, problems
    other, more = _apply(first, second)
    return [first, other], runs, problems + more


def _apply(default: Job, values: Mapping[str, Any]) -> tuple[Job, list[str]]:
    """All values at once; if that fails, as many as can be, so that one bad value loses nothing but itself."""
    try:
        return replace_many(default, values), []
    except SpecError as error:
        whole = str(error)
    job, left = _one_by_one(default, values)
    # Data and a loss that fits them, or momentum and Nesterov, are right only together.
    for pair in combinations(list(left)[:MOST_PAIRED], 2):
        if not left.keys() >= set(pair):
            continue
        try:
            job = replace_many(job, {path: values[path] for path in pair})
        except SpecError:
            continue
        job, left = _one_by_one(job, {path: values[path] for path in left if path not in pair})
    problems = list(left.values()) or [whole]
    said = [f"link: {problem}; it is left out" for problem in problems[:MOST_SAID]]
    return job, said + [f"link: {len(problems) - MOST_SAID} more of its values are wrong"] * (len(problems) > MOST_SAID)


def _one_by_one(job: Job, values: Mapping[str, Any]) -> tuple[Job, dict[str, str]]:
    """`job` with those values that are right one by one, in whatever order, and what is wrong with the others."""
    left = dict(sorted(values.items(), key=lambda item: (item[0].count("."), item[0])))
    while True:
        before, problems = len(left), {}
        for path, value in list(left.items()):
            try:
                job = replace_many(job, {path: value})
                del left[path]
            except SpecError as problem:
                problems[path] = str(problem)
        if len(left) in (0, before):
            return job, problems


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


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
