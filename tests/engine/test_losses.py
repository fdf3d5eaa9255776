"""Losses: their formulas, gradients and minima."""

import math

import pytest
import torch
from torch.nn import functional as F

from nnviz.engine import losses
from nnviz.spec import losses as spec
from tests.each import each
from tests.spec.options import families

G = torch.Generator().manual_seed(0)
Z = torch.randn(40, 5, generator=G, dtype=torch.float64) * 2
Y = torch.randint(5, (40,), generator=G)
BINARY = torch.randint(2, (40,), generator=G)
NUMBERS = torch.randn(41, generator=G, dtype=torch.float64).exp()
EVERY = [cls() for cls in families()["loss"].values()]
every_loss = each("loss", EVERY)
for_numbers = each("loss", [l for l in EVERY if "numbers" in l.fits])


def gradient(loss, z, y) -> torch.Tensor:
    """dL/dz."""
    z = z.clone().requires_grad_()
    return torch.autograd.grad(loss(z, y), z)[0]


def minimum(loss: spec.Loss) -> float:
    """The constant prediction with the smallest loss on NUMBERS, on a grid of 0.001."""
    function = losses.build(loss, classes=0, outputs=1)
    grid = torch.arange(0, 6, 0.001, dtype=torch.float64)
    values = torch.stack([function(p.expand(len(NUMBERS), 1), NUMBERS) for p in grid])
    return float(grid[values.argmin()])


@every_loss
@each(("classes", "outputs"), [(0, 1), (2, 1), (2, 2), (5, 5)])
def test_a_loss_is_one_finite_number_for_every_target_it_fits(loss, classes, outputs):
    if ("classes" if classes else "numbers") not in loss.fits or (outputs == 1 and loss.kind == "cross_entropy"):
        return
    y = {0: NUMBERS[:40], 2: BINARY, 5: Y}[classes]
    value = losses.build(loss, classes, outputs)(Z[:, :outputs], y)
    assert value.shape == ()
    assert math.isfinite(value)
    assert value.dtype == torch.float64


@every_loss
@each("outputs", [1, 2, 5])
def test_probabilities_are_probabilities(loss, outputs):
    if outputs == 1 and loss.kind == "cross_entropy":
        return
    p = losses.probabilities(loss, Z[:, :outputs] * 100)
    assert p.shape == (40, max(2, outputs))
    assert bool((p >= 0).all())
    torch.testing.assert_close(p.sum(1), torch.ones(40, dtype=torch.float64))


def test_cross_entropy_has_the_gradient_softmax_minus_target():
    expected = (Z.softmax(1) - F.one_hot(Y, 5)) / len(Z)
    torch.testing.assert_close(gradient(losses.build(spec.CrossEntropy(), 5, 5), Z, Y), expected)


def test_binary_cross_entropy_has_the_gradient_sigmoid_minus_target():
    z = Z[:, :1]
    expected = (z.sigmoid() - BINARY[:, None]) / len(z)
    torch.testing.assert_close(gradient(losses.build(spec.BinaryCrossEntropy(), 2, 1), z, BINARY), expected)


def test_binary_cross_entropy_is_cross_entropy_with_one_output_fixed_at_0():
    z = Z[:, :1]
    both = losses.build(spec.CrossEntropy(), 2, 2)(torch.cat([torch.zeros_like(z), z], 1), BINARY)
    torch.testing.assert_close(losses.build(spec.BinaryCrossEntropy(), 2, 1)(z, BINARY), both)


