"""What mean-field theory says of a random network before it is trained, layer by layer.

Forward (Poole et al., 2016, arXiv:1606.05340; Glorot & Bengio, 2010; He et al., 2015), q the second moment of a layer's
pre-activations z ~ N(0, q) and a that of its activations:

    qₗ = n_in · Var(W) · aₗ₋₁ + Var(b)        aₗ = E[φ(z)²]        a₀ = mean square of the inputs

Backward (Schoenholz et al., 2017, arXiv:1611.01232), d the second moment of the loss's derivative in z:

    dₗ = n_out,ₗ₊₁ · Var(Wₗ₊₁) · E[φ′(z)²] · dₗ₊₁

Exact in the limit of wide layers; dropout multiplies a and d by 1/(1 − p). Batch norm has no line here: it couples the
samples of a batch. Nor have skip connections: there a layer's input and output are not independent.
"""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import activations, initializers
from nnviz.spec import activations as activation_specs
from nnviz.spec import models


def moments(activation: activation_specs.Activation, q: float) -> tuple[float, float]:
    """E[φ(z)²] and E[φ′(z)²] for z ~ N(0, q), by the trapezoid rule over ±8 deviations (which bears with kinks)."""
    module = activations.build(activation).double()
    # An even number of points leaves out 0, where the one derivative of a kink would count for both sides.
    u = torch.linspace(-8, 8, 4000, dtype=torch.float64)
    density = (-(u**2) / 2).exp()
    density = density / density.sum()
    z = u * math.sqrt(q)
    with torch.no_grad():
        value = module(z)
    slope = activations.derivative(module, z)
    return float((density * value**2).sum()), float((density * slope**2).sum())


def predict(model: models.Model, inputs: Tensor, outputs: int) -> dict[str, np.ndarray] | None:
    """The lines for a network on these inputs (n, features), or None where there is no theory.

    Arrays over the linear layers (L,): preactivation_rms; activation_rms (of the output layer: its output);
    signal_rms, and gradient_norm of the weights for independent samples, both relative to the last layer.
    """
    if model.batch_norm or model.skip or not len(inputs):
        return None
    widths = [inputs.shape[1], *(h.width for h in model.hidden), outputs]
    variances = [initializers.variance(model.initializer, i, o) for i, o in pairwise(widths)]
    if any(v is None for v in variances):
        return None
    kept = 1 / (1 - model.dropout)
    below = [float(inputs.double().square().mean())]  # second moment of what enters each layer
    q, a, slopes = [], [], []
    for depth, (n_in, v) in enumerate(zip(widths, variances, strict=False)):
        bias = initializers.bias_variance(model.initializer, n_in) if model.bias else 0.0
        q.append(n_in * v * below[-1] + bias)
        if depth < len(model.hidden):
            second, slope = moments(model.hidden[depth].activation, q[-1])
            a.append(second)
            slopes.append(slope)
            below.append(second * kept)
    a.append(q[-1])
    signal = [1.0]
    for depth in reversed(range(len(model.hidden))):
        signal.append(signal[-1] * widths[depth + 2] * variances[depth + 1] * slopes[depth] * kept)
    signal.reverse()
    squares = [d * b * i * o for d, b, i, o in zip(signal, below, widths, widths[1:], strict=False)]
    sites = [f"model.linear{i}" for i in range(1, len(model.hidden) + 1)] + ["model.output"]
    return {
        "sites": np.array(sites),
        "preactivation_rms": np.sqrt(q),
        "activation_rms": np.sqrt(a),
        "signal_rms": np.sqrt(signal),
        "gradient_norm": np.sqrt(np.array(squares) / squares[-1]),
    }
