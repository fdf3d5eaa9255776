"""Spectral normalization: linear layers whose weight is divided by its largest singular value."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

STARTING_ITERATIONS = 30
"""Power iterations before the first step."""


class SpectralLinear(nn.Linear):
    """Wx/σ(W) + b, σ by one power iteration at each forward pass in training mode (Miyato et al., 2018,
    arXiv:1802.05957). The parameter keeps its name, as it is before the division."""

    left: Tensor
    right: Tensor

    def __init__(self, layer: nn.Linear, generator: torch.Generator) -> None:
        """Takes the parameters of `layer` over."""
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        self.weight, self.bias = layer.weight, layer.bias
        self.register_buffer("left", normalize(torch.randn(layer.out_features, generator=generator), dim=0))
        self.register_buffer("right", normalize(torch.randn(layer.in_features, generator=generator), dim=0))
        for _ in range(STARTING_ITERATIONS):
            self._iterate()

    @torch.no_grad()
    def _iterate(self) -> None:
        # New tensors, not in place: a backward pass may still need those of the pass before.
        self.right = normalize(self.weight.mT @ self.left, dim=0)
        self.left = normalize(self.weight @ self.right, dim=0)

    def normalized(self) -> Tensor:
        """The weight that the layer multiplies with, (out, in)."""
        return self.weight / torch.dot(self.left, self.weight @ self.right)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in) -> (batch, out)."""
        if self.training:
            self._iterate()
        return linear(x, self.normalized(), self.bias)


def normalize_linears(network: nn.Module, generator: torch.Generator) -> None:
    """Puts a `SpectralLinear` in the place of each linear layer of the network."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, SpectralLinear(child, generator))
