"""Generator and discriminator under way: who is updated, what is measured where, and that it resumes to the bit."""

import io
from typing import Any

import numpy as np
import pytest
import torch

from nnviz.engine import gan_objectives, run
from nnviz.engine.data import distributions
from nnviz.engine.divergence import Diverged
from nnviz.engine.randomness import generator
from nnviz.records import Cause, Snapshot
from nnviz.spec import gan_objectives as objective_specs
from nnviz.spec.base import options, replace_many
from nnviz.spec.data.distributions import PlaneDistribution
from tests.engine import gan_jobs
from tests.engine.gan_jobs import network
from tests.engine.short_runs import all_records, as_bytes, scalars, snapshots, state

NORMED = network(norm={"kind": "batch"})
EVERYTHING = {
    "generator": network(norm={"kind": "batch"}, dropout={"kind": "standard", "rate": 0.2}),
    "discriminator": network(dropout={"kind": "standard", "rate": 0.2}),
    "spectral_norm": True,
    "instance_noise": 0.3,
    "instance_noise_until": 5,
    "label_smoothing": 0.1,
    "average": 0.9,
    "discriminator_updates": 2,
    "clipping": {"kind": "norm"},
}
VARIED: list[dict[str, Any]] = [
    EVERYTHING,
    {"unrolled": 2, "discriminator": network(dropout={"kind": "standard", "rate": 0.2})},
    {"discriminator": NORMED, "updates": "discriminator"},
    {"discriminator": NORMED, "updates": "generator", "noise": {"kind": "uniform", "dimensions": 1}},
    *({"objective": {"kind": kind}} for kind in options(objective_specs.Objective)),
    *({"data": {"kind": kind}, "noise": {"kind": "normal", "dimensions": 3}} for kind in options(PlaneDistribution)),
]


def weights(module: torch.nn.Module) -> dict[str, bytes]:
    """All of a network's state, as bytes."""
    return {name: t.numpy().tobytes() for name, t in module.state_dict().items()}


def test_a_run_resumed_in_the_middle_is_equal_to_the_bit_to_one_that_was_not():
    for changes in VARIED:
        job = gan_jobs.job(steps=5, **changes)
        with run(job) as whole:
            came = [record for records in whole for record in records]
            expected = state(whole)
        with run(job) as first:
            for _ in range(4):
                next(first)
            checkpoint = first.checkpoint()
        with run(job, checkpoint) as second:
            later = as_bytes(record for records in second for record in records)
            assert state(second) == expected, changes
        assert later == [r for r in as_bytes(came) if r[0] > 4], changes


def test_losses_are_the_same_with_and_without_probes_and_pictures():
    for changes in VARIED[:4]:
        watched = gan_jobs.job(**changes)
        bare = watched.model_copy(update={"probes": (), "evaluate_every": 6})
        one, two = all_records(run(watched)), all_records(run(bare))
        for site in ("generator", "discriminator"):
            assert scalars(one, "loss", site) == scalars(two, "loss", site), changes


def test_passes_and_updates_are_told_apart():
    found = all_records(run(gan_jobs.job(steps=3, discriminator_updates=3)))
    of_passes = {s for s in scalars(found, "signal_rms") if s[0] == 3}
    names = {site.split("#", 1)[1] for _, site in of_passes if site.startswith("discriminator.linear1")}
    assert names == {"real#1", "real#2", "real#3", "fake#1", "fake#2", "fake#3", "update"}
    assert {site for _, site in of_passes if site.startswith("generator.linear1")} == {"generator.linear1"}
    updates = {site for step, site in scalars(found, "update_norm") if step == 3}
    expected = {f"discriminator.linear1.weight#{n}" for n in (1, 2, 3)} | {"generator.linear1.weight"}
    assert {site for site in updates if ".linear1.weight" in site} == expected
    rates = scalars(found, "learning_rate")
    assert {site for _, site in rates} == {"generator", "discriminator"}


def test_what_is_no_part_of_the_story_is_not_measured():
    plain = {(r.quantity, r.site) for r in all_records(run(gan_jobs.job(steps=3)))}
    for changes in (
        {"objective": {"kind": "wasserstein_penalty"}},
        {"unrolled": 2, "objective": {"kind": "least_squares"}},
    ):
        more = {(r.quantity, r.site) for r in all_records(run(gan_jobs.job(steps=3, **changes)))}
        added = {found for found in more - plain if found[0] != "gradient_penalty"}
        assert not added, changes


