"""What the Playground starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.losses import MSE
from nnviz.spec.models import MLP, Hidden
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.preset import Preset


def _layers(activation: a.Activation, *widths: int) -> tuple[Hidden, ...]:
    return tuple(Hidden(width=w, activation=activation) for w in widths)


def _play(steps: int = 4000, seed: int = 0, **learner: object) -> Training:
    return Training(learner=Supervised(**learner), steps=steps, seed=seed)


DEFAULT = _play(model=MLP(hidden=_layers(a.Tanh(), 6, 6)))
"""Two moons, two small tanh layers, plain gradient descent."""

EXAMPLES = (
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
