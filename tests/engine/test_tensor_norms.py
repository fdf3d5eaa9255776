"""Norms over the whole range of float32."""

import math

import pytest
import torch

from nnviz.engine.tensor_norms import norms
from tests.each import each


@each("scale", [1e-38, 1e-30, 1e-22, 1e-18, 1e-3, 1.0, 1e18, 1e25, 3e38])
def test_norms_neither_underflow_nor_overflow(scale):
    g = torch.Generator().manual_seed(0)
    tensors = [scale * torch.rand(shape, generator=g) for shape in [(64, 64), (5,), (1,), (3, 4, 5)]]
    expected = torch.stack([t.double().norm() for t in tensors])
    torch.testing.assert_close(norms(tensors), expected, rtol=2e-5, atol=0)


def test_zeros_have_norm_0_and_what_is_not_finite_none():
    found = norms([torch.zeros(3), torch.tensor([1.0, math.nan]), torch.tensor([1.0, math.inf]), torch.ones(4)])
    assert found.tolist() == [0, pytest.approx(math.nan, nan_ok=True), math.inf, 2]


def test_no_tensors_have_no_norms():
    assert norms([]).shape == (0,)
