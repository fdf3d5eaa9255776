"""Landscape jobs: what they may say, what they refuse, how large they are."""

import pytest

from nnviz.runs import RunError, check
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.jobs import Training, dump, fingerprint, load
from nnviz.spec.landscapes import (
    SAVED_STATES,
    Curvature,
    Landscape,
    Line,
    PathPlane,
    RandomLines,
    RandomPlane,
    TrainedModel,
    TrainingPhase,
)
from nnviz.spec.learners import Supervised
from nnviz.spec.models import MLP, DeepMLP, Hidden
from tests.each import each
from tests.spec.options import some

BEFORE = TrainingPhase(learner=Supervised(), steps=500, seed=3, until=200)
EVERYTHING = Landscape(
    network=TrainedModel(steps=300, step=250, seed=4, before=(BEFORE,)),
    other=TrainedModel(learner=Supervised(model=DeepMLP(skip=True)), weights_seed=9),
    views=(RandomPlane(vectors=True), RandomLines(), PathPlane(), Line(), Curvature()),
    samples=100,
    device="cpu",
)


@pytest.mark.parametrize("job", [Landscape(), EVERYTHING], ids=["default", "everything"])
def test_a_landscape_survives_json(job):
    assert load(dump(job)) == load(dump(job).encode()) == job
    assert fingerprint(load(dump(job))) == fingerprint(job)


@each("seed", range(10))
def test_random_landscapes_survive_json(seed):
    job = some(Landscape, seed)
    assert load(dump(job)) == job
    assert job.estimate().training_bytes > 0


@each(
    "changes",
    [
        {"network.step": 249},
        {"network.seed": 5},
        {"network.weights_seed": 5},
        {"network.before": []},
        {"network.learner.model.dropout": "standard"},
        {"other": None},
        {"samples": 101},
        {"views": [{"kind": "path"}]},
    ],
)
def test_another_landscape_has_another_fingerprint(changes):
    assert fingerprint(replace_many(EVERYTHING, changes)) != fingerprint(EVERYTHING)


def phase(until: int) -> dict:
    return BEFORE.model_copy(update={"until": until}).model_dump(mode="json")


@each(
    ("changes", "line"),
    [
        ({"network": {"steps": 10, "step": 11}}, r"TrainedModel\.step must be at most steps = 10, got 11"),
        ({"network": {"step": -1}}, r"network\.step must be .*, got -1"),
        (
            {"network": {"steps": 10, "before": [phase(11)]}},
            r"TrainedModel\.before must have steps in ascending order up to 10, got \[11\]",
        ),
        (
            {"network": {"before": [phase(9), phase(5)]}},
            r"TrainedModel\.before must have steps in ascending order up to 1000, got \[9, 5\]",
        ),
        ({"network": {"steps": 100, "step": 4, "before": [phase(5)]}}, r"order up to 4, got \[5\]"),
        ({"views": []}, r"views must .*one view, got none"),
        (
            {"views": [{"kind": "plane"}, {"kind": "line"}, {"kind": "plane", "seed": 3}]},
            r"Landscape\.views must be of different kinds, got plane, line, plane",
        ),
        ({"views": [{"kind": "plane", "resolution": 8}]}, r"resolution must be in \[9, 201\], got 8"),
        ({"views": [{"kind": "line", "resolution": 202}]}, r"resolution must be in \[9, 201\], got 202"),
        ({"views": [{"kind": "lines", "count": 0}]}, r"count must be in \[1, 20\], got 0"),
        ({"views": [{"kind": "plane", "span": 0}]}, r"span must be in \(0, 10\], got 0"),
        ({"views": [{"kind": "curvature", "points": SAVED_STATES + 1}]}, r"points must be in \[2, 61\], got 62"),
        ({"views": [{"kind": "plain"}]}, r"views\.0\.kind must be one of .*, got \"plain\"; did you mean plane"),
        ({"samples": 9}, r"samples must be in \[10, 1000\], got 9"),
        ({"device": "tpu"}, r"device must .*got \"tpu\""),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_line_with_the_thing_the_rule_and_the_value(changes, line):
    with pytest.raises(SpecError, match=line) as refused:
        Landscape.parse(changes)
    assert str(refused.value).isprintable()


def test_training_is_its_stretches_in_order_the_last_as_far_as_it_is_looked_at():
    network = TrainedModel(steps=300, step=250, seed=4, weights_seed=6, before=(BEFORE,))
    first, last = network.phases
    assert first == BEFORE
    assert last == TrainingPhase(learner=network.learner, steps=300, seed=4, weights_seed=6, until=250)
    assert TrainedModel(steps=300).at == 300
    assert TrainedModel(steps=300, step=0).at == 0


def test_a_line_leads_to_the_other_network_or_else_to_other_weights_on_the_same_data():
    network = TrainedModel(seed=4)
    alone = Landscape(network=network, views=(Line(seed=7),))
    assert alone.networks == (network, network.model_copy(update={"weights_seed": 7}))
    other = TrainedModel(seed=5)
    assert Landscape(network=network, other=other, views=(Line(),)).networks == (network, other)
    assert Landscape(network=network, other=other, views=(PathPlane(),)).networks == (network,)


def test_steps_count_training_and_points():
    job = Landscape(network=TrainedModel(steps=300, step=250), views=(RandomPlane(resolution=9), Line(resolution=11)))
    assert job.steps == 250 + 250 + 81 + 11
    assert Landscape(network=TrainedModel(steps=7), views=(RandomLines(count=3, resolution=9),)).steps == 7 + 27


# -- how large --------------------------------------------------------------------------------------------------------


def of_width(width: int) -> Landscape:
    learner = Supervised(model=MLP(hidden=(Hidden(width=width),)))
    return Landscape(network=TrainedModel(learner=learner), views=(PathPlane(),))


def test_the_estimate_has_the_models_parameters_and_all_that_is_kept_of_it():
    job = of_width(1000)
    found = job.estimate()
    assert found.parameters == Training(learner=job.network.learner).estimate().parameters == 5002
    assert found.training_bytes > SAVED_STATES * 4 * found.parameters


def test_the_estimate_grows_with_width_resolution_views_and_a_second_network():
    assert of_width(2000).estimate().training_bytes > 1.9 * of_width(1000).estimate().training_bytes
    sizes = [Landscape(views=(RandomPlane(resolution=r),)).estimate().snapshot_bytes for r in (25, 51, 101, 201)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] > 201**2 * 4 * 8  # every measure in float64
    few, many = (Landscape(views=views).estimate() for views in ((PathPlane(),), (PathPlane(), RandomPlane())))
    assert many.snapshot_bytes > few.snapshot_bytes
    one, two = (Landscape(views=views).estimate() for views in ((RandomPlane(),), (RandomPlane(), Line())))
    assert two.training_bytes > one.training_bytes


def test_a_landscape_of_the_largest_network_is_refused_before_it_starts_and_an_ordinary_one_is_not(tmp_path):
    hidden = (Hidden(width=8192),) * 50
    with pytest.raises(RunError, match=r"^model has 3,[\d,]+ parameters; training it needs about [\d,]+\.\d GB, "):
        check([Landscape(network=TrainedModel(learner=Supervised(model=MLP(hidden=hidden))))], tmp_path)
    check([Landscape()], tmp_path)
