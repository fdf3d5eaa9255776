"""Model specs -> torch modules with names that mean something: linear1, norm1, activation1, dropout1, …, output."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

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


class Skipping(nn.Module):
    """Layers one after another; what enters a hidden layer is added to what leaves it, where both are equally wide.

    He et al., 2016, arXiv:1512.03385, without the second layer of a block and with the sum after the activation.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features) -> (batch, outputs)."""
        for _, out in self.walk(x):
            x = out
        return x

    def walk(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """See `walk`."""
        entered = x
        for name, module in self.named_children():
            if name == "output" or name.startswith("linear"):
                # Of what leaves a layer only the sum goes on.
                x = x + entered if x is not entered and x.shape == entered.shape else x
                entered = x
            x = module(x)
            yield name, x


def walk(network: nn.Module, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What each module makes of x, by name in forward order; the last is the network's output."""
    if isinstance(network, Skipping):
        yield from network.walk(x)
        return
    for name, module in network.named_children():
        x = module(x)
        yield name, x


def build(model: spec.Model, features: int, outputs: int, seed: int) -> nn.Module:
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
    return Skipping(modules) if model.skip else nn.Sequential(modules)


def linears(network: nn.Module, root: str = "model") -> dict[str, nn.Linear]:
    """The linear layers in forward order by site: {"model.linear1": …, "model.output": …}."""
    return {f"{root}.{name}": m for name, m in network.named_modules() if isinstance(m, nn.Linear)}
