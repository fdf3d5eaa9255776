"""Spectral normalization: layers whose matrix of weights is divided by its largest singular value."""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, normalize

STARTING_ITERATIONS = 30
"""Power iterations before the first step."""


class _Spectral(nn.Module):
    """The weight W as a matrix, divided by σ(W): by one power iteration at each forward pass in training mode (Miyato
    et al., 2018, arXiv:1802.05957). The parameter keeps its name, as it is before the division."""

    weight: nn.Parameter
    left: Tensor
    right: Tensor

    def take_over(self, layer: nn.Module, generator: torch.Generator) -> None:
        """Takes the parameters of `layer`."""
        self.weight = layer.weight
        rows, columns = self._matrix().shape
        self.register_buffer("left", normalize(torch.randn(rows, generator=generator), dim=0))
        self.register_buffer("right", normalize(torch.randn(columns, generator=generator), dim=0))
        for _ in range(STARTING_ITERATIONS):
            self._iterate()

    def _matrix(self) -> Tensor:
        """(outputs, all weights of one output)."""
        return self.weight.flatten(1)

    @torch.no_grad()
    def _iterate(self) -> None:
        # New tensors, not in place: a backward pass may still need those of the pass before.
        matrix = self._matrix()
        self.right = normalize(matrix.mT @ self.left, dim=0)
        self.left = normalize(matrix @ self.right, dim=0)

    def normalized(self) -> Tensor:
        """The weight that the layer computes with, of its shape."""
        return self.weight / torch.dot(self.left, self._matrix() @ self.right)

    def next_weight(self) -> Tensor:
        """The same at a forward pass."""
        if torch.is_autocast_enabled(self.weight.device.type):
            # A relative error of 2⁻⁸ in σ of each layer would be no limit.
            with torch.autocast(self.weight.device.type, enabled=False):
                return self.next_weight()
        if self.training:
            self._iterate()
        return self.normalized()


class SpectralLinear(_Spectral, nn.Linear):
    """Wx/σ(W) + b."""

    def __init__(self, layer: nn.Linear, generator: torch.Generator) -> None:
        """Takes the parameters of `layer` over."""
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        self.bias = layer.bias
        self.take_over(layer, generator)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in) -> (batch, out)."""
        return linear(x, self.next_weight(), self.bias)


class SpectralConv2d(_Spectral, nn.Conv2d):
    """A convolution; a row of W holds all weights of one filter."""

    def __init__(self, layer: nn.Conv2d, generator: torch.Generator) -> None:
        """Takes the parameters of `layer` over."""
        super().__init__(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            bias=layer.bias is not None,
            device="meta",
        )
        self.bias = layer.bias
        self.take_over(layer, generator)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, height, width) -> (batch, out, height, width)."""
        return self._conv_forward(x, self.next_weight(), self.bias)


class SpectralEmbedding(_Spectral, nn.Embedding):
    """An embedding; a row of W is that of one class."""

    def __init__(self, layer: nn.Embedding, generator: torch.Generator) -> None:
        """Takes the parameters of `layer` over."""
        super().__init__(layer.num_embeddings, layer.embedding_dim, device="meta")
        self.take_over(layer, generator)

    def forward(self, labels: Tensor) -> Tensor:
        """(batch,) -> (batch, dimensions)."""
        return embedding(labels, self.next_weight())


NORMALIZED: dict[type[nn.Module], type[_Spectral]] = {
    nn.Linear: SpectralLinear,
    nn.Conv2d: SpectralConv2d,
    nn.Embedding: SpectralEmbedding,
}


def normalize_layers(network: nn.Module, generator: torch.Generator) -> None:
    """Puts a normalized layer in the place of each linear layer, convolution and embedding of the network."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) in NORMALIZED:
                setattr(module, name, NORMALIZED[type(child)](child, generator))
