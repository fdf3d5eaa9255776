"""Jobs: everything that decides what a run will be, as one value."""

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec, SpecError, fingerprint, options
from nnviz.spec.descent import Descent, RateSearch
from nnviz.spec.landscapes import KEPT, Landscape
from nnviz.spec.learners import Supervised
from nnviz.spec.probes import Activations, GradientNorms, Histograms, Probe, Signal, Updates
from nnviz.spec.resuming import RESUMABLE


class Parent(Spec):
    """The run that a run goes on from, and the step it left it at."""

    run: str = Field(max_length=100, description="Identifier of the run.")
    step: int = Field(ge=0, le=1_000_000, description="Steps that the parent had done.")


class Experiment(Spec):
    """A learner trains for a number of steps while probes watch."""

    kind: Literal["experiment"] = "experiment"
    learner: Supervised = Supervised()
    probes: tuple[Probe, ...] = Field(
        (GradientNorms(), Updates(), Activations(), Signal(), Histograms()),
        max_length=20,
        description="What is measured.",
    )
    steps: int = Field(
        3000, ge=1, le=1_000_000, description="Mini-batches to train for.", json_schema_extra={"log": True} | RESUMABLE
    )
    evaluate_every: int = Field(10, ge=1, le=1_000_000, description="Steps between two evaluations and pictures.")
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Decides the data, the initial weights, the batches and the dropout masks."
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$",
        description="auto (CUDA, then MPS, then CPU), cpu, mps, cuda or cuda:1.",
    )
    parent: Parent | None = Field(None, description="The run that this one goes on from.")

    retention: ClassVar[Literal["history", "cache"]] = "history"
    """Whether its runs are kept for the library, or made again when they are needed: these take so little, turn by
    turn, that they need not wait for a worker of their own."""
    counts: ClassVar[str] = "steps"
    """What `steps` counts."""
    has_weights: ClassVar[bool] = True
    """Whether its runs keep what they have trained."""


Job = Annotated[Experiment | Descent | RateSearch | Landscape, Field(discriminator="kind")]
TEXT_LIMIT = 200_000
"""The largest job has a tenth of it; a million wrong items take pydantic ten seconds to count."""


def load(text: str | bytes) -> Job:
    """The job in a JSON text; raises SpecError with one clear line."""
    if len(text) > TEXT_LIMIT:
        raise SpecError(f"a job must have at most {TEXT_LIMIT:,} characters, got {len(text):,}")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"the job is not JSON: {error}") from None
    if not isinstance(plain, dict):
        raise SpecError(f"a job must be a JSON object, got {type(plain).__name__}")
    kinds = options(Job)
    kind = plain.get("kind", "experiment")
    if not isinstance(kind, str) or kind not in kinds:
        raise SpecError(f"a job's kind must be one of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind].parse(plain)


def dump(job: Job) -> str:
    """The job as indented JSON with every field, so that it still means the same when defaults change."""
    return json.dumps(job.model_dump(mode="json"), indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class Estimate:
    """What a job will need: parameters of the model, bytes of memory to train it, bytes of its run file."""

    parameters: int
    training_bytes: int
    snapshot_bytes: int


SHOWN_UNITS = 16
"""Units of a layer that the network diagram shows; snapshots hold the weights between these."""

KEPT_SNAPSHOTS = 300
"""About how many snapshots of one quantity a run file keeps."""


def estimate(job: Job) -> Estimate:
    """The job's size, from its numbers alone."""
    match job:
        case Descent():
            return _of_descent(job)
        case RateSearch():
            size = len(job.race.racers) * job.rates
            return Estimate(parameters=2 * size, training_bytes=size * 2000, snapshot_bytes=job.steps * size * 8)
        case Landscape():
            return _of_landscape(job)
    return _of_experiment(job)


def _of_descent(job: Descent) -> Estimate:
    """Memory and file: positions, heights and parts of every racer at every step, kept for each picture of the race."""
    path = len(job.racers) * job.steps * (4 * 8 + 4 * 2 * 4)
    basins = len(job.racers) * job.grid**2 * 200
    pictures = 2 + (job.steps // 500).bit_length()
    return Estimate(parameters=2 * len(job.racers), training_bytes=20 * path + basins, snapshot_bytes=pictures * path)


def _of_landscape(job: Landscape) -> Estimate:
    """Memory: training, the weights that are kept of it, in float32 and three times in float64 while their plane is
    found, and the vectors of the Lanczos method. File: each picture once in full and a third more for coarse ones.
    """
    trained = [_of_experiment(Experiment(learner=n.learner, steps=n.steps, probes=())) for n in job.networks]
    weights = max(of.parameters for of in trained)
    pictures = sum(view.units for view in job.views) * 4 * 8 * 4 // 3
    return Estimate(
        parameters=trained[0].parameters,
        training_bytes=sum(of.training_bytes for of in trained) + weights * KEPT * (len(trained) * 4 + 3 * 8),
        snapshot_bytes=pictures + 2 * KEPT * 20 * 8,
    )


def _of_experiment(job: Experiment) -> Estimate:
    """Memory: float32 parameters, gradients, two optimizer moments and three copies for checkpoints; three tensors a
    layer and sample. File: kept snapshots of histograms, weights between shown units and neuron maps, and scalars.
    """
    learner = job.learner
    model = learner.model
    widths = [learner.data.features, *(h.width for h in model.hidden), learner.outputs]
    weights = sum(a * b for a, b in pairwise(widths))
    # A layer before batch norm has no bias of its own; a PReLU has one slope.
    biases = (sum(widths[1:-1]) * (not model.batch_norm) + widths[-1]) * model.bias
    slopes = sum(h.activation.kind == "prelu" for h in model.hidden)
    norms = 2 * sum(widths[1:-1]) * model.batch_norm
    parameters = weights + biases + norms + slopes
    samples = max(min(learner.batch_size, learner.train_size), min(1024, learner.data.points), 2500)
    layers = len(widths) - 1
    shown = [min(w, SHOWN_UNITS) for w in widths]
    maps = sum(shown[1:]) * 24 * 24 * 2 if learner.data.features <= 2 else 0
    picture = maps + 4 * sum(a * b for a, b in pairwise(shown)) + 50 * 50 * max(1, learner.data.classes) * 2
    histograms = layers * (2 * 64 * 4 + 4 * 120 * 4) if any(isinstance(p, Histograms) for p in job.probes) else 0
    pictures = min(KEPT_SNAPSHOTS, job.steps // job.evaluate_every + 2)
    samplings = sum(
        job.steps
        // p.every
        * layers
        * {"gradient_norms": 2, "updates": 6, "activations": 14, "signal": 1}.get(p.kind, 0)
        for p in job.probes
    )
    evaluated = 3 * layers * any(isinstance(p, Activations) for p in job.probes)
    samplings += (job.steps // job.evaluate_every + 2) * (evaluated + 5)
    return Estimate(
        parameters=parameters,
        training_bytes=parameters * 4 * 7 + samples * sum(widths) * 4 * 3,
        snapshot_bytes=pictures * (picture + histograms) + samplings * 40 + job.steps * 30 + parameters * 4 * 7,
    )


__all__ = [
    "KEPT_SNAPSHOTS",
    "SHOWN_UNITS",
    "Descent",
    "Estimate",
    "Experiment",
    "Job",
    "Landscape",
    "Parent",
    "RateSearch",
    "SpecError",
    "dump",
    "estimate",
    "fingerprint",
    "load",
]
