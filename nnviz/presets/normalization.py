"""What Normalization starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import DeepMLP
from nnviz.spec.norms import BatchNorm, LayerNorm, Norm
from nnviz.spec.optimizers import SGD
from nnviz.spec.preset import Preset
from nnviz.spec.probes import Activations, GradientLine, GradientNorms, Norms, Updates

PROBES = (GradientNorms(), Updates(), Activations(), Norms(), GradientLine())


def _job(model: DeepMLP, lr: float = 0.1, steps: int = 600, line: int = 200, **learner: object) -> Training:
    learner = {"batch_size": 64} | learner
    return Training(
        learner=Supervised(data=d.Digits(), model=model, optimizer=SGD(lr=lr), **learner),
        probes=(*PROBES[:-1], GradientLine(every=line)),
        steps=steps,
    )


def _with(model: DeepMLP, norm: Norm) -> DeepMLP:
    return model.model_copy(update={"norm": norm})


_RELU = DeepMLP(depth=5, width=32, activation=a.ReLU(), initializer=i.HeNormal())
_SIGMOID = DeepMLP(depth=12, width=32, activation=a.Sigmoid(), initializer=i.GlorotNormal())

DEFAULT = _job(_with(_RELU, BatchNorm()))
"""Five ReLU layers with batch norm, on digits."""

EXAMPLES = (
    Preset(
        title="Deep sigmoid network",
        look_at="Twelve sigmoid layers. Without normalization (A) the loss stays at that of random guessing; with "
        "batch norm (B) the test accuracy gets above 90%; layer norm (C) does not help. In the upper layers all "
        "samples look alike: layer norm divides by the spread over units, which is large, batch norm by that over "
        "samples.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167",
        jobs=(_job(_SIGMOID), _job(_with(_SIGMOID, BatchNorm())), _job(_with(_SIGMOID, LayerNorm()))),
    ),
)
