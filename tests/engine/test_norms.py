"""Each norm equals its formula and torch's module in training and evaluation mode; what it promises holds."""

import math

import pytest
import torch
from torch import Tensor

from nnviz.engine import models
from nnviz.engine.models import norms
from nnviz.engine.snapshots.module_layers import kind
from nnviz.spec import models as model_spec
from nnviz.spec import norms as spec
from nnviz.spec.base import SpecError
from tests.each import each

NORMS = (spec.BatchNorm(), spec.LayerNorm(), spec.GroupNorm(groups=2), spec.RMSNorm())
X = 3 + 2 * torch.randn(10, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def built(norm: spec.Norm, units: int = 6) -> torch.nn.Module:
    """In float64, with a scale and a shift that differ from unit to unit."""
    module = norms.build(norm, units).double()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.linspace(0.5, 2, units) if name == "weight" else torch.linspace(-1, 1, units))
    return module


def by_hand(norm: spec.Norm, x: Tensor) -> Tensor:
    """(x − mean) / √(mean square deviation + ε) over what the norm averages, in training mode, unit by unit."""
    out = torch.empty_like(x)
    for n in range(len(x)):
        for u in range(x.shape[1]):
            size = x.shape[1] // getattr(norm, "groups", 1)
            first = u // size * size
            over = x[:, u] if isinstance(norm, spec.BatchNorm) else x[n, first : first + size]
            mean = 0.0 if isinstance(norm, spec.RMSNorm) else sum(over.tolist()) / len(over)
            spread = sum((v - mean) ** 2 for v in over.tolist()) / len(over)
            out[n, u] = (float(x[n, u]) - mean) / math.sqrt(spread + norm.eps)
    return out


@each("norm", NORMS)
def test_the_output_is_the_formulas(norm):
    plain = norms.build(norm.model_copy(update={"affine": False}), 6).double()
    torch.testing.assert_close(plain(X), by_hand(norm, X))
    affine = built(norm)
    shift = torch.zeros(6) if isinstance(norm, spec.RMSNorm) else torch.linspace(-1, 1, 6)
    torch.testing.assert_close(affine(X), by_hand(norm, X) * torch.linspace(0.5, 2, 6) + shift)


@each("norm", NORMS)
def test_all_but_batch_norm_do_in_evaluation_what_they_do_in_training(norm):
    module = built(norm)
    trained = module(X)
    evaluated = module.eval()(X)
    assert torch.equal(trained, evaluated) == (norm.kind != "batch")
    assert not list(module.buffers()) or norm.kind == "batch"


def test_batch_norms_running_averages_follow_the_batches():
    for momentum in (0.0, 0.1, 0.5, 1.0):
        module = built(spec.BatchNorm(momentum=momentum))
        for _ in range(20):
            module(X)
        weight = 1 - (1 - momentum) ** 20
        torch.testing.assert_close(module.running_mean, weight * X.mean(0))
        unbiased = X.var(0, unbiased=True)  # as torch keeps it
        torch.testing.assert_close(module.running_var, (1 - momentum) ** 20 + weight * unbiased)
    module = built(spec.BatchNorm(eps=0.5, momentum=1.0))
    module(X)
    module.eval()
    expected = (X - X.mean(0)) / (X.var(0, unbiased=True) + 0.5).sqrt()
    torch.testing.assert_close(module(X), expected * torch.linspace(0.5, 2, 6) + torch.linspace(-1, 1, 6))


@each("norm", NORMS)
def test_weights_before_a_norm_can_be_scaled_the_output_stays_and_the_gradient_is_divided(norm):
    weight = torch.randn(6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    module = built(norm.model_copy(update={"eps": 1e-12}))
    found = []
    for a in (1.0, 7.0):
        scaled = (a * weight).requires_grad_()
        out = module(X @ scaled.T)
        (gradient,) = torch.autograd.grad((out**3).sum(), scaled)
        found.append((out.detach(), gradient * a))
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)


@each("norm", NORMS)
def test_a_network_has_it_before_or_after_the_activation_and_counts_its_parameters(norm):
    for place in ("before", "after"):
        for affine in (True, False):
            model = model_spec.DeepMLP(
                depth=2, width=6, norm=norm.model_copy(update={"place": place, "affine": affine})
            )
            network = models.build(model, (2,), 1, 0)
            order = [name.rstrip("12") for name, _ in network.named_children()]
            layer = ["norm", "activation"] if place == "before" else ["activation", "norm"]
            assert order == ["linear", *layer, "linear", *layer, "output"]
            assert sum(p.numel() for p in network.parameters()) == model.size((2,), 1).parameters, (place, affine)
            assert (network.linear1.bias is None) == (norm.kind == "batch" and place == "before")
            assert kind(network.norm1) == f"{norm.kind}_norm"


def test_groups_that_do_not_divide_a_width_are_refused_in_one_line():
    with pytest.raises(SpecError, match=r"groups must divide the width .* got 4 for a layer of 6") as error:
        model_spec.DeepMLP.parse({"width": 6, "norm": {"kind": "group", "groups": 4}})
    assert "\n" not in str(error.value)


@each("kind", ["batch", "instance"])
def test_norms_of_images_average_over_pixels_of_a_channel(kind):
    x = 3 + 2 * torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    module = norms.build_for_images(kind, 3).double()
    with torch.no_grad():
        module.weight.copy_(torch.linspace(0.5, 2, 3))
        module.bias.copy_(torch.linspace(-1, 1, 3))
    expected = torch.empty_like(x)
    for n in range(4):
        for c in range(3):
            over = (x[:, c] if kind == "batch" else x[n, c]).flatten().tolist()
            mean = sum(over) / len(over)
            var = sum((v - mean) ** 2 for v in over) / len(over)
            expected[n, c] = (x[n, c] - mean) / math.sqrt(var + 1e-5) * module.weight[c].item() + module.bias[c].item()
    torch.testing.assert_close(module(x), expected)
    evaluated = module.eval()(x)
    assert torch.allclose(evaluated, expected) == (kind == "instance")
    if kind == "batch":
        running = 0.1 * x.mean((0, 2, 3)), 0.9 + 0.1 * x.transpose(0, 1).flatten(1).var(1)
        plain = [part[:, None, None] for part in (*running, module.weight, module.bias)]
        torch.testing.assert_close(evaluated, (x - plain[0]) / (plain[1] + 1e-5).sqrt() * plain[2] + plain[3])


def test_networks_of_images_take_instance_norm_and_then_judge_each_image_alone():
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for name in ("batch", "instance"):
        model = model_spec.DCGANDiscriminator(width=4, norm="everywhere", norm_kind=name)
        network = models.build(model, (1, 8, 8), 1, 0).train()
        assert kind(network.norm1) == f"{name}_norm"
        assert sum(p.numel() for p in network.parameters()) == model.size((1, 8, 8), 1).parameters
        together = network(images)
        assert model.least_batch == (2 if name == "batch" else 1)
        alone = torch.cat([network(one[None]) for one in images])
        assert torch.allclose(together, alone, atol=1e-6) == (name == "instance")
        assert model.statistics == ("batch norm's statistics" if name == "batch" else "")


def test_instance_norm_of_vectors_is_refused_in_one_line():
    with pytest.raises(SpecError, match=r"norm.kind must be one of none, batch, layer, group, rms, got") as error:
        model_spec.DeepMLP.parse({"norm": {"kind": "instance"}})
    assert "\n" not in str(error.value)
