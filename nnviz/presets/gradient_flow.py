"""What Gradient flow starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.clipping import ClipNorm
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import DeepMLP
from nnviz.spec.norms import BatchNorm
from nnviz.spec.optimizers import SGD
from nnviz.spec.preset import Preset


def _deep(model: DeepMLP, lr: float = 0.05, steps: int = 600, **learner: object) -> Training:
    return Training(
        learner=Supervised(data=d.Digits(), model=model, optimizer=SGD(lr=lr), batch_size=64, **learner), steps=steps
    )


_SIGMOID = DeepMLP(depth=20, activation=a.Sigmoid(), initializer=i.GlorotNormal())
_RELU = DeepMLP(depth=20, activation=a.ReLU(), initializer=i.HeNormal())
_THIN = DeepMLP(depth=30, activation=a.Tanh(), initializer=i.ClassicUniform())
_LARGE = DeepMLP(depth=20, activation=a.ReLU(), initializer=i.HeNormal(gain=1.3))

DEFAULT = _deep(_RELU)
"""Twenty ReLU layers under He initialization, on digits."""

EXAMPLES = (
    Preset(
        title="Vanishing",
        look_at="A sigmoid's slope is at most ¼: each layer (A) passes on less than a quarter of the backward "
        "signal, and about a trillionth of it reaches the first of twenty, while ReLU under He's initialization "
        "(B) passes it on whole. A gives all samples the same class and stays there; after 200 steps B is right "
        "on 40 % of the test digits or more.",
        reference="Hochreiter (1991); Glorot & Bengio (2010)",
        jobs=(_deep(_SIGMOID), _deep(_RELU)),
    ),
    Preset(
        title="Exploding",
        look_at="Weights only 1.3 times too large (A): each layer multiplies activations on their way up by about "
        "1.3, and the backward signal on its way down; 1.3²⁰ ≈ 190. The first step is far too long, and at the "
        "third the loss is nan. He's scale (B) keeps all layers level.",
        reference="He et al. (2015), arXiv:1502.01852",
        jobs=(_deep(_LARGE), _deep(_RELU)),
    ),
    Preset(
        title="He rescues ReLU",
        look_at="ReLU throws half of the signal away. Under the classic U(±1/√n) (A) the second moment falls "
        "sixfold a layer, and A never gets below the loss of a guess, ln 10 = 2.30. He's factor of 2 makes up for "
        "the lost half (B): thirty layers learn, if slowly. Dashed: theory for infinite width. Gray: where 90 % "
        "of untrained networks of this shape lie.",
        reference="He et al. (2015), arXiv:1502.01852",
        jobs=(
            _deep(_RELU.model_copy(update={"depth": 30, "initializer": i.ClassicUniform()})),
            _deep(_RELU.model_copy(update={"depth": 30})),
        ),
    ),
    Preset(
        title="Batch norm rescues sigmoid",
        look_at="Twenty sigmoid layers without (A) and with batch norm (B). No sigmoid is saturated in either. "
        "But in A the spread of pre-activations between samples falls fourfold a layer, down to float32's "
        "rounding errors: the last layers see the same input whatever the sample. Batch norm sets it to about 1 "
        "in every layer, once its running statistics have settled (dotted: before), and B learns.",
        reference="Ioffe & Szegedy (2015), arXiv:1502.03167",
        jobs=(_deep(_SIGMOID, lr=0.02), _deep(_SIGMOID.model_copy(update={"norm": BatchNorm()}), lr=0.02)),
    ),
    Preset(
        title="Clipping tames the explosion",
        section="Loss",
        look_at="The same too large weights in both. Without clipping (A) a single step ruins the network. With "
        "the norm of the gradient cut to 1 (B) every step keeps its direction but not its length, and the network "
        "recovers: its loss falls from hundreds to less than 1.",
        reference="Pascanu et al. (2013), arXiv:1211.5063",
        jobs=(_deep(_LARGE), _deep(_LARGE, clipping=ClipNorm(max_norm=1.0))),
    ),
    Preset(
        title="Skip connections",
        look_at="Thirty tanh layers with the classic small weights, without (A) and with skip connections (B). In "
        "A the signal shrinks to 1/√3 = 0.58 in each layer on its way back, and A is still guessing after 100 "
        "steps; in B it goes around every layer, and the network learns at once.",
        reference="He et al. (2016), arXiv:1512.03385",
        jobs=(_deep(_THIN, lr=0.02), _deep(_THIN.model_copy(update={"skip": True}), lr=0.02)),
    ),
)
