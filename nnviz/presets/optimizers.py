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
        "step: beyond η = 2/λ = 2 its size grows. Find the four on the phase diagram at β = 0.",
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
        look_at="κ = 100. The best plain rate keeps (κ−1)/(κ+1) = 0.980 of the error a step; the best momentum keeps "
        "(√κ−1)/(√κ+1) = 0.818, at a rate at which plain descent would diverge. Compare the slopes of the distances.",
        reference="Polyak, 1964; Goh, 2017",
    ),
    Preset(
        title="Why Adam corrects its bias",
        choices={"optimizer": "0"},
        jobs=(_trajectories(Adam(lr=0.1), UncorrectedAdam(lr=0.1), surface=Himmelblau(), x=3.0, y=4.0, steps=100),),
        look_at="m and v start from 0, and v forgets more slowly. Without the correction the first step is (1 − "
        "β₁)/√(1 − β₂) = 3.2 times too long, and the next ones are hardly better: from here the point is thrown "
        "past the minimum beside it into another valley, as it is from two thirds of the starts around. With it "
        "the first step is η in each direction.",
        reference="Kingma & Ba, 2015, arXiv:1412.6980",
    ),
    Preset(
        title="A saddle is no minimum",
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
        look_at="All start almost on the ridge. At the saddle the gradient is 0, yet one direction leads down. "
        "Newton's method stays there for good; plain descent lingers; with |curvature| Newton's step leads away.",
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
        look_at="Finding the bent valley is easy, following it is not: nine or more of the twelve are on its "
        "floor within 15 steps, and after 500 steps at most two are within 0.1 of the minimum. Drag the start to "
        "the other side. Which optimizers overshoot the bend, which creep along it?",
        reference="Rosenbrock, 1960",
    ),
    Preset(
        title="Gradient-free among ripples",
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
        look_at="Methods that follow the gradient end in a dent beside the start. Evolution strategies look at "
        "heights over a whole region and step over many ripples, nearly always to a lower one, at many more "
        "evaluations a step. Try other seeds: luck counts.",
        reference="Hansen, 2016, arXiv:1604.00772",
    ),
    Preset(
        title="A cliff, and clipping",
        jobs=(
            _trajectories(
                SGD(lr=0.6), SGD(lr=0.5, momentum=0.5), Adam(lr=0.3), surface=Cliff(), steps=150, clipping=ClipNorm()
            ),
        ),
        look_at="At the wall the gradient is a hundred times what it is on the plateau. Clipped to norm 1 it "
        "keeps its direction and does no harm: all three arrive. Now switch clipping off: from here descent with "
        "and without momentum is thrown off the map; Adam is not, but the wall stays in its second moment and it "
        "ends short of the minimum, by 0.5 from here.",
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
        look_at="The same noise is added to every optimizer's gradient. While the rate is large they jitter around the "
        "minimum; as the cosine takes it to 0 they settle. Switch the schedule off: they never do.",
        reference="Robbins & Monro, 1951",
    ),
    Preset(
        title="Basins of attraction",
        jobs=(
            _trajectories(
                SGD(lr=0.01), SGD(lr=0.01, momentum=0.9), Adam(lr=0.3), surface=Himmelblau(), steps=200, grid=41
            ),
        ),
        look_at="Which of the four minima does a start lead to, and how soon? Plain descent's basins have smooth "
        "borders; momentum shoots across them, so that close starts end far apart: its borders are six to eight times "
        "as long.",
    ),
)
