"""Many networks of one shape at initialization, run forward and backward at once on the same batch.

Single networks of finite width scatter around mean-field theory, more so the deeper and narrower they are (Hanin &
Rolnick, 2018, arXiv:1803.01719). The ensemble measures that scatter with the run's own
activation, normalization, initializer, loss, penalties and clipping, on its own first batch.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import initializers, models
from nnviz.engine.capture.entry_sampling import evenly
from nnviz.engine.losses import LossFunction
from nnviz.engine.randomness import generator
from nnviz.spec import clipping as clippings
from nnviz.spec import learners
from nnviz.spec.initializers import Orthogonal

MAX_NETWORKS = 32
"""Networks of an ensemble, if they are cheap enough."""

MIN_NETWORKS = 8
"""With fewer networks there is no band."""

MAX_WORK = 3e9
"""Largest cost of an ensemble: multiply-adds, with 30 for each random weight and each activation."""

MAX_ENTRIES = 2**24
"""Activations in memory at once; a single network may have more."""

QUANTITIES = ("preactivation_rms", "activation_rms", "signal_rms", "gradient_norm")


class Linears(nn.Module):
    """The linear layers of all networks: (networks, n, in) -> (networks, n, out)."""

    def __init__(self, networks: int, like: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, *like.weight.shape))
        self.bias = None if like.bias is None else nn.Parameter(torch.empty(networks, like.out_features))

    def forward(self, x: Tensor) -> Tensor:
        if self.bias is None:
            return torch.bmm(x, self.weight.mT)
        return torch.baddbmm(self.bias[:, None], x, self.weight.mT)


class Norms(nn.Module):
    """Batch norm of each network by the statistics of its own batch, before its scale and shift are trained."""

    def __init__(self, networks: int, like: nn.BatchNorm1d) -> None:
        super().__init__()
        self.eps = like.eps
        for name in ("weight", "bias"):
            own = getattr(like, name)
            many = None if own is None else nn.Parameter(own.detach().expand(networks, 1, -1).clone())
            self.register_parameter(name, many)

    def forward(self, x: Tensor) -> Tensor:
        centered = x - x.mean(1, keepdim=True)
        scaled = centered * (centered.square().mean(1, keepdim=True) + self.eps).rsqrt()
        return scaled if self.weight is None else scaled * self.weight + self.bias


class SampleNorms(nn.Module):
    """Layer, group or RMS norm of each network, before its scale and shift are trained."""

    def __init__(self, networks: int, like: nn.LayerNorm | nn.GroupNorm | nn.RMSNorm) -> None:
        super().__init__()
        self.eps, self.is_centered = like.eps, not isinstance(like, nn.RMSNorm)
        self.groups = like.num_groups if isinstance(like, nn.GroupNorm) else 1
        for name in ("weight", "bias"):
            own = getattr(like, name, None)
            many = None if own is None else nn.Parameter(own.detach().expand(networks, 1, -1).clone())
            self.register_parameter(name, many)

    def forward(self, x: Tensor) -> Tensor:
        parts = x.unflatten(-1, (self.groups, -1))
        if self.is_centered:
            parts = parts - parts.mean(-1, keepdim=True)
        scaled = (parts * (parts.square().mean(-1, keepdim=True) + self.eps).rsqrt()).flatten(-2)
        scaled = scaled if self.weight is None else scaled * self.weight
        return scaled if self.bias is None else scaled + self.bias


class PReLUs(nn.Module):
    """PReLU with a slope for each network."""

    def __init__(self, networks: int, like: nn.PReLU) -> None:
        super().__init__()
        self.weight = nn.Parameter(like.weight.detach().expand(networks, -1).clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.weight[:, None] * x)


def size(learner: learners.Supervised, batch: int) -> int:
    """How many networks there is time for, at most MAX_NETWORKS; 0 where MIN_NETWORKS would take too long."""
    widths = learner.model.widths(learner.data.shape, learner.outputs)
    weights = sum(i * o for i, o in pairwise(widths))
    each = weights * (3 * batch + 30) + 30 * batch * sum(widths)
    if isinstance(learner.model.initializer, Orthogonal):
        each += sum(8 * i * o * min(i, o) for i, o in pairwise(widths))  # QR
    found = min(MAX_NETWORKS, int(MAX_WORK / each))
    return found if found >= MIN_NETWORKS else 0


def measure(
    learner: learners.Supervised, x: Tensor, y: Tensor, loss: LossFunction, networks: int, seed: int
) -> dict[str, np.ndarray]:
    """The values that probes would record at step 0 of `networks` networks with other weights, each (networks, L).

    `x` (n, …) and `y` are the batch, on the CPU. See QUANTITIES: root mean square of pre-activations and
    activations (of the output layer: its output), of the derivative of a sample's loss with respect to the
    pre-activation, and the L2 norm of the gradient of each layer's weights, with penalties and clipping.
    """
    x = x.flatten(1)
    shape = models.build(learner.model, x.shape[1:], learner.outputs, 0)
    entries = len(x) * sum(m.out_features for m in models.linears(shape).values())
    at_once = max(1, min(networks, MAX_ENTRIES // entries))
    draws = generator(seed, "ensemble")
    parts = []
    for start in range(0, networks, at_once):
        network = stack(shape, min(at_once, networks - start))
        for layer in linears(network):
            initializers.fill(layer, learner.model.initializer, draws)
        for index, dropout in enumerate(m for m in network.modules() if isinstance(m, models.Dropout)):
            dropout.generator = generator(seed, f"ensemble dropout{index}", start)
        parts.append(observe(learner, network, x, y, loss))
    return {name: np.concatenate([part[name] for part in parts]) for name in QUANTITIES}


def stack(network: nn.Module, networks: int) -> nn.Module:
    """A network of the same shape that is many of them, in training mode; its linear layers are not initialized yet."""
    many = {nn.Linear: Linears, nn.BatchNorm1d: Norms, nn.PReLU: PReLUs}
    many |= dict.fromkeys((nn.LayerNorm, nn.GroupNorm, nn.RMSNorm), SampleNorms)
    children = network.named_children()
    modules = OrderedDict((n, many[type(m)](networks, m) if type(m) in many else m) for n, m in children)
    return type(network)(modules)


def linears(network: nn.Module) -> list[Linears]:
    """Its linear layers in forward order."""
    return [m for m in network.children() if isinstance(m, Linears)]


def observe(
    learner: learners.Supervised, network: nn.Module, x: Tensor, y: Tensor, loss: LossFunction
) -> dict[str, np.ndarray]:
    """The QUANTITIES of a stacked network on a batch, each (networks, L)."""
    layers = linears(network)
    weights = [layer.weight for layer in layers]
    entering, leaving, before = [], [], x
    for name, out in models.module_outputs(network, x.expand(len(weights[0]), *x.shape)):
        if name.startswith("activation"):
            entering.append(before)
            leaving.append(out)
        before = out
    entering.append(before)
    leaving.append(before)
    # Losses may couple the samples of a batch, so each network has its own loss.
    total = torch.stack([loss(z, y) for z in before]).sum()
    others = [p for p in network.parameters() if all(p is not w for w in weights)]
    found = torch.autograd.grad(total, [*entering, *weights, *others], allow_unused=True, materialize_grads=True)
    signals, gradients, rest = _split(found, len(entering), len(weights))
    if learner.l1 or learner.l2:
        gradients = [
            g + learner.l1 * w.detach().sign() + learner.l2 * w.detach()
            for g, w in zip(gradients, weights, strict=True)
        ]
    return {
        "preactivation_rms": _rms([_sampled(t) for t in entering]),
        "activation_rms": _rms([_sampled(t) for t in leaving]),
        "signal_rms": _rms(signals) * len(x),
        "gradient_norm": _clipped(learner.clipping, gradients, rest),
    }


def _sampled(tensor: Tensor) -> Tensor:
    """The entries of (networks, n, units) that the activation probe samples in each network."""
    places = evenly(torch.arange(tensor[0].numel()).view(tensor[0].shape))
    return tensor.flatten(1)[:, places]


def _split(found: Sequence[Tensor], *sizes: int) -> list[Sequence[Tensor]]:
    starts = [0, *accumulate(sizes)]
    return [found[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def _clipped(clipping: clippings.Clipping, weights: Sequence[Tensor], others: Sequence[Tensor]) -> np.ndarray:
    """The norms of the weights' gradients as the optimizer sees them, (networks, L)."""
    if isinstance(clipping, clippings.ClipValue):
        weights = [g.clamp(-clipping.limit, clipping.limit) for g in weights]
    norms = _norms([*weights, *others])
    if isinstance(clipping, clippings.ClipNorm):
        with np.errstate(divide="ignore"):
            norms *= np.minimum(1, clipping.max_norm / np.linalg.norm(norms, axis=1, keepdims=True))
    return norms[:, : len(weights)]


def _norms(tensors: Sequence[Tensor]) -> np.ndarray:
    """Of each network's part of each tensor (networks, …), in float64: (networks, tensors)."""
    rows = [torch.linalg.vector_norm(t.detach().flatten(1), dim=1, dtype=torch.float64) for t in tensors]
    return torch.stack(rows, 1).numpy()


def _rms(tensors: Sequence[Tensor]) -> np.ndarray:
    return _norms(tensors) / np.sqrt([t[0].numel() for t in tensors])
