"""Links: jobs as the query part of an address, and back."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from nnviz.runs import RunError
from nnviz.spec.base import SpecError, differences, fingerprint
from nnviz.spec.jobs import MOST, Job, dump_set, load_set
from nnviz.spec.variants import LETTERS, apply

MAX_LENGTH = 8000
"""Characters of a query; browsers and proxies begin to fail above."""

RESERVED = 1000
"""Of those: for the ids of runs, and what a page adds of its own."""

DEFAULT_HASH = "default"
"""The parameter that says which default job a link is to be read with."""

COUNT = "variants"
"""The parameter that says how many jobs there are, where the last differs in nothing from the first."""

DRAFT = "draft"
"""The parameter that says under which mark the jobs are kept, where they are too long for an address."""

UNUSED = "unused"
"""What comes before the path of a difference that does not apply at present: `b.unused.learner.optimizer.momentum`."""

MAX_RUNS = MOST
"""Runs that a page shows side by side."""

MAX_ERRORS = 5
"""Of the values that are wrong: how many are said one by one."""


def query(
    jobs: Sequence[Job],
    default: Job,
    runs: Sequence[str] = (),
    *,
    keep: Callable[[str], str] | None = None,
    unused: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    """The parameters of a link: what differs from the page's default job, what tells further jobs from the first, and
    the runs shown. `unused` are differences of the further jobs that do not apply at present, by path.

    Jobs that are too long for an address are handed to `keep`, and the link holds the mark that it gives them.
    """
    first, *others = jobs
    plain: dict[str, Any] = dict(differences(first, default))
    for letter, job in zip(LETTERS[1:], others, strict=False):
        plain |= {f"{letter.lower()}.{path}": value for path, value in differences(job, first).items()}
    if others and others[-1] == first:
        plain[COUNT] = len(jobs)
    pairs = {path: _text(value) for path, value in plain.items()}
    more = {
        f"{letter}.{UNUSED}.{path}": _text(value)
        for letter, values in zip(LETTERS[1:].lower(), unused, strict=False)
        for path, value in values.items()
    }
    if keep and len(urlencode(pairs | more)) > MAX_LENGTH - RESERVED:
        with suppress(RunError):  # a full disk must not stop the page: who opens the link is told that it is too long
            pairs = {DRAFT: keep(dump_set(jobs))}
    if len(urlencode(pairs | more)) <= MAX_LENGTH - RESERVED:
        pairs |= more
    return {**pairs, **({"run": ",".join(runs)} if runs else {})}


def shared(jobs: Sequence[Job], default: Job, **options: Any) -> dict[str, str]:
    """The parameters of a link for others: what differs from the page's default job, and which default that was.
    `options` are those of `query`."""
    return query(jobs, default, **options) | {DEFAULT_HASH: fingerprint(default)[:8]}


def read(
    parameters: Mapping[str, str], default: Job, *, find: Callable[[str], str] | None = None
) -> tuple[list[Job], list[str], list[str]]:
    """Jobs, ids of runs, and what is wrong with the link, one line each. What is right in it is kept.

    `find` gives the text of jobs back that `query` has handed to `keep`.
    """
    if sum(len(k) + len(v) for k, v in parameters.items()) > MAX_LENGTH:
        return [default], [], [f"the link must be at most {MAX_LENGTH} characters long; share the job as JSON instead"]
    values = {
        path: _value(text)
        for path, text in parameters.items()
        if path not in (DEFAULT_HASH, DRAFT) and not path[1:].startswith(f".{UNUSED}.")
    }
    runs = list(dict.fromkeys(r for r in str(values.pop("run", "") or "").split(",") if r))[:MAX_RUNS]
    if mark := parameters.get(DRAFT, ""):
        jobs, problems = _drafted(mark, default, find)
        return jobs, runs, problems
    problems = []
    if parameters.get(DEFAULT_HASH, fingerprint(default)[:8]) not in ("", fingerprint(default)[:8]):
        problems.append(
            "link: it was made with other default settings of this page; settings that it does not name may differ "
            "from those shared"
        )
    count, wrong = _count(values.pop(COUNT, 1))
    own: list[dict[str, Any]] = [{} for _ in LETTERS]
    for path, value in values.items():
        letter, dot, rest = path.partition(".")
        place = LETTERS.lower().find(letter) if dot and len(letter) == 1 else 0
        own[max(0, place)][rest if place > 0 else path] = value
    first, more = _apply(default, own[0])
    problems += wrong + more
    jobs = [first]
    for place in range(1, max([count - 1, *(n for n, given in enumerate(own) if given)]) + 1):
        job, more = _apply(first, own[place], f"{LETTERS[place]}: ")
        jobs.append(job)
        problems += more
    return jobs, runs, problems


def unused(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Differences that do not apply at present, of each job after the first."""
    found: list[dict[str, Any]] = [{} for _ in LETTERS[1:]]
    for name, text in parameters.items():
        letter, _, rest = name.partition(".")
        place = LETTERS[1:].lower().find(letter) if len(letter) == 1 else -1
        if place >= 0 and rest.startswith(f"{UNUSED}."):
            found[place][rest.removeprefix(f"{UNUSED}.")] = _value(text)
    return found


def _drafted(mark: str, default: Job, find: Callable[[str], str] | None) -> tuple[list[Job], list[str]]:
    """Jobs that are kept on this machine."""
    try:
        text = find(mark) if find else ""
    except RunError:
        text = ""
    if not text:
        return [default], [
            "link: its settings are too long for an address and are stored only on the machine where it was made; "
            "share them as a file instead"
        ]
    try:
        jobs = load_set(text)
    except SpecError as error:
        return [default], [f"link: its stored settings cannot be read: {error}"]
    if jobs[0].shown_as != default.shown_as:
        kinds = f"{default.shown_as}, got {jobs[0].shown_as}"
        return [default], [f"link: the page shows jobs of kind {kinds}: open another page"]
    return list(jobs), []


def _count(given: Any) -> tuple[int, list[str]]:
    if type(given) is int and 1 <= given <= MOST:
        return given, []
    return 1, [f"link: {COUNT} must be a whole number from 1 to {MOST}, got {_text(given)[:20]}; it is ignored"]


def _apply(first: Job, values: Mapping[str, Any], which: str = "") -> tuple[Job, list[str]]:
    """As many values as can be, so that one that is wrong loses nothing but itself."""
    applied = apply(first, values)
    problems = list(applied.left.values())
    lines = [f"link: {which}{problem}; it is ignored" for problem in problems[:MAX_ERRORS]]
    if len(problems) > MAX_ERRORS:
        lines.append(f"link: {which}{len(problems) - MAX_ERRORS} more of its values are invalid")
    return applied.job, lines


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
