"""Adversarial training on images: class labels, families of networks, spectral norm, resuming."""

import io
from typing import Any

import pytest
import torch
from torch import nn

from nnviz.engine import run
from nnviz.engine.learners.adversarial import AdversarialLearning
from nnviz.engine.models.spectral_norm import SpectralConv2d, SpectralEmbedding, SpectralLinear
from nnviz.engine.randomness import generator
from nnviz.records import Scalar, Snapshot
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.jobs import Training, dump, load
from nnviz.spec.learners import ImageAdversarial
from tests.engine.short_runs import all_records, as_bytes, scalars, state

MLP = {"kind": "mlp", "hidden": [{"width": 16, "activation": {"kind": "relu"}}] * 2}
SMALL = {
    "kind": "adversarial_images",
    "noise": {"kind": "normal", "dimensions": 6},
    "generator": {"kind": "dcgan_generator", "width": 4},
    "discriminator": {"kind": "dcgan_discriminator", "width": 4},
    "batch_size": 8,
}
PROBES = [{"kind": k, "every": 3} for k in ("gradient_norms", "updates", "activations", "signal", "histograms")]
LABELS = ("projection", "concatenation", "none")


def learner(**changes: Any) -> ImageAdversarial:
    """A small one with changes by field."""
    return ImageAdversarial.parse(SMALL | changes)


def job(steps: int = 5, **changes: Any) -> Training:
    """Its training, with all probes, evaluated every 3 steps."""
    plain = {"learner": learner(**changes).model_dump(), "steps": steps, "evaluate_every": 3, "device": "cpu"}
    return Training.parse(plain | {"probes": PROBES})


def learning(seed: int = 0, **changes: Any) -> AdversarialLearning:
    """It before its first step."""
    return AdversarialLearning(learner(**changes), seed, 1000, torch.device("cpu"))


VARIED: list[dict[str, Any]] = [
    {"average": 0.9, "discriminator_updates": 2, "instance_noise": 0.3, "clipping": {"kind": "norm"}},
    {"conditional": "concatenation", "spectral_norm": True, "label_smoothing": 0.1},
    {"conditional": "none", "generator": MLP, "discriminator": MLP | {"skip": True}, "unrolled": 1},
    {
        "discriminator": SMALL["discriminator"] | {"norm": "none"},
        "objective": {"kind": "wasserstein_penalty"},
        "precision": "bfloat16",
        "channels_last": True,
    },
]


def test_a_run_resumed_in_the_middle_is_equal_to_the_bit_to_one_that_was_not():
    for changes in VARIED:
        chosen = job(**changes)
        with run(chosen) as whole:
            came = [record for records in whole for record in records]
            expected = state(whole)
        with run(chosen) as first:
            for _ in range(4):
                next(first)
            checkpoint = first.checkpoint()
        with run(chosen, checkpoint) as second:
            later = as_bytes(record for records in second for record in records)
            assert state(second) == expected, changes
        assert later == [r for r in as_bytes(came) if r[0] > 4], changes
        bare = chosen.model_copy(update={"probes": (), "evaluate_every": 5})
        for site in ("generator", "discriminator"):
            one, two = (scalars(found, "loss", site) for found in (came, all_records(run(bare))))
            assert one == two, f"probes and pictures change nothing: {changes}"


def test_a_job_survives_json_and_states_its_size():
    for changes in [*VARIED, *({"conditional": c} for c in LABELS)]:
        chosen = job(**changes)
        assert load(dump(chosen)) == chosen
        modules = learning(**changes).modules
        sizes = chosen.learner.sizes
        for role, module in modules.items():
            assert sum(p.numel() for p in module.parameters()) == sizes[role].parameters, (changes, role)


