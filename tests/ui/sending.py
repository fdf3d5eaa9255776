"""A board without a browser: figures that differ by step, messages as sent, and what is made of them."""

import json

import numpy as np
import pytest

from nnviz.ui import board_history


def patched(base, changes):
    """The board's patch, in Python: the base with changes, the base itself untouched."""
    figure = json.loads(json.dumps(base))
    for path, *value in changes:
        if not path:
            figure = value[0]
            continue
        at = figure
        for key in path[:-1]:
            at = at[key]
        if value:
            at[path[-1]] = value[0]
        else:
            del at[path[-1]]
    return figure


def figure(step: int, **layout) -> dict:
    """A figure whose second curve, bars and line are of the step."""
    x = np.arange(5, dtype=np.float32)
    data = [
        {"type": "scatter", "x": x, "y": x * step, "name": "층 1"},
        {"type": "bar", "y": np.full((2, 3), step, np.uint8)},
    ]
    return {"data": data, "layout": {"meta": {"title": "t"}, "shapes": [{"x0": step}], **layout}}


def one(step: int) -> dict[str, dict]:
    """The pictures of a step: one figure."""
    return {"a": figure(step)}


class Browser:
    """Stands in for the board in the browser: takes messages in and keeps what it has."""

    def __init__(self):
        self.token, self.seq, self.lost = None, 0, []
        self.forget()

    def forget(self):
        self.bases, self.now, self.history, self.steps = {}, {}, {}, []

    def take(self, text: str) -> dict:
        message = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        head = message["head"]
        if head["full"]:
            self.forget()
            self.token = head["token"]
        assert head["token"] == self.token
        self.lost += [] if head["full"] else list(range(self.seq + 1, head["seq"]))
        if not head["full"] and head["source"] != self.source:
            self.forget()
        if head["forget"]:
            self.history.clear()
        self.seq, self.source = head["seq"], head["source"]
        self.bases.update(dict(message["bases"]))
        for name, (base, changes) in message["now"].items():
            self.now[name] = patched(self.bases[base], changes)
        for step, figures in message["history"]:
            usable = all(base in self.bases for base, _ in figures.values())
            if usable:
                self.history[step] = {
                    name: patched(self.bases[base], changes) for name, (base, changes) in figures.items()
                }
            else:
                self.lost.append(head["seq"])
        self.steps = head.get("steps", self.steps)
        return message


def send(client: dict, pictures, steps, *, source="run", edition="", live=False, budget=10.0) -> str:
    """The next message to this client."""
    head = {"source": source, "edition": edition, "live": live}
    return board_history.message(client, pictures, steps, head, once={"themes": {}}, budget=budget)