def test_squared_error_behind_a_sigmoid_has_the_gradient_that_vanishes_when_saturated():
    z = Z[:, :1]
    p = z.sigmoid()
    squared = losses.build(spec.MSE(), 2, 1)
    expected = 2 * (p - BINARY[:, None]) * p * (1 - p) / len(z)
    torch.testing.assert_close(gradient(lambda z, y: squared(z.sigmoid(), y), z, BINARY), expected)
    wrong, one = torch.tensor([[-10.0]]), torch.tensor([1])
    assert abs(float(gradient(lambda z, y: squared(z.sigmoid(), y), wrong, one))) < 1e-4
    assert float(gradient(losses.build(spec.BinaryCrossEntropy(), 2, 1), wrong, one)) == pytest.approx(-1, abs=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_label_smoothing_spreads_its_share_over_all_classes(smoothing):
    target = (1 - smoothing) * F.one_hot(Y, 5) + smoothing / 5
    expected = -(target * Z.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(losses.build(spec.CrossEntropy(label_smoothing=smoothing), 5, 5)(Z, Y), expected)
    torch.testing.assert_close(F.cross_entropy(Z, Y, label_smoothing=smoothing), expected)


@for_numbers
def test_losses_for_numbers_compare_classes_one_hot(loss):
    by_class = losses.build(loss, 5, 5)(Z, Y)
    flat = losses.build(loss, 0, 1)(Z.reshape(-1, 1), F.one_hot(Y, 5).double().flatten())
    torch.testing.assert_close(by_class, flat)


def test_rmse_is_the_root_of_mse_and_finite_at_a_perfect_fit():
    mse, rmse = losses.build(spec.MSE(), 0, 1), losses.build(spec.RMSE(), 0, 1)
    z, y = Z[:, :1], NUMBERS[:40]
    torch.testing.assert_close(rmse(z, y), mse(z, y).sqrt())
    perfect = gradient(rmse, y[:, None], y)
    assert not perfect.any()
    assert float(rmse(y[:, None], y)) <= 1e-6


@pytest.mark.parametrize("delta", [0.1, 1.0, 7.0])
def test_huber_is_squared_within_delta_and_linear_beyond(delta):
    error = (Z[:, 0] - NUMBERS[:40]).abs()
    expected = torch.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean()
    torch.testing.assert_close(losses.build(spec.Huber(delta=delta), 0, 1)(Z[:, :1], NUMBERS[:40]), expected)


def test_the_best_constant_is_the_mean_under_mse_and_rmse_and_the_median_under_mae():
    assert minimum(spec.MSE()) == pytest.approx(float(NUMBERS.mean()), abs=0.001)
    assert minimum(spec.RMSE()) == pytest.approx(float(NUMBERS.mean()), abs=0.001)
    assert minimum(spec.MAE()) == pytest.approx(float(NUMBERS.median()), abs=0.001)
    assert float(NUMBERS.median()) < minimum(spec.Huber(delta=1)) < float(NUMBERS.mean())


def test_the_predicted_class_has_the_largest_raw_output_also_where_probabilities_are_equal():
    z = torch.tensor([[2.0, 3.0, 5.0], [-3.0, -1.0, -2.0], [40.0, 90.0, 60.0], [1.0, 1.0, 0.0]])
    for loss in EVERY:
        assert losses.predicted(loss, z).tolist() == [2, 1, 1, 0], loss.kind
        assert losses.predicted(loss, torch.tensor([[0.0, torch.nan, 1.0]])).tolist() == [-1], loss.kind
        if loss.kind == "cross_entropy":
            continue
        middle = 0.0 if loss.kind == "binary_cross_entropy" else 0.5
        one = torch.tensor([[middle - 1e-6], [middle], [middle + 1e-6], [700.0], [-700.0]])
        assert losses.predicted(loss, one).tolist() == [0, 0, 1, 1, 0], loss.kind


def test_the_loss_of_each_sample_is_that_of_a_batch_of_it_alone():
    every = [*EVERY, spec.CrossEntropy(label_smoothing=0.3), spec.Huber(delta=0.2)]
    for loss in every:
        for classes, outputs, y in ((0, 1, NUMBERS[:40]), (2, 1, BINARY), (5, 5, Y)):
            if ("classes" if classes else "numbers") not in loss.fits or (
                outputs == 1 and loss.kind == "cross_entropy"
            ):
                continue
            alone = losses.build(loss, classes, outputs)
            z = Z[:, :outputs]
            expected = torch.stack([alone(z[i : i + 1], y[i : i + 1]) for i in range(len(z))])
            found = losses.per_sample(loss, classes, z, y)
            torch.testing.assert_close(found, expected, msg=lambda text, loss=loss: f"{loss}: {text}")
