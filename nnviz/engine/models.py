"""Model specs -> torch modules with names that mean something: linear1, norm1, activation1, dropout1, …, output."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from nnviz.engine import activations, initializers
from nnviz.engine.randomness import generator
from nnviz.spec import models as spec


class Dropout(nn.Module):
    """Inverted dropout with masks from a generator of its own: kept units are divided by 1 − p, so the mean stays.

    torch's Dropout draws from the global generator, which would tie a run's masks to whatever else the process does.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x with each entry 0 with probability p in training; x itself in evaluation."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * kept / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def build(model: spec.Model, features: int, outputs: int, seed: int) -> nn.Sequential:
    """The network: (batch, features) -> (batch, outputs). Each layer draws its weights from a stream of its own, on the
    CPU, so that networks which differ elsewhere (batch norm, depth above) start from the same weights."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    width = features
    for number, hidden in enumerate(model.hidden, 1):
        # Batch norm subtracts the mean, and with it any bias before it; its own shift takes over.
        linear = nn.Linear(width, hidden.width, bias=model.bias and not model.batch_norm)
        initializers.fill(linear, model.initializer, generator(seed, "weights", number))
        modules[f"linear{number}"] = linear
        if model.batch_norm:
            modules[f"norm{number}"] = nn.BatchNorm1d(hidden.width)
        modules[f"activation{number}"] = activations.build(hidden.activation)
        if model.dropout:
            modules[f"dropout{number}"] = Dropout(model.dropout)
        width = hidden.width
    output = nn.Linear(width, outputs, bias=model.bias)
    initializers.fill(output, model.initializer, generator(seed, "weights", len(model.hidden) + 1))
    modules["output"] = output
    return nn.Sequential(modules)


def linears(network: nn.Module, root: str = "model") -> dict[str, nn.Linear]:
    """The linear layers in forward order by site: {"model.linear1": …, "model.output": …}."""
    return {f"{root}.{name}": m for name, m in network.named_modules() if isinstance(m, nn.Linear)}