def test_labels_reach_both_networks():
    for conditional in LABELS[:2]:
        for networks in ({}, {"generator": MLP, "discriminator": MLP | {"skip": True}}):
            made = learning(conditional=conditional, **networks)
            made.step(1)
            embedding = made.discriminator.embedding.weight
            labels = made._real(1, 0)[1]
            reached = embedding.grad.abs().sum(1) > 0
            assert set(torch.nonzero(reached).flatten().tolist()) == set(labels.tolist()), conditional
            first = next(m for m in made.generator.modules() if getattr(m, "weight", None) is not None)
            slopes = first.weight.grad if isinstance(first, nn.ConvTranspose2d) else first.weight.grad.T
            wanted = made.space.labels(8, generator(0, "generator's labels", 1))[0]
            reached = slopes[6:].flatten(1).abs().sum(1) > 0
            assert set(torch.nonzero(reached).flatten().tolist()) == set(wanted.tolist()), conditional
    assert not hasattr(learning(conditional="none").discriminator, "embedding")


def test_a_projection_is_the_inner_product_with_the_features():
    for model in (SMALL["discriminator"], MLP, MLP | {"skip": True}):
        network = learning(discriminator=model).discriminator.eval()
        seen: list[torch.Tensor] = []
        network.output.register_forward_pre_hook(lambda _m, x, seen=seen: seen.append(x[0]))
        x, labels = torch.randn(5, 1, 8, 8, generator=generator(0, "test")), torch.arange(5)
        with torch.no_grad():
            found = network(x, labels)
            expected = network.output(seen[0])[:, 0] + (network.embedding.weight[:5] * seen[0]).sum(1)
        assert torch.allclose(found[:, 0], expected, atol=1e-6), model


def test_a_class_is_a_channel_of_the_image_in_concatenation():
    network = learning(conditional="concatenation").discriminator
    seen: list[torch.Tensor] = []
    network.conv1.register_forward_pre_hook(lambda _m, x: seen.append(x[0]))
    x = torch.randn(3, 1, 8, 8)
    network(x, torch.tensor([7, 7, 1]))
    assert torch.equal(seen[0][:, :1], x)
    maps = network.embedding.weight.reshape(10, 1, 8, 8)
    assert torch.equal(seen[0][:, 1:], maps[[7, 7, 1]])


def test_real_images_are_drawn_with_their_labels_by_the_step_alone():
    one, two = learning(), learning(conditional="concatenation", generator=MLP, average=0.5)
    for number in (1, 2):
        (x, y), (other, other_labels) = one._real(number, 0), two._real(number, 0)
        assert torch.equal(x, other)
        assert torch.equal(y, other_labels)
        found = [bool((image == x[0]).all()) and label == y[0] for image, label in _pairs(one)]
        assert any(found), "an image of the set with its own label"
    assert not torch.equal(one._real(1, 0)[0], one._real(2, 0)[0])
    assert one._real(1, 0)[0].abs().max() <= 1


def _pairs(made: AdversarialLearning) -> Any:
    return zip(made.space.set.images, made.space.set.labels, strict=True)


def test_an_mlp_makes_images_in_the_range_of_the_data():
    made = learning(generator=MLP, noise={"kind": "uniform", "dimensions": 3}, data={"kind": "shapes", "count": 100})
    images = made.generator(torch.randn(4, 6) * 100).detach()
    assert images.shape == (4, 3, 16, 16)
    assert 0.99 < float(images.abs().max()) <= 1


def test_spectral_norm_makes_every_matrix_of_the_discriminator_one_of_norm_1():
    for conditional, kinds in (
        ("projection", {SpectralConv2d, SpectralLinear, SpectralEmbedding}),
        ("none", {SpectralConv2d, SpectralLinear}),
    ):
        made = learning(spectral_norm=True, conditional=conditional)
        plain = learning(conditional=conditional)
        layers = [m for m in made.discriminator.modules() if hasattr(m, "normalized")]
        assert {type(m) for m in layers} == kinds
        for p, q in zip(plain.discriminator.parameters(), made.discriminator.parameters(), strict=True):
            assert torch.equal(p, q), "the same weights start"
        for number in range(1, 13):
            made.step(number)
        for layer in layers:
            matrix = layer.normalized().detach().flatten(1).double()
            assert float(torch.linalg.svdvals(matrix)[0]) == pytest.approx(1, abs=0.05), type(layer)
            assert matrix.shape[0] == len(layer.weight)
        conv = made.discriminator.conv1.eval()
        x = torch.randn(2, 1, 8, 8)
        expected = nn.functional.conv2d(x, conv.normalized(), conv.bias, stride=2, padding=1)
        assert torch.equal(conv(x), expected)


