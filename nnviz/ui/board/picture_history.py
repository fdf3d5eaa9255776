"""What one browser has of a board's pictures, and what to send it next.

The figures of the newest step always go first. Earlier steps follow as far as a time budget reaches, coarse first, so
that the time slider covers the whole run early. What the browser is believed to have is kept as plain values in a dict,
`client`, that outlives reruns. Messages can be lost (Streamlit replaces one that was not yet drawn by the next), so
they are numbered, and the browser reports the numbers that it missed until it is told that they have been heard.

Only the open section's figures are made and sent. Which steps the browser has is known for each figure, so a section
that is opened again brings what is new in it alone.

No figure is ever shown as one of something else. Each message names the `identity` that its figures belong to: another
one whenever source or edition change, and whenever the server has to start over (another `generation` of what it
remembers of this `session`). A single figure has a `mark` besides, another one whenever its choices' values change. The
browser keeps figures of the identity and the mark announced last alone. What it asks names the identity too, and is not
answered under another one.
"""

import heapq
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from nnviz.ui.board.wire_format import diff, encode, sketch

Pictures = Callable[[int], Mapping[str, dict]]

# A figure whose number or types of traces change gets a base for each kind, up to this many: more would fill memory.
_BASES_PER_FIGURE = 16
_MESSAGES_REMEMBERED = 64
_MAX_REQUESTED = 8
_ANSWERED = (
    "acknowledged",
    "picked",
)  # numbers of the last change and the last chosen point or line that have been heard
RESTING = 3.0
"""Seconds after a run has paused in which its newest pictures are sent again."""
_CHARACTERS_A_MESSAGE = 1_500_000


def coarse_first(steps: Sequence[int], have: Set[int]) -> Iterator[int]:
    """The members of `steps` (sorted) not in `have`: both ends, then always the middle of the widest gap."""
    last = len(steps) - 1
    known = [place for place, step in enumerate(steps) if step in have]
    for end in dict.fromkeys((last, 0)):
        if last >= 0 and steps[end] not in have:
            known.append(end)
            yield steps[end]
    known.sort()
    # (minus the width, left, right): of gaps equally wide the earliest comes first.
    gaps = [(a - b, a, b) for a, b in pairwise(known) if b - a > 1]
    heapq.heapify(gaps)
    while gaps:
        _, left, right = heapq.heappop(gaps)
        middle = (left + right) // 2
        yield steps[middle]
        for a, b in ((left, middle), (middle, right)):
            if b - a > 1:
                heapq.heappush(gaps, (a - b, a, b))


