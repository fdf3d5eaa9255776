"""Samples of a tensor meet all of its rows and columns equally often."""

import math

import torch

from nnviz.engine.capture.entry_sampling import BLOCK, evenly, in_blocks
from tests.each import each


@each("units", [1, 7, 8, 15, 33, 45, 60, 64, 100, 1000])
@each("rows", [1, 10, 32, 100, 1000, 1021, 1024])
def test_a_sample_holds_at_most_its_size_and_reaches_all_units_and_rows_evenly(units, rows):
    tensor = torch.arange(rows * units).reshape(rows, units)
    sample = evenly(tensor)
    if tensor.numel() <= 1024:
        assert torch.equal(sample, tensor.flatten())
        return
    assert 900 <= len(sample) <= 1024
    for index, extent in ((sample % units, units), (sample // units, rows)):
        counts = torch.bincount(index, minlength=extent)
        expected = len(sample) / extent
        assert math.floor(expected) <= counts.min() <= counts.max() <= math.ceil(expected)


@each(
    ("rows", "columns"),
    [(256, 256), (256, 65), (10, 2560), (20_000, 1), (3000, 7), (500, 45), (477, 60), (64, 288), (4, 5000)],
)
def test_a_sample_in_runs_holds_about_its_size_and_reaches_rows_and_columns_evenly(rows, columns):
    tensor = torch.arange(rows * columns).reshape(rows, columns)
    runs = in_blocks(tensor.shape, 2048)
    sample = runs.of(tensor)
    assert sample.numel() == runs.entries
    assert sample.shape[1] == BLOCK
    assert torch.equal(sample, sample[:, :1] + torch.arange(BLOCK))
    assert sample.unique().numel() == sample.numel()
    assert 1600 < sample.numel() <= 2048
    places = sample.flatten()
    for index, extent, at_once in ((places % columns, columns, 1), (places // columns, rows, BLOCK)):
        counts = torch.bincount(index, minlength=extent)
        expected = sample.numel() / extent
        assert counts.max() - counts.min() <= max(2 * at_once, expected / 8), (counts, expected)


def test_a_sample_in_runs_of_a_tensor_that_is_not_contiguous_has_its_own_entries():
    whole = torch.randn(200, 100, generator=torch.Generator().manual_seed(0))
    sample = in_blocks(whole.T.shape, 2048).of(whole.T)
    assert set(sample.flatten().tolist()) <= set(whole.flatten().tolist())
    torch.testing.assert_close(sample.std(), whole.std(), rtol=0.1, atol=0)
