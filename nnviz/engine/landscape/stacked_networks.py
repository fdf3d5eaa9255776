"""A feed-forward network at many points of a slice at once.

Activations are (points, units, samples): samples run fastest, so that products, softmax and accuracy are vectorized
over the samples even for thin layers. The first layer is linear in the weights and the inputs are the same at every
point, so it is computed once for the center and for each direction; at a point it is only their sum.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from nnviz.engine.activations import Step
from nnviz.engine.landscape import batched_accuracy
from nnviz.engine.losses import LossFunction, MeanCrossEntropy
from nnviz.engine.models.dropouts import Dropout, SpatialDropout

ELEMENTWISE = {
    *(nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softsign, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Softplus, nn.Hardtanh, nn.ReLU6, nn.Hardswish, nn.Hardsigmoid, nn.LogSigmoid, nn.Tanhshrink, Step),
}
MAX_ENTRIES = {"cpu": 2**18, "cuda": 2**26}
"""Entries of one activation in memory at once: 1 MB in float32 on a CPU. More does not fit its cache, and the allocator
returns larger blocks to the system after each use, which is slow."""
MIN_POINTS = 8
"""Up to this many points at once, hidden activations may be four times as large: with fewer points the overhead of
calls is larger than the gain from the cache."""
MAX_POINTS = 512
"""Points at once; more are not faster."""
ALIGNMENT = 16
"""Samples are padded to a multiple of this, since unaligned vectors are slower."""
IDENTITY_IN_EVALUATION = {nn.Identity, nn.Dropout, nn.AlphaDropout, Dropout, SpatialDropout}
"""Modules that do nothing in evaluation mode."""


def stackable_layers(module: nn.Module, inputs: Tensor) -> list[nn.Module] | None:
    """The layers of a network that can be stacked, else None. It must be a Sequential of linear layers, batch norm with
    running statistics, elementwise activations, PReLU and dropout, without hooks, that begins with a linear layer, or
    with one that flattens the inputs."""
    modules, flat = [], inputs.dim() == 2
    for m in _leaves(module):
        if m._forward_hooks or m._forward_pre_hooks:
            return None
        has_statistics = type(m) is nn.BatchNorm1d and m.running_mean is not None
        if has_statistics or type(m) in ELEMENTWISE | {nn.Linear, nn.PReLU}:
            modules.append(m)
        elif type(m) is nn.Flatten and not modules and (m.start_dim, m.end_dim) == (1, -1):
            flat = True
        elif type(m) not in IDENTITY_IN_EVALUATION:
            return None
    return modules if modules and type(modules[0]) is nn.Linear and flat else None


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    if type(module) is nn.Sequential and not (module._forward_hooks or module._forward_pre_hooks):
        for child in module:
            yield from _leaves(child)
    else:
        yield module


class Stack:
    """A network's outputs at center + Σ coordinate · direction, for many coordinates at once."""

    def __init__(
        self, module: nn.Module, modules: Sequence[nn.Module], points: Sequence[Sequence[Tensor]], inputs: Tensor
    ) -> None:
        """`points` are the center and the directions, each a list of tensors along `module.parameters()`; inputs are
        (n, …)."""
        self.modules = modules
        self.n = len(inputs)
        padded = F.pad(inputs.flatten(1).T, (0, -self.n % ALIGNMENT))
        index = {p: i for i, p in enumerate(module.parameters())}
        first = modules[0]
        coefficients = []  # W·x + b of the center and of each direction, (units, n) each
        for weights in points:
            product = weights[index[first.weight]] @ padded
            coefficients.append(product if first.bias is None else product + weights[index[first.bias]][:, None])
        self.first = torch.stack(coefficients).flatten(1)
        later = dict.fromkeys(p for m in modules[1:] for p in m.parameters())
        self.shapes = {p: p.shape for p in later}
        flat = [torch.cat([inputs.new_empty(0), *(w[index[p]].flatten() for p in later)]) for w in points]
        self.later_parameters = torch.stack(flat)
        widths = [m.out_features for m in modules if isinstance(m, nn.Linear)]
        self.width, self.samples = widths[-1], padded.shape[1]
        hidden = self.samples * max(widths)
        self.max_points = _points_that_fit(inputs.device, max(self.n * self.width, len(flat[0])))
        """Points to evaluate at once."""
        self.at_once = max(
            _points_that_fit(inputs.device, hidden),
            min(MIN_POINTS, self.max_points, _points_that_fit(inputs.device, hidden / 4)),
        )
        self.buffers = [inputs.new_empty(self.at_once * hidden) for _ in range(2)]

    def outputs(self, coordinates: Tensor) -> Tensor:
        """(points, outputs, n) at coordinates (points, directions)."""
        coefficients = F.pad(coordinates, (1, 0), value=1)
        parts = (coefficients @ self.later_parameters).split([shape.numel() for shape in self.shapes.values()], 1)
        at = {p: part.unflatten(1, shape) for (p, shape), part in zip(self.shapes.items(), parts, strict=True)}
        outputs = coefficients.new_empty(len(coefficients), self.width, self.n)
        for start in range(0, len(coefficients), self.at_once):
            part = slice(start, start + self.at_once)
            self._fill(coefficients[part], {p: t[part] for p, t in at.items()}, outputs[part])
        return outputs

    def _fill(self, coefficients: Tensor, at: dict[Tensor, Tensor], outputs: Tensor) -> None:
        """Writes the outputs at some points into `outputs`; `coefficients` is (points, 1 + directions), 1 for the
        center, and `at` has the later parameters at each point."""
        k = len(coefficients)
        buffer, other = self.buffers
        h = torch.mm(coefficients, self.first, out=buffer[: k * self.first.shape[1]].view(k, -1)).view(
            k, -1, self.samples
        )
        for layer in self.modules[1:]:
            if isinstance(layer, nn.Linear):
                weight = at[layer.weight]
                if layer is self.modules[-1]:
                    h = torch.bmm(weight, h[..., : self.n], out=outputs)
                else:
                    out = other[: k * weight.shape[1] * self.samples].view(k, -1, self.samples)
                    h = torch.bmm(weight, h, out=out)
                buffer, other = other, buffer
                if layer.bias is not None:
                    h += at[layer.bias][..., None]
            else:
                h = _forward(layer, at, h)
        if h is not outputs:
            outputs.copy_(h[..., : self.n])