def test_activation_probes_see_the_batches_they_name():
    learner = gan_jobs.learner()
    found = scalars(all_records(run(gan_jobs.job(steps=3))), "activation_mean")
    learning = gan_jobs.learning()
    for number in (1, 2):
        learning.step(number)
    with torch.no_grad():
        real = distributions.sample(learner.data, 16, generator(0, "real", 3))
        made = learning.generator(learning.noise(16, generator(0, "discriminator's noise", 3)))
        for name, x in (("real", real), ("fake", made)):
            entered = learning.discriminator.activation1(learning.discriminator.linear1(x))
            recorded = found[3, f"discriminator.activation1#{name}"]
            assert recorded == pytest.approx(float(entered.mean()), rel=1e-5), name


def test_the_first_steps_are_those_of_a_loop_written_by_hand():
    learning = gan_jobs.learning(discriminator_updates=2, generator_optimizer={"kind": "sgd", "lr": 0.1})
    other = gan_jobs.learning()
    fresh, judge = other.generator, other.discriminator
    of_judge = torch.optim.Adam(judge.parameters(), 1e-3, (0.5, 0.999))
    objective = other.spec.objective
    for number in (1, 2):
        measured = learning.step(number)
        for suffix in ("", " 1"):
            real = distributions.sample(other.spec.data, 16, generator(0, f"real{suffix}", number))
            noise = other.noise(16, generator(0, f"discriminator's noise{suffix}", number))
            of_judge.zero_grad()
            loss = gan_objectives.discriminator_loss(objective, judge(real), judge(fresh(noise).detach()))
            loss.backward()
            of_judge.step()
        assert measured["loss", "discriminator"] == loss.detach(), number
        made = fresh(other.noise(16, generator(0, "generator's noise", number)))
        loss = gan_objectives.generator_loss(objective, judge(made))
        assert measured["loss", "generator"] == loss.detach()
        slopes = torch.autograd.grad(loss, list(fresh.parameters()))
        with torch.no_grad():
            for p, slope in zip(fresh.parameters(), slopes, strict=True):
                p -= 0.1 * slope
    for name, module in (("generator", fresh), ("discriminator", judge)):
        for p, q in zip(module.parameters(), learning.modules[name].parameters(), strict=True):
            assert torch.allclose(p, q, rtol=1e-6, atol=1e-8), name


def test_who_is_not_updated_stays_as_it_is_statistics_included():
    for trained, frozen in (("generator", "discriminator"), ("discriminator", "generator")):
        for changes in ({}, {"spectral_norm": True}):
            learning = gan_jobs.learning(generator=NORMED, discriminator=NORMED, updates=trained, **changes)
            before = {role: weights(m) for role, m in learning.modules.items()}
            for number in range(1, 4):
                measured = learning.step(number)
                assert {site for _, site in measured} == {trained}
            assert weights(learning.modules[frozen]) == before[frozen], (trained, changes)
            moved = weights(learning.modules[trained])
            assert all(moved[name] != value for name, value in before[trained].items() if "weight" in name)


def test_batch_norm_of_the_discriminator_sees_real_and_generated_samples_apart():
    learning = gan_jobs.learning(discriminator=NORMED, updates="discriminator")
    with torch.no_grad():
        learning.generator.output.bias += 50
    norm, seen = learning.discriminator.norm1, []
    norm.register_forward_hook(lambda _m, _i, out: seen.append(out.detach()))
    learning.step(1)
    assert len(seen) == 2
    for out in seen:
        assert torch.allclose(out.mean(0), torch.zeros(8), atol=1e-4), "normalized by its own batch"
        assert out.shape == (16, 8)


def test_variants_see_the_same_real_samples_and_noise():
    for changes in (
        {"generator": network(hidden=[]), "discriminator_updates": 3},
        {"objective": {"kind": "wasserstein_clipping"}, "discriminator": NORMED},
        {"average": 0.9, "spectral_norm": True, "instance_noise": 0.1},
    ):
        one, two = gan_jobs.learning(), gan_jobs.learning(**changes)
        seen: list[list[torch.Tensor]] = [[], []]
        for learning, inputs in zip((one, two), seen, strict=True):
            learning.generator.register_forward_pre_hook(lambda _m, x, inputs=inputs: inputs.append(x[0].clone()))
            learning.step(1)
        assert torch.equal(seen[0][0], seen[1][0]), changes
        assert torch.equal(seen[0][-1], seen[1][-1]), changes
        assert torch.equal(one._real(1, 0)[0], two._real(1, 0)[0]), changes


