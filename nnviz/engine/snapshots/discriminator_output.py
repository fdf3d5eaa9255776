"""The discriminator's outputs for real and for generated samples -> their means and histogram."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import gan_objectives
from nnviz.records import Scalar, Snapshot
from nnviz.spec.gan_objectives import Objective

BARS = 40


def shown(objective: Objective, outputs: Tensor) -> Tensor:
    """D, or the score, from outputs (n, 1), (n,)."""
    found = gan_objectives.probability(objective, outputs)
    return (outputs if found is None else found)[:, 0]


def means(step: int, objective: Objective, on_real: Tensor, on_made: Tensor) -> Iterator[Scalar]:
    """Scalars "discriminator_output" from outputs (n, 1) for real and (m, 1) for generated samples."""
    for site, outputs in (("real", on_real), ("generated", on_made)):
        yield Scalar(step, "discriminator_output", float(shown(objective, outputs).mean()), site)


def histogram(step: int, objective: Objective, on_real: Tensor, on_made: Tensor) -> Snapshot:
    """Snapshot "discriminator_histogram": edges (BARS + 1,), fractions of real and generated samples (BARS,)."""
    values = []
    for outputs in (on_real, on_made):
        found = shown(objective, outputs).double()
        values.append(found[torch.isfinite(found)].numpy())
    both = np.concatenate(values)
    low, high = (both.min(), both.max()) if len(both) else (0.0, 1.0)
    if objective.output == "logit":
        low, high = 0.0, 1.0
    edges = np.linspace(low, high if high > low else low + 1.0, BARS + 1)
    real, generated = (np.histogram(v, edges)[0] / max(1, len(v)) for v in values)
    return Snapshot(step, "discriminator_histogram", {"edges": edges, "real": real, "generated": generated})
