"""Data specs -> data sets."""

import torch
from sklearn import datasets
from torch import Tensor

from nnviz.engine.data import toys
from nnviz.engine.data.dataset import Dataset, split
from nnviz.engine.randomness import generator
from nnviz.spec import data as spec


def build(data: spec.Data, seed: int) -> Dataset:
    """The data set of a spec: same spec and seed, same tensors. In random order, the training part first."""
    match data:
        case spec.Digits() | spec.Iris() | spec.Wine() | spec.BreastCancer() | spec.Diabetes():
            return _real(data, seed)
    g = generator(seed, "data")
    match data:
        case spec.Moons():
            x, y = toys.moons(data, g)
        case spec.Circles():
            x, y = toys.circles(data, g)
        case spec.Spirals():
            x, y = toys.spirals(data, g)
        case spec.Blobs():
            x, y = toys.blobs(data, g)
        case spec.XOR():
            x, y = toys.xor(data, g)
        case spec.Checkerboard():
            x, y = toys.checkerboard(data, g)
        case spec.Curve():
            x, y = toys.curve(data, g)
        case spec.Hills():
            x, y = toys.hills(data, g)
        case _:
            raise TypeError(f"no data for {data!r}")
    order, test = split(data.points, data.train_share, seed)
    names = tuple(str(c) for c in range(data.classes))
    return Dataset(x[order], y[order], test, ("x", "y")[: x.shape[1]], names)


def _real(data: spec.Digits | spec.Iris | spec.Wine | spec.BreastCancer | spec.Diabetes, seed: int) -> Dataset:
    match data:
        case spec.Digits():
            bunch = datasets.load_digits()
        case spec.Iris():
            bunch = datasets.load_iris()
        case spec.Wine():
            bunch = datasets.load_wine()
        case spec.BreastCancer():
            bunch = datasets.load_breast_cancer()
        case spec.Diabetes():
            bunch = datasets.load_diabetes(scaled=False)
    x = torch.tensor(bunch.data, dtype=torch.float32)
    y = torch.tensor(bunch.target)
    order = torch.randperm(len(x), generator=generator(seed, "split"))[: data.points]
    test = torch.arange(data.points) >= round(data.train_share * data.points)
    x, y = x[order], y[order]
    is_image = isinstance(data, spec.Digits)
    # Pixels share one mean and deviation, so that a standardized digit still looks like one.
    x = (
        standardize(x.reshape(-1, 1), ~test.repeat_interleave(x.shape[1])).reshape(x.shape)
        if is_image
        else standardize(x, ~test)
    )
    y = y.long() if data.classes else standardize(y.float()[:, None], ~test)[:, 0]
    return Dataset(
        x,
        y,
        test,
        tuple(str(n) for n in bunch.feature_names),
        tuple(str(n) for n in bunch.target_names) if data.classes else (),
        (8, 8) if is_image else (),
    )


def standardize(x: Tensor, train: Tensor) -> Tensor:
    """Columns of x (n, d) shifted and scaled to mean 0 and deviation 1 over the rows in `train`; constant ones to 0."""
    mean, std = x[train].mean(0), x[train].std(0)
    return (x - mean) / torch.where(std > 0, std, torch.ones_like(std))
