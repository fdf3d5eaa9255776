"""Forms: every option of every family can be chosen, and a form gives back what it was given."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from nnviz.presets import gradient_flow, playground
from nnviz.spec.base import Limits, Spec, get_at, limits, options, replace_at, replace_many
from nnviz.spec.data import Moons
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Adversarial, Supervised
from nnviz.spec.losses import CrossEntropy
from nnviz.spec.models import MLP, DeepMLP, Hidden
from nnviz.spec.optimizers import SGD, Adam
from nnviz.ui.form.log_numbers import ladder
from tests.each import each
from tests.spec.options import classes, some
from tests.ui.form_widgets import Form

BASES = [Training(), Training(learner=Supervised(model=DeepMLP(depth=3)))]


def unions(base: Spec, prefix: str = "") -> Iterator[tuple[str, dict[str, type[Spec]]]]:
    """Paths of the fields whose kind can be chosen, and their kinds."""
    for name, about in type(base).model_fields.items():
        path, value = f"{prefix}{name}", getattr(base, name)
        if (kinds := options(about.annotation)) and path != "learner":  # pages offer the fields of one learner
            yield path, dict(kinds)
        if isinstance(value, Spec):
            yield from unions(value, f"{path}.")
        elif isinstance(value, tuple):
            for number, item in enumerate(value):
                yield from unions(item, f"{path}.{number}.")


CHOICES = {(path, kind): (base, cls) for base in BASES for path, kinds in unions(base) for kind, cls in kinds.items()}
APART = ("learner.data", "learner.loss", "learner.schedule", "learner.model", "learner.augmentation")
"""What else can be chosen depends on these, so one form has one of them."""


def rounds() -> Iterator[tuple[Training, dict[str, str]]]:
    """A job and a kind for several of its paths at once, such that each option of each path has its turn."""
    for base in BASES:
        kinds = {path: list(options) for path, options in unions(base)}
        alone = [{path: kind} for path in APART for kind in kinds[path]]
        free = {path: names for path, names in kinds.items() if path not in APART}
        turns = range(max(map(len, free.values())))
        together = [{path: names[turn % len(names)] for path, names in free.items()} for turn in turns]
        yield from ((base, chosen) for chosen in [*alone, *together])


ROUNDS = list(rounds())
by_round = each(("base", "kinds"), ROUNDS)
LOG_FIELDS = {
    f"{cls.__name__}.{name}": (cls, name)
    for cls in classes()
    for name, about in cls.model_fields.items()
    if isinstance(about.json_schema_extra, dict) and about.json_schema_extra.get("log")
}


def with_kind(base: Training, path: str, kind: str) -> Training:
    """The job with another kind at the path, and, where other data have other targets, a loss that fits them."""
    values: dict[str, Any] = {f"{path}.kind": kind}
    changed = base.learner.fitting("loss", {"data": {"kind": kind}} if path.endswith("data") else {})
    if path == "learner.data":
        values["learner.loss.kind"] = changed[0]
    return replace_many(base, values)


def groups(*paths: str) -> dict[str, list[str]]:
    return {"group": list(paths)}


@pytest.mark.parametrize("job", [playground.DEFAULT, gradient_flow.DEFAULT, *BASES])
def test_a_form_gives_back_the_job_that_it_was_drawn_from(job):
    form = Form(job)
    assert form.job == job
    assert form.run() == job


@each("seed", range(12))
def test_a_form_gives_back_any_valid_job(seed):
    job = some(Training, seed)
    form = Form(job)
    assert form.job == job
    assert form.run() == job


def test_each_option_has_its_turn():
    assert {choice for _, kinds in ROUNDS for choice in kinds.items()} == set(CHOICES)


def fitting(base: Training, path: str, kind: str) -> Training:
    """The job on curves where the option is a loss for numbers, on images where it is for these."""
    if (path, kind) == ("learner.augmentation", "shift"):
        return replace_many(base, {"learner.data.kind": "digits"})
    loss = CHOICES[path, kind][1]
    if path == "learner.loss" and "classes" not in loss.fits:
        return replace_many(base, {"learner.data.kind": "curve", "learner.loss.kind": "mse"})
    return base


@by_round
def test_a_form_drawn_from_any_option_gives_it_back(base, kinds):
    job = base
    for path, kind in kinds.items():
        job = with_kind(fitting(job, path, kind), path, kind)
    form = Form(job, groups(*kinds))
    assert form.job == form.run() == job
    assert {path: get_at(form.job, path).kind for path in kinds} == kinds


@by_round
def test_choosing_any_option_gives_a_valid_job_with_its_defaults(base, kinds):
    for path, kind in kinds.items():
        base = fitting(base, path, kind)
    paths = ("learner.data", "learner.loss") if "learner.data" in kinds else tuple(kinds)
    form = Form(base, groups(*paths))
    for path, kind in kinds.items():
        # Two models have two sets of widgets; in a key the kind that they belong to stands before their own names.
        places = [w for w in form.app.selectbox if plain(w.key) == f"k:{path}.kind"]
        assert len(places) == 1, [w.key for w in form.app.selectbox]
        places[0].set_value(kind)
    job = form.run()
    for path, kind in kinds.items():
        before, cls = get_at(base, path), CHOICES[path, kind][1]
        assert get_at(job, path) == (before if type(before) is cls else cls()), path


def plain(key: str) -> str:
    """A widget's key without the kinds in it: "k:learner.model:mlp.bias" is of "k:learner.model.bias"."""
    head, *rest = key.split(":")
    path = rest[0] + "".join(part[part.find(".") :] if "." in part else "" for part in rest[1:])
    return f"{head}:{path}"


