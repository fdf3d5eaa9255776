"""Every option of every family: JSON round trip, limits, wording, documentation."""

import math
from typing import Any

import pytest

from nnviz.spec.base import Limits, Spec, SpecError, options, summary
from nnviz.spec.jobs import Landscape, Training, Trajectories, load
from nnviz.spec.learners import Supervised
from tests.each import each
from tests.spec.options import classes, example, families, members, numbers, some

by_class = each("cls", classes())
by_member = each("cls", members())


def refusal(cls: type[Spec], value: Any) -> str:
    """The one line that refuses the value."""
    with pytest.raises(SpecError) as refused:
        cls.parse(value)
    line = str(refused.value)
    assert "\n" not in line
    assert len(line) < 500
    return line


ASKED_FOR = {
    "activation": "identity step sigmoid tanh softsign relu leaky_relu prelu elu selu gelu silu softplus",
    "initializer": "zeros constant normal classic_uniform glorot_uniform glorot_normal he_uniform he_normal "
    "lecun_normal orthogonal pytorch_default",
    "loss": "mse mae rmse huber cross_entropy binary_cross_entropy",
    "optimizer": "sgd adagrad adadelta rmsprop adam adamw nadam radam adamax rprop",
    "schedule": "constant step exponential cosine warmup_cosine one_cycle",
    "data": "moons circles spirals blobs xor checkerboard curve hills digits iris wine breast_cancer diabetes",
    "clipping": "none norm value",
    "model": "mlp deep_mlp",
    "learner": "supervised adversarial adversarial_images",
    "Adversarial.data": "ring grid crescents spiral line drawn",
    "ImageAdversarial.data": "digit_images shapes glyphs mnist fashion_mnist image_folder",
    "generator": "dcgan_generator mlp deep_mlp",
    "discriminator": "dcgan_discriminator mlp deep_mlp",
    "noise": "normal uniform",
    "objective": "minimax non_saturating least_squares hinge wasserstein_clipping wasserstein_penalty",
    "norm": "none batch",
    "dropout": "none standard",
    "probes": "gradient_norms updates activations signal histograms",
    "views": "plane lines path line curvature",
    "surface": "quadratic ravine saddle monkey_saddle rosenbrock beale himmelblau rastrigin ackley styblinski_tang "
    "three_hump_camel cliff formula",
    "method": "sgd adagrad adadelta rmsprop adam uncorrected_adam adamw nadam radam adamax rprop asgd lbfgs newton "
    "one_plus_one_es open_es cma_es genetic",
}


@each("family", ASKED_FOR)
def test_a_family_has_the_options_that_were_asked_for(family):
    assert set(families()[family]) >= set(ASKED_FOR[family].split())


@by_class
def test_defaults_survive_json(cls):
    spec = cls.parse(example(cls))
    assert cls.model_validate_json(spec.model_dump_json()) == spec
    assert cls.parse(spec.model_dump(mode="json")) == spec


@by_class
def test_random_settings_survive_json(cls):
    for seed in range(5):
        spec = some(cls, seed)
        assert cls.model_validate_json(spec.model_dump_json()) == spec


UNDESCRIBED = ("kind", "learner", "activation", "network")
"""Fields whose class says all there is to say."""


@by_class
def test_classes_say_what_they_are(cls):
    assert summary(cls)
    for name, field in cls.model_fields.items():
        documented = field.description or options(field.annotation) or name in UNDESCRIBED
        assert documented, f"{cls.__name__}.{name} has no description"


@by_class
def test_specs_are_frozen_and_hashable(cls):
    spec = cls.parse(example(cls))
    assert hash(spec) == hash(cls.parse(example(cls)))
    with pytest.raises(ValueError, match="frozen"):
        setattr(spec, next(iter(cls.model_fields)), None)


@by_member
def test_the_kind_alone_gives_the_defaults(cls):
    assert cls.parse({"kind": cls.model_fields["kind"].default}) == cls()


def _beyond(annotation: type, end: float, is_open: bool, outwards: float) -> float:
    """The nearest value that the limit refuses."""
    if is_open:
        return end
    return end + int(math.copysign(1, outwards)) if annotation is int else math.nextafter(end, outwards)


def _ends() -> list[Any]:
    return [(cls, name, bound, side) for cls, name, bound in numbers() for side in ("low", "high")]


@each(("cls", "name", "bound", "side"), _ends())
def test_numbers_beyond_a_limit_are_refused_and_at_a_closed_limit_taken(
    cls: type[Spec], name: str, bound: Limits, side: str
):
    end, is_open = (bound.low, bound.low_open) if side == "low" else (bound.high, bound.high_open)
    assert end is not None, f"{cls.__name__}.{name} has no {side} limit"
    annotation = cls.model_fields[name].annotation
    wrong = _beyond(annotation, end, is_open, -math.inf if side == "low" else math.inf)
    line = refusal(cls, {**example(cls), name: wrong})
    assert line.startswith(f"{cls.__name__}.{name} must be {bound}, got {wrong}")
    # limits that another field narrows
    alone = {("Supervised", "batch_size"), ("TrainingPhase", "steps"), ("TrainingPhase", "until")} | {
        ("ImageAdversarial", "unrolled")
    }
    if not is_open and (cls.__name__, name) not in alone:
        assert getattr(cls.parse({**example(cls), name: end}), name) == end


