"""A board without a browser: figures that differ by step, messages as sent, and what is made of them."""

import json

import numpy as np
import pytest

from nnviz.ui.board import picture_history


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
        self.memory, self.identity, self.source, self.seq = None, None, None, 0
        self.lost: list[int] = []
        self.bases: dict[int, tuple[str, dict]] = {}
        self.renew()

    def renew(self):
        self.now, self.history, self.steps, self.marks = {}, {}, [], {}

    def take(self, text: str) -> dict:
        message = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        head = message["head"]
        if head["full"]:
            self.memory, self.seq, self.lost, self.bases = (head["session"], head["generation"]), head["seq"], [], {}
        assert (head["session"], head["generation"]) == self.memory
        self.lost += range(self.seq + 1, head["seq"])
        self.lost = [seq for seq in self.lost if seq not in head.get("recovered", ())]
        if head["source"] != self.source:
            self.bases = {}
        if head["identity"] != self.identity:
            self.renew()
        self.seq, self.source, self.identity = head["seq"], head["source"], head["identity"]
        marks = head.get("marks", {})
        for name in {*marks, *self.marks}:
            if marks.get(name) != self.marks.get(name):
                for versions in (self.now, *self.history.values()):
                    versions.pop(name, None)
        self.marks = marks
        self.bases.update({number: (name, figure) for number, name, figure in message["bases"]})
        for name, version in message["now"].items():
            self.now[name] = self.figure(name, *version)
        for step, figures in message["history"]:
            there = {name: version for name, version in figures.items() if version}
            if all(base in self.bases for base, _ in there.values()):
                taken = {name: self.figure(name, *version) for name, version in there.items()}
                self.history.setdefault(step, {}).update(taken)
            else:
                self.lost.append(head["seq"])
        self.steps = head.get("steps", self.steps)
        self.history = {step: figures for step, figures in self.history.items() if step in self.steps}
        return message

    def figure(self, name: str, base: int, changes: list) -> dict:
        of, figure = self.bases[base]
        assert of == name
        return patched(figure, changes)

    def request(self, **words) -> dict:
        """A question to the server, about what the browser shows."""
        session, generation = self.memory
        about = {"session": session, "generation": generation, "identity": self.identity, "lost": self.lost}
        return {**about, **words}


def send(client: dict, pictures, steps, *, source="run", edition="", live=False, budget=10.0, **words) -> str:
    """The next message to this client."""
    head = {"source": source, "edition": edition, "live": live, **words}
    return picture_history.message(client, pictures, steps, head, once={"themes": {}}, budget=budget)
