"""What Optimizers starts from, and its one-click examples."""

from nnviz.spec.clipping import ClipNorm
from nnviz.spec.gradient_free import CMAES, Genetic, OpenES
from nnviz.spec.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop, Rprop
from nnviz.spec.point_optimizers import LBFGS, Method, Newton, UncorrectedAdam
from nnviz.spec.preset import Preset
from nnviz.spec.schedules import Cosine
from nnviz.spec.surfaces import Cliff, Himmelblau, Quadratic, Rastrigin, Ravine, Rosenbrock, Saddle
from nnviz.spec.trajectories import Trajectories, TrajectorySpec


def _trajectories(*methods: Method, **settings: object) -> Trajectories:
    return Trajectories(optimizers=tuple(TrajectorySpec(method=m) for m in methods), **settings)


DEFAULT = Trajectories()

EXAMPLES = (
    Preset(
        title="Four learning rates",
        jobs=(
            _trajectories(
                SGD(lr=0.05), SGD(lr=1.8), SGD(lr=1.99), SGD(lr=2.02), surface=Quadratic(condition=10), steps=100
            ),
        ),
        look_at="Too small, right, too large, diverging. Across the valley the error is multiplied by 1 − ηλ at every "
        "step: beyond η = 2/λ = 2 its magnitude grows. Find the four learning rates in the phase diagram at β "
        "= 0.",
        reference="Goh, 2017",
    ),
    Preset(
        title="Why momentum",
        jobs=(
            _trajectories(
                SGD(lr=1.98),
                SGD(lr=3.305, momentum=0.6695),
                SGD(lr=1.0, momentum=0.9),
                SGD(lr=1.0, momentum=0.9, nesterov=True),
                surface=Quadratic(condition=100),
                steps=200,
            ),
        ),
        look_at="κ = 100. Without momentum the best learning rate multiplies the error by (κ−1)/(κ+1) = 0.980 per "
        "step; the best momentum multiplies it by (√κ−1)/(√κ+1) = 0.818, at a learning rate at which plain "
        "gradient descent would diverge. Compare the slopes of the distances to the minimum.",
        reference="Polyak, 1964; Goh, 2017",
    ),
    Preset(
        title="Why Adam corrects its bias",
        choices={"optimizer": "0"},
        jobs=(_trajectories(Adam(lr=0.1), UncorrectedAdam(lr=0.1), surface=Himmelblau(), x=3.0, y=4.0, steps=100),),
        look_at="m and v start at 0, and v adapts more slowly. Without the correction the first step is (1 − β₁)/√(1 − "
        "β₂) = 3.2 times too long, and the next ones are hardly shorter: from here the point overshoots the "
        "nearest minimum into another valley, as it does from two thirds of the starts nearby. With the "
        "correction the first step is η in each coordinate.",
        reference="Kingma & Ba, 2015, arXiv:1412.6980",
    ),
    Preset(
        title="Saddle point",
        jobs=(
            _trajectories(
                SGD(lr=0.1),
                SGD(lr=0.1, momentum=0.9),
                Adam(lr=0.1),
                Newton(),
                Newton(absolute=True),
                surface=Saddle(),
                steps=150,
            ),
        ),
        look_at="All start almost on the ridge. At the saddle the gradient is 0, but f decreases in one direction. "
        "Newton's method converges to the saddle; plain gradient descent takes long to leave it; with absolute "
        "eigenvalues Newton's step leads away.",
        reference="Dauphin et al., 2014, arXiv:1406.2572",
    ),
    Preset(
        title="Twelve on Rosenbrock",
        jobs=(
            _trajectories(
                SGD(lr=0.001),
                SGD(lr=0.001, momentum=0.9),
                SGD(lr=0.001, momentum=0.9, nesterov=True),
                Adagrad(lr=0.5),
                Adadelta(lr=1.0),
                RMSprop(lr=0.01),
                Adam(lr=0.1),
                NAdam(lr=0.1),
                RAdam(lr=0.003),
                AdamW(lr=0.1, weight_decay=0.0),
                Adamax(lr=0.2),
                Rprop(lr=0.01),
                surface=Rosenbrock(),
                steps=500,
            ),
        ),
        look_at="Finding the curved valley is easy, following it is not: nine or more of the twelve reach its floor "
        "within 15 steps, and after 500 steps at most two are within 0.1 of the minimum. Drag the start to the "
        "other side. Which optimizers overshoot the bend, and which follow it slowly?",
        reference="Rosenbrock, 1960",
    ),
    Preset(
        title="Gradient-free on Rastrigin",
        jobs=(
            _trajectories(
                SGD(lr=0.002),
                Adam(lr=0.1),
                LBFGS(line_search=True),
                OpenES(lr=0.02, sigma=0.5, pairs=50),
                CMAES(sigma=2.0),
                Genetic(),
                surface=Rastrigin(),
                steps=100,
                seed=1,
            ),
        ),
        look_at="Gradient-based optimizers end in the local minimum next to the start. Gradient-free optimizers "
        "compare values of f over a whole region and step across many local minima, nearly always to a lower "
        "one, at many more evaluations per step. Try other seeds: the result depends on chance.",
        reference="Hansen, 2016, arXiv:1604.00772",
    ),
    Preset(
        title="Clipping at a cliff",
        jobs=(
            _trajectories(
                SGD(lr=0.6), SGD(lr=0.5, momentum=0.5), Adam(lr=0.3), surface=Cliff(), steps=150, clipping=ClipNorm()
            ),
        ),
        look_at="At the cliff the gradient is a hundred times that on the plateau. Clipped to norm 1 it keeps its "
        "direction, and all three optimizers reach the minimum. Now switch clipping off: from this start "
        "gradient descent with and without momentum leaves the map; Adam does not, but the cliff stays in its "
        "second moment and it ends 0.5 short of the minimum.",
        reference="Pascanu et al., 2013, arXiv:1211.5063",
    ),
    Preset(
        title="Mini-batch noise",
        jobs=(
            _trajectories(
                SGD(lr=0.3),
                SGD(lr=0.03, momentum=0.9),
                Adam(lr=0.3),
                surface=Ravine(),
                steps=300,
                noise=1.0,
                schedule=Cosine(),
            ),
        ),
        look_at="The same noise is added to every optimizer's gradient. While the learning rate is large they "
        "fluctuate around the minimum; as the cosine schedule reduces it to 0 they converge. Without the "
        "schedule they never do.",
        reference="Robbins & Monro, 1951",
    ),
    Preset(
        title="Basins of attraction",
        jobs=(
            _trajectories(
                SGD(lr=0.01), SGD(lr=0.01, momentum=0.9), Adam(lr=0.3), surface=Himmelblau(), steps=200, grid=41
            ),
        ),
        look_at="Which of the four minima does each start lead to, and how fast? The basins of plain gradient descent "
        "have smooth boundaries; momentum overshoots them, so that nearby starts end far apart: its boundaries "
        "are six to eight times as long.",
    ),
)
