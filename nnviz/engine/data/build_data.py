"""Data specs -> data sets."""

from dataclasses import replace

import torch
from torch import Tensor

from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.data import toys
from nnviz.engine.data.dataset import Dataset, Scale, split
from nnviz.engine.randomness import generator
from nnviz.spec import data as spec
from nnviz.spec.shapes import is_image


def build(data: spec.Data, seed: int, _read_file: ReadFile = no_files) -> Dataset:
    """The data set of a spec: same spec and seed, same tensors. In random order, the training part first. `_read_file`
    returns the content of the user's own files, which none of these data sets needs."""
    return with_label_noise(_without_label_noise(data, seed), data.label_noise, seed)


def with_label_noise(data: Dataset, fraction: float, seed: int) -> Dataset:
    """The data set with round(fraction · n) of its n training labels replaced by another class, each with the same
    probability. Those replaced at a smaller fraction are replaced at a larger one too, by the same class."""
    if not fraction:
        return data
    g = generator(seed, "label noise")
    training = torch.nonzero(~data.test).flatten()
    chosen = training[torch.randperm(len(training), generator=g)][: round(fraction * len(training))]
    classes = len(data.class_names)
    offsets = torch.randint(1, classes, (len(data.targets),), generator=g)
    targets = data.targets.clone()
    targets[chosen] = (targets[chosen] + offsets[chosen]) % classes
    return replace(data, targets=targets, true_classes=data.targets)


def _without_label_noise(data: spec.Data, seed: int) -> Dataset:
    match data:
        case spec.Digits() | spec.Iris() | spec.Wine() | spec.BreastCancer() | spec.Diabetes():
            return _from_scikit_learn(data, seed)
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
    order, test = split(data.points, data.train_fraction, seed)
    features = ("x",) if x.shape[1] == 1 else ("x₁", "x₂")
    names = tuple(f"class {c}" for c in range(data.classes))
    return Dataset(x[order], y[order], test, features, names)


def _from_scikit_learn(
    data: spec.Digits | spec.Iris | spec.Wine | spec.BreastCancer | spec.Diabetes, seed: int
) -> Dataset:
    from sklearn import datasets  # its import takes half as long as torch's, and most jobs do not need it

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
    test = torch.arange(data.points) >= round(data.train_fraction * data.points)
    x, y = x[order], y[order]
    # One mean and deviation for all pixels, so that standardized images still look the same.
    inputs = scale(x[~test].reshape(-1, 1)) if is_image(data.shape) else scale(x[~test])
    inputs = Scale(*(part.expand(x.shape[1]).clone().reshape(data.shape) for part in inputs))
    x = x.reshape(-1, *data.shape)
    targets = None if data.classes else Scale(*(part[0] for part in scale(y[~test].float()[:, None])))
    return Dataset(
        (x - inputs.mean) / inputs.std,
        y.long() if targets is None else (y.float() - targets.mean) / targets.std,
        test,
        tuple(str(n) for n in bunch.feature_names),
        tuple(str(n) for n in bunch.target_names) if data.classes else (),
        inputs,
        targets,
    )


def scale(x: Tensor) -> Scale:
    """Mean and deviation (d,) of the columns of x (n, d); a deviation of 1 where they are constant."""
    mean, std = x.mean(0), x.std(0)
    return Scale(mean, torch.where(std > 0, std, torch.ones_like(std)))