def test_instance_noise_falls_to_0_and_is_on_all_inputs_of_the_discriminator():
    learner = gan_jobs.learner(instance_noise=0.4, instance_noise_until=4)
    assert [learner.instance_noise_at(n) for n in range(7)] == pytest.approx([0.4, 0.4, 0.3, 0.2, 0.1, 0, 0])
    learning = gan_jobs.learning(instance_noise=2.0, instance_noise_until=10**6, batch_size=2000)
    clean = gan_jobs.learning(batch_size=2000)
    seen: list[list[torch.Tensor]] = [[], []]
    for made, inputs in zip((learning, clean), seen, strict=True):
        made.discriminator.register_forward_pre_hook(lambda _m, x, inputs=inputs: inputs.append(x[0].detach()))
        made.step(1)
    added = [noisy - plain for noisy, plain in zip(seen[0][:2], seen[1][:2], strict=True)]
    for noise in added:
        assert float(noise.std()) == pytest.approx(2, abs=0.1)
    assert abs(float((added[0] * added[1]).mean())) < 0.3, "each with its own"
    assert float(seen[0][2].std()) > 1.8, "the generator's pass too"


def test_clipped_weights_stay_within_their_limit():
    learning = gan_jobs.learning(objective={"kind": "wasserstein_clipping", "limit": 0.05})
    for number in range(1, 4):
        learning.step(number)
        assert max(float(p.detach().abs().max()) for p in learning.discriminator.parameters()) < 0.0501
    assert max(float(p.detach().abs().max()) for p in learning.generator.parameters()) > 0.05


def test_the_average_is_that_of_the_generators_weights_and_pictures_are_of_it():
    learning = gan_jobs.learning(average=0.8, generator=NORMED)
    expected = [p.detach().clone() for p in learning.generator.parameters()]
    for number in range(1, 5):
        learning.step(number)
        for e, p in zip(expected, learning.generator.parameters(), strict=True):
            e.mul_(0.8).add_(p.detach(), alpha=0.2)
    for e, p in zip(expected, learning.averaged.parameters(), strict=True):
        assert torch.allclose(e, p, rtol=1e-5, atol=1e-7)
    found = {r.quantity: r for r in learning.evaluate(4)}
    noise = learning.noise(20_000, generator(0, "picture noise"))[:1000]
    with torch.no_grad():
        points = learning.averaged.eval()(noise)
    assert np.allclose(found["generated"].arrays["points"], points, atol=1e-6)
    assert not np.allclose(points, learning.generator.eval()(noise).detach(), atol=1e-6)


def test_an_average_switched_on_when_it_goes_on_begins_with_the_generator():
    plain = gan_jobs.learning()
    plain.step(1)
    averaged = gan_jobs.learning(average=0.5)
    averaged.load_state_dict(plain.state_dict())
    assert weights(averaged.averaged) == weights(plain.generator)
    plain.load_state_dict(averaged.state_dict())


def test_the_pictures_are_what_they_say():
    for changes in ({}, {"objective": {"kind": "least_squares"}}, {"objective": {"kind": "hinge"}}):
        learning = gan_jobs.learning(**changes)
        for number in range(1, 4):
            learning.step(number)
        found = {r.quantity: r for r in learning.evaluate(3) if r.quantity != "discriminator_output"}
        generator_, discriminator = learning.generator.eval(), learning.discriminator.eval()
        field = found["discriminator_field"].arrays
        at = torch.tensor([[float(field["axis"][40]), float(field["axis"][10])]])
        output = discriminator(at).detach()
        shown = output.sigmoid() if learning.spec.objective.output == "logit" else output
        assert field["output"][10, 40] == pytest.approx(float(shown), abs=2e-3), "rows are y"
        has_optimum = learning.spec.objective.output != "score"
        assert ("optimal_discriminator" in found, "optimal_gap" in found) == (has_optimum, has_optimum)
        generated = found["generated"].arrays
        # Minus the gradient of the loss at one sample.
        point = torch.from_numpy(generated["points"][:1]).requires_grad_()
        gan_objectives.generator_loss(learning.spec.objective, discriminator(point)).backward()
        assert np.allclose(generated["descent"][0], -point.grad.numpy()[0], rtol=1e-4, atol=1e-7)
        histogram = found["discriminator_histogram"].arrays
        assert histogram["real"].sum() == pytest.approx(1)
        assert histogram["generated"].sum() == pytest.approx(1)
        bent = found["noise_map"].arrays["points"]
        assert bent.shape == (25, 25, 2)
        middle = generator_(torch.zeros(1, 2)).detach().numpy()[0]
        assert np.allclose(bent[12, 12], middle, atol=1e-5)
        real = learning.begin()[0].arrays
        assert real["points"].shape == (1000, 2)
        assert real["density"].shape == (64, 64)