def message(
    client: dict[str, Any],
    pictures: Pictures,
    steps: Sequence[int],
    head: Mapping[str, Any],
    *,
    once: Mapping[str, Any],
    budget: float,
) -> str:
    """The JSON text to send now; `client` is changed to what the browser has once it arrives.

    `head` goes along as it is (layout, unit, …), `once` only with the first message. Only the figures that the open
    section names are asked for and sent: head["section"] of head["sections"] (all figures, where there are none).
    head["source"] names what is shown, and all is dropped when that changes; when head["edition"] does, the figures
    are, and new ones are still sent as differences from what the browser has. So it is with a single figure when the
    values of its choices, head["choices"], change. `budget` is the time in seconds that earlier steps may take; at
    least one of those missing is sent.
    """
    wanted, lost = _process_request(client)
    first = "seq" not in client
    if first:
        client.setdefault("session", uuid.uuid4().hex[:12])
        client.update(generation=client.get("generation", 0) + 1, seq=0, base_count=0, identity_count=0, live=None)
    client["seq"] += 1
    if first or client["source"] != head["source"]:
        client.update(source=head["source"], since=client["seq"], bases={}, log={})
        _renew(client)
    elif client["edition"] != head["edition"]:
        _renew(client)
    client["edition"] = head["edition"]
    _compare_choices(client, head.get("choices", {}))
    figures = _open_figures(pictures(steps[-1]), head) if steps else {}
    past = [name for name, figure in figures.items() if not _is_over_steps(figure)]
    draft = _Draft(client)
    sent: dict[str, set[int]] = client["sent"]

    is_resting = _is_coming_to_rest(client, head["live"])
    for name in past:
        text = draft.version(name, figures[name])
        before, client["newest"][name] = client["newest"].get(name), [steps[-1], hash(text), head["live"]]
        changed = before is not None and before[0] == steps[-1] and before[1] != hash(text)
        # The same step looks different though nothing trains: an option changed, so earlier pictures are out of date.
        if changed and not (head["live"] or before[2]):
            _forget(client, name)
            client["newest"][name] = [steps[-1], hash(text), head["live"]]
        known = sent.setdefault(name, set())
        known &= set(steps)
        if steps[-1] not in known or changed or is_resting:
            draft.put(steps[-1], name, text)
            known.add(steps[-1])
    for name in [name for name in figures if name not in past]:
        draft.replace(name, figures[name])
    # The first message carries the newest step alone, so that it is drawn as early as can be. Where every figure holds
    # all of the past there is nothing to send for a step.
    wanted = wanted if past else {}
    have = set(steps).intersection(*(sent[name] for name in past)).union(wanted)
    started = time.perf_counter()
    for step in (*wanted, *(() if first or not past else coarse_first(steps, have))):
        missing = [name for name in past if step not in sent[name] or name in wanted.get(step, ())]
        figures_then = pictures(step)
        for name in missing:
            draft.put(
                step, name, draft.version(name, figures_then[name]) if name in figures_then else f"{encode(name)}:null"
            )
            sent[name].add(step)
        if time.perf_counter() - started > budget or draft.size > _CHARACTERS_A_MESSAGE:
            break
    whole = {
        **head,
        **(once if first else {}),
        "session": client["session"],
        "generation": client["generation"],
        "seq": client["seq"],
        "full": first,
        "identity": _identity(client),
        **({"recovered": lost} if lost else {}),
        **{name: client[name] for name in _ANSWERED if name in client},
        **({"marks": marks} if (marks := _marks(client)) else {}),
        "names": list(figures),
        "now_names": [name for name in figures if name not in past],
        "newest": steps[-1] if steps else None,
    }
    if client["steps"] != list(steps):
        client["steps"] = whole["steps"] = list(steps)
    return draft.text(whole)


def _open_figures(figures: Mapping[str, dict], head: Mapping[str, Any]) -> dict[str, dict]:
    """The figures of the open section, in its order; no other is asked for."""
    sections = head.get("sections")
    if not sections:
        return dict(figures)
    names = dict.fromkeys(name for row in sections[head["section"]] for name in row)
    found = {name: figures.get(name) for name in names}
    return {name: figure for name, figure in found.items() if figure is not None}


def _is_coming_to_rest(client: dict[str, Any], live: bool) -> bool:
    """For a moment after a run has paused its newest pictures go along with every message: several come at once then,
    the browser may miss some of them, and no later one would make up for it."""
    if client["live"] and not live:
        client["rested"] = time.monotonic()
    client["live"] = live
    return not live and time.monotonic() - client.get("rested", -RESTING) < RESTING


def _renew(client: dict[str, Any]) -> None:
    """What is sent from now on has another identity: the browser drops all figures that it has."""
    client.update(
        identity_count=client["identity_count"] + 1, now={}, sent={}, newest={}, drops={}, steps=None, live=None
    )


def _forget(client: dict[str, Any], name: str) -> None:
    """A figure that is sent from now on is another one than before: the browser drops what it has of it."""
    client["drops"][name] = client["drops"].get(name, 0) + 1
    for held in ("now", "sent", "newest"):
        client[held].pop(name, None)


