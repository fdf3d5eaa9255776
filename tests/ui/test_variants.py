"""The form of variants: each is its differences, and nothing done to one moves the values of another."""

from collections.abc import Mapping, Sequence
from typing import Any

from streamlit.testing.v1 import AppTest

from nnviz.presets import PAGES, gradient_flow, loss_landscape, optimizers, playground
from nnviz.spec.base import get_at, replace_many
from nnviz.spec.jobs import Job
from nnviz.spec.variant_fields import offered
from nnviz.spec.variants import Variant, apply, at, differing
from tests.each import each
from tests.ui.pages import page_of
from tests.ui.variant_app import script

FIRST = playground.DEFAULT
LISTS = {name: page_of(f"pages/{name}.py").lists for name in PAGES}
LR, NORM, MOMENTUM = "learner.optimizer.lr", "learner.model.norm", "learner.optimizer.momentum"
BATCH_NORM = {"kind": "batch", "place": "before", "eps": 1e-5, "affine": True, "momentum": 0.1}


class Drawn:
    """A drawn form."""

    def __init__(self, first: Job, *differences: Mapping[str, Any], **options: Any) -> None:
        kept = [Variant(f"id{n}", given) for n, given in enumerate(differences)]
        self.made: list[Any] = []
        options = {"first": first, "kept": kept, "made": self.made, **options}
        self.app = AppTest.from_function(script, default_timeout=60, kwargs=options)
        self.run()

    def run(self) -> "Drawn":
        self.app.run()
        assert not self.app.exception, self.app.exception
        return self

    @property
    def variants(self) -> list[Variant]:
        return self.made[1]

    @property
    def differences(self) -> list[Mapping[str, Any]]:
        return [variant.differences for variant in self.variants]

    @property
    def jobs(self) -> list[Job]:
        return [apply(self.made[0], variant.differences).job for variant in self.variants]

    @property
    def titles(self) -> list[str]:
        return [box.label for box in self.app.expander if box.label.startswith("**")]

    @property
    def captions(self) -> list[str]:
        return [line.value for line in self.app.caption]

    def press(self, end: str) -> "Drawn":
        (found,) = [b for b in self.app.button if b.key.endswith(end)]
        found.click()
        return self.run()

    def widget(self, end: str) -> Any:
        app = self.app
        every = (*app.selectbox, *app.slider, *app.select_slider, *app.number_input, *app.toggle, *app.text_input)
        found = [w for w in every if w.key.endswith(end)]
        assert len(found) == 1, [w.key for w in every]
        return found[0]

    def has(self, end: str) -> bool:
        app = self.app
        return any(w.key.endswith(end) for w in (*app.selectbox, *app.select_slider, *app.slider, *app.number_input))

    def set(self, end: str, value: Any) -> "Drawn":
        self.widget(end).set_value(value)
        return self.run()

    def menu(self, place: int) -> Any:
        (found,) = [w for w in self.app.selectbox if f":{self.variants[place].id}:offer:" in w.key]
        return found

    def add(self, place: int, label: str) -> "Drawn":
        self.menu(place).select(label)
        return self.run()


def four() -> Drawn:
    return Drawn(FIRST, {LR: 0.3}, {LR: 0.03, "seed": 5}, {NORM: BATCH_NORM})


def test_each_variant_has_a_letter_and_is_called_by_its_differences():
    drawn = four()
    assert drawn.titles == ["**B** · learning rate 0.3", "**C** · learning rate 0.03, seed 5", "**D** · batch norm"]
    assert drawn.set(f"id1:{LR}", 0.5).titles[1] == "**C** · learning rate 0.5, seed 5"
    assert drawn.set(f"id0:{LR}", get_at(FIRST, LR)).titles[0] == "**B** · same as A"


def test_removing_b_moves_no_value_of_c():
    drawn = four().set(f"id1:{LR}", 0.5).set("id1:seed", 8)
    drawn.press(":id0:remove")
    assert drawn.variants == [Variant("id1", {LR: 0.5, "seed": 8}), Variant("id2", {NORM: BATCH_NORM})]
    assert drawn.titles == ["**B** · learning rate 0.5, seed 8", "**C** · batch norm"]
    assert (drawn.widget(f"id1:{LR}").value, drawn.widget("id1:seed").value) == (0.5, 8)