def test_the_optimal_discriminator_is_drawn_at_every_second_evaluation_the_last_one_and_at_a_pause():
    made = [r for r in all_records(run(gan_jobs.job(steps=15))) if isinstance(r, Snapshot)]
    steps = {name: [r.step for r in made if r.quantity == name] for name in ("generated", "optimal_discriminator")}
    assert steps == {"generated": [0, 3, 6, 9, 12, 15], "optimal_discriminator": [0, 6, 12, 15]}
    with run(gan_jobs.job(steps=15)) as paused:
        paused.until = 9
        records = [r for _ in range(9) for r in next(paused)] + paused.evaluate_now()
    assert [r.step for r in records if r.quantity == "optimal_discriminator"] == [0, 6, 9]


def test_the_floors_are_those_of_two_sets_of_real_samples():
    real = gan_jobs.learning().begin()[0].arrays
    assert real["jensen_shannon_floor"][0] == pytest.approx(0.005, abs=0.002)
    mean, deviation = real["mmd_floor"]
    assert abs(mean) < 0.002
    assert 0.0005 < deviation < 0.003


def test_the_noise_map_is_there_for_one_and_two_dimensions_alone():
    for kind in ("normal", "uniform"):
        for dimensions, shape in ((1, (200, 2)), (2, (25, 25, 2)), (3, None)):
            learning = gan_jobs.learning(noise={"kind": kind, "dimensions": dimensions})
            found = {r.quantity: r for r in learning.evaluate(0)}
            assert ("noise_map" in found) == (shape is not None)
            if shape:
                assert found["noise_map"].arrays["points"].shape == shape
            noise = learning.noise(1000, generator(0, "test"))
            assert noise.shape == (1000, dimensions)
            assert float(noise.abs().max()) <= 1 if kind == "uniform" else float(noise.std()) > 0.9


def test_pictures_of_a_generator_gone_astray_are_made_without_numbers_there_are_none_of():
    learning = gan_jobs.learning()
    with torch.no_grad():
        learning.generator.output.bias.fill_(float("inf"))
    found = {(r.quantity, r.site): r for r in learning.evaluate(0)}
    assert found["modes_covered", "generated"].value == 0
    assert found["high_quality_fraction", "generated"].value == 0
    assert ("jensen_shannon", "generated") not in found


def test_its_pictures_take_about_as_many_bytes_as_it_says():
    for changes in ({}, {"noise": {"kind": "normal", "dimensions": 1}}, {"objective": {"kind": "hinge"}}):
        learning = gan_jobs.learning(**changes)
        sizes = []
        for learning.is_brief in (False, True):
            pictures = [r for r in learning.evaluate(0) if hasattr(r, "arrays")]
            sizes.append(sum(a.nbytes for r in pictures for a in r.arrays.values()))
        size = sum(sizes) / 2
        assert size <= learning.spec.picture <= 2.5 * size, changes


def test_the_weights_of_both_networks_and_of_the_average_are_told_apart_by_name():
    for average in (0.0, 0.9):
        with run(gan_jobs.job(steps=2, average=average)) as under_way:
            for _ in under_way:
                pass
            step, plain = under_way.weights()
            named = torch.load(io.BytesIO(plain), weights_only=True)
        assert step == 2, average
        modules = dict(under_way.learning.modules)
        if average:
            modules["averaged_generator"] = under_way.learning.averaged
        expected = {f"{role}.{name}": tensor for role, m in modules.items() for name, tensor in m.state_dict().items()}
        assert named.keys() == expected.keys(), average
        assert all(torch.equal(named[name], tensor) for name, tensor in expected.items()), average


def test_where_it_diverged_is_found_and_the_last_good_state_is_kept():
    job = gan_jobs.job(steps=60, generator_optimizer={"kind": "sgd", "lr": 10.0}, objective={"kind": "least_squares"})
    job = replace_many(job, {"learner.discriminator_optimizer": {"kind": "sgd", "lr": 10.0}})
    with pytest.raises(Diverged) as ended:
        all_records(run(job))
    how = ended.value.divergence
    assert how.nonfinite.cause in (Cause.OUTPUT, Cause.OBJECTIVE, Cause.GRADIENT, Cause.PARAMETER)
    assert how.last_good < how.step
    resumed = run(job, ended.value.checkpoint)
    assert resumed.step == how.last_good


def test_the_untrained_networks_are_measured_and_left_as_they_were():
    changes = {"discriminator": NORMED, "spectral_norm": True, "generator": NORMED}
    watched, bare = (gan_jobs.job(steps=1, **changes) for _ in range(2))
    bare = bare.model_copy(update={"probes": ()})
    ended = [run(job) for job in (watched, bare)]
    came = [all_records(under_way) for under_way in ended]
    assert state(ended[0]) == state(ended[1])
    first = {site for step, site in scalars(came[0], "gradient_norm") if step == 0}
    assert {"generator.linear1.weight", "discriminator.linear1.weight"} <= first
    assert 0 in snapshots(came[0], "generated")
