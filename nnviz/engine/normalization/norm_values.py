"""What goes into normalization layers and comes out of them, and what they compute in between."""

import math
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine.normalization.batch_statistics import BatchNorm, norm_layers, with_batch_statistics
from nnviz.engine.snapshots.module_layers import kind
from nnviz.spec.norms import SHOWN_SAMPLES, SHOWN_UNITS, shown_layers

Arrays = dict[str, np.ndarray]


def shown(network: nn.Module) -> dict[str, nn.Module]:
    """The normalization layers that are recorded, by name."""
    found = list(norm_layers(network).items())
    return dict(found[number - 1] for number in shown_layers(len(found)))


@torch.no_grad()
def norm_values(network: nn.Module, x: Tensor, root: str = "model") -> Arrays:
    """The normalization layers shown, for inputs x (n, …) as one batch, without dropout: those of the network in
    training mode, and its outputs in both modes.

    `sites` and `kinds` (L,), `samples` n, `train_outputs` and `eval_outputs` (s, outputs); `gap` (L,) is the root mean
    square difference of a layer's outputs in both modes. For the i-th of the L layers: `input_i` and `output_i` (s, u)
    of the first samples and units, `units_i` the number of all units; `mean_i` and `var_i`, which broadcast to (s, u)
    but for group norm's (s, groups); `scale_i` and `shift_i` (u,), `eps_i`, `groups_i`; with running averages also
    `running_mean_i`, `running_var_i` (u,) and `momentum_i`.
    """
    layers = shown(network)
    arrays: Arrays = {
        "sites": np.array([f"{root}.{name}" for name in layers], dtype=str),
        "kinds": np.array([kind(norm) for norm in layers.values()], dtype=str),
        "samples": np.array(len(x)),
    }
    trained, entered, left = _captured(network, layers, x, in_training=True)
    evaluated, _, plain = _captured(network, layers, x, in_training=False)
    for name, outputs in (("train_outputs", trained), ("eval_outputs", evaluated)):
        arrays[name] = outputs[:SHOWN_SAMPLES].cpu().numpy()
    gaps = [float((left[name] - plain[name]).square().mean().sqrt()) for name in layers]
    arrays["gap"] = np.array(gaps)
    for i, (name, norm) in enumerate(layers.items()):
        arrays |= {f"{key}_{i}": value for key, value in _layer(norm, entered[name], left[name]).items()}
    return arrays


def _captured(
    network: nn.Module, layers: dict[str, nn.Module], x: Tensor, in_training: bool
) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """The network's outputs, and each layer's inputs and outputs."""
    entered: dict[str, Tensor] = {}
    left: dict[str, Tensor] = {}
    names = {norm: name for name, norm in layers.items()}

    def capture(norm: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        entered[names[norm]], left[names[norm]] = inputs[0], out.clone()  # an activation may work in place

    with ExitStack() as stack:
        if in_training:
            stack.enter_context(with_batch_statistics(network))
        for norm in layers.values():
            stack.enter_context(norm.register_forward_hook(capture))
        return network(x), entered, left


def _layer(norm: nn.Module, x: Tensor, out: Tensor) -> Arrays:
    units = x.shape[1]
    mean, var = statistics(norm, x)
    cut = (slice(SHOWN_SAMPLES), slice(SHOWN_UNITS))
    ones, zeros = torch.ones(units), torch.zeros(units)
    scale, shift = (getattr(norm, name, None) for name in ("weight", "bias"))
    found = {
        "input": x[cut],
        "output": out[cut],
        "units": torch.tensor(units),
        "mean": mean[:SHOWN_SAMPLES] if isinstance(norm, nn.GroupNorm) else mean[cut],
        "var": var[:SHOWN_SAMPLES] if isinstance(norm, nn.GroupNorm) else var[cut],
        "scale": (ones if scale is None else scale)[:SHOWN_UNITS],
        "shift": (zeros if shift is None else shift)[:SHOWN_UNITS],
        "eps": torch.tensor(norm.eps, dtype=torch.float64),
        "groups": torch.tensor(getattr(norm, "num_groups", 1)),
    }
    if isinstance(norm, BatchNorm) and norm.running_mean is not None:
        found |= {
            "running_mean": norm.running_mean[:SHOWN_UNITS],
            "running_var": norm.running_var[:SHOWN_UNITS],
            "momentum": torch.tensor(norm.momentum, dtype=torch.float64),
        }
    return {name: value.detach().cpu().numpy().copy() for name, value in found.items()}


def statistics(norm: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the biased variance that a layer uses for x (n, units) in training: (1, units) of batch norm, (n, 1)
    within samples, (n, groups) of group norm. RMS norm has mean 0 and the mean square."""
    match norm:
        case nn.RMSNorm():
            return torch.zeros_like(x[:, :1]), x.square().mean(1, keepdim=True)
        case nn.GroupNorm():
            grouped = x.reshape(len(x), norm.num_groups, -1)
            return grouped.mean(2), grouped.var(2, correction=0)
    axis = 0 if isinstance(norm, BatchNorm) else 1
    return x.mean(axis, keepdim=True), x.var(axis, correction=0, keepdim=True)


def dead_certificate(norm: nn.Module, largest_batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """|γ|, β and β + |γ|√(n − 1), each (units,), of a batch norm over batches of at most n samples.

    In training |x̂| ≤ √(n − 1), reached by one outlier among n − 1 equal values (Samuelson's inequality; ε only makes it
    smaller), so that a unit for which the sum is at most 0 has no positive output on any batch.
    """
    gamma, beta = norm.weight.detach().abs(), norm.bias.detach()
    return gamma, beta, beta + gamma * math.sqrt(largest_batch - 1)
