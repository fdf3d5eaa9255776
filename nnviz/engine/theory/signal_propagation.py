"""Signal propagation in untrained networks, layer by layer: mean-field theory, and ensembles of random networks.

Forward (Poole et al., 2016, arXiv:1606.05340; Glorot & Bengio, 2010; He et al., 2015), for one sample, q the second
moment of a layer's pre-activations z ~ N(0, q) and a that of the input of the next layer:

    qₗ = n_in · Var(W) · aₗ₋₁ + Var(b)        aₗ = E[φ(z)²] / (1 − p)        a₀ = mean square of the sample's inputs

Backward (Schoenholz et al., 2017, arXiv:1611.01232), d the second moment of the derivative of the sample's loss with
respect to z, and g that with respect to the layer's output:

    dₗ = E[φ′(z)²] / (1 − p) · gₗ        gₗ₋₁ = n_out,ₗ · Var(Wₗ) · dₗ

with dropout p. Where a skip connection adds the input of a layer, of mean m (Yang & Schoenholz, 2017,
arXiv:1712.08969):

    aₗ = … + aₗ₋₁ + 2 · mₗ₋₁ · E[φ(z)]        mₗ = E[φ(z)] + mₗ₋₁        gₗ₋₁ = … + gₗ

Layer, group and RMS norm before the activation divide each sample's z by √(qₗ + ε), and its derivative too: then q is
qₗ/(qₗ + ε), and dₗ reaches the layer's weights multiplied by 1/(qₗ + ε). (What is subtracted of z and of the
derivative, along one and along two directions of many, vanishes at infinite width.)

This holds in the limit of infinite width, for weights independent of the backpropagated derivatives. It is applied to
each sample's own norm, and the result is the root of the mean over the samples, as it is measured: where the map of q
is nonlinear, as for GELU, the mean norm would give another result.

There is no prediction for batch norm, which couples the samples of a batch, nor for gradients of weights: they are sums
over samples whose activations and derivatives are correlated, more so in deeper layers. There only the ensemble
applies.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import activations, initializers
from nnviz.engine.losses import LossFunction
from nnviz.engine.randomness import generator
from nnviz.engine.theory import untrained_ensembles
from nnviz.spec import activations as activation_specs
from nnviz.spec import learners, models
from nnviz.spec.base import label
from nnviz.spec.norms import BatchNorm, NoNorm

COVERAGE = 0.9
"""Fraction of networks inside the band, on average."""

MAX_GROUPS = 256
"""With more samples than this, samples of nearly equal norm are grouped."""

OUTPUTS, BATCHES = 4096, 32
"""Random outputs, over all samples, for the mean derivative of the loss, and the largest number of batches."""


def _nodes() -> tuple[Tensor, Tensor]:
    """Nodes and weights for the mean over N(0, 1): Gauss-Legendre quadrature on panels that halve toward 0, where all
    activations have their kinks and, for a large q, their curvature."""
    x, w = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(8))
    edges = torch.tensor([0.0, *(9 * 2.0**-k for k in range(14, -1, -1))], dtype=torch.float64)
    half = edges.diff()[:, None] / 2
    places = (edges[:-1, None] + half * (1 + x)).flatten()
    weights = (half * w).flatten() * (-(places**2) / 2).exp() / math.sqrt(2 * math.pi)
    return torch.cat([-places.flip(0), places]), torch.cat([weights.flip(0), weights])


NODES, WEIGHTS = _nodes()


def moments(activation: activation_specs.Activation, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """E[φ(z)], E[φ(z)²] and E[φ′(z)²] for z ~ N(0, q), each like q (n,), in float64."""
    module = activations.build(activation).double()
    z = q.double().sqrt()[:, None] * NODES
    with torch.no_grad():
        value = module(z)
    slope = activations.derivative(module, z)
    return value @ WEIGHTS, value**2 @ WEIGHTS, slope**2 @ WEIGHTS


def missing_theory(model: models.Model) -> str:
    """In a few words why there is no infinite-width prediction for a model; "" where there is one."""
    if not isinstance(model, models.Feedforward):
        return f"no theory for {label(type(model)).lower()}"
    if not has_random_weights(model):
        return f"weights are initialized with {model.initializer.kind.replace('_', ' ')}"
    if isinstance(model.norm, BatchNorm):
        return "batch norm"
    is_after = not isinstance(model.norm, NoNorm) and model.norm.place == "after"
    return "normalization after the activation" if is_after else ""


def has_random_weights(model: models.Feedforward) -> bool:
    """Whether its initial weights are random."""
    return initializers.variance(model.initializer, 1, 1) is not None


def predict(
    model: models.Feedforward, inputs: Tensor, outputs: int, derivatives: Callable[[Tensor], Tensor] | None = None
) -> dict[str, np.ndarray]:
    """The infinite-width prediction for inputs (n, …) of a model without `missing_theory`.

    Arrays over the linear layers (L,): preactivation_rms; activation_rms (of the output layer: its output); signal_rms.
    `derivatives` maps second moments of the outputs (n,) to the mean square of the derivative of a sample's loss with
    respect to an output, (n,); without it signal_rms is relative to the last layer, equal for all samples there.
    """
    inputs = inputs.flatten(1)
    widths = model.widths(inputs.shape[1:], outputs)
    variances = [initializers.variance(model.initializer, i, o) for i, o in pairwise(widths)]
    scale = 1 / (1 - model.dropout.rate)
    norms = inputs.double().square().mean(1)
    group, size = _grouped(norms)
    of_inputs = 1 / (1 - model.dropout.input_rate)
    entering, mean = of_inputs * _means(norms, group, size), _means(inputs.double().mean(1), group, size)
    q, a, slopes, shrinking = [], [], [], []
    is_normed = not isinstance(model.norm, NoNorm)
    for depth, (n_in, v) in enumerate(zip(widths, variances, strict=False)):
        bias = initializers.bias_variance(model.initializer, n_in) if model.bias else 0.0
        q.append(n_in * v * entering + bias)
        if depth == len(model.hidden):
            break
        if is_normed:
            shrinking.append(1 / (q[-1] + model.norm.eps))
            q[-1] = q[-1] * shrinking[-1]
        first, second, slope = moments(model.hidden[depth].activation, q[-1])
        a.append(second)
        slopes.append(slope * scale)
        if _skips(model, widths, depth):
            entering, mean = second * scale + entering + 2 * mean * first, first + mean
        else:
            entering, mean = second * scale, first
    a.append(q[-1])
    output_signal = torch.ones_like(entering) if derivatives is None else _means(derivatives(q[-1][group]), group, size)
    signal, incoming = [output_signal], widths[-1] * variances[-1] * output_signal
    for depth in reversed(range(len(model.hidden))):
        signal.append(slopes[depth] * incoming)
        arriving = signal[-1] * shrinking[depth] if is_normed else signal[-1]
        via_layer = widths[depth + 1] * variances[depth] * arriving
        incoming = via_layer + incoming if _skips(model, widths, depth) else via_layer
    lines = {"preactivation_rms": q, "activation_rms": a, "signal_rms": signal[::-1]}
    fraction = size / size.sum()
    return {name: torch.stack(rows).matmul(fraction).sqrt().numpy() for name, rows in lines.items()}


def at_initialization(
    learner: learners.Supervised, inputs: Tensor, targets: Tensor, loss: LossFunction, seed: int
) -> dict[str, np.ndarray]:
    """Expected measurements at step 0 for random weights: for `inputs` (n, …), the first batch, on the CPU.

    The arrays of `predict`, or `no_line`: the reason for none. Over the same layers, for each of
    `untrained_ensembles.QUANTITIES`, the median of an ensemble and a band, as …_median, …_low and …_high, or `no_band`:
    the reason for none. Another network lies inside the band with probability `covered`; `networks` is the size of the
    ensemble. Without random weights there is `no_line` alone.
    """

    def derivatives(q: Tensor) -> Tensor:
        return _derivatives(loss, q, targets, learner.outputs, seed)

    if reason := missing_theory(learner.model):
        found = {"no_line": np.array(reason)}
    else:
        found = predict(learner.model, inputs, learner.outputs, derivatives)
    if not (isinstance(learner.model, models.Feedforward) and has_random_weights(learner.model)):
        return found
    networks = untrained_ensembles.size(learner, len(inputs))
    if not networks:
        found["no_band"] = np.array("network too large")
    else:
        covered = min(COVERAGE, (networks - 1) / (networks + 1))
        measured = untrained_ensembles.measure(learner, inputs, targets, loss, networks, seed)
        for name, values in measured.items():
            tail = (1 - covered) / 2
            for bound, p in (("low", tail), ("median", 0.5), ("high", 1 - tail)):
                found[f"{name}_{bound}"] = quantile(values, p)
        found |= {"networks": np.array(networks), "covered": np.array(covered)}
    return found


def quantile(values: np.ndarray, p: float) -> np.ndarray:
    """The p-quantile along the first axis of magnitudes (n, …), so that another value lies below it with probability p
    (Weibull's plotting positions, p · (n + 1) of the ordered values; between two of them geometrically)."""
    ordered = np.sort(np.nan_to_num(values, nan=np.inf, posinf=np.inf), axis=0)
    position = min(max(p * (len(values) + 1) - 1, 0), len(values) - 1)
    below, remainder = int(position), position - int(position)
    if not remainder:
        return ordered[below]
    with np.errstate(over="ignore", invalid="ignore"):
        return ordered[below] ** (1 - remainder) * ordered[below + 1] ** remainder


def _skips(model: models.Feedforward, widths: list[int], depth: int) -> bool:
    return model.skip and widths[depth] == widths[depth + 1]


def _grouped(norms: Tensor) -> tuple[Tensor, Tensor]:
    """The group of each sample (n,), and the sizes of the groups (groups,): by norm, of nearly equal size."""
    group = torch.empty(len(norms), dtype=torch.long)
    groups = min(len(norms), MAX_GROUPS)
    group[norms.argsort()] = torch.arange(len(norms)) * groups // len(norms)
    return group, group.bincount(minlength=groups).double()


def _means(values: Tensor, group: Tensor, size: Tensor) -> Tensor:
    return torch.zeros_like(size).index_add_(0, group, values) / size


def _derivatives(loss: LossFunction, q: Tensor, targets: Tensor, outputs: int, seed: int) -> Tensor:
    """Mean square of the derivative of a sample's loss with respect to an output, (n,), for outputs ~ N(0, q)."""
    draws, n = generator(seed, "outputs"), len(q)
    times = max(1, min(BATCHES, OUTPUTS // n))
    z = torch.randn(times, n, outputs, dtype=torch.float64, generator=draws) * q.sqrt()[:, None]
    z.requires_grad_()
    # For each batch separately, since losses may couple its samples; a step's loss is the mean over the batch.
    (slope,) = torch.autograd.grad(torch.stack([loss(one, targets) for one in z]).sum(), z)
    return (slope * n).square().mean((0, 2))
