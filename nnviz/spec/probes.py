"""Probes: what is measured inside the network while it trains, and how often."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec

Every = Annotated[int, Field(ge=1, le=1_000_000, description="Steps between two measurements.")]


class Measurement(Spec):
    """What every probe says of the size of what it records, for each layer with weights."""

    scalars: ClassVar[int] = 0
    """At each measurement."""
    evaluated: ClassVar[int] = 0
    """Scalars at each evaluation."""
    picture: ClassVar[int] = 0
    """Bytes of a snapshot."""
    of_sample: ClassVar[int] = 0
    """Bytes of a snapshot for each training sample of a classifier, of the whole network."""


class GradientNorms(Measurement):
    """L2 norm of each parameter's gradient as the optimizer sees it, and of all of them together. Exact."""

    kind: Literal["gradient_norms"] = "gradient_norms"
    every: Every = 10
    scalars: ClassVar[int] = 2


class Updates(Measurement):
    """L2 norms of each parameter and of its update, and the ratio of the two. Exact."""

    kind: Literal["updates"] = "updates"
    every: Every = 10
    scalars: ClassVar[int] = 6


class Activations(Measurement):
    """Mean, deviation, percentiles and histograms of activations and pre-activations, of 1,024 entries a layer of the
    batch. With each evaluation, on up to 1,024 fixed training samples in evaluation mode: fractions of dead and
    saturated units, and the spread of pre-activations between samples.

    Saturated is a value at which the derivative is below a twentieth of the function's largest. Dead is a unit that
    stays on one flat part of the function, the derivative below 0.001, for every sample. The spread is the standard
    deviation between samples of what enters a unit's activation, as root mean square over the layer's units. Batch norm
    works with its running statistics then, which begin at mean 0 and variance 1 and take some 50 steps to settle.
    """

    kind: Literal["activations"] = "activations"
    every: Every = 10
    scalars: ClassVar[int] = 14
    evaluated: ClassVar[int] = 3


class Signal(Measurement):
    """Root mean square of the loss's derivative in each layer's pre-activation (after normalization): what
    backpropagation carries."""

    kind: Literal["signal"] = "signal"
    every: Every = 10
    scalars: ClassVar[int] = 1


class Histograms(Measurement):
    """Histograms of gradients and weights by power of two: all entries, or 2,048 of a larger tensor."""

    kind: Literal["histograms"] = "histograms"
    every: Every = 10
    picture: ClassVar[int] = 2 * 64 * 4 + 4 * 120 * 4


class AtEvaluations(Measurement):
    """What is measured at evaluations, of supervised learning alone. Unless it says otherwise on passes of its own:
    where `every` more steps have been done, at the first, at the last, and where a run pauses."""


class Norms(AtEvaluations):
    """Normalization layers: what goes in and comes out for up to 64 fixed training samples and 32 units of up to 6
    layers, and the network's outputs in training and in evaluation mode. At every evaluation statistics of the batch
    and running averages of 8 units; at evaluations 64 and 1024, and the last also the gap between the two modes
    over batch sizes and momenta, and a layer whose weights are scaled."""

    kind: Literal["norms"] = "norms"
    every: Every = 100
    evaluated: ClassVar[int] = 32
    picture: ClassVar[int] = 2 * 4 * 64 * 32


class GradientLine(AtEvaluations):
    """The loss and its gradient along the direction of the gradient, at ½, 1, 2 and 4 times the learning rate
    (Santurkar et al., 2018, arXiv:1805.11604). Takes as long as five steps."""

    kind: Literal["gradient_line"] = "gradient_line"
    every: Every = 200
    scalars: ClassVar[int] = 1


class Memorization(AtEvaluations):
    """With each evaluation of a classifier, for each training sample: when it was first classified as its label says,
    since when it is, and how often it was forgotten, correct at one evaluation and wrong at the next (Toneva et al.,
    2019, arXiv:1812.05159). Exact."""

    kind: Literal["memorization"] = "memorization"
    every: ClassVar[int] = 1
    of_sample: ClassVar[int] = 12


Probe = Annotated[
    GradientNorms | Updates | Activations | Signal | Histograms | Norms | GradientLine | Memorization,
    Field(discriminator="kind"),
]
