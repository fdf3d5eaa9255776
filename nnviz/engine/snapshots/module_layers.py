"""A module -> the order of its layers, and the kind and label of each site of its records."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch import nn
from torch.nn.modules import activation as torch_activations

from nnviz.engine import activations
from nnviz.engine.models import Dropout

NOT_ELEMENTWISE = (
    torch_activations.MultiheadAttention,
    torch_activations.Softmax,
    torch_activations.Softmax2d,
    torch_activations.LogSoftmax,
    torch_activations.Softmin,
    torch_activations.GLU,
)
_CONVOLUTION = nn.modules.conv._ConvNd
_NORMS = {
    nn.modules.batchnorm._BatchNorm: "batch_norm",
    nn.LayerNorm: "layer_norm",
    nn.GroupNorm: "group_norm",
    nn.RMSNorm: "rms_norm",
    nn.modules.instancenorm._InstanceNorm: "instance_norm",
}
_DROPOUT = nn.modules.dropout._DropoutNd


def is_layer(module: nn.Module) -> bool:
    """Whether a module is counted as a layer: a linear map or a convolution."""
    return isinstance(module, nn.Linear | _CONVOLUTION)


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalizes, over the batch or within a sample."""
    return isinstance(module, tuple(_NORMS))


def is_activation(module: nn.Module) -> bool:
    """Whether a module is an elementwise activation."""
    if isinstance(module, activations.Identity | activations.Step):
        return True
    return type(module).__module__ == torch_activations.__name__ and not isinstance(module, NOT_ELEMENTWISE)


def kind(module: nn.Module) -> str:
    """What a module is: "linear", "convolution", "activation", "embedding", "dropout", a norm such as "batch_norm",
    else the name of its class."""
    if isinstance(module, nn.Linear):
        return "linear"
    if isinstance(module, _CONVOLUTION):
        return "convolution"
    for norm, name in _NORMS.items():
        if isinstance(module, norm):
            return name
    if is_activation(module):
        return "activation"
    if isinstance(module, nn.Embedding):
        return "embedding"
    return "dropout" if isinstance(module, Dropout | _DROPOUT) else type(module).__name__


class Place(NamedTuple):
    """A module or a parameter of a root."""

    path: str  # with the root in front
    kind: str  # of the module
    parameter: str  # its name, "" for the module itself
    label: str
    tick: str  # the label on an axis of layers
    layer: int  # which layer it belongs to, −1 for none


def describe(root: str, module: nn.Module) -> dict[str, np.ndarray]:
    """The arrays of the snapshot `layers` of a root.

    Along its L layers, in the order of the forward pass: `sites`, `activations` (the first one after each, "" where
    there is none), `fan_in` (weights of one unit or channel) and `fan_out` (units or channels). Along all P modules and
    parameters that a site can name, in the same order, each module before its own parameters: `places` (their paths),
    `kinds`, `parameters` ("" for modules), `labels`, `ticks` (short labels) and `layers` (the row of the layer that
    each belongs to, −1 for none).

    The order is that in which modules are registered, as PyTorch's `named_modules` has it: register them in the order
    in which they are used. A module after a layer and before the next belongs to it. The last layer is the output.
    """
    found = {f"{root}.{name}": m for name, m in module.named_modules() if is_layer(m)}
    after = [""] * len(found)
    row = -1
    for m in module.modules():
        row += is_layer(m)
        if is_activation(m) and row >= 0:
            after[row] = after[row] or activations.name(m)
    places = list(_places(root, module, len(found)))
    columns = {
        "places": [p.path for p in places],
        "kinds": [p.kind for p in places],
        "parameters": [p.parameter for p in places],
        "labels": [p.label for p in places],
        "ticks": [p.tick for p in places],
    }
    fans = np.array([_fans(m) for m in found.values()], dtype=np.int64).reshape(-1, 2)
    return {
        "sites": np.array(list(found), dtype=str),
        "activations": np.array(after, dtype=str),
        "fan_in": fans[:, 0],
        "fan_out": fans[:, 1],
        **{name: np.array(values, dtype=str) for name, values in columns.items()},
        "layers": np.array([p.layer for p in places], dtype=np.int32),
    }


def _places(root: str, module: nn.Module, total: int) -> Iterator[Place]:
    """All modules and parameters of a module with `total` layers."""
    row, layer = -1, ""
    for name, m in module.named_modules():
        if is_layer(m):
            row, layer = row + 1, name
        path = f"{root}.{name}" if name else root
        # A block of modules does not belong to the layer before it.
        is_part = row >= 0 and (name == layer or name.startswith(f"{layer}.") or not any(m.children()))
        what = kind(m)
        short = "" if row < 0 else "out" if row == total - 1 else str(row + 1)
        if not is_part:
            label = tick = name or root
        elif is_layer(m) or what == "activation":
            label, tick = "output" if short == "out" else f"layer {short}", short
        else:
            word = "norm" if is_norm(m) else what
            label = tick = f"output {word}" if short == "out" else f"{word} {short}"
        mine = row if is_part else -1
        yield Place(path, what, "", label, tick, mine)
        for parameter, _ in m.named_parameters(recurse=False):
            yield Place(f"{path}.{parameter}", what, parameter, label, tick, mine)


def _fans(layer: nn.Module) -> tuple[int, int]:
    """Weights of one unit or channel, and how many of these there are; the product is all weights."""
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return layer.in_channels // layer.groups * math.prod(layer.kernel_size), layer.out_channels