def _points_that_fit(device: torch.device, each: float) -> int:
    """Points at once, if each takes this many entries."""
    return max(1, min(MAX_POINTS, int(MAX_ENTRIES.get(device.type, MAX_ENTRIES["cpu"]) / max(1, each))))


def _forward(layer: nn.Module, at: dict[Tensor, Tensor], h: Tensor) -> Tensor:
    """A layer between linear ones on h (points, units, n), which may be overwritten, with the parameters `at` each
    point."""
    match layer:
        case nn.ReLU():
            return h.relu_()
        case nn.Tanh():
            return h.tanh_()
        case nn.Sigmoid():
            return h.sigmoid_()
        case nn.BatchNorm1d():
            scale = (layer.running_var + layer.eps).rsqrt()[:, None]
            if not layer.affine:
                return h.sub_(layer.running_mean[:, None]).mul_(scale)
            scale = scale * at[layer.weight][..., None]
            return h.mul_(scale).add_(at[layer.bias][..., None] - layer.running_mean[:, None] * scale)
        case nn.PReLU():
            return torch.where(h > 0, h, at[layer.weight][..., None] * h)
    return layer(h)


class Measure:
    """A loss, or another measure, of the outputs at many points for the targets of one data set."""

    def __init__(self, function: LossFunction, outputs: Tensor, targets: Tensor) -> None:
        """`outputs` (1, outputs, n) are an example."""
        self.function, self.targets = function, targets
        is_class = targets.dim() == 1 and not targets.is_floating_point() and bool((targets >= 0).all())
        self.is_accuracy = is_class and function is batched_accuracy.accuracy
        self.tie_break = batched_accuracy.tie_break(outputs[0], targets) if self.is_accuracy else None
        self.smoothing = function.label_smoothing if is_class and isinstance(function, MeanCrossEntropy) else None

    def __call__(self, outputs: Tensor) -> Tensor:
        """function((n, outputs), targets) at each point of outputs (points, outputs, n) -> (points,): all points at
        once, or one by one where the function cannot be batched."""
        if self.is_accuracy:
            return batched_accuracy.stacked(outputs, self.targets, self.tie_break)
        if self.smoothing is not None:
            return cross_entropy(outputs, self.targets, self.smoothing)
        try:
            return vmap(lambda z: self.function(z.T, self.targets))(outputs)
        except RuntimeError:
            return torch.stack([self.function(z.T, self.targets) for z in outputs])


def cross_entropy(outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of outputs (points, classes, n) and classes (n,) -> (points,), along the samples: with few
    classes ten times as fast as F.cross_entropy of (n, classes), which is not vectorized over samples."""
    points, _, n = outputs.shape
    log_probabilities = outputs.log_softmax(1)
    loss = -log_probabilities.gather(1, targets.expand(points, 1, n)).mean((1, 2))
    return (1 - smoothing) * loss - smoothing * log_probabilities.mean((1, 2)) if smoothing else loss