@each("wrong", [math.nan, math.inf, -math.inf, None, "many", [], {}])
@each(("cls", "name"), [(c, n) for c, n, _ in numbers()])
def test_what_is_not_a_finite_number_is_refused(cls, name, wrong):
    line = refusal(cls, {**example(cls), name: wrong})
    assert line.startswith(f"{cls.__name__}.{name} must be a ")
    assert "number" in line
    assert ", got " in line


@by_class
def test_an_unknown_field_is_refused_with_the_one_that_was_meant(cls):
    for name in cls.model_fields:
        line = refusal(cls, {**example(cls), f"{name}x": 1})
        assert f"{name}x is not a field of {cls.__name__}; did you mean {name}?" in line


def _host(family: str) -> tuple[str, Any]:
    """A job's text with a hole for the kind of an option of the family, and where the hole is."""
    return {
        "activation": ("learner.model.activation", {"learner": {"model": {"kind": "deep_mlp", "activation": "%"}}}),
        "initializer": ("learner.model.initializer", {"learner": {"model": {"kind": "mlp", "initializer": "%"}}}),
        **{f: (f"learner.model.{f}", {"learner": {"model": {"kind": "mlp", f: "%"}}}) for f in ("norm", "dropout")},
        "probes": ("probes.0", {"probes": ["%"]}),
        "DCGANDiscriminator.dropout": (
            "learner.discriminator.dropout",
            {
                "learner": {
                    "kind": "adversarial_images",
                    "discriminator": {"kind": "dcgan_discriminator", "dropout": "%"},
                }
            },
        ),
        "early_stopping": ("Training.early_stopping", {"early_stopping": "%"}),
        "surface": ("Trajectories.surface", {"surface": "%"}),
        "method": ("optimizers.0.method", {"optimizers": [{"method": "%"}]}),
        "views": ("views.0", {"views": ["%"]}),
        "learner": ("Training.learner", {"learner": "%"}),
        **{
            family: (f"learner.{name}", {"learner": {"kind": "adversarial_images", name: "%"}})
            for family, name in {
                "ImageAdversarial.data": "data",
                "generator": "generator",
                "discriminator": "discriminator",
            }.items()
        },
        **{
            family: (f"learner.{name}", {"learner": {"kind": "adversarial", name: "%"}})
            for family, name in {"Adversarial.data": "data", "noise": "noise", "objective": "objective"}.items()
        },
    }.get(family, (f"learner.{family}", {"learner": {family: "%"}}))


def _filled(value: Any, kind: str) -> Any:
    if value == "%":
        return {"kind": kind}
    if isinstance(value, dict):
        return {k: _filled(v, kind) for k, v in value.items()}
    return [_filled(v, kind) for v in value] if isinstance(value, list) else value


@each(("family", "kind"), [(f, k) for f, kinds in families().items() for k in kinds])
def test_an_unknown_kind_is_refused_with_the_one_that_was_meant(family, kind):
    path, host = _host(family)
    wrong = f"{kind}{kind[-1]}"
    cls = {"surface": Trajectories, "method": Trajectories, "views": Landscape}.get(family, Training)
    line = refusal(cls, _filled(host, wrong))
    assert line.startswith(f"{path}.kind must be one of ")
    assert line.endswith(f'got "{wrong}"; did you mean {kind}?')


def test_the_first_of_several_problems_is_told_and_the_rest_counted():
    with pytest.raises(SpecError, match=r"^Training.steps must be in \[1, 1000000\], got 0 \(and 2 more\)$"):
        load('{"steps": 0, "seed": -1, "evaluate_every": 0}')


def test_a_loss_that_does_not_fit_the_data_is_refused_with_those_that_do():
    line = refusal(Training, {"learner": {"data": {"kind": "curve"}}})
    assert "curve has numbers as targets, got cross_entropy; choose mse, mae, rmse or huber" in line


@each("kind", families()["data"])
def test_the_losses_that_are_offered_are_those_that_fit_the_data(kind):
    offered = Supervised().fitting("loss", {"data": {"kind": kind}})
    for loss in families()["loss"]:
        chosen = {"learner": {"data": {"kind": kind}, "loss": {"kind": loss}}}
        if loss in offered:
            Training.parse(chosen)
        else:
            assert "must fit the data" in refusal(Training, chosen)
    assert offered[0] in ("cross_entropy", "mse")
    assert Supervised().fitting("optimizer", {}) is None


def test_a_schedule_is_refused_and_not_offered_with_an_optimizer_that_does_not_heed_it():
    with pytest.raises(SpecError, match=r"schedule must be constant with rprop.*got one_cycle, choose constant"):
        Supervised.parse({"optimizer": {"kind": "rprop"}, "schedule": {"kind": "one_cycle"}})
    assert Supervised().fitting("schedule", {"optimizer": {"kind": "rprop"}}) == ["constant"]
    assert Supervised.parse({"optimizer": {"kind": "rprop"}}).fitting("schedule", {}) == ["constant"]
    assert Supervised().fitting("schedule", {}) is None


def test_batch_norm_refuses_batches_of_one():
    for small in ({"batch_size": 1}, {"data": {"kind": "moons", "points": 10, "train_fraction": 0.1}}):
        assert "batch norm" in refusal(
            Training, {"learner": {"model": {"kind": "mlp", "norm": {"kind": "batch"}}, **small}}
        )


def test_a_training_part_without_samples_is_refused():
    line = refusal(Training, {"learner": {"data": {"kind": "moons", "points": 10, "train_fraction": 0.05}}})
    assert "train_fraction" in line


def test_nesterov_without_momentum_is_refused():
    assert "needs momentum above 0" in refusal(Training, {"learner": {"optimizer": {"kind": "sgd", "nesterov": True}}})
