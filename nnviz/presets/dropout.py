"""What the page on dropout and overfitting starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.augmentation import InputNoise
from nnviz.spec.base import replace_many
from nnviz.spec.dropouts import StandardDropout
from nnviz.spec.early_stopping import Patience
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.losses import MSE
from nnviz.spec.models import MLP, DeepMLP, Hidden
from nnviz.spec.optimizers import Adam
from nnviz.spec.preset import Preset
from nnviz.spec.probes import Memorization

_WIDE = DeepMLP(depth=2, width=64, activation=a.ReLU(), initializer=i.HeNormal())
_WIDE_WITH_DROPOUT = _WIDE.model_copy(update={"dropout": StandardDropout()})
_FEW = d.Moons(points=400, noise=0.4, train_fraction=0.1)


def _train(steps: int = 2000, **learner: object) -> Training:
    chosen = {"data": _FEW, "model": _WIDE, "optimizer": Adam(lr=0.001)} | learner
    return Training(learner=Supervised(**chosen), steps=steps, probes=(Memorization(),))


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

_DIABETES = _train(1000, data=d.Diabetes(train_fraction=0.3), loss=MSE(), optimizer=Adam(lr=0.003))

EXAMPLES = (
    Preset(
        title="Overfitting",
        look_at="Forty noisy points, two layers of 64 units. Without a remedy (A) the test loss ends at three times "
        "its minimum or more. Dropout (B) shrinks the gap between train and test loss. With L2 (C), L1 (D), input "
        "noise (F) or 4 units (G) the test loss ends below 70% of that of A; early stopping (E) ends near the minimum "
        "of A. Most of all helps eight times the data (H).",
        reference="Srivastava et al., 2014; Prechelt, 1998; Bishop, 1995",
        choices={"seeds.seeds": "8", "seeds.sites": "test"},
        jobs=(
            PLAIN,
            DEFAULT,
            replace_many(PLAIN, {"learner.l2": 0.01}),
            replace_many(PLAIN, {"learner.l1": 0.001}),
            replace_many(PLAIN, {"early_stopping": Patience(patience=20)}),
            replace_many(PLAIN, {"learner.augmentation": InputNoise(std=0.5)}),
            replace_many(PLAIN, {"learner.model.width": 4}),
            replace_many(PLAIN, {"learner.data.train_fraction": 0.8}),
        ),
    ),
    Preset(
        title="Capacity",
        look_at="The same forty points, layers of 1, 4, 16 and 256 units. A single unit (A) underfits: its training "
        "loss ends at 1.5 times that of 16 units (C) or more. With 256 (D) the training loss falls below 0.1, and "
        "the test loss ends at twice that of 16 units (C) or more.",
        reference="Goodfellow et al., 2016, sec. 5.2",
        jobs=tuple(replace_many(PLAIN, {"learner.model.width": width}) for width in (1, 4, 16, 256)),
    ),
    Preset(
        title="Data size",
        look_at="The same network on 20, 120 and 320 training points of 400. The gap between train and test loss "
        "shrinks with every step from A to C, and the training loss rises: more points are harder to learn by heart.",
        reference="Goodfellow et al., 2016, sec. 5.2",
        jobs=tuple(replace_many(PLAIN, {"learner.data.train_fraction": share}) for share in (0.05, 0.3, 0.8)),
    ),
    Preset(
        title="Regression",
        look_at="Ten measurements of 133 patients; predicting the mean has a test loss of about 1. Without dropout "
        "(A) the training loss falls below 0.03 and the test loss rises again to 1.2 times its minimum or more. With "
        "dropout (B) it ends below that of A, and below that with L2 (C). With two moons L2 is the stronger of the "
        "two.",
        reference="Srivastava et al., 2014; Efron et al., 2004",
        jobs=(
            _DIABETES,
            replace_many(_DIABETES, {"learner.model.dropout": StandardDropout()}),
            replace_many(_DIABETES, {"learner.l2": 0.01}),
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
        title="Uncertainty",
        section="Uncertainty",
        look_at="Thirty masks are thirty networks, and the color is how much they disagree. On "
        "test points that are classified wrong their spread is 1.2 times that on the others or more. The mean of "
        "their probabilities has a lower test loss than weight scaling, which is the usual way to predict.",
        reference="Gal & Ghahramani, 2016, arXiv:1506.02142",
        jobs=(DEFAULT,),
    ),
    Preset(
        title="Uncertain digits",
        section="Uncertainty",
        look_at="A hundred training digits, dropout 0.5. The thinned networks disagree most on the digits shown: among "
        "the tenth of the test digits with the largest mutual information, errors are 1.5 times as frequent as among "
        "all or more. The whiskers are the spread of each class's probability over the masks.",
        reference="Gal & Ghahramani, 2016, arXiv:1506.02142",
        jobs=(_train(600, data=d.Digits(points=1000, train_fraction=0.1), model=_WIDE_WITH_DROPOUT),),
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
