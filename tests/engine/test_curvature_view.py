"""Curvature along a training: against the whole Hessian, and the limit against what descent on a quadratic does."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.functional import hessian
from torch.func import functional_call

from nnviz.engine.landscape import curvature_view
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.engine.landscape.retraining import Trained
from nnviz.engine.optim import optimizers
from nnviz.spec.base import replace_many
from nnviz.spec.landscapes import Curvature
from nnviz.spec.learners import Supervised
from nnviz.spec.optimizers import SGD
from tests.each import each
from tests.engine.landscape_jobs import around, landscape, last_arrays, network, phase, trained
from tests.engine.short_runs import job

TINY = {"learner__model__hidden": [{"width": 3}, {"width": 3}]}
KINDS = {
    "cross-entropy": TINY,
    "mse": {**TINY, "learner__loss": "mse"},
    "numbers": {**TINY, "learner__data": "curve", "learner__loss": "huber"},
    "batch norm": {**TINY, "learner__model__norm": "batch"},
    "dropout": {**TINY, "learner__model__dropout": {"kind": "standard", "rate": 0.3}},
    "skip": {**TINY, "learner__model__skip": True},
    "adam": {**TINY, "learner__optimizer": "adam"},
}


def whole(of: Trained, place: int) -> Tensor:
    """The Hessian (parameters, parameters) of the training loss in evaluation mode, in float64, at a kept step."""
    module = copy.deepcopy(of.module).double().eval()
    module.load_state_dict(of.states[place])
    names = [name for name, _ in module.named_parameters()]
    shapes = [p.shape for p in module.parameters()]
    x, y = of.evaluated.data["train"]
    y = y.double() if y.is_floating_point() else y

    def loss(vector: Tensor) -> Tensor:
        parts = vector.split([shape.numel() for shape in shapes])
        at = {name: p.reshape(shape) for name, p, shape in zip(names, parts, shapes, strict=True)}
        return of.evaluated.loss(functional_call(module, at, (x.double(),)), y)

    return hessian(loss, torch.cat([p.detach().flatten() for p in module.parameters()]))


@each("changes", KINDS.values())
def test_eigenvalues_and_trace_are_those_of_the_whole_hessian(changes):
    view = Curvature(points=2, eigenvalues=4, probes=200)
    chosen = landscape(view, **changes, samples=40)
    arrays = last_arrays(chosen)["curvature"]
    of = trained(chosen.network, samples=40)
    assert arrays["steps"].tolist() == [0, 20]
    for index, place in enumerate((0, 20)):
        exact = torch.linalg.eigvalsh(whole(of, place)).flip(0).numpy()
        size = np.abs(exact).max()
        assert arrays["eigenvalues"][index] == pytest.approx(exact[:4], rel=1e-3, abs=2e-4 * size)
        assert (np.abs(arrays["eigenvalues"][index] - exact[:4]) <= arrays["errors"][index] + 1e-5 * size).all()
        assert arrays["smallest_eigenvalue"][index] == pytest.approx(exact[-1], abs=2e-3 * size)
        assert abs(arrays["trace"][index] - exact.sum()) < 4 * arrays["trace_error"][index] + 1e-5 * size


def test_more_eigenvalues_than_parameters_are_all_of_them():
    one = {"learner__data": "curve", "learner__loss": "mse", "learner__model__hidden": []}
    chosen = landscape(Curvature(points=2, eigenvalues=20), **one)
    arrays = last_arrays(chosen)["curvature"]
    x = trained(chosen.network).evaluated.data["train"][0][:, 0].double()
    matrix = 2 * torch.tensor([[x.square().mean(), x.mean()], [x.mean(), 1.0]]).double()
    exact = torch.linalg.eigvalsh(matrix).flip(0).numpy()
    assert arrays["eigenvalues"] == pytest.approx(np.stack([exact, exact]), rel=1e-5)
    assert arrays["smallest_eigenvalue"] == pytest.approx([exact[1]] * 2, rel=1e-5)


@pytest.mark.parametrize(("points", "step", "expected"), [(5, None, 5), (21, 7, 8), (61, None, 21), (2, 0, 1)])
def test_steps_are_evaluated_evenly_with_the_first_and_the_last(points, step, expected):
    chosen = replace_many(landscape(Curvature(points=points, probes=2, eigenvalues=1), **TINY), {"network.step": step})
    arrays = last_arrays(chosen)["curvature"]
    last = 20 if step is None else step
    assert (len(arrays["steps"]), arrays["steps"][0], arrays["steps"][-1]) == (expected, 0, last)
    assert all(np.isfinite(values).all() for name, values in arrays.items() if name != "no_limit")


# -- what the learning rate can bear ----------------------------------------------------------------------------------

DESCENTS = {
    "plain": (SGD(), lambda lr: 2 / lr),
    "momentum": (SGD(momentum=0.9), lambda lr: 3.8 / lr),
    "nesterov": (SGD(momentum=0.9, nesterov=True), lambda lr: 3.8 / (2.8 * lr)),
    "dampening": (SGD(momentum=0.6, dampening=0.75), lambda lr: 3.2 / (0.25 * lr)),
    "dampening alone": (SGD(dampening=0.75), lambda lr: 2 / lr),
    "weight decay": (SGD(weight_decay=0.3), lambda lr: 2 / lr - 0.3),
    "momentum and decay": (SGD(momentum=0.9, weight_decay=0.5), lambda lr: 3.8 / lr - 0.5),
    "nesterov and decay": (SGD(momentum=0.5, nesterov=True, weight_decay=1.0), lambda lr: 3 / (2 * lr) - 1),
    "all but nesterov": (SGD(momentum=0.5, dampening=0.5, weight_decay=1.0), lambda lr: 3 / (0.5 * lr) - 1),
}


def distances(sgd: SGD, curvatures: list[float]) -> list[float]:
    """From the minimum of ½ curvature · w², after many steps from 1, for each curvature."""
    w = torch.nn.Parameter(torch.ones(len(curvatures), dtype=torch.float64))
    optimizer, slopes = optimizers.build(sgd, [w]), torch.tensor(curvatures, dtype=torch.float64)
    for _ in range(3000):
        w.grad = slopes * w.detach()
        optimizer.step()
    return w.detach().abs().tolist()


@each(("sgd", "formula"), DESCENTS.values())
@each("lr", [0.05, 0.4])
def test_descent_on_a_quadratic_holds_just_below_the_limit_and_not_just_above(sgd, formula, lr):
    sgd = sgd.model_copy(update={"lr": lr})
    limit = curvature_view.limit(Supervised(optimizer=sgd), lr)
    assert limit == pytest.approx(formula(lr), rel=1e-12)
    below, above = distances(sgd, [0.99 * limit, 1.01 * limit])
    assert below < 1e-2
    assert above > 1e2


def test_under_a_schedule_the_limit_is_that_of_the_rate_at_each_step():
    halving = {"kind": "step", "every": 5, "factor": 0.5}
    chosen = landscape(Curvature(points=21, probes=2, eigenvalues=1), **TINY, learner__schedule=halving)
    arrays = last_arrays(chosen)["curvature"]
    rates = [0.1 * 0.5 ** ((max(1, step) - 1) // 5) for step in range(21)]
    assert arrays["limit"] == pytest.approx([2 / rate for rate in rates], rel=1e-12)
    assert str(arrays["no_limit"]) == ""


def test_a_rate_of_0_has_no_limit():
    cosine = {"kind": "cosine", "final": 0.0}
    chosen = landscape(Curvature(points=2, probes=2), **TINY, learner__schedule=cosine)
    assert np.isfinite(last_arrays(chosen)["curvature"]["limit"]).tolist() == [
        True,
        False,
    ]  # the last update's rate is 0
    assert np.isnan(curvature_view.limit(Supervised(), 0.0))


@each(
    ("changes", "words"),
    [
        ({"learner__optimizer": "adam"}, "rescales the gradient"),
        ({"learner__optimizer": "rprop"}, "rescales the gradient"),
        ({"learner__model__norm": "batch"}, "training with batch norm minimizes another loss"),
        (
            {"learner__model__dropout": {"kind": "standard", "rate": 0.2}},
            "training with dropout minimizes another loss",
        ),
        ({"learner__l2": 0.01}, "penalty"),
        ({"learner__l1": 0.01}, "penalty"),
        ({"learner__clipping": "norm"}, "clipping"),
        ({"learner__clipping": "value"}, "clipping"),
        ({"learner__optimizer": {"kind": "sgd", "momentum": 0.5, "dampening": 1.0}}, "dampening of 1"),
    ],
)
def test_where_theory_has_no_limit_there_is_none_and_the_reason_is_given(changes, words):
    arrays = last_arrays(landscape(Curvature(points=2, probes=2), **TINY, **changes))["curvature"]
    assert np.isnan(arrays["limit"]).all()
    assert words in str(arrays["no_limit"])
    assert len(str(arrays["no_limit"])) < 90
    assert np.isfinite(arrays["eigenvalues"]).all()


def test_each_training_phase_has_the_limit_of_its_own_optimizer():
    first = job(**TINY, learner__optimizer={"kind": "sgd", "momentum": 0.9, "lr": 0.05})
    view = Curvature(points=21, probes=2, eigenvalues=1)
    plain = replace_many(first, {"learner.optimizer": SGD(lr=0.2)})
    limits = last_arrays(around(network(plain, phase(first, 8)), view))["curvature"]["limit"]
    assert limits == pytest.approx([3.8 / 0.05] * 9 + [2 / 0.2] * 12)
    adam = replace_many(first, {"learner.optimizer": "adam"})
    arrays = last_arrays(around(network(adam, phase(first, 8)), view))["curvature"]
    assert np.isnan(arrays["limit"]).tolist() == [False] * 9 + [True] * 12
    assert "rescales" in str(arrays["no_limit"])


def test_coarse_steps_come_first_and_what_is_not_known_yet_is_not_a_number():
    chosen = landscape(Curvature(points=9, probes=2, eigenvalues=2), **TINY)
    recorded = [r.arrays for records in LandscapeEvaluation(chosen) for r in records if r.quantity == "curvature"]
    known = [np.flatnonzero(~np.isnan(arrays["trace"])).tolist() for arrays in recorded]
    assert known[:4] == [[0], [0, 8], [0, 4, 8], [0, 2, 4, 8]]
    assert known[-1] == list(range(9))
    for arrays in recorded:
        assert np.array_equal(np.isnan(arrays["eigenvalues"]).any(1), np.isnan(arrays["smallest_eigenvalue"]))
