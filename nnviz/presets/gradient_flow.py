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
        look_at="σ′ ≤ ¼, so with these weights each layer (A) passes on less than a quarter of the gradient signal, "
        "and about 10⁻¹² of it reaches the first of twenty layers, while ReLU with He initialization (B) "
        "preserves it. A predicts the same class for all samples and stays there; after 200 steps B has a test "
        "accuracy of 40% or more.",
        reference="Hochreiter, 1991; Glorot & Bengio, 2010",
        jobs=(_deep(_SIGMOID), _deep(_RELU)),
    ),
    Preset(
        title="Exploding",
        look_at="Weights only 1.3 times too large (A): each layer multiplies activations in the forward pass by about "
        "1.3, and the gradient signal in the backward pass; 1.3²⁰ ≈ 190. The first step is far too long, and "
        "at the third step the loss is NaN. With He initialization (B) all layers have the same scale.",
        reference="He et al., 2015, arXiv:1502.01852",
        jobs=(_deep(_LARGE), _deep(_RELU)),
    ),
    Preset(
        title="He initialization",
        look_at="ReLU sets half of the signal to zero. With the classic U(±1/√n) (A) the second moment falls by a "
        "factor of 6 per layer, and A never gets below the loss of random guessing, ln 10 = 2.30. The factor "
        "of 2 in He initialization (B) compensates for the lost half: thirty layers learn, if slowly. Dashed: "
        "theory for infinite width. Gray: range of 90% of untrained networks of this shape.",
        reference="He et al., 2015, arXiv:1502.01852",
        jobs=(
            _deep(_RELU.model_copy(update={"depth": 30, "initializer": i.ClassicUniform()})),
            _deep(_RELU.model_copy(update={"depth": 30})),
        ),
    ),
    Preset(
        title="Batch norm with sigmoid",
        look_at="Twenty sigmoid layers without (A) and with batch norm (B). No sigmoid saturates in either. But in A "
        "the spread of pre-activations across samples falls by a factor of 4 per layer, down to float32 "
        "rounding errors: the last layers get the same input for every sample. Batch norm sets it to about 1 "
        "in every layer, once its running statistics have converged (dotted: before), and B learns.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167",
        jobs=(_deep(_SIGMOID, lr=0.02), _deep(_SIGMOID.model_copy(update={"norm": BatchNorm()}), lr=0.02)),
    ),
    Preset(
        title="Gradient clipping",
        section="Loss",
        look_at="The same overly large weights in both. Without clipping (A) a single step destroys the network. With "
        "the gradient norm clipped to 1 (B) every step keeps its direction but not its length, and the network "
        "recovers: its loss falls from hundreds to less than 1.",
        reference="Pascanu et al., 2013, arXiv:1211.5063",
        jobs=(_deep(_LARGE), _deep(_LARGE, clipping=ClipNorm(max_norm=1.0))),
    ),
    Preset(
        title="Skip connections",
        look_at="Thirty tanh layers with the classic small weights, without (A) and with skip connections (B). In A "
        "the gradient signal shrinks by a factor of 1/√3 = 0.58 per layer in the backward pass, and A is still "
        "at chance level after 100 steps; in B it bypasses every layer, and the network learns at once.",
        reference="He et al., 2016, arXiv:1512.03385",
        jobs=(_deep(_THIN, lr=0.02), _deep(_THIN.model_copy(update={"skip": True}), lr=0.02)),
    ),
)
