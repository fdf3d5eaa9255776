"""Curvature by products with vectors, against the whole Hessian."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import hessian as full_hessian
from torch.func import functional_call
from torch.nn import functional as F

from nnviz.engine import landscape


def problem(dtype: torch.dtype = torch.float64) -> tuple[nn.Module, Tensor, Tensor]:
    """3-5-4-3 with tanh, batch norm and dropout; inputs; classes."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 4), nn.Softplus(), nn.Linear(4, 3)
    )
    x, y = torch.randn(40, 3, dtype=torch.float64), torch.randint(0, 3, (40,))
    return module.to(dtype), x.to(dtype), y


def whole(module: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(parameters, parameters)"""
    module = module.eval()
    weights = list(module.parameters())
    names = [name for name, _ in module.named_parameters()]

    def loss(vector: Tensor) -> Tensor:
        parts = [p.reshape(w.shape) for p, w in zip(vector.split([w.numel() for w in weights]), weights, strict=True)]
        return F.cross_entropy(functional_call(module, dict(zip(names, parts, strict=True)), (x,)), y)

    with torch.enable_grad():
        return full_hessian(loss, landscape.as_vector(weights))


def symmetric(eigenvalues: Tensor) -> Tensor:
    """A matrix with these eigenvalues, in a random basis."""
    drawn = torch.randn(len(eigenvalues), len(eigenvalues), generator=seeded(), dtype=torch.float64)
    basis = torch.linalg.qr(drawn)[0]
    return basis @ eigenvalues.double().diag() @ basis.T


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_products_are_those_of_the_whole_hessian_and_leave_the_module_alone():
    module, x, y = problem()
    before = {name: t.clone() for name, t in module.state_dict().items()}
    product = landscape.hessian(module, F.cross_entropy, x, y)
    vectors = torch.randn(5, len(landscape.as_vector(list(module.parameters()))), generator=seeded()).double()
    found = torch.stack([product(v) for v in vectors])
    assert module.training
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    torch.testing.assert_close(found, vectors @ whole(module, x, y), rtol=1e-10, atol=1e-12)


@torch.no_grad()
def test_products_work_where_gradients_are_switched_off_and_parameters_frozen():
    module, x, y = problem()
    module.requires_grad_(False)
    vector = landscape.as_vector(list(module.parameters()))
    found = landscape.hessian(module, F.cross_entropy, x, y)(vector)
    torch.testing.assert_close(found, whole(module, x, y) @ vector, rtol=1e-10, atol=1e-12)


def test_a_quadratic_loss_has_its_own_matrix():
    module = nn.Linear(4, 1, bias=False).double()
    x = torch.randn(30, 4, generator=seeded()).double()
    y = x.sum(1, keepdim=True)
    product = landscape.hessian(module, F.mse_loss, x, y)
    matrix = 2 * x.T @ x / len(x)
    torch.testing.assert_close(torch.stack([product(v) for v in torch.eye(4).double()]), matrix, rtol=1e-13, atol=0)
    found = landscape.lanczos(product, torch.zeros(4).double(), seeded(), k=4)
    torch.testing.assert_close(found.values, torch.linalg.eigvalsh(matrix).flip(0), rtol=1e-12, atol=0)
    diagonal = landscape.trace(lambda v: matrix.diag() * v, torch.zeros(4).double(), seeded(), probes=3)
    assert diagonal.value == pytest.approx(float(matrix.trace()), rel=1e-14)
    assert diagonal.error == pytest.approx(0, abs=1e-14)


def test_a_loss_that_is_linear_in_the_weights_has_no_curvature():
    module = nn.Linear(4, 1).double()
    product = landscape.hessian(
        module, lambda outputs, _targets: outputs.mean(), torch.ones(3, 4).double(), torch.ones(3)
    )
    assert not product(torch.ones(5).double()).any()
    found = landscape.lanczos(product, torch.ones(5).double(), seeded(), k=2)
    assert not found.values.any()


def test_parameters_without_a_part_in_the_loss_have_no_curvature():
    module = nn.ModuleDict({"used": nn.Linear(2, 1), "unused": nn.Linear(2, 1)})
    module.forward = module["used"].forward
    x = torch.ones(3, 2)
    product = landscape.hessian(Only(module), F.mse_loss, x, torch.zeros(3, 1))
    assert product(torch.ones(6))[3:].tolist() == [0, 0, 0]
    assert product(torch.ones(6))[:3].all()


class Only(nn.Module):
    """Uses one of its parts."""

    def __init__(self, parts: nn.ModuleDict) -> None:
        super().__init__()
        self.used, self.unused = parts["used"], parts["unused"]

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


@pytest.mark.parametrize("seed", range(3))
def test_the_top_eigenvalues_are_those_of_the_whole_hessian(seed):
    module, x, y = problem()
    product = landscape.hessian(module, F.cross_entropy, x, y)
    like = landscape.as_vector(list(module.parameters()))
    found = landscape.lanczos(product, like, seeded(seed), k=3)
    matrix = whole(module, x, y)
    expected, vectors = torch.linalg.eigh(matrix)
    torch.testing.assert_close(found.values, expected.flip(0)[:3], rtol=1e-6, atol=0)
    assert float(found.residuals.max()) < 1e-6 * float(found.values[0])
    torch.testing.assert_close((found.vectors * vectors.T.flip(0)[:3]).sum(1).abs(), torch.ones(3).double())
    lowest = landscape.lanczos(lambda v: -product(v), like, seeded(seed), k=1)
    assert -float(lowest.values[0]) == pytest.approx(float(expected[0]), rel=1e-6)


def test_float32_comes_close():
    module, x, y = problem(torch.float32)
    product = landscape.hessian(module, F.cross_entropy, x, y)
    like = landscape.as_vector(list(module.parameters()))
    found = landscape.lanczos(product, like, seeded(), k=3)
    assert found.values.dtype == found.vectors.dtype == torch.float32
    expected = torch.linalg.eigvalsh(whole(*problem())).flip(0)[:3]
    torch.testing.assert_close(found.values.double(), expected, rtol=1e-4, atol=1e-6)


def test_residuals_bound_the_error_also_when_stopped_early():
    matrix = symmetric(torch.linspace(0, 1, 200).double())
    found = landscape.lanczos(lambda v: matrix @ v, matrix[0], seeded(), k=3, steps=12)
    assert found.steps == 12
    exact = torch.linalg.eigvalsh(matrix)
    for value, residual in zip(found.values, found.residuals, strict=True):
        assert float(residual) > 1e-6
        assert float((exact - value).abs().min()) <= float(residual)


def test_separated_eigenvalues_take_few_products():
    matrix = symmetric(torch.cat([torch.tensor([100.0, 50.0, 25.0]), torch.linspace(0, 1, 200)]))
    found = landscape.lanczos(lambda v: matrix @ v, matrix[0], seeded())
    torch.testing.assert_close(found.values, torch.tensor([100.0, 50.0, 25.0]).double())
    assert found.steps < 25


def test_it_goes_on_from_an_invariant_subspace():
    diagonal = torch.tensor([5.0, 5.0, 5.0, 1.0]).double()
    found = landscape.lanczos(lambda v: diagonal * v, diagonal, seeded(), k=3)
    torch.testing.assert_close(found.vectors @ found.vectors.T, torch.eye(3).double())
    assert float(found.values[0]) == pytest.approx(5)
    assert float(found.residuals.max()) < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_the_trace_lies_within_four_standard_errors(seed):
    module, x, y = problem()
    product = landscape.hessian(module, F.cross_entropy, x, y)
    found = landscape.trace(product, landscape.as_vector(list(module.parameters())), seeded(seed), probes=60)
    exact = float(whole(module, x, y).trace())
    assert 0 < found.error < 0.5 * exact
    assert abs(found.value - exact) < 4 * found.error


def test_the_seed_decides():
    module, x, y = problem()
    product = landscape.hessian(module, F.cross_entropy, x, y)
    like = landscape.as_vector(list(module.parameters()))
    assert landscape.trace(product, like, seeded(), probes=5) == landscape.trace(product, like, seeded(), probes=5)
    one, again = (landscape.lanczos(product, like, seeded(7), k=2).vectors for _ in range(2))
    assert torch.equal(one, again)


def test_piecewise_work_stops_after_each_product_and_finds_the_same():
    module, x, y = problem()
    product = landscape.hessian(module, F.cross_entropy, x, y)
    like = landscape.as_vector(list(module.parameters()))
    taken: list[Tensor] = []

    def counted(v: Tensor) -> Tensor:
        taken.append(v)
        return product(v)

    for whole, work in (
        (
            landscape.lanczos(product, like, seeded(), k=2)[:3],
            landscape.interruptible_lanczos(counted, like, seeded(), k=2),
        ),
        (
            landscape.trace(product, like, seeded(), probes=5),
            landscape.interruptible_trace(counted, like, seeded(), probes=5),
        ),
    ):
        taken.clear()
        returned = []

        def listening(work=work, returned=returned) -> Iterator[None]:
            returned.append((yield from work))

        assert [len(taken) for _ in listening()] == list(range(1, len(taken) + 1))
        (found,) = returned
        assert all(
            torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(found[: len(whole)], whole, strict=True)
        )


def test_mistakes_are_named():
    like = torch.zeros(4)
    with pytest.raises(ValueError, match=r"k must be in \[1, 4\].*got 5"):
        landscape.lanczos(lambda v: v, like, seeded(), k=5)
    with pytest.raises(ValueError, match="probes must be at least 2"):
        landscape.trace(lambda v: v, like, seeded(), probes=1)
