"""A supervised network at one step -> the arrays of its snapshots."""

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import losses
from nnviz.engine.data import Dataset
from nnviz.engine.models import linears, module_outputs
from nnviz.engine.snapshots.input_axes import axis, plane
from nnviz.records import Snapshot
from nnviz.spec import learners
from nnviz.spec.models import SHOWN_UNITS
from nnviz.spec.shapes import is_image, numbers

GRID_SIDE = 48
"""Points along each side of a decision grid; every second of them for the map of a unit."""

WORST_SAMPLES = 24
"""Samples with the largest loss that are recorded."""


@torch.no_grad()
def draw(
    step: int, learner: learners.Supervised, network: nn.Module, data: Dataset, test: tuple[Tensor, Tensor, Tensor]
) -> list[Snapshot]:
    """The learner's snapshots; those of test samples where there are some. `network` is in evaluation mode; `test` has
    inputs (n, …), targets (n,) and the network's outputs (n, outputs)."""
    snapshots = []
    for name in learner.snapshots:
        if name == "network":
            snapshots.append(Snapshot(step, name, _diagram(learner, network, data), "model"))
        elif name in ON_INPUTS:
            snapshots.append(Snapshot(step, name, ON_INPUTS[name](learner, network, data)))
        elif len(test[0]):
            snapshots.append(Snapshot(step, name, ON_TEST[name](learner, *test)))
    return snapshots


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def _predictions(learner: learners.Supervised, outputs: Tensor) -> Tensor:
    """Probabilities (n, classes), or the predicted numbers (n, 1)."""
    return losses.probabilities(learner.loss, outputs) if learner.data.classes else outputs


def _decision_grid(learner: learners.Supervised, network: nn.Module, data: Dataset) -> dict[str, np.ndarray]:
    x, y, points = plane(data.inputs, GRID_SIDE)
    outputs = network(points.to(_device(network)))
    axes = {"x": x.numpy(), "y": y.numpy()}
    if not learner.data.classes:
        return {**axes, "prediction": outputs.reshape(GRID_SIDE, GRID_SIDE).cpu().numpy().astype(np.float32)}
    shown = {"probabilities": losses.probabilities(learner.loss, outputs), "scores": _scores(learner, outputs)}
    return axes | {
        name: values.cpu().reshape(GRID_SIDE, GRID_SIDE, -1).numpy().astype(np.float16)
        for name, values in shown.items()
    }


def _regression_curve(learner: learners.Supervised, network: nn.Module, data: Dataset) -> dict[str, np.ndarray]:  # noqa: ARG001
    x = axis(data.inputs, 0, 200)
    return {"x": x.numpy(), "prediction": network(x[:, None].to(_device(network)))[:, 0].cpu().numpy()}


def _scores(learner: learners.Supervised, outputs: Tensor) -> Tensor:
    """Each class's score minus the best at each point, at most 0, scaled to a largest distance of 1000, so that half
    precision resolves the smallest."""
    found = losses.scores(learner.loss, outputs).cpu().double()
    margin = (found - found.amax(1, keepdim=True)).nan_to_num(nan=0.0, neginf=-1e300)
    return margin / (-margin.amin() / 1000).clamp_min(1e-300)


def _diagram(learner: learners.Supervised, network: nn.Module, data: Dataset) -> dict[str, np.ndarray]:
    """Weights and biases between the units shown; for one or two inputs, the output of each unit over them."""
    arrays: dict[str, np.ndarray] = {}
    found = list(linears(network).values())
    for i, layer in enumerate(found, 1):
        # All inputs of a first layer on images: its weights are shown as images.
        columns = None if i == 1 and is_image(learner.data.shape) else SHOWN_UNITS
        arrays[f"weight_{i}"] = layer.weight[:SHOWN_UNITS, :columns].cpu().numpy().copy()
        if layer.bias is not None:
            arrays[f"bias_{i}"] = layer.bias[:SHOWN_UNITS].cpu().numpy().copy()
    shape = learner.data.shape
    if numbers(shape) > 2:
        return arrays
    if shape == (2,):
        x, y, points = plane(data.inputs, GRID_SIDE)
        x, y, points = x[::2], y[::2], points.reshape(GRID_SIDE, GRID_SIDE, 2)[::2, ::2].reshape(-1, 2)
        arrays["y"], shape = y.numpy(), (GRID_SIDE // 2, GRID_SIDE // 2)
    else:
        x = axis(data.inputs, 0, GRID_SIDE)
        points, shape = x[:, None], (GRID_SIDE,)
    arrays["x"] = x.numpy()
    arrays["maps_0"] = points.T.reshape(-1, *shape).numpy().astype(np.float16)
    number = 0
    for name, hidden in module_outputs(network, points.to(_device(network))):
        if name.startswith("activation") or name == "output":
            number += 1
            shown = _predictions(learner, hidden) if name == "output" and hidden.shape[1] > 1 else hidden
            if name == "output" and hidden.shape[1] == 1 and learner.data.classes:
                shown = _predictions(learner, hidden)[:, 1:]
            # The limit of half precision is 65504.
            maps = shown[:, :SHOWN_UNITS].T.reshape(-1, *shape).clamp(-6e4, 6e4)
            arrays[f"maps_{number}"] = maps.cpu().numpy().astype(np.float16)
    return arrays


def _confusion(learner: learners.Supervised, x: Tensor, y: Tensor, outputs: Tensor) -> dict[str, np.ndarray]:  # noqa: ARG001
    classes = learner.data.classes
    predicted = losses.predicted(learner.loss, outputs)
    known = predicted >= 0
    counts = torch.bincount(y[known] * classes + predicted[known], minlength=classes * classes)
    return {"counts": counts.reshape(classes, classes).cpu().numpy()}


def _fit(learner: learners.Supervised, x: Tensor, y: Tensor, outputs: Tensor) -> dict[str, np.ndarray]:  # noqa: ARG001
    return {"true": y.cpu().numpy(), "predicted": outputs[:, 0].cpu().numpy()}


def _worst(learner: learners.Supervised, x: Tensor, y: Tensor, outputs: Tensor) -> dict[str, np.ndarray]:
    classes = learner.data.classes
    predicted = losses.predicted(learner.loss, outputs) if classes else outputs[:, 0]
    loss = losses.per_sample(learner.loss, classes, outputs, y)
    worst = loss.nan_to_num(nan=3.4e38, posinf=3.3e38).argsort(descending=True, stable=True)[:WORST_SAMPLES]
    picked = {"inputs": x[worst], "true": y[worst], "predicted": predicted[worst], "loss": loss[worst]}
    return {name: t.cpu().numpy() for name, t in picked.items()}


ON_INPUTS = {"decision_grid": _decision_grid, "regression_curve": _regression_curve}
"""Snapshots of the network's outputs over the input space."""

ON_TEST = {"confusion": _confusion, "fit": _fit, "worst": _worst}
"""Snapshots of its predictions for the test samples."""
