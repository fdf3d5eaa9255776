"""What GANs starts from, and its one-click examples."""

from nnviz.spec.data.distributions import Ring
from nnviz.spec.gan_objectives import HingeObjective, LeastSquares, Minimax, NonSaturating, WassersteinPenalty
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Adversarial
from nnviz.spec.optimizers import Adam
from nnviz.spec.preset import Preset
from nnviz.spec.probes import Activations, GradientNorms, Histograms, Signal, Updates
from nnviz.spec.schedules import Cosine


def _adam(lr: float) -> Adam:
    return Adam(lr=lr, beta1=0.5, beta2=0.999)


PROBES = (
    GradientNorms(every=20),
    Updates(every=20),
    Activations(every=100),
    Signal(every=100),
    Histograms(every=100),
)
"""A step is so short that measuring everything at every tenth would take a tenth of the time."""


def _train(steps: int = 2000, evaluate_every: int = 100, **learner: object) -> Training:
    return Training(learner=Adversarial(**learner), steps=steps, evaluate_every=evaluate_every, probes=PROBES)


DEFAULT = _train()
"""A ring of eight Gaussians, two hidden layers of 128 each, equal learning rates."""

_STRONG = {
    "generator_optimizer": _adam(1e-4),
    "discriminator_optimizer": _adam(3e-3),
    "discriminator_updates": 10,
}
_TIGHT = {"data": Ring(sigma=0.02), "schedule": Cosine()}

EXAMPLES = (
    Preset(
        title="Mode collapse, then repair",
        look_at="The discriminator learns ten times more slowly than the generator: at the end at most one of eight "
        "modes is covered. Then set the discriminator's learning rate to 0.001 and the steps to 3,000, and press "
        "Continue: within 500 steps at least seven modes are covered.",
        reference="Goodfellow et al., 2014, arXiv:1406.2661",
        jobs=(_train(discriminator_optimizer=_adam(1e-4)),),
    ),
    Preset(
        title="Healthy ring",
        look_at="Equal learning rates: all eight modes are covered by step 500, and by step 2,000 three quarters or "
        "more of the samples are within 3σ of a center. The discriminator is nearly undecided on average: its mean "
        "output for real samples is between 0.4 and 0.65.",
        reference="Goodfellow et al., 2014, arXiv:1406.2661",
        jobs=(DEFAULT,),
    ),
    Preset(
        title="Learning rates",
        look_at="The same networks, samples and noise; only the discriminator's learning rate differs: a tenth of the "
        "generator's (A), three tenths (B), equal (C), three times as large (D). A covers at most one mode in the "
        "end, C and D all eight.",
        reference="Heusel et al., 2017, arXiv:1706.08500",
        jobs=tuple(_train(discriminator_optimizer=_adam(lr)) for lr in (1e-4, 3e-4, 1e-3, 3e-3)),
    ),
    Preset(
        title="Instance noise",
        look_at="A tight ring, σ = 0.02, both learning rates falling to 0 by a cosine schedule. A has no instance "
        "noise; in B real and generated samples reach the discriminator with normal noise that falls from 0.2 to 0 by "
        "step 3,000, and at least seven of eight modes are covered in the end.",
        reference="Sønderby et al., 2017, arXiv:1610.04490",
        jobs=(_train(5000, **_TIGHT), _train(5000, **_TIGHT, instance_noise=0.2, instance_noise_until=3000)),
    ),
    Preset(
        title="Four objectives",
        look_at="The same ring, networks, samples and noise under four objectives: non-saturating (A), least squares "
        "(B), hinge (C), Wasserstein with gradient penalty (D). At step 1,000 A and C cover all eight modes and B at "
        "least seven. D learns more slowly here: at step 1,000 it covers at most three.",
        reference="Lucic et al., 2018, arXiv:1711.10337",
        jobs=(
            DEFAULT,
            _train(objective=LeastSquares()),
            _train(objective=HingeObjective()),
            _train(objective=WassersteinPenalty(), discriminator_optimizer=Adam(lr=1e-3, beta1=0.5, beta2=0.9)),
        ),
    ),
    Preset(
        title="Strong discriminator",
        look_at="The discriminator makes ten updates for each of the generator's, at thirty times its learning rate. "
        "At step 20 the generator's gradient norm is less than a thousandth with minimax (A) of that with the "
        "non-saturating objective (B). At step 500 B covers one to three modes; A is still far from all of them, and "
        "whether it ever gets away from its start depends on the seed.",
        reference="Goodfellow et al., 2014, arXiv:1406.2661; Arjovsky & Bottou, 2017, arXiv:1701.04862",
        jobs=tuple(_train(500, 20, **_STRONG, objective=objective) for objective in (Minimax(), NonSaturating())),
    ),
)
