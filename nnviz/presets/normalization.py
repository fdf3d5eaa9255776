"""What Normalization starts from, and its one-click examples."""

from nnviz.spec import activations as a
from nnviz.spec import data as d
from nnviz.spec import initializers as i
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import DeepMLP
from nnviz.spec.norms import BatchNorm, GroupNorm, LayerNorm, NoNorm, Norm, RMSNorm
from nnviz.spec.optimizers import SGD
from nnviz.spec.preset import Preset
from nnviz.spec.probes import Activations, GradientLine, GradientNorms, Norms, Updates

PROBES = (GradientNorms(), Updates(), Activations(), Norms(), GradientLine())


def _job(model: DeepMLP, lr: float = 0.1, steps: int = 600, line: int = 200, **learner: object) -> Training:
    learner = {"batch_size": 64} | learner
    return Training(
        learner=Supervised(data=d.Digits(), model=model, optimizer=SGD(lr=lr), **learner),
        probes=(*PROBES[:-1], GradientLine(every=line)),
        steps=steps,
    )


def _with(model: DeepMLP, norm: Norm) -> DeepMLP:
    return model.model_copy(update={"norm": norm})


_RELU = DeepMLP(depth=5, width=32, activation=a.ReLU(), initializer=i.HeNormal())
_LARGE = DeepMLP(depth=10, width=32, activation=a.ReLU(), initializer=i.HeNormal(gain=2.0))
_SHORT = DeepMLP(depth=5, width=32, activation=a.Sigmoid(), initializer=i.GlorotNormal())
_SIGMOID = DeepMLP(depth=12, width=32, activation=a.Sigmoid(), initializer=i.GlorotNormal())

DEFAULT = _job(_with(_RELU, BatchNorm()))
"""Five ReLU layers with batch norm, on digits."""

EXAMPLES = (
    Preset(
        title="Deep sigmoid network",
        look_at="Twelve sigmoid layers. Without normalization (A) the loss stays at that of random guessing; with "
        "batch norm (B) the test accuracy gets above 90%; layer norm (C) does not help. In the upper layers all "
        "samples look alike: layer norm divides by the spread over units, which is large, batch norm by that over "
        "samples.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167",
        jobs=(_job(_SIGMOID), _job(_with(_SIGMOID, BatchNorm())), _job(_with(_SIGMOID, LayerNorm()))),
    ),
    Preset(
        title="Four norms",
        look_at="Ten ReLU layers whose initial weights are twice too large. Without normalization (A) the third loss "
        "is NaN. With batch (B), layer (C), group (D) and RMS norm (E) all learn: the test accuracy ends at 70% or "
        "more. After 100 steps batch norm is ahead. Weights of a layer ten times as large change the outputs by less "
        "than 5% (under Scale).",
        reference="Wu & He, 2018, arXiv:1803.08494; Zhang & Sennrich, 2019, arXiv:1910.07467",
        jobs=tuple(
            _job(_with(_LARGE, norm)) for norm in (NoNorm(), BatchNorm(), LayerNorm(), GroupNorm(groups=4), RMSNorm())
        ),
    ),
    Preset(
        title="Mini-batches of two",
        look_at="Batch norm with mini-batches of 64 (A) and of 2 samples (B), layer norm with 2 (C). Of two values x̂ "
        "is ±1, whatever they are. In B the outputs in training and in evaluation mode differ by half of their size or "
        "more, and its test accuracy stays below 30%; C gets 70% or more from the same mini-batches.",
        reference="Wu & He, 2018, arXiv:1803.08494",
        section="Training vs. evaluation mode",
        jobs=(
            _job(_with(_RELU, BatchNorm()), lr=0.02),
            _job(_with(_RELU, BatchNorm()), lr=0.02, batch_size=2),
            _job(_with(_RELU, LayerNorm()), lr=0.02, batch_size=2),
        ),
    ),
    Preset(
        title="Before or after the activation",
        look_at="Five sigmoid layers with batch norm before the activation (A), as it was published, and after it (B). "
        "Here after is faster: at step 50 the test accuracy of B is 3 points or more above that of A. In the end both "
        "have 94% or more.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167",
        jobs=(_job(_with(_SHORT, BatchNorm())), _job(_with(_SHORT, BatchNorm(place="after")))),
    ),
    Preset(
        title="Momentum",
        look_at="Running averages with momentum 0.003 (A), 0.1 (B) and 1 (C). All losses of mini-batches are the same "
        "to the last bit: only evaluation mode differs. In A the averages lag behind: after 100 steps its test "
        "accuracy is 20 points or more below that of B. In C they are those of the last mini-batch: its training "
        "loss ends at 1.5 times that of B or more.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167",
        section="Training vs. evaluation mode",
        jobs=tuple(_job(_with(_RELU, BatchNorm(momentum=m))) for m in (0.003, 0.1, 1.0)),
    ),
    Preset(
        title="Loss along the gradient",
        look_at="Five ReLU layers without (A) and with batch norm (B), at the same learning rate. On the line of the "
        "gradient, the loss of A varies five times as much as that of B or more (median over the steps), and its "
        "gradient changes four times as much; the effective smoothness differs less, by a factor of 1.3 or more, and "
        "not at every step.",
        reference="Santurkar et al., 2018, arXiv:1805.11604",
        section="Along the gradient",
        jobs=(_job(_RELU, steps=300, line=10), _job(_with(_RELU, BatchNorm()), steps=300, line=10)),
    ),
    Preset(
        title="Units that cannot recover",
        look_at="A learning rate of 1 with mini-batches of 4. Within 400 steps ten or more of 160 units fall below the "
        "line β = −|γ|√3: after ReLU they are 0 for every sample of every mini-batch that there can be. Their gradient "
        "is 0, so none of them recovers.",
        reference="Ioffe & Szegedy, 2015, arXiv:1502.03167",
        section="Scale and dead units",
        jobs=(_job(_with(_RELU, BatchNorm()), lr=1.0, steps=400, batch_size=4),),
    ),
)
