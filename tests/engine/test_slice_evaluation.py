"""Slices: what is drawn is the loss of the network at each point, and the network is left alone."""

import copy
import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnviz.engine import landscape, losses, models
from nnviz.engine.landscape import stacked_networks
from nnviz.spec import losses as loss_specs
from nnviz.spec.models import MLP, Hidden
from tests.each import each

AXES = [torch.linspace(-1, 1, 7, dtype=torch.float64), torch.linspace(-0.5, 1, 10, dtype=torch.float64)]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
by_precision = each("dtype", TOLERANCE)


class Residual(nn.Module):
    """Not a sequence of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.norm, self.output = nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(x + self.norm(self.inner(x)).tanh())


class Tied(nn.Sequential):
    """The same matrix twice."""

    def __init__(self) -> None:
        again = nn.Linear(4, 4)
        super().__init__(again, nn.ReLU(), again, nn.Linear(4, 3))


def built(activation: dict, **settings: object) -> nn.Sequential:
    """4-6-5-3 as a job makes it."""
    hidden = tuple(Hidden(width=width, activation=activation) for width in (6, 5))
    return models.build(MLP(hidden=hidden, **settings), (4,), 3, 0)


def moved_norms() -> nn.Sequential:
    """Batch norm with statistics, scale and shift unlike those at the start."""
    network = built({"kind": "relu"}, norm={"kind": "batch"})
    drawn = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.running_mean, module.running_var, module.weight.data, module.bias.data):
                tensor.copy_(torch.rand(tensor.shape, generator=drawn) + 0.3)
    return network


NETWORKS = {
    "relu": lambda: built({"kind": "relu"}),
    "tanh": lambda: built({"kind": "tanh"}),
    "sigmoid": lambda: built({"kind": "sigmoid"}),
    "gelu": lambda: built({"kind": "gelu"}),
    "step": lambda: built({"kind": "step"}),
    "no bias": lambda: built({"kind": "elu"}, bias=False),
    "prelu": lambda: built({"kind": "prelu"}),
    "batch norm": moved_norms,
    "batch norm without scale": lambda: nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6, affine=False), nn.ReLU(inplace=True), nn.Linear(6, 3)
    ),
    "dropout": lambda: built({"kind": "relu"}, dropout={"kind": "standard", "rate": 0.4}),
    "dropout of torch": lambda: nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.ReLU(), nn.Linear(6, 3)),
    "prelu for each unit": lambda: nn.Sequential(nn.Linear(4, 6), nn.PReLU(6), nn.Linear(6, 3)),
    "one layer": lambda: nn.Sequential(nn.Linear(4, 3)),
    "an activation last": lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), nn.Softplus()),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Identity(), nn.Linear(6, 3)),
    "one by one: residual": Residual,
    "one by one: tied": Tied,
    "one by one: batch statistics": lambda: nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6, track_running_stats=False), nn.ReLU(), nn.Linear(6, 3)
    ),
}
every_network = each("name", NETWORKS)


def network(name: str, dtype: torch.dtype = torch.float64) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS[name]().to(dtype)


def data(dtype: torch.dtype = torch.float64) -> dict[str, tuple[Tensor, Tensor]]:
    """Three classes, training and test."""
    drawn = torch.Generator().manual_seed(1)
    return {
        part: (torch.randn(n, 4, generator=drawn).to(dtype), torch.randint(0, 3, (n,), generator=drawn))
        for part, n in (("train", 50), ("test", 13))
    }


def directions(module: nn.Module, count: int = 2) -> list[landscape.Direction]:
    """Random ones that move everything."""
    drawn = torch.Generator().manual_seed(2)
    weights = list(module.parameters())
    return [
        landscape.filter_normalized(weights, landscape.random_direction(module, drawn), keep_vectors=True)
        for _ in range(count)
    ]


@torch.no_grad()
def naive(module: nn.Module, along: Sequence[landscape.Direction], axes: Sequence[Tensor], part, loss) -> Tensor:
    """Set the weights, evaluate; (2, points, …): loss and accuracy over the grid."""
    moved = copy.deepcopy(module).eval()
    x, y = part
    found = []
    for at in torch.cartesian_prod(*axes).reshape(-1, len(axes)).tolist():
        for p, w, *ds in zip(moved.parameters(), module.parameters(), *along, strict=True):
            p.copy_(w + sum(scale * d for scale, d in zip(at, ds, strict=True)))
        outputs = moved(x)
        found.append([float(loss(outputs, y)), float((outputs.argmax(1) == y).double().mean())])
    return torch.tensor(found, dtype=torch.float64).T.reshape(2, *(len(axis) for axis in axes))


def drawn_grid(
    module: nn.Module, along, axes, dtype=torch.float64, loss=F.cross_entropy, **settings
) -> landscape.Block:
    blocks = landscape.evaluate_slice(module, loss, data(dtype), along, axes, accuracy=landscape.accuracy, **settings)
    return landscape.grid(blocks, [len(axis) for axis in axes])


@every_network
@by_precision
def test_a_plane_is_what_setting_the_weights_and_evaluating_gives(name, dtype):
    module = network(name, dtype).train()
    along = directions(module)
    found = drawn_grid(module, along, AXES, dtype)
    for part, samples in data(dtype).items():
        expected = naive(module, along, AXES, samples, F.cross_entropy)
        torch.testing.assert_close(found.losses[part].double(), expected[0], rtol=0, atol=TOLERANCE[dtype])
        torch.testing.assert_close(found.accuracies[part].double(), expected[1], rtol=0, atol=1e-6)


@every_network
def test_a_line_is_the_same_with_one_axis(name):
    module = network(name)
    along = directions(module, 1)
    found = drawn_grid(module, along, AXES[:1])
    expected = naive(module, along, AXES[:1], data()["train"], F.cross_entropy)
    torch.testing.assert_close(found.losses["train"], expected[0], rtol=0, atol=1e-12)


@every_network
def test_networks_are_computed_many_points_at_once_where_they_are_sequential(name):
    module = network(name).eval()
    is_chain = stacked_networks.stackable_layers(module, data()["train"][0]) is not None
    assert is_chain != name.startswith("one by one")


def test_a_network_with_hooks_is_called_and_a_convolution_works():
    module = network("relu")
    module.linear2.register_forward_hook(lambda _module, _inputs, out: 2 * out)
    along = directions(module)
    expected = naive(module, along, AXES, data()["train"], F.cross_entropy)
    torch.testing.assert_close(drawn_grid(module, along, AXES).losses["train"], expected[0], rtol=0, atol=1e-12)
    conv = nn.Sequential(nn.Unflatten(1, (1, 4)), nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3)).double()
    along = directions(conv)
    expected = naive(conv, along, AXES, data()["train"], F.cross_entropy)
    torch.testing.assert_close(drawn_grid(conv, along, AXES).losses["train"], expected[0], rtol=0, atol=1e-12)


@each(
    "loss",
    [
        loss_specs.CrossEntropy(),
        loss_specs.CrossEntropy(label_smoothing=0.2),
        loss_specs.BinaryCrossEntropy(),
        loss_specs.MSE(),
        loss_specs.MAE(),
        loss_specs.RMSE(),
        loss_specs.Huber(),
    ],
)
@by_precision
def test_every_loss_is_computed_as_the_job_defines_it(loss, dtype):
    module = network("tanh", dtype)
    along = directions(module)
    function = losses.build(loss, 3, 3)
    expected = naive(module, along, AXES, data(dtype)["train"], function)
    found = drawn_grid(module, along, AXES, dtype, function).losses["train"]
    torch.testing.assert_close(found.double(), expected[0], rtol=0, atol=TOLERANCE[dtype])


WEIGHTS = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)


@each(
    "loss",
    [
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(WEIGHTS),
        nn.CrossEntropyLoss(reduction="sum"),
        nn.CrossEntropyLoss(ignore_index=1),
        lambda z, y: 2 * F.cross_entropy(z, y),
        lambda z, y: F.cross_entropy(2 * z, y),
        lambda z, y: F.cross_entropy(z, y) + z.square().mean(),
        lambda z, y: F.cross_entropy(z, y) * float(z.abs().max()),  # cannot be batched
    ],
)
def test_a_loss_that_only_contains_cross_entropy_is_not_taken_for_it(loss):
    module = network("relu")
    along = directions(module)
    expected = naive(module, along, AXES, data()["train"], loss)
    torch.testing.assert_close(drawn_grid(module, along, AXES, loss=loss).losses["train"], expected[0])


def test_a_loss_on_single_numbers_works():
    module = models.build(MLP(hidden=(Hidden(width=6),)), (4,), 1, 0).double()
    x = data()["train"][0]
    y = x.sum(1)
    loss = losses.build(loss_specs.MSE(), 0, 1)
    along = directions(module)
    found = landscape.grid(landscape.evaluate_slice(module, loss, {"train": (x, y)}, along, AXES), (7, 10))
    assert found.accuracies == {}
    expected = naive(module, along, AXES, (x, y), loss)
    torch.testing.assert_close(found.losses["train"], expected[0], rtol=0, atol=1e-12)


def test_small_memory_gives_the_same_numbers(monkeypatch):
    module = network("batch norm")
    along = directions(module)
    expected = drawn_grid(module, along, AXES)
    for entries in (1, 1000, 3000):
        monkeypatch.setitem(stacked_networks.MAX_ENTRIES, "cpu", entries)
        found = drawn_grid(module, along, AXES)
        torch.testing.assert_close(found.losses, expected.losses, rtol=0, atol=1e-13)
        assert all(torch.equal(found.accuracies[part], expected.accuracies[part]) for part in found.accuracies)


def test_the_center_is_exactly_the_network_and_may_be_elsewhere():
    module = network("relu")
    zero = [torch.zeros(1), torch.zeros(1)]
    x, y = data()["train"]
    along = directions(module)
    with torch.no_grad():
        expected = float(F.cross_entropy(module.eval()(x), y))
    assert float(drawn_grid(module, along, zero).losses["train"]) == pytest.approx(expected, abs=1e-14)
    shifted = [p.detach() + d for p, d in zip(module.parameters(), along[0], strict=True)]
    there = drawn_grid(module, along, zero, center=shifted).losses["train"]
    from_here = drawn_grid(module, along, [torch.ones(1), torch.zeros(1)]).losses["train"]
    torch.testing.assert_close(there, from_here, rtol=0, atol=1e-13)


def state(module: nn.Module) -> tuple:
    """All that could have changed: bits, flags, gradients, and which objects the parameters are."""
    bits = {name: t.clone() for name, t in module.state_dict().items()}
    return bits, [m.training for m in module.modules()], [(id(p), p.requires_grad, p.grad) for p in module.parameters()]


def assert_same(before: tuple, after: tuple) -> None:
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert before[1:] == after[1:]


@every_network
@each("training", [True, False])
def test_the_module_is_left_bit_identical_when_all_is_done_and_when_stopped_early(name, training):
    module = network(name).train(training)
    before = state(module)
    blocks = landscape.evaluate_slice(
        module, F.cross_entropy, data(), directions(module), AXES, accuracy=landscape.accuracy
    )
    next(blocks)
    assert_same(before, state(module))
    assert torch.is_grad_enabled()
    blocks.close()
    assert_same(before, state(module))
    drawn_grid(module, directions(module), AXES)
    assert_same(before, state(module))


def test_a_slice_keeps_its_center_while_the_network_trains_on():
    module = network("batch norm")
    along = directions(module)
    expected = drawn_grid(module, along, AXES)
    blocks = landscape.evaluate_slice(module, F.cross_entropy, data(), along, AXES)
    first = next(blocks)
    module.train()(data()["train"][0]).square().mean().backward()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    for block in [first, *blocks]:
        torch.testing.assert_close(
            block.losses["train"], expected.losses["train"][block.indices.unbind(1)], rtol=0, atol=1e-13
        )


@each("shape", [(1,), (7,), (51,), (51, 51), (8, 3), (1, 20)])
@each("first", [1, 3, 8, 100])
def test_each_point_of_the_grid_comes_exactly_once_from_coarse_to_fine(shape, first):
    levels = list(landscape.coarse_to_fine(shape, first))
    seen = torch.cat(levels)
    assert len(seen) == math.prod(shape)
    assert len(seen.unique(dim=0)) == math.prod(shape)
    assert (levels[0] % first == 0).all()


def test_a_slice_goes_coarse_to_fine_and_reports_progress():
    module = network("relu")
    axes = [torch.linspace(-1, 1, 17)] * 2
    blocks = list(landscape.evaluate_slice(module, F.cross_entropy, data(), directions(module), axes))
    seen = torch.cat([block.indices for block in blocks])
    assert len(seen.unique(dim=0)) == len(seen) == 17 * 17
    strides = [next(s for s in (8, 4, 2, 1) if (point % s == 0).all()) for point in seen]
    assert strides == sorted(strides, reverse=True)
    heard: list[float] = []
    whole = landscape.grid(iter(blocks), (17, 17), heard.append)
    assert torch.equal(whole.indices, seen)
    assert heard == sorted(heard)
    assert heard[-1] == 1
    assert not whole.losses["train"].isnan().any()


def test_losses_that_are_not_finite_are_passed_on():
    module = network("relu", torch.float32)
    found = drawn_grid(module, directions(module), [torch.tensor([0.0, 1e30])] * 2, torch.float32)
    assert found.losses["train"][0, 0].isfinite()
    assert not found.losses["train"][1, 1].isfinite()


@by_precision
def test_accuracy_is_argmax_also_where_outputs_are_equal(dtype):
    drawn = torch.Generator().manual_seed(0)
    for classes in (1, 2, 10):
        outputs = torch.randint(-2, 3, (400, classes), generator=drawn).to(dtype)
        y = torch.randint(0, classes, (400,), generator=drawn)
        assert float(landscape.accuracy(outputs, y)) == pytest.approx(float((outputs.argmax(1) == y).double().mean()))
    assert float(landscape.accuracy(torch.full((3, 2), torch.nan, dtype=dtype), torch.zeros(3, dtype=torch.int64))) == 0


def test_mistakes_are_named():
    module = network("relu")
    along = directions(module)

    def ask(**changed: object) -> None:
        asked = {"data": data(), "directions": along, "axes": AXES, **changed}
        landscape.evaluate_slice(module, F.cross_entropy, **asked)

    with pytest.raises(ValueError, match=r"axes must be as many as directions.*got 1 and 2"):
        ask(axes=AXES[:1])
    with pytest.raises(ValueError, match="direction must have the parameters' shapes"):
        ask(directions=[along[0], along[1][1:]])
    with pytest.raises(ValueError, match="data must hold at least 1"):
        ask(data={})
    with pytest.raises(ValueError, match="first must be at least 1, got 0"):
        next(landscape.coarse_to_fine((3,), 0))
    with pytest.raises(ValueError, match="module must have at least 1 parameter"):
        landscape.evaluate_slice(nn.ReLU(), F.cross_entropy, data(), [[]], AXES[:1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@every_network
def test_a_slice_on_cuda_is_that_on_the_cpu(name):
    module = network(name)
    along = directions(module)
    expected = drawn_grid(module, along, AXES)
    there = {part: (x.cuda(), y.cuda()) for part, (x, y) in data().items()}
    blocks = landscape.evaluate_slice(module.cuda(), F.cross_entropy, there, along, AXES, accuracy=landscape.accuracy)
    found = landscape.grid(blocks, (7, 10))
    torch.testing.assert_close(found.losses, expected.losses, rtol=0, atol=1e-12)
