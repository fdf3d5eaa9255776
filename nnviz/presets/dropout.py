"""What the page on dropout and overfitting starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.base import replace_many
from nnviz.spec.dropouts import StandardDropout
from nnviz.spec.early_stopping import Patience
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import MLP, DeepMLP, Hidden
from nnviz.spec.optimizers import Adam
from nnviz.spec.preset import Preset
from nnviz.spec.probes import Memorization

_WIDE = DeepMLP(depth=2, width=64, activation=a.ReLU(), initializer=i.HeNormal())
_FEW = d.Moons(points=400, noise=0.4, train_fraction=0.1)


def _train(steps: int = 2000, **learner: object) -> Training:
    chosen = {"data": _FEW, "model": _WIDE, "optimizer": Adam(lr=0.001)} | learner
    return Training(learner=Supervised(**chosen), steps=steps, probes=(*Training().probes, Memorization()))


def _layers(*widths: int) -> MLP:
    hidden = tuple(Hidden(width=width, activation=a.Tanh()) for width in widths)
    return MLP(hidden=hidden, dropout=StandardDropout())


PLAIN = _train()
"""Forty noisy training points of two moons and two layers that are far too wide."""

DEFAULT = replace_many(PLAIN, {"learner.model.dropout": StandardDropout()})
"""The same with dropout."""

WRONG_LABELS = _train(
    1000,
    data=d.Digits(points=900, train_fraction=0.5, label_noise=0.2),
    model=replace_many(_WIDE, {"width": 128}),
)
"""450 digits, a fifth of them with another label."""

EXAMPLES = (
    Preset(
        title="Overfitting",
        look_at="Forty noisy training points and two layers of 64 units. Without any remedy (A) the test loss ends at "
        "four times its minimum or more. Dropout (B) halves the gap between train and test loss in four of five "
        "seeds. L2 (C) and L1 (D) keep the test loss below half of that of A, and early stopping (E) ends near the "
        "minimum of A. Most of all helps what one rarely has: eight times the data (F).",
        reference="Srivastava et al., 2014; Prechelt, 1998",
        choices={"seeds.seeds": "8", "seeds.sites": "test"},
        jobs=(
            PLAIN,
            DEFAULT,
            replace_many(PLAIN, {"learner.l2": 0.01}),
            replace_many(PLAIN, {"learner.l1": 0.001}),
            replace_many(PLAIN, {"early_stopping": Patience(patience=20)}),
            replace_many(PLAIN, {"learner.data.train_fraction": 0.8}),
        ),
    ),
    Preset(
        title="Weight scaling",
        section="Dropout",
        look_at="Eight units can be dropped in 2⁸ = 256 ways, and all of them are computed. With one hidden layer (A) "
        "a single softmax layer follows the dropout, and weight scaling is exactly the normalized geometric mean over "
        "all masks. With the eight units in two layers (B) it is an approximation: some probabilities differ by "
        "0.02 or more.",
        reference="Srivastava et al., 2014; Goodfellow et al., 2016, sec. 7.12",
        jobs=(_train(1000, model=_layers(8)), _train(1000, model=_layers(4, 4))),
    ),
    Preset(
        title="Wrong labels",
        section="Memorization",
        look_at="A fifth of 450 training digits have a wrong label. Without dropout (A) half of the right labels are "
        "learned by step 50, half of the wrong ones not before step 150. In between at least 75% of the wrongly "
        "labeled are taken for what they are; at the end 95% of the wrong labels or more are known by heart. With "
        "dropout (B) at most 30% are, and the test accuracy ends higher.",
        reference="Zhang et al., 2017; Arpit et al., 2017; Toneva et al., 2019",
        jobs=(WRONG_LABELS, replace_many(WRONG_LABELS, {"learner.model.dropout": StandardDropout(rate=0.5)})),
    ),
)
