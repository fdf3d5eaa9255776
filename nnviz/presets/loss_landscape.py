"""What Loss landscape starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.landscapes import Curvature, Landscape, Line, PathPlane, RandomLines, RandomPlane, TrainedModel, View
from nnviz.spec.learners import Supervised
from nnviz.spec.losses import MSE
from nnviz.spec.models import MLP, DeepMLP, Hidden
from nnviz.spec.norms import BatchNorm, NoNorm
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.preset import Preset

ALL = (RandomPlane(), RandomLines(), PathPlane(), Line(), Curvature())


def _layers(activation: a.Activation, *widths: int) -> tuple[Hidden, ...]:
    return tuple(Hidden(width=w, activation=activation) for w in widths)


def _look(*views: View, steps: int = 1000, seed: int = 0, samples: int = 1000, **learner: object) -> Landscape:
    network = TrainedModel(learner=Supervised(**learner), steps=steps, seed=seed)
    order = [type(view) for view in ALL]
    return Landscape(
        network=network, views=tuple(sorted(views, key=lambda view: order.index(type(view)))), samples=samples
    )


DEFAULT = _look(
    RandomPlane(),
    PathPlane(),
    Curvature(),
    model=MLP(hidden=_layers(a.Tanh(), 8, 8)),
    optimizer=SGD(lr=0.1, momentum=0.9),
)
"""Two moons, two tanh layers, momentum."""

_DEEP = DeepMLP(depth=20, width=16, activation=a.Tanh(), initializer=i.GlorotNormal())

EXAMPLES = (
    Preset(
        title="Training trajectory",
        jobs=(DEFAULT.model_copy(update={"views": (RandomPlane(), RandomLines(), PathPlane())}),),
        look_at="Drag the time slider and follow the point down the valley. Two principal components explain 97% or "
        "more of the variance of the trajectory; a random plane explains less than a fifth of it. Only the "
        "last point lies in the plane: the band shows the residuals of the others.",
        reference="Li et al., 2018, arXiv:1712.09913",
    ),
    Preset(
        title="Edge of stability",
        jobs=(
            _look(
                Curvature(points=41),
                PathPlane(),
                data=d.Moons(points=200, noise=0.1),
                loss=MSE(),
                model=MLP(hidden=_layers(a.Tanh(), 16, 16)),
                optimizer=SGD(lr=0.2),
                batch_size=20_000,
                steps=1500,
            ),
        ),
        look_at="Full-batch gradient descent. The largest eigenvalue rises until it reaches the stability limit 2/η "
        "and, for nine of ten seeds, hovers there: a larger learning rate would be unstable. Divide the "
        "learning rate by three: for nine of ten seeds the eigenvalue rises above this line. Or use batch size "
        "8: it never reaches the limit.",
        reference="Cohen et al., 2021, arXiv:2103.00065",
    ),
    Preset(
        title="Edge of stability, Adam",
        jobs=(
            _look(
                Curvature(points=41),
                PathPlane(),
                data=d.Moons(points=200, noise=0.1),
                loss=MSE(),
                model=MLP(hidden=_layers(a.Tanh(), 16, 16)),
                optimizer=Adam(lr=0.003, beta2=0.99),
                batch_size=20_000,
                steps=1500,
            ),
        ),
        look_at="Full-batch Adam divides each entry of the gradient by a running root mean square P. The Hessian's own "
        "largest eigenvalue stays below 1% of the limit; that of the preconditioned Hessian P⁻¹H rises from less "
        "than a tenth of the limit until it reaches it, and stays within 15% of it. A third of the learning rate "
        "triples the limit.",
        reference="Cohen et al., 2022, arXiv:2207.14484",
    ),
    Preset(
        title="Skip connections",
        jobs=tuple(
            _look(
                RandomPlane(resolution=33),
                PathPlane(resolution=33),
                Curvature(points=11),
                data=d.Digits(points=300),
                model=_DEEP.model_copy(update={"skip": skip}),
                optimizer=SGD(lr=0.05),
                steps=400,
            )
            for skip in (False, True)
        ),
        look_at="Twenty tanh layers without (A) and with skip connections (B). Compare their train losses over the "
        "same steps: A's falls by less than a factor of 4, B's by about a factor of 1,000. The surface around "
        "A has several local minima, and at the end its curvature is near the stability limit, half to three "
        "times 2/η; B's is less than a sixth of that.",
        reference="Li et al., 2018, arXiv:1712.09913",
    ),
    Preset(
        title="Batch norm",
        jobs=tuple(
            _look(
                RandomPlane(),
                RandomLines(),
                PathPlane(),
                data=d.Digits(points=300),
                model=DeepMLP(depth=4, width=32, activation=a.Sigmoid(), initializer=i.GlorotNormal(), norm=norm),
                optimizer=SGD(lr=0.5),
                steps=600,
            )
            for norm in (NoNorm(), BatchNorm())
        ),
        look_at="Four sigmoid layers without (A) and with batch norm (B). A has hardly left a plateau with almost no "
        "gradient: its loss falls by less than a factor of 2, B's by more than a factor of 100; B has reached "
        "a bowl. Where the network trains without it anyway (try tanh), batch norm does not make this bowl any "
        "wider.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167; Santurkar et al., 2018, arXiv:1805.11604",
    ),
    Preset(
        title="Two solutions",
        jobs=(
            _look(
                PathPlane(),
                Line(),
                data=d.Moons(points=200),
                model=MLP(hidden=_layers(a.Tanh(), 16, 16)),
                optimizer=SGD(lr=0.2),
                steps=1500,
            ),
        ),
        look_at="The same network from other initial weights, on the same data, also reaches a low loss, at another "
        "point. On the straight line between the two lies a barrier: averaging two solutions does not give a "
        "solution.",
        reference="Goodfellow et al., 2015, arXiv:1412.6544; Frankle et al., 2020, arXiv:1912.05671",
    ),
    Preset(
        title="Wide and narrow",
        jobs=tuple(
            _look(
                RandomPlane(),
                RandomLines(),
                Curvature(),
                data=d.Digits(points=300),
                model=MLP(hidden=_layers(a.Tanh(), *[width] * 3), initializer=i.GlorotNormal()),
                optimizer=SGD(lr=0.1),
                steps=600,
            )
            for width in (4, 64)
        ),
        look_at="Three hidden layers of 4 (A) and of 64 units (B), perturbed along random filter-normalized "
        "directions. The wide network can be perturbed far before its loss rises; the narrow one sits in a "
        "sharp minimum, with a largest eigenvalue at least five times as large.",
        reference="Li et al., 2018, arXiv:1712.09913",
    ),
    Preset(
        title="Large and small batches",
        jobs=tuple(
            _look(
                RandomPlane(),
                RandomLines(),
                Curvature(),
                data=d.Digits(points=1000),
                model=MLP(hidden=_layers(a.ReLU(), 64, 64), initializer=i.HeNormal()),
                optimizer=SGD(lr=0.1),
                batch_size=size,
                steps=1500,
            )
            for size in (20_000, 8)
        ),
        look_at="The same number of steps with full batch (A) and batch size 8 (B). A ends in a sharper minimum, with "
        "a largest eigenvalue several times B's. Yet their test accuracies differ by less than one or two "
        "percentage points.",
        reference="Keskar et al., 2017, arXiv:1609.04836",
    ),
)
