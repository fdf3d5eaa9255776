"""A supervised network with dropout at one step: the masks of its update, and its predictions over many masks."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import losses
from nnviz.engine.models import Dropout, dropouts, thinned_networks
from nnviz.engine.snapshots.input_axes import axis, plane
from nnviz.engine.snapshots.module_layers import is_layer
from nnviz.records import Record, Scalar, Snapshot
from nnviz.spec import learners
from nnviz.spec.models import SHOWN_UNITS
from nnviz.spec.shapes import is_image

MASKS = 30
"""Random masks over which predictions are averaged, the same at every step."""

SHOWN_SAMPLES = 4
"""Samples of a mini-batch whose masks are recorded."""

TEST_SAMPLES, TRAIN_SAMPLES = 128, 16
"""Samples whose predictions and whose activations are compared between masks, at most."""

SIDE, POINTS = 20, 100
"""Points along each side of the map of uncertainty, and of its curve over a single input."""

UNCERTAIN_SAMPLES = 8
"""Test samples with the most uncertain predictions that are recorded."""

SHARE = 0.03
"""About how much of the time of training the predictions over masks may take."""

STEP_WORK, ENTRY_WORK = 6e7, 200
"""Multiply-adds that take as long as all that does not grow with the network in a step, probes and evaluations every 10
steps included; and as long as one activation. Measured on one core."""


class DropoutSnapshots:
    """What is recorded of a network that has dropout."""

    def __init__(
        self,
        learner: learners.Supervised,
        network: nn.Module,
        parts: dict[str, tuple[Tensor, Tensor]],
        inputs: Tensor,
        seed: int,
    ) -> None:
        """`parts` are inputs and targets of "train" and "test", `inputs` (n, …) all of them, on the CPU."""
        self.spec, self.network, self.seed = learner, network, seed
        self.dropouts = dropouts.find(network)
        self.layers = _layers_before(network)
        device = parts["train"][0].device
        train = parts["train"][0][:TRAIN_SAMPLES]
        network.eval()
        self.units = thinned_networks.shapes(network, self.dropouts, train)
        network.train()
        masks = thinned_networks.masks(self.dropouts, self.units, MASKS, seed)
        self.are_all, self.weights = masks.are_all, masks.weights.to(device, torch.float32)
        # The last mask drops nothing: weight scaling.
        self.factors = [torch.cat([f, torch.ones_like(f[:1])]).to(device) for f in masks.factors]
        self.axes: dict[str, np.ndarray] = {}
        points = train[:0]
        if learner.data.shape == (2,):
            x, y, points = plane(inputs, SIDE)
            self.axes = {"x": x.numpy(), "y": y.numpy()}
        elif learner.data.shape == (1,):
            points = axis(inputs, 0, POINTS)[:, None]
            self.axes = {"x": points[:, 0].numpy()}
        self.test = tuple(t[:TEST_SAMPLES] for t in parts["test"])
        self.inputs = torch.cat([train, self.test[0], points.to(device)])
        self.counts = [len(train), len(self.test[0]), len(points)]

    @property
    def every(self) -> int:
        """At every how many evaluations predictions over masks are made, so that they take about `SHARE` of the time
        where there are ten steps between two evaluations."""
        size = self.spec.size
        batch = min(self.spec.batch_size, self.spec.train_size)
        rows = len(self.inputs) * len(self.factors[0])
        sample = size.work + ENTRY_WORK * (size.entries + 16)  # and what is made of its outputs
        return max(1, round(rows * sample / (SHARE * 10 * (3 * batch * sample + STEP_WORK))))

    def masks(self, step: int, batch: int) -> Snapshot:
        """Of update `step`, whose mini-batch has so many samples; at step 0 of the first."""
        device = self.inputs.device
        dropouts.reset(self.dropouts, self.seed, max(1, step))
        arrays: dict[str, np.ndarray] = {"step": np.array(max(1, step))}
        for layer, dropout, units in zip(self.layers, self.dropouts, self.units, strict=True):
            mask = dropout.draw((batch, *units), device)[:SHOWN_SAMPLES].flatten(1)
            arrays[f"mask_{layer}"] = mask[:, : None if layer == 0 and self.has_image else SHOWN_UNITS].cpu().numpy()
            arrays[f"kept_{layer}"] = mask.sum(1).cpu().numpy().astype(np.int32)
            arrays[f"units_{layer}"] = np.array(mask.shape[1])
            arrays[f"rate_{layer}"] = np.array(dropout.p)
        return Snapshot(step, "dropout_masks", arrays, "model")

    @property
    def has_image(self) -> bool:
        """Whether the inputs are pixels, which are drawn as one image."""
        return is_image(self.spec.data.shape)

    @torch.no_grad()
    def predictions(self, step: int) -> Iterator[Record]:
        """Of the network in evaluation mode, over masks."""
        kept = self.counts[0]
        found, seen = thinned_networks.outputs(self.network, self.dropouts, self.factors, self.inputs, kept)
        _, test, points = found.split(self.counts, 1)
        yield Snapshot(step, "dropout_activations", self._activations(seen), "model")
        if self.spec.data.classes:
            if len(test[0]):
                yield from self._averages(step, test)
                if not self.axes:
                    yield Snapshot(step, "uncertain_samples", self._uncertain(test))
            if self.axes:
                yield Snapshot(step, "uncertainty", self.axes | self._spread(self._probabilities(points)))
        elif self.axes:
            yield Snapshot(step, "uncertainty", self.axes | self._spread(points))

    def _probabilities(self, outputs: Tensor) -> Tensor:
        """(K + 1, n, outputs) -> (K + 1, n, classes)."""
        return losses.probabilities(self.spec.loss, outputs.flatten(0, 1)).unflatten(0, outputs.shape[:2])

    def _mean(self, values: Tensor) -> Tensor:
        """The mean over masks of values (K, …)."""
        return torch.tensordot(self.weights, values, 1)

    def _activations(self, seen: Sequence[Tensor]) -> dict[str, np.ndarray]:
        """Of each dropout's first units on the first training samples (entries,): in evaluation mode, and mean and
        standard deviation over masks."""
        arrays: dict[str, np.ndarray] = {"masks": np.array(len(self.weights)), "all_masks": np.array(self.are_all)}
        for layer, dropout, values in zip(self.layers, self.dropouts, seen, strict=True):
            values = values.flatten(2)[:, :, :SHOWN_UNITS].flatten(1)
            mean = self._mean(values[:-1])
            found = {"eval": values[-1], "mean": mean, "std": self._mean((values[:-1] - mean).square()).sqrt()}
            arrays |= {f"{name}_{layer}": t.cpu().numpy() for name, t in found.items()}
            arrays[f"rate_{layer}"] = np.array(dropout.p)
        return arrays

    def _spread(self, values: Tensor) -> dict[str, np.ndarray]:
        """Of predictions (K + 1, n, classes or 1): mean and standard deviation over masks, and of probabilities the
        mutual information of class and mask in bits; `scaled` is the prediction of weight scaling. Points of a plane
        as (side, side, …)."""
        mean = self._mean(values[:-1])
        found = {"mean": mean, "std": self._mean((values[:-1] - mean).square()).sqrt(), "scaled": values[-1]}
        if self.spec.data.classes:
            found["information"] = (_entropy(mean) - self._mean(_entropy(values[:-1]))).clamp_min(0)
        if "y" in self.axes:
            found = {name: t.unflatten(0, (SIDE, SIDE)) for name, t in found.items()}
        arrays = {name: t.cpu().numpy().astype(np.float32) for name, t in found.items()}
        return arrays | {"masks": np.array(len(self.weights)), "all_masks": np.array(self.are_all)}

    def _averages(self, step: int, outputs: Tensor) -> Iterator[Record]:
        """Weight scaling, and the arithmetic and the geometric mean of the thinned networks' probabilities, on test
        samples: probabilities of the true class, loss (minus their logarithm) and accuracy."""
        y = self.test[1]
        logs = losses.log_probabilities(self.spec.loss, outputs.flatten(0, 1)).unflatten(0, outputs.shape[:2])
        thinned = logs[:-1]
        averages = {
            "weight_scaling": logs[-1],
            "arithmetic_mean": self._mean(thinned.exp()).log(),
            "geometric_mean": self._mean(thinned).log_softmax(1),
        }
        true, arrays = y[:, None], {}
        for site, log in averages.items():
            p = log.gather(1, true)[:, 0]
            arrays[site] = p.exp().cpu().numpy()
            yield Scalar(step, "mask_average_loss", -float(p.mean()), site)
            yield Scalar(step, "mask_average_accuracy", float((log.argmax(1) == y).float().mean()), site)
        p = thinned.gather(2, true.expand(len(thinned), -1, -1))[..., 0]
        yield Scalar(step, "mask_average_loss", -float(self._mean(p).mean()), "one_mask")
        right = (thinned.argmax(2) == y).float().mean(1)
        yield Scalar(step, "mask_average_accuracy", float(self._mean(right)), "one_mask")
        arrays |= {"true": y.cpu().numpy(), "masks": np.array(len(thinned)), "all_masks": np.array(self.are_all)}
        yield Snapshot(step, "mask_averages", arrays)

    def _uncertain(self, outputs: Tensor) -> dict[str, np.ndarray]:
        """The test samples with the largest mutual information of class and mask."""
        spread = self._spread(self._probabilities(outputs))
        worst = np.argsort(-spread["information"], kind="stable")[:UNCERTAIN_SAMPLES]
        picked = {name: spread[name][worst] for name in ("mean", "std", "information", "scaled")}
        x, y = (t.cpu().numpy()[worst] for t in self.test)
        return picked | {"inputs": x, "true": y, "masks": spread["masks"], "all_masks": spread["all_masks"]}


def _entropy(p: Tensor) -> Tensor:
    """In bits, of probabilities (…, classes)."""
    return torch.special.entr(p).sum(-1) / np.log(2)


def _layers_before(network: nn.Module) -> list[int]:
    """How many layers there are before each dropout."""
    found, layers = [], 0
    for module in network.modules():
        layers += is_layer(module)
        if isinstance(module, Dropout):
            found.append(layers)
    return found
