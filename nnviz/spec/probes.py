"""Probes: what is measured inside the network while it trains, and how often."""

from typing import Annotated, Literal

from pydantic import Field

from nnviz.spec.base import Spec

Every = Annotated[int, Field(ge=1, le=1_000_000, description="Steps between two measurements.")]


class Norms(Spec):
    """L2 norms of each parameter's gradient, of the parameter and of its update, and the ratio of the last two."""

    kind: Literal["norms"] = "norms"
    every: Every = 10


class Activations(Spec):
    """Mean, deviation and percentiles of activations and pre-activations; shares of dead and saturated units.

    A unit is dead on a batch if its activation's derivative is below 0.001 for every sample of it, and saturated on a
    sample if the derivative is below 0.05 of the largest that the function has.
    """

    kind: Literal["activations"] = "activations"
    every: Every = 10


class Signal(Spec):
    """Root mean square of the loss's derivative in each layer's pre-activation: what backpropagation carries."""

    kind: Literal["signal"] = "signal"
    every: Every = 10


class Histograms(Spec):
    """Histograms of activations, pre-activations, gradients and weights of every layer."""

    kind: Literal["histograms"] = "histograms"
    every: Every = 10


Probe = Annotated[Norms | Activations | Signal | Histograms, Field(discriminator="kind")]