def test_what_is_typed_at_the_moment_of_a_click_is_not_lost():
    drawn = four()
    drawn.widget("id2:learner.model.norm.kind").set_value("none")
    drawn.widget("id1:seed").set_value(9)
    drawn.press(":id0:remove")
    assert drawn.differences == [{LR: 0.03, "seed": 9}, {NORM: {"kind": "none"}}]


def test_a_difference_that_does_not_apply_is_marked_and_comes_back_as_it_was():
    drawn = Drawn(FIRST, {MOMENTUM: 0.9, "seed": 5}, {LR: 0.3})
    drawn.set(f"id0:{MOMENTUM}", 0.8)
    drawn.set("a:learner.optimizer.kind", "adam")
    assert drawn.differences == [{MOMENTUM: 0.8, "seed": 5}, {LR: 0.3}]
    assert drawn.captions == ["**momentum 0.8** does not apply: Adam has no momentum"]
    assert drawn.titles == ["**B** · seed 5", "**C** · learning rate 0.3"]
    assert [job.learner.optimizer.kind for job in drawn.jobs] == ["adam", "adam"]
    drawn.set("a:learner.optimizer.kind", "sgd")
    assert drawn.captions == []
    assert drawn.widget(f"id0:{MOMENTUM}").value == 0.8
    assert drawn.differences == [{MOMENTUM: 0.8, "seed": 5}, {LR: 0.3}]


def test_a_difference_that_does_not_apply_can_be_removed():
    drawn = Drawn(replace_many(FIRST, {"learner.optimizer": "adam"}), {MOMENTUM: 0.9, "seed": 5})
    assert drawn.press(f":id0:{MOMENTUM}:less").differences == [{"seed": 5}]
    assert drawn.captions == []


@each(
    ("path", "plain", "words"),
    [
        ("learner.model.depth", 1, "**depth 1** does not apply: MLP has no depth"),
        ("learner.model.activation", {"kind": "relu"}, "**activation relu** does not apply: MLP has no activation"),
        ("learner.optimizer.amsgrad", True, "**amsgrad on** does not apply: SGD has no amsgrad"),
        ("learner.optimizer.beta1", 0.5, "**beta1 0.5** does not apply: SGD has no beta1"),
        ("learner.data.turns", 2.0, "**turns 2** does not apply: Moons has no turns"),
    ],
)
def test_what_the_first_one_has_not_is_said_in_few_words(path, plain, words):
    assert Drawn(FIRST, {path: plain}).captions == [words]


def test_a_loss_that_does_not_fit_the_first_one_s_data_is_kept_and_marked():
    drawn = Drawn(
        FIRST, {"learner.loss": {"kind": "binary_cross_entropy"}}, groups={"Data": ["learner.data", "learner.loss"]}
    )
    drawn.set("a:learner.data.kind", "curve")
    assert drawn.differences == [{"learner.loss": {"kind": "binary_cross_entropy"}}]
    assert len(drawn.captions) == 1
    assert "does not apply: learner.loss must fit the data" in drawn.captions[0]
    drawn.set("a:learner.data.kind", "moons")
    assert drawn.captions == []
    assert drawn.jobs[0].learner.loss.kind == "binary_cross_entropy"


def test_a_difference_is_added_changed_and_copied():
    drawn = Drawn(FIRST, {})
    drawn.add(0, "Optimizer › learning rate").set(f"id0:{LR}", 0.3)
    assert drawn.differences == [{LR: 0.3}]
    drawn.widget(f"id0:{LR}").set_value(0.5)
    drawn.press(":id0:copy")
    assert drawn.differences == [{LR: 0.5}, {LR: 0.5}]
    assert drawn.titles == ["**B** · learning rate 0.5", "**C** · learning rate 0.5"]
    other = drawn.variants[1].id
    assert other != "id0"
    drawn.set(f"{other}:{LR}", 0.1)
    assert drawn.differences == [{LR: 0.5}, {LR: 0.1}]


