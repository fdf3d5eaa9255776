"""Multilayer perceptrons as modules named linear1, norm1, activation1, dropout1, …, output."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, nn

from nnviz.engine import activations, initializers
from nnviz.engine.models import dropouts, norms
from nnviz.engine.randomness import generator
from nnviz.spec import models as spec
from nnviz.spec.shapes import Shape, numbers


class ResidualMLP(nn.Module):
    """Layers in sequence; the input of a hidden layer is added to its output where both have the same width.

    He et al., 2016, arXiv:1512.03385, without the second layer of a block and with the sum after the activation.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, *inputs) -> (batch, outputs)."""
        for _, out in self.module_outputs(x):
            x = out
        return x

    def module_outputs(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """See `module_outputs`."""
        return ((name, out) for name, _, out in in_sequence(self.named_children(), x, skip=True))


def in_sequence(
    modules: Iterable[tuple[str, nn.Module]], x: Tensor, skip: bool
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """What goes into each module and what comes out, by name; with `skip` the input of a layer is added to its output
    where both have the same shape."""
    layer_input = x
    for name, module in modules:
        if skip and (name == "output" or name.startswith("linear")):
            # The next layer gets the sum alone.
            x = x + layer_input if x is not layer_input and x.shape == layer_input.shape else x
            layer_input = x
        out = module(x)
        yield name, x, out
        x = out


def module_outputs(network: nn.Module, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The output of each module for x, by name in forward order; the last is the network's output."""
    if isinstance(network, ResidualMLP):
        yield from network.module_outputs(x)
        return
    for name, module in network.named_children():
        x = module(x)
        yield name, x


def build(model: spec.Feedforward, inputs: Shape, outputs: int, seed: int) -> nn.Module:
    """The network: (batch, *inputs) -> (batch, outputs). Each layer draws its weights from its own random stream, on
    the CPU, so that networks that differ elsewhere (norm, more layers) start from the same weights."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    if len(inputs) > 1:
        modules["flatten"] = nn.Flatten()
    if (dropout := dropouts.of_inputs(model.dropout)) is not None:
        modules["input_dropout"] = dropout
    width = numbers(inputs)
    for number, hidden in enumerate(model.hidden, 1):
        # Batch norm's own shift takes over.
        linear = nn.Linear(width, hidden.width, bias=model.bias and not model.norm.replaces_bias)
        initializers.fill(linear, model.initializer, generator(seed, "weights", number))
        modules[f"linear{number}"] = linear
        norm = norms.build(model.norm, hidden.width)
        if norm is not None and model.norm.place == "before":
            modules[f"norm{number}"] = norm
        modules[f"activation{number}"] = activations.build(hidden.activation)
        if norm is not None and model.norm.place == "after":
            modules[f"norm{number}"] = norm
        if (dropout := dropouts.build(model.dropout)) is not None:
            modules[f"dropout{number}"] = dropout
        width = hidden.width
    output = nn.Linear(width, outputs, bias=model.bias)
    initializers.fill(output, model.initializer, generator(seed, "weights", len(model.hidden) + 1))
    modules["output"] = output
    return ResidualMLP(modules) if model.skip else nn.Sequential(modules)


def linears(network: nn.Module, root: str = "model") -> dict[str, nn.Linear]:
    """The linear layers in forward order by site: {"model.linear1": …, "model.output": …}."""
    return {f"{root}.{name}": m for name, m in network.named_modules() if isinstance(m, nn.Linear)}
