"""The loss and its gradient along the direction of the gradient, and under a change of scale of a layer's weights."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nnviz.engine.normalization.batch_statistics import with_batch_statistics
from nnviz.engine.tensor_norms import norms

FACTORS = (0.5, 1.0, 2.0, 4.0)
"""Step sizes along the line, in units of the learning rate."""

SCALES = (0.1, 10.0)
"""What the weights of a layer are multiplied by."""

Loss = Callable[[Tensor, Tensor], Tensor]


def _at(
    network: nn.Module, loss: Loss, x: Tensor, y: Tensor, values: Mapping[str, Tensor]
) -> tuple[float, dict[str, Tensor], Tensor]:
    """Loss, gradients by name and outputs with these parameters, in training mode without dropout."""
    leaves = {name: value.detach().requires_grad_() for name, value in values.items()}
    with torch.enable_grad(), with_batch_statistics(network):
        outputs = functional_call(network, leaves, (x,))
        value = loss(outputs, y)
        gradients = torch.autograd.grad(value, list(leaves.values()))
    return float(value.detach()), dict(zip(leaves, gradients, strict=True)), outputs.detach()


def _length(tensors: Sequence[Tensor]) -> float:
    return float(norms(list(tensors)).norm())


def along_gradient(network: nn.Module, loss: Loss, x: Tensor, y: Tensor, rate: float) -> dict[str, np.ndarray]:
    """At w − f · rate · g for f = 0 and `FACTORS`, g the gradient of the batch's loss at w: `factors`, `loss` and
    `gradient_change` ‖∇L − g‖ (5,), and `smoothness` ‖∇L − g‖ / (f · rate · ‖g‖) (5,), 0 at f = 0.

    All step sizes are tried on the line of one gradient, from the same weights (Santurkar et al., 2018).
    """
    start = dict(network.named_parameters())
    value, gradients, _ = _at(network, loss, x, y, start)
    length = _length(list(gradients.values()))
    losses, changes, smoothness = [value], [0.0], [0.0]
    for factor in FACTORS:
        moved = {name: w.detach() - factor * rate * gradients[name] for name, w in start.items()}
        value, there, _ = _at(network, loss, x, y, moved)
        losses.append(value)
        changes.append(_length([there[name] - g for name, g in gradients.items()]))
        smoothness.append(changes[-1] / (factor * rate * length) if rate * length > 0 else 0.0)
    return {
        "factors": np.array([0.0, *FACTORS]),
        "rate": np.array(rate),
        "gradient_norm": np.array(length),
        "loss": np.array(losses),
        "gradient_change": np.array(changes),
        "smoothness": np.array(smoothness),
    }


def under_scaling(network: nn.Module, loss: Loss, x: Tensor, y: Tensor, layer: str) -> dict[str, np.ndarray]:
    """The weights of one layer times a, for a = 1 and `SCALES`: `scales` in ascending order, `gradient_norm` of the
    layer's weights and `output_change`, the root mean square change of the outputs as a fraction of theirs (3,)."""
    start = dict(network.named_parameters())
    name = f"{layer}.weight"
    found = {1.0: _at(network, loss, x, y, start)}
    for a in SCALES:
        found[a] = _at(network, loss, x, y, start | {name: start[name].detach() * a})
    outputs = found[1.0][2]
    size = max(float(outputs.square().mean().sqrt()), 1e-30)
    scales = sorted(found)
    return {
        "layer": np.array(layer),
        "scales": np.array(scales),
        "gradient_norm": np.array([_length([found[a][1][name]]) for a in scales]),
        "output_change": np.array([float((found[a][2] - outputs).square().mean().sqrt()) / size for a in scales]),
    }