def _compare_choices(client: dict[str, Any], choices: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """A figure of which a choice has another value than before is another figure."""
    chosen = {name: "&".join(f"{c['name']}={c['value']}" for c in own) for name, own in choices.items()}
    before, client["chosen"] = client.get("chosen", chosen), chosen
    for name in dict.fromkeys((*before, *chosen)):
        if before.get(name) != chosen.get(name):
            _forget(client, name)


def _marks(client: Mapping[str, Any]) -> dict[str, str]:
    """What a figure belongs to besides the identity, where there is more: how often it has become another one, and the
    values of its choices."""
    drops, chosen = client["drops"], client["chosen"]
    return {name: f"{drops.get(name, 0)}?{chosen.get(name, '')}" for name in dict.fromkeys((*drops, *chosen))}


def _identity(client: Mapping[str, Any]) -> str:
    return f"{client['session']}.{client['generation']}.{client['identity_count']}"


def _process_request(client: dict[str, Any]) -> tuple[dict[int, list[str]], list[int]]:
    """Take in what the browser asked since the last message: the figures that it wants first, by step, whether it had
    them before or not; and the numbers of messages that it missed.

    It may request twice, late, or for what is not shown any more: that is not answered.
    """
    request = client.pop("request", None) or {}
    if "seq" not in client or any(request.get(name) != client[name] for name in ("session", "generation")):
        return {}, []
    known = set(client["steps"] or ())
    lost = [seq for seq in request.get("lost", ()) if seq <= client["seq"]]
    # What was sent before the present source is of no use any more.
    logs = [client["log"].get(seq) for seq in lost if seq >= client["since"]]
    if request.get("restart") or None in logs:
        kept = {name: client[name] for name in ("session", "generation", *_ANSWERED) if name in client}
        client.clear()
        client.update(kept)
        return {}, []
    for log in logs:
        for step, name in log["sent"]:
            client["sent"].get(name, set()).discard(step)
        client["steps"] = None
        for name in log["now"]:
            client["now"].pop(name, None)
        for name, kind in log["bases"]:
            client["bases"].get(name, {}).pop(kind, None)
    is_current = request.get("identity") == _identity(client)
    wanted = (
        {step: names for step, names in request.get("wanted", ())[:_MAX_REQUESTED] if step in known}
        if is_current
        else {}
    )
    return wanted, lost


@dataclass
class _Draft:
    """One message while it is put together; what is in it is written down in the client's log of messages."""

    client: dict[str, Any]
    bases: list[str] = field(default_factory=list)
    now: list[str] = field(default_factory=list)
    history: dict[int, list[str]] = field(default_factory=dict)  # step -> versions of figures
    size: int = 0  # characters of history

    def __post_init__(self) -> None:
        number, log = self.client["seq"], self.client["log"]
        self.log = log[number] = {"sent": [], "bases": [], "now": []}
        log.pop(number - _MESSAGES_REMEMBERED, None)

    def replace(self, name: str, figure: dict) -> None:
        """Send a figure of which only the newest version is kept, unless it is what was sent last."""
        text = self.version(name, figure)
        if self.client["now"].get(name) != hash(text):
            self.client["now"][name] = hash(text)
            self.log["now"].append(name)
            self.now.append(text)

    def put(self, step: int, name: str, version: str) -> None:
        """Send a version of a figure as the one of `step`."""
        self.history.setdefault(step, []).append(version)
        self.log["sent"].append((step, name))
        self.size += len(version)

    def text(self, head: Mapping[str, Any]) -> str:
        history = ",".join(f"[{step},{{{','.join(versions)}}}]" for step, versions in self.history.items())
        parts = f'"bases":[{",".join(self.bases)}],"now":{{{",".join(self.now)}}},"history":[{history}]'
        return f'{{"head":{encode(head)},{parts}}}'

    def version(self, name: str, figure: dict) -> str:
        """`"name":[id of a base, changes to it]`; where no base is like the figure, it becomes one."""
        kinds = self.client["bases"].setdefault(name, {})
        kind = ",".join(str(trace.get("type", "scatter")) for trace in figure.get("data", ()))
        if kind not in kinds and len(kinds) >= _BASES_PER_FIGURE:
            kind = next(reversed(kinds))
        if kind not in kinds:
            self.client["base_count"] += 1
            kinds[kind] = [self.client["base_count"], sketch(figure)]
            self.bases.append(f"[{self.client['base_count']},{encode(name)},{encode(figure)}]")
            self.log["bases"].append([name, kind])
        number, base = kinds[kind]
        return f"{encode(name)}:{encode([number, diff(base, figure)])}"


def _is_over_steps(figure: Mapping[str, Any]) -> bool:
    """Whether the newest version of the figure holds all of the past."""
    meta = (figure.get("layout") or {}).get("meta") or {}
    return bool(meta.get("x_is_step") or meta.get("reveals"))