@each("name", ["data", "noise", "objective"])
def test_each_kind_of_an_option_of_a_gan_can_be_chosen(name):
    path = f"learner.{name}"
    form = Form(Training(learner=Adversarial()), groups(path))
    for kind, cls in options(Adversarial.model_fields[name].annotation).items():
        assert get_at(form.set(f"{path}.kind", kind), path) == cls(), kind


@each("kind", list(options(Supervised.model_fields["data"].annotation)))
def test_only_losses_that_fit_the_data_are_offered(kind):
    form = Form(Training())
    form.set("learner.data.kind", kind)
    targets = "classes" if form.job.learner.data.classes else "numbers"
    menu = next(w for w in form.app.selectbox if w.label == "Loss")
    kinds = options(Supervised.model_fields["loss"].annotation)
    offered = [next(k for k, c in kinds.items() if menu.format_func(k) == text) for text in menu.options]
    assert sorted(offered) == sorted(k for k, c in kinds.items() if targets in c.fits)
    assert targets in form.job.learner.loss.fits


def test_regression_and_back_returns_to_a_loss_for_classes():
    form = Form(Training())
    assert form.set("learner.data.kind", "curve").learner.loss.kind == "mse"
    assert form.set("learner.data.kind", "moons").learner.loss == CrossEntropy()


def test_settings_of_a_kind_that_was_left_come_back_with_it():
    form = Form(Training(learner=Supervised(optimizer=SGD(lr=0.3, momentum=0.9))))
    assert form.set("learner.optimizer.kind", "adam").learner.optimizer == Adam()
    assert form.set("learner.optimizer.kind", "sgd").learner.optimizer == SGD(lr=0.3, momentum=0.9)


def test_more_hidden_layers_are_like_the_last_and_fewer_drop_the_last():
    layers = (Hidden(width=5), Hidden(width=7))
    form = Form(Training(learner=Supervised(model=MLP(hidden=layers))))
    assert form.set("hidden#", 4).learner.model.hidden == (*layers, layers[1], layers[1])
    assert form.set("hidden#", 1).learner.model.hidden == layers[:1]
    assert form.set("hidden#", 0).learner.model.hidden == ()


def test_each_hidden_layer_has_a_width_and_an_activation_of_its_own():
    form = Form(Training(learner=Supervised(model=MLP(hidden=(Hidden(width=5), Hidden(width=7))))))
    form.set("hidden.1.width", 9)
    form.set("hidden.0.activation.kind", "elu")
    form.set("hidden.0.activation:elu.alpha", 0.5)
    hidden = form.job.learner.model.hidden
    assert [h.width for h in hidden] == [5, 9]
    assert [h.activation.kind for h in hidden] == ["elu", "tanh"]
    assert hidden[0].activation.alpha == 0.5


def test_limits_of_a_field_are_the_limits_of_its_widget():
    form = Form(Training())
    for name, path in {"points": "learner.data.points", "batch_size": "learner.batch_size", "seed": "seed"}.items():
        owner, _, last = path.rpartition(".")
        bounds = limits(type(get_at(form.job, owner)).model_fields[last])
        widget = form.at(f".{name}" if "." in path else f"k:{path}")
        assert (widget.min, widget.max) == (bounds.low, bounds.high), name


@each("place", ["min", "max"])
@each("kind", list(options(Supervised.model_fields["optimizer"].annotation)))
def test_the_ends_of_every_slider_of_an_optimizer_are_valid(kind, place):
    form = Form(with_kind(Training(), "learner.optimizer", kind), groups("learner.optimizer"))
    for slider in form.app.slider:
        form.set(slider.key, getattr(slider, place))
        assert getattr(form.job.learner.optimizer, slider.key.rsplit(".", 1)[-1]) == getattr(slider, place)


