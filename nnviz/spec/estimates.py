"""What a job will need of the machine, from its numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from nnviz.spec.learners import ImageAdversarial, Learner
from nnviz.spec.probes import Probe

KEPT_SNAPSHOTS = 300
"""About how many snapshots of one quantity a run file keeps."""

KEPT_BYTES = 64 * 2**20
"""Of one quantity at most."""


@dataclass(frozen=True)
class Estimate:
    """Parameters of the model, bytes of memory to train it, bytes of its run file."""

    parameters: int
    training_bytes: int
    snapshot_bytes: int


def of_training(learner: Learner, steps: int, evaluate_every: int, probes: Sequence[Probe] = ()) -> Estimate:
    """Memory: the data; float32 parameters, gradients and two optimizer moments; three states to replay a divergence
    from, one of them while it is copied; a checkpoint, twice while it is written; three tensors a layer and sample.
    File: kept snapshots of learner, model and probes, scalars, the last checkpoints and the weights.
    """
    state = 3  # a network's parameters and two moments
    size = learner.size
    pictures = min(KEPT_SNAPSHOTS, steps // evaluate_every + 2)
    picture = size.picture + size.layers * sum(p.picture for p in probes)
    picture += learner.train_size * sum(p.of_sample for p in probes)
    own = min(pictures * learner.picture, KEPT_BYTES * len(learner.snapshots))
    scalars = sum(steps // p.every * size.layers * p.scalars for p in probes)
    scalars += (steps // evaluate_every + 2) * (size.layers * max((p.evaluated for p in probes), default=0) + 5)
    return Estimate(
        parameters=size.parameters,
        training_bytes=learner.data_bytes
        + size.parameters * 4 * (4 + 3 * state + 2 * state)
        + learner.samples * size.entries * 4 * 3,
        snapshot_bytes=own + pictures * picture + scalars * 40 + steps * 30 + size.parameters * 4 * (3 * state + 1),
    )


def seconds_of_image_step(learner: ImageAdversarial) -> float:
    """About how long a step takes on one core of a CPU, pictures and probes not counted.

    A time for each layer, for each number that goes through one, and for each multiply-add: within a seventh of what
    was measured with DCGAN of 8 to 64 pixels and widths of 16 to 64, batch size 64 (2 cores of a cloud machine, 2026).
    """
    sizes, layers = learner.sizes, 0.0
    for model, size in ((learner.generator, sizes["generator"]), (learner.discriminator, sizes["discriminator"])):
        layers += size.layers * (1.3e-3 if model.least_batch > 1 else 0.6e-3)  # with batch norm, and without
    return layers + 7.5e-9 * learner.size.entries * learner.batch_size + 5.5e-11 * learner.work