def test_a_penalty_on_images_is_that_of_the_gradient_of_each():
    made = learning(objective={"kind": "wasserstein_penalty"}, discriminator=SMALL["discriminator"] | {"norm": "none"})
    measured = made.step(1)
    assert float(measured["gradient_penalty", "discriminator"]) == pytest.approx(1, abs=0.3), "weights are small"


def test_mixed_precision_is_near_full_precision_and_leaves_weights_as_they_are():
    full, mixed = learning(), learning(precision="bfloat16")
    for number in range(1, 4):
        one, two = full.step(number), mixed.step(number)
        for key, loss in one.items():
            assert float(loss) == pytest.approx(float(two[key]), rel=0.05)
            assert float(loss) != float(two[key]), key
            assert two[key].dtype == torch.float32
    assert {p.dtype for m in mixed.modules.values() for p in m.parameters()} == {torch.float32}


def test_channels_last_changes_how_tensors_lie_and_not_what_is_computed():
    plain, last = learning(), learning(channels_last=True)
    seen: list[torch.Tensor] = []
    last.discriminator.conv1.register_forward_pre_hook(lambda _m, x: seen.append(x[0]))
    for number in (1, 2):
        one, two = plain.step(number), last.step(number)
        for key, loss in one.items():
            assert float(loss) == pytest.approx(float(two[key]), rel=1e-3)
    assert last.discriminator.conv2.weight.is_contiguous(memory_format=torch.channels_last)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_every_layer_is_measured():
    found = all_records(run(job(steps=3)))
    sites = {r.site for r in found if isinstance(r, Scalar) and r.quantity == "gradient_norm"}
    modules = learning().modules
    assert sites == {f"{role}.{name}" for role, m in modules.items() for name, _ in m.named_parameters()}
    layers = {r.site: r.arrays for r in found if isinstance(r, Snapshot) and r.quantity == "layers"}
    assert layers["discriminator"]["sites"].tolist() == [
        "discriminator.conv1",
        "discriminator.conv2",
        "discriminator.output",
    ]
    kinds = dict(zip(layers["discriminator"]["places"], layers["discriminator"]["kinds"], strict=True))
    assert kinds["discriminator.embedding"] == "embedding"
    means = {site for _, site in scalars(found, "activation_mean")}
    assert {"generator.output_activation", "discriminator.activation1#real", "discriminator.activation1#fake"} <= means


def test_what_does_not_fit_is_refused_in_one_line():
    refused = {
        "must be in [2, 2048], got 1": {"batch_size": 1},
        "learner.conditional must be none with image_folder": {"data": {"kind": "image_folder"}},
        "learner.unrolled must be 0 with batch norm": {"unrolled": 2},
        "ImageAdversarial.generator.kind must be one of": {"generator": {"kind": "dcgan_discriminator"}},
        "learner.objective must not be wasserstein_penalty with batch norm": {
            "objective": {"kind": "wasserstein_penalty"}
        },
    }
    for line, changes in refused.items():
        with pytest.raises(SpecError) as error:
            learner(**changes)
        assert line in str(error.value)
        assert "\n" not in str(error.value)
    assert learner().fitting("conditional", {"data": {"kind": "image_folder"}}) == ["none"]
    assert learner().fitting("conditional", {}) is None
    assert replace_many(job(), {"learner.data.size": 64}).learner.data.shape == (1, 64, 64)


def test_both_networks_are_saved_by_name():
    with run(job(steps=1, average=0.9)) as under_way:
        next(under_way)
        named = torch.load(io.BytesIO(under_way.weights()[1]), weights_only=True)
    assert {name.split(".")[0] for name in named} == {"generator", "discriminator", "averaged_generator"}
