"""What the page on dropout and overfitting starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.base import replace_many
from nnviz.spec.dropouts import StandardDropout
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import DeepMLP
from nnviz.spec.optimizers import Adam
from nnviz.spec.preset import Preset

_WIDE = DeepMLP(depth=2, width=64, activation=a.ReLU(), initializer=i.HeNormal())
_FEW = d.Moons(points=400, noise=0.4, train_fraction=0.1)


def _train(steps: int = 3000, **learner: object) -> Training:
    chosen = {"data": _FEW, "model": _WIDE, "optimizer": Adam(lr=0.005)} | learner
    return Training(learner=Supervised(**chosen), steps=steps)


_PLAIN = _train()
_DROPOUT = replace_many(_PLAIN, {"learner.model.dropout": StandardDropout()})

DEFAULT = _DROPOUT
"""Forty noisy training points of two moons and two wide layers, with dropout."""

EXAMPLES = (
    Preset(
        title="Overfitting",
        look_at="Forty training points.",
        reference="Srivastava et al., 2014",
        jobs=(
            _PLAIN,
            _DROPOUT,
            replace_many(_PLAIN, {"learner.l2": 0.01}),
            replace_many(_PLAIN, {"learner.l1": 0.001}),
            replace_many(_PLAIN, {"learner.model.width": 4}),
            replace_many(_PLAIN, {"learner.data.train_fraction": 0.8}),
        ),
    ),
)