@each("name", LOG_FIELDS)
def test_every_rung_of_a_log_scale_is_a_valid_value(name):
    cls, field = LOG_FIELDS[name]
    about = cls.model_fields[field]
    rungs = ladder(limits(about), about.default)
    assert rungs == sorted(set(rungs))
    assert about.default in rungs
    assert len(rungs) <= 60
    for rung in rungs:
        assert getattr(cls.parse({field: rung}), field) == rung


@each("name", LOG_FIELDS)
def test_a_log_scale_spans_its_limits(name):
    cls, field = LOG_FIELDS[name]
    bounds = limits(cls.model_fields[field])
    rungs = ladder(bounds, cls.model_fields[field].default)
    assert rungs[-1] == bounds.high
    assert rungs[0] == bounds.low if not bounds.low_open else bounds.low < rungs[0] <= 1e-3


@pytest.mark.parametrize("value", [0.0123456789, 7e-9, 0.1, 9.99, 1e-3])
def test_a_value_between_the_rungs_is_a_rung_itself(value):
    rungs = ladder(Limits(0, 10, low_open=True), value)
    assert value in rungs
    assert rungs == sorted(set(rungs))


def test_rungs_of_whole_numbers_are_whole():
    rungs = ladder(Limits(1, 1_000_000), 3000)
    assert all(isinstance(r, int) for r in rungs)
    assert rungs[:5] == [1, 2, 3, 5, 10]


def test_neighboring_rungs_differ_by_at_most_a_factor_of_two():
    rungs = ladder(Limits(0, 10, low_open=True), 0.1)
    assert all(b / a <= 2 + 1e-9 for a, b in pairwise(rungs))
    assert math.isclose(rungs[0], 1e-6)


def test_nesterov_is_offered_only_with_a_momentum_to_look_ahead_with():
    form = Form(Training(), groups("learner.optimizer"))
    assert form.at("nesterov:off").disabled
    assert not form.set("momentum", 0.5).learner.optimizer.nesterov
    assert form.set("nesterov", True).learner.optimizer.nesterov
    assert not form.set("momentum", 0.0).learner.optimizer.nesterov


def test_choices_that_do_not_fit_together_are_said_in_one_line():
    form = Form(Training(), groups("learner.optimizer", "learner.model", "learner.batch_size"))
    form.set("norm.kind", "batch")
    assert str(form.set("batch_size", 1)) == "learner.batch_size must be at least 2 with batch norm, got 1"


def test_two_forms_with_different_keys_do_not_share_widgets():
    first = Form(Training(seed=1), groups("seed"), key="one")
    second = Form(Training(seed=2), groups("seed"), key="two")
    assert (first.job.seed, second.job.seed) == (1, 2)
    assert first.at("seed").key != second.at("seed").key


def test_data_of_another_size_keep_the_rest_of_the_job():
    job = replace_at(Training(), "learner.data", Moons(points=100))
    assert Form(job).set("moons.points", 200) == replace_at(job, "learner.data", Moons(points=200))


def test_every_widget_says_what_it_is():
    form = Form(Training())
    for widget in form.widgets():
        assert widget.label, widget.key
        assert widget.help or widget.key.endswith("=typed"), widget.key  # its slider has the help


def test_a_field_that_another_kind_of_job_has_is_left_out():
    form = Form(Training(), {"here": ["learner.l1", "learner.rounds"], "elsewhere": ["surface", "optimizers"]})
    assert [about.label for about in form.app.expander] == ["here"]
    assert [widget.label for widget in form.app.select_slider] == ["L1"]
    assert form.job == Training()


def test_any_value_can_be_typed_beside_a_slider_of_coarse_steps_and_holds_until_the_box_is_empty():
    form = Form(Training(), groups("learner.optimizer", "steps"))
    assert form.set("lr=typed", "2.5e-4").learner.optimizer.lr == 2.5e-4
    assert form.at(".lr").disabled
    assert form.set("lr=typed", "0,3").learner.optimizer.lr == 0.3  # a decimal comma
    for text, rest in {"50": "got 50", "0": "got 0", "fast": 'got "fast"', "nan": "got NaN"}.items():
        error = str(form.set("lr=typed", text))
        assert "learner.optimizer.lr must be" in error, text
        assert rest in error, text
    assert form.set("lr=typed", " ").learner.optimizer.lr == Training().learner.optimizer.lr
    assert form.set(".lr", 0.5).learner.optimizer.lr == 0.5
    assert form.at("lr=typed").placeholder == "0.5"
    assert form.set("steps=typed", "1e3").steps == 1000
    assert "must be a whole number" in str(form.set("steps=typed", "2.5"))
