"""Every probe on a learner with two modules, two optimizers, several updates and passes a step, against naive twins."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine.capture import Watch, named, probes, silent
from nnviz.records import Record, Scalar, Snapshot
from nnviz.spec import probes as spec
from tests.each import each
from tests.engine.short_runs import scalars
from tests.engine.two_modules import Twin, TwoModules

STEPS = 6
KINDS = (spec.GradientNorms, spec.Updates, spec.Activations, spec.Signal, spec.Histograms)


@pytest.fixture(scope="module")
def twin() -> Twin:
    learning = TwoModules()
    learning.twin = Twin()
    for number in range(1, STEPS + 1):
        learning.step(number)
    return learning.twin


@pytest.fixture(scope="module")
def watched() -> tuple[TwoModules, list[Record]]:
    return watch(every=1)


def watch(every: int, steps: int = STEPS) -> tuple[TwoModules, list[Record]]:
    """The learner after its steps, and what all probes found in them."""
    learning = TwoModules()
    with Watch(learning.modules, learning.optimizers, [probes.build(kind(every=every)) for kind in KINDS]) as watch:
        for number in range(1, steps + 1):
            with watch.step(number):
                learning.step(number)
        return learning, watch.flush()


def at_sites(records: list[Record], quantity: str) -> dict[tuple[int, str], dict[str, np.ndarray]]:
    return {(r.step, r.site): r.arrays for r in records if isinstance(r, Snapshot) and r.quantity == quantity}


def test_watching_changes_no_weight(watched):
    alone = TwoModules()
    for number in range(1, STEPS + 1):
        alone.step(number)
    for root, module in alone.modules.items():
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, watched[0].modules[root].state_dict()[name]), f"{root}.{name}"


def test_each_update_of_a_parameter_is_measured_when_an_optimizer_that_owns_it_steps(watched, twin):
    for quantity in ("gradient_norm", "weight_norm", "update_norm"):
        found, expected = scalars(watched[1], quantity), getattr(twin, quantity)
        assert found.keys() == expected.keys(), quantity
        for at, value in expected.items():
            assert found[at] == pytest.approx(value, rel=1e-5, abs=1e-9), (quantity, at)
    sites = {site for _, site in twin.gradient_norm}
    assert {
        "critic.linear1.weight#1",
        "critic.linear1.weight#2",
        "critic.output.bias#3",
        "maker.shared.weight",
    } <= sites


def test_the_norm_of_a_root_is_that_of_all_its_parameters_in_one_update(watched, twin):
    found = scalars(watched[1], "gradient_norm_total")
    assert {site for _, site in found} == {"maker", "critic#1", "critic#2", "critic#3"}
    for (step, root), value in found.items():
        name, _, number = root.partition("#")
        tag = f"#{number}" if number else ""
        mine = [v for (s, site), v in twin.gradient_norm.items() if s == step and site.startswith(name + ".")]
        if number:
            mine = [
                v
                for (s, site), v in twin.gradient_norm.items()
                if s == step and site.startswith(name + ".") and site.endswith(tag)
            ]
        assert value == pytest.approx(np.linalg.norm(mine), rel=1e-5)


def test_each_pass_has_its_own_signal_and_silent_ones_have_none(watched, twin):
    found = scalars(watched[1], "signal_rms")
    assert found.keys() == twin.signal_rms.keys()
    for at, value in twin.signal_rms.items():
        assert found[at] == pytest.approx(value, rel=1e-4, abs=1e-12), at
    tags = {site.partition("#")[2] for _, site in found}
    assert tags == {"", "made", "real#1", "real#2", "fake#1", "fake#2"}


def test_each_pass_has_its_own_activations(watched, twin):
    records = watched[1]
    for name, which in (("preactivation", 0), ("activation", 1)):
        found = scalars(records, f"{name}_mean")
        assert found.keys() == twin.activations.keys()
        for at, values in twin.activations.items():
            assert found[at] == pytest.approx(float(values[which].mean()), rel=1e-4, abs=1e-6), (name, at)
        histograms = at_sites(records, f"{name}_histogram")
        roots = {site for _, site in histograms}
        assert roots == {"maker", "critic#real#1", "critic#real#2", "critic#fake#1", "critic#fake#2", "critic#made"}
        for (step, root), arrays in histograms.items():
            head, _, tag = root.partition("#")
            values = twin.activations[step, f"{head}.activation1{'#' if tag else ''}{tag}"][which]
            assert arrays["sites"].tolist() == [f"{head}.activation1"]
            assert arrays["counts"].sum() == values.size
            assert (arrays["low"][0], arrays["high"][0]) == pytest.approx((values.min(), values.max()))


def test_histograms_of_each_update_stack_the_parameters_of_a_root(watched, twin):
    for name in ("gradient", "weight"):
        found = at_sites(watched[1], f"{name}_histogram")
        assert {site for _, site in found} == {"maker", "critic#1", "critic#2", "critic#3"}
        for (step, root), arrays in found.items():
            head, _, number = root.partition("#")
            for row, site in enumerate(arrays["sites"].tolist()):
                assert site.startswith(f"{head}.")
                options = [site, f"{site}#{number}"]
                values = next(getattr(twin, f"{name}s")[step, s] for s in options if (step, s) in twin.gradients)
                assert arrays["negative"][row].sum() == (values < 0).sum(), (step, root, site)
                assert arrays["positive"][row].sum() + arrays["zero"][row] == (values >= 0).sum(), (step, root, site)
    sites = at_sites(watched[1], "weight_histogram")[1, "maker"]["sites"].tolist()
    assert sites == [f"maker.{name}" for name, _ in TwoModules().maker.named_parameters()]


def test_no_two_records_of_a_run_share_step_quantity_and_site(watched):
    keys = [(r.step, r.quantity, r.site) for r in watched[1]]
    assert len(keys) == len(set(keys))


def test_a_sampled_step_says_the_same_whatever_was_sampled_before(watched):
    records = watch(every=3)[1]
    assert {r.step for r in records} == {1, 3, 6}
    every = {(r.step, r.quantity, r.site): r for r in watched[1]}
    for r in records:
        same = every[r.step, r.quantity, r.site]
        if isinstance(r, Scalar):
            assert r.value == pytest.approx(same.value, rel=1e-6), r


@each("name", ["", "real fake", "#real", "1", "é"])
def test_a_name_of_a_pass_that_a_site_cannot_hold_is_refused(name):
    with pytest.raises(ValueError, match=r"must be letters, digits and underscores, got "), named(name):
        pass


def test_passes_named_within_silence_stay_silent():
    module = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    with Watch({"model": module}, {"model": optimizer}, [probes.build(spec.Activations(every=1))]) as watch:
        with watch.step(1):
            with silent(), named("inner"):
                module(torch.ones(1, 2))
            with named("outer"), named("inner"):
                module(torch.ones(1, 2))
            optimizer.step()
        assert {r.site for r in watch.flush() if isinstance(r, Scalar)} == {"model.1#inner"}


def test_updates_of_one_module_by_two_optimizers_of_different_parameters_are_one():
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    optimizers = {str(i): torch.optim.SGD(module[i].parameters(), 0.1) for i in (1, 0)}
    with Watch({"model": module}, optimizers, [probes.build(kind(every=1)) for kind in KINDS]) as watch:
        with watch.step(1):
            module(torch.ones(4, 2)).sum().backward()
            for optimizer in optimizers.values():
                optimizer.step()
        records = watch.flush()
    histogram = at_sites(records, "gradient_histogram")
    assert list(histogram) == [(1, "model")]
    assert histogram[1, "model"]["sites"].tolist() == [
        "model.0.weight",
        "model.0.bias",
        "model.1.weight",
        "model.1.bias",
    ]
    total = scalars(records, "gradient_norm_total", "model")[1]
    assert total == pytest.approx(float(torch.cat([p.grad.flatten() for p in module.parameters()]).norm()))
