"""Named jobs: what each page starts from, and its one-click examples."""

from pydantic import Field

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.base import Spec
from nnviz.spec.clipping import ClipNorm
from nnviz.spec.jobs import Experiment, Job
from nnviz.spec.learners import Supervised
from nnviz.spec.losses import MSE
from nnviz.spec.models import MLP, DeepMLP, Hidden
from nnviz.spec.norms import BatchNorm
from nnviz.spec.optimizers import SGD, Adam


class Preset(Spec):
    """One or two jobs worth seeing, and what to look at in them."""

    title: str
    look_at: str = Field(description="Two or three sentences: what to look at, and why it is so.")
    reference: str = ""
    jobs: tuple[Job, ...] = Field(min_length=1, max_length=2)


def _layers(activation: a.Activation, *widths: int) -> tuple[Hidden, ...]:
    return tuple(Hidden(width=w, activation=activation) for w in widths)


def _play(steps: int = 4000, seed: int = 0, **learner: object) -> Experiment:
    return Experiment(learner=Supervised(**learner), steps=steps, seed=seed)


PLAYGROUND = _play(model=MLP(hidden=_layers(a.Tanh(), 6, 6)))
"""Two moons, two small tanh layers, plain gradient descent."""

PLAYGROUND_EXAMPLES = (
    Preset(
        title="XOR, one layer",
        look_at="A network without a hidden layer can only draw one straight line, and no line separates XOR: the "
        "accuracy ends somewhere between 30 and 70 % and never passes 75 % of a balanced set.",
        reference="Minsky & Papert (1969), Perceptrons",
        jobs=(_play(2000, data=d.XOR(noise=0.0), model=MLP(hidden=())),),
    ),
    Preset(
        title="XOR, hidden layer",
        look_at="Four tanh neurons suffice: at the end 97 % or more of the training points are right. Look at the "
        "small maps: each hidden neuron is one soft line, and the output adds them up. With only two of them no "
        "start gets past 90 %.",
        reference="Rumelhart, Hinton & Williams (1986)",
        jobs=(_play(3000, data=d.XOR(noise=0.0), model=MLP(hidden=_layers(a.Tanh(), 4)), optimizer=SGD(lr=0.3)),),
    ),
    Preset(
        title="Spirals",
        look_at="Three arms that wind around each other need curved borders. Scrub back to the first hundred "
        "steps: the surface starts as three sectors, and only in the next two hundred does it begin to turn.",
        reference="Lang & Witbrock (1988)",
        jobs=(_play(5000, data=d.Spirals(), model=MLP(hidden=_layers(a.Tanh(), 16, 16)), optimizer=Adam(lr=0.01)),),
    ),
    Preset(
        title="Overfitting",
        look_at="Forty noisy training points and far too many weights. The training loss keeps falling while the "
        "test loss turns and climbs to several times its lowest, and the border bends out until it has caught "
        "every single point. Then try L2 0.01: the test loss ends at less than a third.",
        reference="Goodfellow et al. (2016), Deep Learning, ch. 5",
        jobs=(
            _play(
                4000,
                data=d.Moons(points=200, noise=0.4, train_share=0.2),
                model=MLP(hidden=_layers(a.ReLU(), 64, 64), initializer=i.HeNormal()),
                optimizer=Adam(lr=0.005),
            ),
        ),
    ),
    Preset(
        title="Curve fitting",
        look_at="One input, one output: each ReLU of the first layer bends the line once, those of the second add "
        "more, and in the end the curve has 15 to 30 bends. They lie over the whole line: a third to two thirds "
        "of them in the two fifths nearest to its turns. Switch to tanh for a smooth curve.",
        reference="Cybenko (1989)",
        jobs=(
            _play(
                4000,
                data=d.Curve(),
                model=MLP(hidden=_layers(a.ReLU(), 12, 12), initializer=i.HeNormal()),
                loss=MSE(),
                optimizer=Adam(lr=0.005),
            ),
        ),
    ),
    Preset(
        title="Digits",
        look_at="Real handwriting, 64 pixels: all of the training digits are right in the end, and 96 % or more "
        "of the test digits. Read the confusion matrix by rows, and look at the worst-classified test digits: "
        "some of them a person would get wrong too.",
        reference="Alpaydin & Kaynak (1998)",
        jobs=(
            _play(
                2000,
                data=d.Digits(),
                model=MLP(hidden=_layers(a.ReLU(), 32), initializer=i.HeNormal()),
                optimizer=SGD(lr=0.1, momentum=0.9),
            ),
        ),
    ),
)


def _deep(model: DeepMLP, lr: float = 0.05, steps: int = 600, **learner: object) -> Experiment:
    return Experiment(
        learner=Supervised(data=d.Digits(), model=model, optimizer=SGD(lr=lr), batch_size=64, **learner), steps=steps
    )


_SIGMOID = DeepMLP(depth=20, activation=a.Sigmoid(), initializer=i.GlorotNormal())
_RELU = DeepMLP(depth=20, activation=a.ReLU(), initializer=i.HeNormal())
_THIN = DeepMLP(depth=30, activation=a.Tanh(), initializer=i.ClassicUniform())
_LARGE = DeepMLP(depth=20, activation=a.ReLU(), initializer=i.HeNormal(gain=1.3))

GRADIENT_FLOW = _deep(_RELU)
"""Twenty ReLU layers under He initialization, on digits."""

GRADIENT_FLOW_EXAMPLES = (
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
