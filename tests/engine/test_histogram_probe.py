"""Histograms by power of two against frexp."""

import numpy as np
import torch

from nnviz.engine import learners
from nnviz.engine.capture.probes.histogram_probe import MAX_ENTRIES, Histograms, exponent_arrays
from nnviz.engine.capture.trace import Layout, Update, UpdateSample
from tests.each import each
from tests.engine.short_runs import all_records, job, snapshots

NAMES = ("sites", "zero", "nonfinite", "exponents", "negative", "positive")


def histogram(values: np.ndarray) -> dict[str, np.ndarray]:
    """The histogram of one tensor of values."""
    tensor = torch.tensor(values, dtype=torch.float32)
    probe = Histograms(1)
    measured = probe.measure(Update("only", [torch.nn.Parameter(tensor)], [torch.zeros(3)], []))
    layout = Layout(["w"], [("model", np.array([0]), ["w"])])
    return probe.records([UpdateSample(1, layout, measured.numpy())])[1].arrays


def naive(values: np.ndarray) -> tuple[int, int, dict[int, int], dict[int, int]]:
    """Zeros, what is not finite, and counts of negative and positive values by ⌊log₂|v|⌋ through frexp, −127 at
    least."""
    finite = values[np.isfinite(values)]
    some = finite[finite != 0]
    exponents = np.maximum(np.frexp(some)[1] - 1, -127)
    signs = some < 0
    counts = [dict(zip(*np.unique(exponents[signs == s], return_counts=True), strict=True)) for s in (True, False)]
    return len(finite) - len(some), len(values) - len(finite), counts[0], counts[1]


def by_exponent(arrays: dict[str, np.ndarray], name: str, row: int = 0) -> dict[int, int]:
    return {int(e): int(c) for e, c in zip(arrays["exponents"], arrays[name][row], strict=True) if c}


VALUES = {
    "normal": np.random.default_rng(0).normal(size=2000),
    "wide": np.random.default_rng(1).normal(size=2000) * 10.0 ** np.random.default_rng(2).uniform(-37, 37, 2000),
    "powers of two": np.concatenate([2.0 ** np.arange(-126, 128), -(2.0 ** np.arange(-126, 128))]),
    "just below powers": np.nextafter(np.float32(2.0) ** np.arange(-120, 128, dtype=np.float32), np.float32(0)),
    "zeros": np.zeros(10),
    "both zeros": np.array([0.0, -0.0]),
    "denormal": np.array([1e-40, -1e-45, 1.0]),
    "not finite": np.array([np.nan, -np.nan, np.inf, -np.inf, 1.0]),
    "nothing finite": np.full(7, np.nan),
    "largest": np.array([3.4e38, -3.4e38]),
}


@each("values", VALUES.values())
def test_counts_are_those_of_frexp(values):
    values = values.astype(np.float32)
    arrays = histogram(values)
    zero, nonfinite, negative, positive = naive(values)
    assert set(arrays) == set(NAMES)
    assert arrays["zero"].tolist() == [zero]
    assert arrays["nonfinite"].tolist() == [nonfinite]
    assert by_exponent(arrays, "negative") == negative
    assert by_exponent(arrays, "positive") == positive


def total(arrays: dict[str, np.ndarray]) -> np.ndarray:
    return arrays["zero"] + arrays["nonfinite"] + arrays["negative"].sum(1) + arrays["positive"].sum(1)


@each("values", VALUES.values())
def test_counts_sum_to_the_tensors_size(values):
    assert total(histogram(values)).tolist() == [len(values)]


@each("shape", [(1,), (2048,), (32, 64), (33, 64), (300, 300), (8192, 3)])
def test_of_a_tensor_beyond_2048_entries_about_2048_are_counted(shape):
    arrays = histogram(np.random.default_rng(0).normal(size=shape))
    size = int(np.prod(shape))
    assert (
        int(total(arrays)[0]) == size
        if size <= MAX_ENTRIES
        else 0.9 * MAX_ENTRIES <= int(total(arrays)[0]) <= MAX_ENTRIES
    )


def test_histograms_of_a_run_are_those_of_its_gradients_and_new_weights():
    chosen = job(probes=[{"kind": "histograms", "every": 1}], steps=4)
    records = all_records(chosen)
    learning = learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    named = {f"model.{n}": p for n, p in learning.network.named_parameters()}
    for step in range(1, 5):
        learning.step(step)
        for what, of in (("gradient", lambda p: p.grad), ("weight", lambda p: p.detach())):
            arrays = snapshots(records, f"{what}_histogram")[step]
            assert arrays["sites"].tolist() == list(named)
            for row, p in enumerate(named.values()):
                zero, _, negative, positive = naive(of(p).numpy().ravel())
                assert arrays["zero"][row] == zero
                assert by_exponent(arrays, "negative", row) == negative
                assert by_exponent(arrays, "positive", row) == positive


def test_exponents_span_what_occurs_and_nothing_more():
    counts = np.zeros((2, 513), np.int64)
    counts[0, 256 + 127] = 3  # +1 … 2
    counts[1, 130] = 2  # −8 … −16
    arrays = exponent_arrays(["a", "b"], counts)
    assert arrays["exponents"].tolist() == [0, 1, 2, 3]
    assert arrays["positive"].tolist() == [[3, 0, 0, 0], [0, 0, 0, 0]]
    assert arrays["negative"].tolist() == [[0, 0, 0, 0], [0, 0, 0, 2]]
