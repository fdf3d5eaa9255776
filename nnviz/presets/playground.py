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
        "accuracy ends between 30% and 70% and never exceeds 75% on a balanced set.",
        reference="Minsky & Papert, 1969",
        jobs=(_play(2000, data=d.XOR(noise=0.0), model=MLP(hidden=())),),
    ),
    Preset(
        title="XOR, hidden layer",
        look_at="Four tanh neurons suffice: the training accuracy ends at 97% or more. In the small maps each hidden "
        "neuron is one soft line, and the output layer adds them up. With only two hidden neurons no "
        "initialization gets above 90%.",
        reference="Rumelhart et al., 1986",
        jobs=(_play(3000, data=d.XOR(noise=0.0), model=MLP(hidden=_layers(a.Tanh(), 4)), optimizer=SGD(lr=0.3)),),
    ),
    Preset(
        title="Spirals",
        look_at="Three interleaved arms need curved class boundaries. Go back to the first hundred steps: the decision "
        "surface starts as three sectors and begins to curl only in the next two hundred.",
        reference="Lang & Witbrock, 1988",
        jobs=(_play(5000, data=d.Spirals(), model=MLP(hidden=_layers(a.Tanh(), 16, 16)), optimizer=Adam(lr=0.01)),),
    ),
    Preset(
        title="Overfitting",
        look_at="Forty noisy training points and far too many weights. The training loss keeps falling while the test "
        "loss rises again to several times its minimum, and the class boundary bends until every training "
        "point is on the right side. Then try L2 0.01: the final test loss drops to less than a third.",
        reference="Goodfellow et al., 2016, ch. 5",
        jobs=(
            _play(
                4000,
                data=d.Moons(points=200, noise=0.4, train_fraction=0.2),
                model=MLP(hidden=_layers(a.ReLU(), 64, 64), initializer=i.HeNormal()),
                optimizer=Adam(lr=0.005),
            ),
        ),
    ),
    Preset(
        title="Curve fitting",
        look_at="One input, one output: each ReLU of the first layer adds one kink, those of the second layer add "
        "more, and in the end the curve has 15 to 30 kinks. They are spread over the whole input range: one "
        "third to two thirds of them lie in the 40% of it nearest to the curve's extrema. Switch to tanh for a "
        "smooth curve.",
        reference="Cybenko, 1989",
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
        look_at="Real handwriting, 8 × 8 pixels: in the end all training digits are classified correctly, and 96% or "
        "more of the test digits. Read the confusion matrix by rows, and look at the test digits with the "
        "highest loss: a person would get some of them wrong too.",
        reference="Alpaydin & Kaynak, 1998",
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
