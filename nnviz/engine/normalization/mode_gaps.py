"""The gap between a network in training mode and in evaluation mode, over the batch size and over the momentum of batch
norm."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine.normalization.batch_statistics import batch_norms, with_averages, with_batch_statistics

BATCH_SIZES = (2, 4, 8, 16, 64, 256)
MOMENTA = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)

MOST_SEEN = 100
"""Steps whose averages are kept until they are followed."""

Measure = Callable[[Tensor], tuple[float, float]]
"""Outputs (n, outputs) -> their loss, and accuracy or NaN."""


def relative_gap(outputs: Tensor, reference: Tensor) -> float:
    """Root mean square difference of outputs, as a fraction of the root mean square of the reference."""
    scale = reference.square().mean().sqrt()
    return float((outputs - reference).square().mean().sqrt() / scale) if scale > 0 else 0.0


@torch.no_grad()
def over_batch_sizes(network: nn.Module, x: Tensor, measure: Measure) -> dict[str, np.ndarray]:
    """Inputs x (n, …), n at most 256, once in evaluation mode and in batches of 2 to n with the batches' statistics.

    `batch_sizes` (k,), `gap`, `loss` and `accuracy` (k,) over all batches; `eval_loss` and `eval_accuracy`. No dropout.
    """
    reference = network(x)
    # Of a smaller training set the largest batch is all of it.
    sizes = [size for size in BATCH_SIZES if size < len(x)] + [min(len(x), BATCH_SIZES[-1])]
    found = []
    for size in sizes:
        whole = len(x) // size * size
        with with_batch_statistics(network, size):
            outputs = network(x[:whole])
        found.append((relative_gap(outputs, reference[:whole]), *measure(outputs)))
    return {"batch_sizes": np.array(sizes), **_columns(found, measure(reference))}


class AveragesReplay:
    """Running averages of batch norm with several momenta at once, from the same batches as the network's own.

    What a batch's mean and variance were is read from the change of the network's averages, so that no layer is
    computed again.
    """

    def __init__(self, network: nn.Module) -> None:
        self.norms = list(batch_norms(network).values())
        own = {float(norm.momentum) for norm in self.norms}
        self.own = own.pop() if len(own) == 1 and min(own) > 0 else None
        if self.own is None:  # frozen averages show nothing of the batches
            return
        self._buffers = [t for norm in self.norms for t in (norm.running_mean, norm.running_var)]
        self._seen = [self._now()]
        # Rounding errors of what a batch contributed grow with 1/m.
        self._averages = self._seen[0].cpu().double().repeat(len(MOMENTA), 1)
        self.batch: Tensor | None = None

    def _now(self) -> Tensor:
        return torch.cat(self._buffers)

    def after_step(self) -> None:
        """Keeps the network's averages, from which `averages` follow many steps at once."""
        if self.own is None:
            return
        self._seen.append(self._now())
        if len(self._seen) > MOST_SEEN:
            self._follow()

    def _follow(self) -> None:
        """Σₖ m(1 − m)ᵏ of the batches since the last time, the newest k = 0, besides the averages before."""
        if len(self._seen) < 2:
            return
        seen = torch.stack(self._seen).cpu().double()  # there is no double precision on MPS
        batches = seen[:-1] + (seen[1:] - seen[:-1]) / self.own
        m = torch.tensor(MOMENTA, dtype=torch.float64)[:, None]
        age = torch.arange(len(batches) - 1, -1, -1, dtype=torch.float64)
        self._averages = (m * (1 - m) ** age) @ batches + (1 - m) ** len(batches) * self._averages
        self.batch, self._seen = batches[-1], self._seen[-1:]

    @property
    def averages(self) -> Tensor:
        """(momenta, statistics of all layers), float64 on the CPU."""
        self._follow()
        return self._averages

    def of_batch(self) -> dict[nn.Module, tuple[Tensor, Tensor]]:
        """The last batch's mean and unbiased variance by layer; {} before the first step."""
        if self.own is None:
            return {}
        self._follow()
        return {} if self.batch is None else self._apart(self.batch)

    def _apart(self, flat: Tensor) -> dict[nn.Module, tuple[Tensor, Tensor]]:
        parts = iter(flat.split([n.num_features for n in self.norms for _ in range(2)]))
        return {norm: (next(parts), next(parts)) for norm in self.norms}

    @torch.no_grad()
    def over_momenta(self, network: nn.Module, x: Tensor, size: int, measure: Measure) -> dict[str, np.ndarray]:
        """Inputs x (n, …) in evaluation mode with the averages of each momentum, against batches of `size`.

        `momenta` (k,), `gap`, `loss` and `accuracy` (k,); `eval_loss` and `eval_accuracy` are of the network's own
        averages. {} where there are none.
        """
        if self.own is None:
            return {}
        whole = len(x) // size * size
        with with_batch_statistics(network, size):
            reference = network(x[:whole])
        found = []
        for row in self.averages.to(dtype=x.dtype, device="cpu"):
            with with_averages(self._apart(row.to(x.device))):
                outputs = network(x[:whole])
            found.append((relative_gap(outputs, reference), *measure(outputs)))
        return {"momenta": np.array(MOMENTA), **_columns(found, measure(network(x[:whole])))}

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on."""
        if self.own is None:
            return {}
        # As whole numbers, which any device can load.
        return {"averages": self.averages.view(torch.int32), "seen": self._seen[-1]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads what there is; without it the averages go on from the network's own."""
        if self.own is None:
            return
        self._seen, self.batch = [state.get("seen", self._now())], None
        if "averages" in state:
            self._averages = state["averages"].cpu().view(torch.float64)
        else:
            self._averages = self._seen[0].cpu().double().repeat(len(MOMENTA), 1)


def _columns(found: Sequence[tuple[float, float, float]], reference: tuple[float, float]) -> dict[str, np.ndarray]:
    gap, loss, accuracy = np.array(found, float).reshape(-1, 3).T
    columns = {"gap": gap, "loss": loss, "accuracy": accuracy}
    return columns | {"eval_loss": np.array(reference[0]), "eval_accuracy": np.array(reference[1])}
