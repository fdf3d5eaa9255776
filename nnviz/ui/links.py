"""Links: an experiment as the query part of an address, and back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from nnviz.spec.base import Spec, SpecError, differences, replace_many
from nnviz.spec.jobs import Job

LONGEST = 8000
"""Characters of a query; browsers and proxies begin to fail above."""

SECOND = "b."
"""Before the paths of a second job, which is said as differences from the first."""

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


def whole(jobs: Sequence[Job]) -> dict[str, str]:
    """The parameters of a link that says every setting, so that it means the same when defaults have changed."""
    plain = dict(_every(jobs[0], None, ""))
    if len(jobs) > 1:
        plain |= {"compare": True, **dict(_every(jobs[1], jobs[0], SECOND))}
    return {path: _text(value) for path, value in plain.items()}


def _every(spec: Spec, known: Spec | None, prefix: str) -> Iterator[tuple[str, Any]]:
    """Paths and plain values of all fields; of those that are as in `known`, a spec of the same class, none."""
    for name in type(spec).model_fields:
        value, old = getattr(spec, name), getattr(known, name, None)
        if value == old and (known is not None or value is None):
            continue
        if isinstance(value, Spec):
            yield from _every(value, old if type(old) is type(value) else None, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", [v.model_dump(mode="json") for v in value] if isinstance(value, tuple) else value


def read(parameters: Mapping[str, str], default: Job) -> tuple[list[Job], list[str], list[str]]:
    """Jobs, ids of runs, and what is wrong with the link, one line each. What is right in it is kept."""
    if sum(len(k) + len(v) for k, v in parameters.items()) > LONGEST:
        return [default], [], [f"the link must be at most {LONGEST} characters long; share the job as JSON instead"]
    values = {path: _value(text) for path, text in parameters.items()}
    runs = list(dict.fromkeys(r for r in str(values.pop("run", "") or "").split(",") if r))[:MOST_RUNS]
    compare = bool(values.pop("compare", False))
    second = {path.removeprefix(SECOND): v for path, v in values.items() if path.startswith(SECOND)}
    first, problems = _apply(default, {p: v for p, v in values.items() if not p.startswith(SECOND)})
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
