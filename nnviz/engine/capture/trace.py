"""What is captured of a training step, and what is left of it once it has been measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.records import Record


@dataclass(slots=True)
class Update:
    """One step of one optimizer. Lists run along the parameters that it owns."""

    optimizer: str
    parameters: Sequence[nn.Parameter]
    gradients: list[Tensor]
    """As the optimizer sees them; zeros where there is none."""
    before: list[Tensor]
    """The parameters before the update; the probe that asks for them may work in them."""


@dataclass(slots=True)
class Pass:
    """One use of a layer or an activation in a forward pass."""

    root: str
    site: str
    name: str
    """What the learner calls the pass, "" for the only one."""
    shape: torch.Size
    """Of the module's output, (batch, …)."""
    kept: Tensor | None = None
    """Of an activation: sampled inputs and outputs in one row, 2 · (entries,)."""
    signal: Tensor | None = None
    """Of a layer: derivative of the loss in what enters its activation, (batch, …)."""


@dataclass(slots=True)
class Trace:
    """One captured step."""

    step: int
    activations: list[Pass] = field(default_factory=list)
    layers: list[Pass] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    """The optimizers that have made a step, in order."""


class Layout(NamedTuple):
    """Whose values the rows of what was measured of a step's updates are."""

    sites: list[str]
    """Of each row a parameter, with #1, #2, … where it is updated several times in the step."""
    groups: list[tuple[str, np.ndarray, list[str]]]
    """Of each root and update: the root (with #1, … if several updates touch it), its rows in the order of the module's
    parameters, and their sites without a number."""


class UpdateSample(NamedTuple):
    """What a probe has measured of all updates of a step: (rows, …), one row a parameter and update."""

    step: int
    layout: Layout
    values: np.ndarray


class Place(NamedTuple):
    """Where a pass was measured, once the step is over."""

    root: str
    site: str
    tag: str
    """"#real", or "#1", "#2", … where a layer is used several times under one name; "" for the only pass."""
    shape: torch.Size
    entries: int
    """How many entries are kept of an activation's input, and of its output."""


class PassSample(NamedTuple):
    """What a probe has measured of all passes of a step in one row."""

    step: int
    places: list[Place]
    row: np.ndarray


class UpdateProbe(Protocol):
    """Measures gradients, parameters and updates."""

    every: int
    needs: frozenset[str]
    """"gradients", and "before" for the parameters before the update."""

    def measure(self, update: Update) -> Tensor:
        """(parameters, …), still on the device."""

    def records(self, samples: Sequence[UpdateSample]) -> list[Record]:
        """The same as records, later, on the CPU, of all samples since the last time."""


class PassProbe(Protocol):
    """Measures what passes through layers and activations."""

    every: int
    needs: frozenset[str]
    """"activations" or "signals"."""

    def measure(self, passes: Sequence[Pass]) -> Tensor:
        """One row, still on the device."""

    def records(self, samples: Sequence[PassSample]) -> list[Record]:
        """The same as records, later, on the CPU, of all samples since the last time."""


Probe = UpdateProbe | PassProbe
