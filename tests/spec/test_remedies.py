"""What is offered after a training has diverged: changes that the job takes, and does not have yet."""

from nnviz.spec import activations as a
from nnviz.spec import initializers as i
from nnviz.spec.base import replace_many
from nnviz.spec.clipping import ClipNorm
from nnviz.spec.jobs import Training, Trajectories
from nnviz.spec.learners import Adversarial, Supervised
from nnviz.spec.models import DeepMLP
from nnviz.spec.optimizers import SGD
from nnviz.spec.remedies import remedies


def deep(activation: a.Activation, initializer: i.Initializer, **learner: object) -> Training:
    return Training(learner=Supervised(model=DeepMLP(activation=activation, initializer=initializer), **learner))


def test_rate_clipping_and_initialization_are_offered_and_each_makes_a_job():
    job = deep(a.ReLU(), i.HeNormal(gain=1.3), optimizer=SGD(lr=0.1))
    offered = {remedy.path: remedy for remedy in remedies(job)}
    assert [remedy.words for remedy in offered.values()] == [
        "Learning rate 0.0333",
        "Clip the gradient norm to 1",
        "He initialization",
    ]
    changed = replace_many(job, {path: remedy.value for path, remedy in offered.items()})
    assert changed.learner.optimizer.lr == 0.0333
    assert changed.learner.clipping == ClipNorm(max_norm=1.0)
    assert changed.learner.model.initializer == i.HeNormal()
    assert [remedy.path for remedy in remedies(changed)] == ["learner.optimizer.lr"]


def test_the_initialization_suits_the_activation():
    for activation, suited in {a.Tanh(): i.GlorotNormal(), a.SELU(): i.LeCunNormal(), a.GELU(): i.HeNormal()}.items():
        (found,) = (r.value for r in remedies(deep(activation, i.PyTorchDefault())) if r.path.endswith("initializer"))
        assert found == suited.model_dump(mode="json"), activation


def test_other_jobs_get_no_advice():
    assert remedies(Training(learner=Adversarial())) == remedies(Trajectories()) == []