def test_a_choice_is_added_as_it_is_and_what_depends_on_it_follows():
    drawn = Drawn(FIRST, {})
    drawn.add(0, "Data")
    assert drawn.differences == [{"learner.data": FIRST.learner.data.model_dump(mode="json")}]
    drawn.set("id0:learner.data.kind", "curve")
    assert (drawn.jobs[0].learner.data.kind, drawn.jobs[0].learner.loss.kind) == ("curve", "mse")
    assert drawn.titles == ["**B** · data Curve (1-D regression), loss MSE"]
    assert drawn.captions == ["Adjusted to fit: loss MSE"]


def test_a_choice_of_a_variant_changes_what_its_other_menus_offer():
    drawn = Drawn(FIRST, {"learner.loss": {"kind": "binary_cross_entropy"}}).add(0, "Data")
    drawn.set("id0:learner.data.kind", "curve")
    assert (drawn.jobs[0].learner.data.kind, drawn.jobs[0].learner.loss.kind) == ("curve", "mse")
    assert drawn.captions == []


def test_a_whole_choice_takes_in_the_differences_within_it():
    drawn = Drawn(FIRST, {LR: 0.3, "seed": 5})
    drawn.set(f"id0:{LR}", 0.5).add(0, "Optimizer")
    assert drawn.differences == [{"seed": 5, "learner.optimizer": {**FIRST.learner.optimizer.model_dump(), "lr": 0.5}}]
    assert not any(label.startswith("Optimizer") for label in drawn.menu(0).options)


def test_a_variant_is_added_as_a_copy_of_the_last_up_to_the_most():
    drawn = Drawn(FIRST, most=4)
    drawn.press("v:add")
    assert drawn.differences == [{}]
    drawn.add(0, "Seed").set(f"{drawn.variants[0].id}:seed", 3)
    drawn.press("v:add").press("v:add")
    assert drawn.differences == [{"seed": 3}] * 3
    assert len({variant.id for variant in drawn.variants}) == 3
    (add,) = [b for b in drawn.app.button if b.key.endswith("v:add")]
    assert add.disabled
    assert all(b.disabled for b in drawn.app.button if b.key.endswith(":copy"))


def test_usual_differences_are_offered_first_and_those_taken_are_not():
    drawn = Drawn(FIRST, {"seed": 3}, usual=["learner.clipping", "seed", "learner.model.norm", "learner.model.depth"])
    labels = list(offered(FIRST).values())
    rest = [label for label in labels if label not in ("Clipping", "Network › norm", "Seed")]
    assert drawn.menu(0).options == ["Clipping", "Network › norm", *rest]


def test_values_that_do_not_fit_together_keep_their_widgets():
    drawn = Drawn(FIRST, {NORM: BATCH_NORM, "learner.batch_size": 4})
    drawn.set("id0:learner.batch_size", 1)
    assert drawn.differences == [{NORM: BATCH_NORM, "learner.batch_size": 1}]
    assert [
        line for line in drawn.captions if line.startswith("Does not apply: learner.batch\\_size must be at least 2")
    ]
    drawn.set("id0:learner.batch_size", 8)
    assert (drawn.captions, drawn.jobs[0].learner.batch_size) == ([], 8)


@each("page", PAGES)
def test_every_field_that_is_offered_has_widgets_that_give_its_value_back(page):
    first = PAGES[page].default
    shown: Sequence[Job] = [job for example in PAGES[page].examples for job in example.jobs]
    paths = [path for path in offered(first) if not any(path.startswith(f"{p}.") for p in offered(first))]
    whole = {path: differing(job, first)[path] for job in shown for path in paths if path in differing(job, first)}
    plain = first.model_dump(mode="json")
    for path in paths:
        whole.setdefault(path, at(plain, path))
    groups = {"Training": ["steps"]} if page != "loss_landscape" else {"Training": ["samples"]}
    drawn = Drawn(first, whole, {}, groups=groups, lists=LISTS[page])
    assert drawn.jobs[0] == apply(first, whole).job
    assert drawn.differences[0] == whole
    assert drawn.menu(0).options == []
    assert "Seed" in drawn.menu(1).options


