"""Data captured in a training step, and data measured from it by probes."""

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
    """Copies of the parameters before the update; the probe that needs them may change them in place."""


@dataclass(slots=True)
class Pass:
    """One use of a layer or an activation in a forward pass."""

    root: str
    site: str
    name: str
    """The name that the learner gave the pass, "" without one."""
    shape: torch.Size
    """Of the module's output, (batch, …)."""
    samples: Tensor | None = None
    """Of an activation: sampled inputs, then sampled outputs, (2 · entries,)."""
    signal: Tensor | None = None
    """Of a layer: derivative of the loss with respect to the pre-activation, (batch, …)."""


@dataclass(slots=True)
class Trace:
    """One captured step."""

    step: int
    activations: list[Pass] = field(default_factory=list)
    layers: list[Pass] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    """The optimizers that have made a step, in order."""


class Layout(NamedTuple):
    """The sites of the rows measured in the updates of a step."""

    sites: list[str]
    """The parameter of each row, with #1, #2, … where it is updated several times in the step."""
    groups: list[tuple[str, np.ndarray, list[str]]]
    """For each root and update: the root (with #1, … if it is updated several times), its rows in the order of the
    module's parameters, and their sites without a number."""


class UpdateSample(NamedTuple):
    """Values of a probe for all updates of a step: (rows, …), one row per parameter and update."""

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
    """Number of sampled entries of an activation's input, and of its output."""


class PassSample(NamedTuple):
    """Values of a probe for all passes of a step in one row."""

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
        """Records of all samples since the last call, on the CPU."""


class PassProbe(Protocol):
    """Measures the signals in layers and activations."""

    every: int
    needs: frozenset[str]
    """"activations" or "signals"."""

    def measure(self, passes: Sequence[Pass]) -> Tensor:
        """One row, still on the device."""

    def records(self, samples: Sequence[PassSample]) -> list[Record]:
        """Records of all samples since the last call, on the CPU."""


Probe = UpdateProbe | PassProbe
