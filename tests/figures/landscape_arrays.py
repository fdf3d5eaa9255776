"""Landscapes as runs give them, made up: a bowl seen from several sides, with the shapes that figures are promised."""

import numpy as np

Arrays = dict[str, np.ndarray]
MEASURES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


def measures(distance: np.ndarray, names: tuple[str, ...] = MEASURES) -> Arrays:
    """Losses and accuracies at these squared distances from a network, any shape."""
    loss = 0.02 + np.asarray(distance, float)
    found = {"train_loss": loss, "test_loss": 1.5 * loss}
    found |= {"train_accuracy": 1 / (1 + loss), "test_accuracy": 0.9 / (1 + loss)}
    return {name: found[name] for name in names}


def plane(size: int = 21, names: tuple[str, ...] = MEASURES, steep: float = 1.0) -> Arrays:
    """The snapshot plane: a valley that is nine times as steep along y."""
    axis = np.linspace(-1, 1, size)
    return {"x": axis, "y": axis, **measures(steep * (axis**2 + 9 * axis[:, None] ** 2), names)}


def path_plane(size: int = 21) -> Arrays:
    """The snapshot path_plane around `path`."""
    x, y = np.linspace(-1, 4, size), np.linspace(-2, 1, size - 2)
    return {"x": x, "y": y, **measures((x**2 + y[:, None] ** 2) / 4)}


def path(count: int = 13, off: float = 0.5) -> Arrays:
    """The snapshot path: from (3, −1.5) to the origin, at first `off` the plane."""
    share = np.linspace(1, 0, count)
    points = np.stack([3 * share, -1.5 * share**2], 1)
    residuals = off * share * (1 - share) * 4
    found = measures((points**2).sum(1) / 4)
    return {
        "steps": np.arange(count) * 10,
        "coordinates": points,
        "explained": np.array([0.93, 0.053]),
        "random_explained": np.array(0.0123),
        "residuals": residuals,
        "distances": np.sqrt((points**2).sum(1) + residuals**2),
        **{f"plane_{name}": values for name, values in found.items()},
    }


def training(count: int = 13, off: float = 0.5) -> Arrays:
    """The snapshot training: that of `path`, higher where it is off the plane."""
    way = path(count, off)
    return {"steps": way["steps"], **measures(way["distances"] ** 2 / 4)}


def lines(count: int = 5, size: int = 17) -> Arrays:
    """The snapshot lines: parabolas, each steeper than the one before."""
    x = np.linspace(-1, 1, size)
    return {"x": x, **measures(np.arange(1, count + 1)[:, None] * x**2)}


def line(size: int = 25) -> Arrays:
    """The snapshot line from −0.25 to 1.25: a hill of height 2 in the middle, its second end 0.5 higher."""
    x = np.linspace(-0.25, 1.25, size)
    losses = measures(0.5 * x + 2 * np.maximum(np.sin(np.pi * x), -0.1) + 0.2)
    return {"x": x, **losses, "barrier": np.array([2.0, 0.5])}


def curvature(count: int = 11, k: int = 3) -> Arrays:
    """The snapshot curvature: the largest eigenvalue rises to 20, the others follow, the learning rate bears 20."""
    rise = np.linspace(0.1, 1, count)
    values = 20 * rise[:, None] / np.arange(1, k + 1)
    return {
        "steps": np.arange(count) * 10,
        "eigenvalues": values,
        "errors": 1e-4 * values,
        "smallest_eigenvalue": -rise[::-1],
        "trace": 40 * rise,
        "trace_error": np.full(count, 2.0),
        "limit": np.full(count, 20.0),
        "no_limit": np.array(""),
    }


def adaptive_curvature(count: int = 11) -> Arrays:
    """The same of an optimizer that rescales: nothing at step 0, then a rise to the limit of 38,000."""
    rise = np.linspace(0, 1, count)
    preconditioned = np.where(rise > 0, 38000 * rise**0.5, np.nan)
    return curvature(count) | {
        "limit": np.full(count, np.nan),
        "no_limit": np.array("no stability limit: 2/η holds for SGD, and this optimizer rescales the gradient"),
        "preconditioned": preconditioned,
        "preconditioned_error": 1e-4 * preconditioned,
        "preconditioned_limit": np.full(count, 38000.0),
    }