def test_fields_of_landscapes_and_surfaces_are_called_as_on_other_pages():
    assert {"Optimizer › learning rate", "At step", "Evaluation samples", "Data"} <= {
        *offered(loss_landscape.DEFAULT).values()
    }
    assert {"Surface", "Start x", "Gradient noise σ", "Clipping"} <= {*offered(optimizers.DEFAULT).values()}
    assert {"Network › depth", "Network › activation"} <= {*offered(gradient_flow.DEFAULT).values()}
    for page in PAGES.values():
        labels = list(offered(page.default).values())
        assert len(set(labels)) == len(labels)
        assert not {"Parent", "Device", "Probes", "Steps between evaluations"} & set(labels)


def test_a_list_is_a_difference_with_the_widgets_that_the_first_job_has():
    first = optimizers.DEFAULT
    lists, groups = LISTS["optimizers"], {"Training": ["steps"]}
    drawn = Drawn(first, {}, {"noise": 0.1}, groups=groups, lists=lists).add(0, "Optimizers")
    plain = [item.model_dump(mode="json") for item in first.optimizers]
    assert drawn.differences == [{"optimizers": plain}, {"noise": 0.1}]
    drawn.set(":optimizers:0.2.method.kind", "adam").press(":optimizers:0:Copy:2")
    kinds = ["sgd", "sgd", "adam", "adam", "adam"]
    assert [item["method"]["kind"] for item in drawn.differences[0]["optimizers"]] == kinds
    drawn.set(":optimizers:1.3.method:adam.lr", 0.5).press(":optimizers:1:Remove:0")
    assert [item["method"]["lr"] for item in drawn.differences[0]["optimizers"]] == [0.1, 0.01, 0.5, 0.3]
    drawn.set(":optimizers:2:add", "lbfgs").press(":optimizers:2:add:press")
    assert [item.method.kind for item in drawn.jobs[0].optimizers] == ["sgd", "adam", "adam", "adam", "lbfgs"]
    assert (drawn.made[0], drawn.differences[1], drawn.jobs[1].optimizers) == (first, {"noise": 0.1}, first.optimizers)
    drawn.press(":id0:copy").press(":id0:optimizers:less")
    assert [job.optimizers == first.optimizers for job in drawn.jobs] == [True, True, False]
    assert "SGD η=0.1" in drawn.titles[2]


def test_views_of_a_landscape_are_a_difference_and_none_at_all_does_not_apply():
    drawn = Drawn(loss_landscape.DEFAULT, {}, groups={"Training": ["samples"]}, lists=LISTS["loss_landscape"])
    drawn.add(0, "Views").set(":views:0:show:lines", True).set(":views:0:path.resolution", 15)
    drawn.set(":views:0:show:curvature", False)
    assert [view.kind for view in drawn.jobs[0].views] == ["plane", "lines", "path"]
    assert [view.resolution for view in drawn.jobs[0].views if view.kind == "path"] == [15]
    for kind in ("plane", "lines", "path"):
        drawn.set(f":views:0:show:{kind}", False)
    assert len(drawn.captions) == 1
    assert drawn.captions[0].startswith("Does not apply: Landscape.views must have at least one view")
    drawn.set(":views:0:show:path", True)
    assert [view.resolution for view in drawn.jobs[0].views] == [15]


def test_a_list_that_the_form_has_no_widgets_for_is_not_lost():
    first = optimizers.DEFAULT
    longest = {"optimizers": [first.optimizers[0].model_dump(mode="json")] * 13}
    drawn = Drawn(first, longest, groups={"Training": ["steps"]}, lists=LISTS["optimizers"])
    assert drawn.differences == [longest]
    assert "does not apply: Trajectories.optimizers must have at most 12 items" in drawn.captions[0]


def test_a_title_shows_what_looks_like_markdown_as_it_is():
    formula = {"surface": {"kind": "formula", "text": "x*y*x*y"}}
    drawn = Drawn(optimizers.DEFAULT, formula, groups={"Training": ["steps"]})
    assert drawn.titles == [r"**B** · surface Custom f(x, y), f(x, y) x\*y\*x\*y"]
