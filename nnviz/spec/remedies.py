"""What to try when a training has diverged, as differences that make a variant of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from nnviz.spec.activations import ELU, GELU, SELU, LeakyReLU, PReLU, ReLU, SiLU
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.clipping import ClipNorm, NoClipping
from nnviz.spec.initializers import GlorotNormal, HeNormal, LeCunNormal
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import MLP, DeepMLP


class Remedy(NamedTuple):
    """One change: in words, and as a plain JSON value at a path of the job."""

    words: str
    path: str
    value: Any


def remedies(job: Any) -> list[Remedy]:
    """For a supervised training: a third of the learning rate, clipping the gradient norm to 1, and the initialization
    that preserves the signal's variance under its activation; those of them that the job does not have yet and that it
    takes. For anything else none."""
    if not (isinstance(job, Training) and isinstance(job.learner, Supervised)):
        return []
    return [remedy for remedy in _candidates(job.learner) if _is_taken(job, remedy)]


def _candidates(learner: Supervised) -> Iterator[Remedy]:
    if rate := getattr(learner.optimizer, "lr", 0):
        third = float(f"{rate / 3:.3g}")
        yield Remedy(f"Learning rate {third:g}", "learner.optimizer.lr", third)
    if isinstance(learner.clipping, NoClipping):
        yield Remedy("Clip the gradient norm to 1", "learner.clipping", ClipNorm(max_norm=1.0).model_dump(mode="json"))
    model = learner.model
    if isinstance(model, MLP | DeepMLP):
        activations = [layer.activation for layer in model.hidden] if isinstance(model, MLP) else [model.activation]
        suited = _suited(activations[0]) if activations else GlorotNormal()
        if model.initializer != suited:
            words = f"{type(suited).__name__.removesuffix('Normal')} initialization"
            yield Remedy(words, "learner.model.initializer", suited.model_dump(mode="json"))


def _suited(activation: Any) -> GlorotNormal | HeNormal | LeCunNormal:
    """He et al. (2015) for ReLU and its relatives, LeCun et al. (1998) for SELU, else Glorot & Bengio (2010)."""
    if isinstance(activation, SELU):
        return LeCunNormal()
    return HeNormal() if isinstance(activation, ReLU | LeakyReLU | PReLU | ELU | GELU | SiLU) else GlorotNormal()


def _is_taken(job: Training, remedy: Remedy) -> bool:
    try:
        replace_many(job, {remedy.path: remedy.value})
    except SpecError:
        return False
    return True
