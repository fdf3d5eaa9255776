"""Generator and discriminator of images at one step -> grids of samples, and measures of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import image_classifier
from nnviz.engine.data.image_set import ImageSet, to_pixels
from nnviz.engine.models import image_networks
from nnviz.engine.randomness import generator
from nnviz.engine.snapshots import discriminator_output, image_quality
from nnviz.records import Record, Scalar, Snapshot
from nnviz.spec import learners as spec
from nnviz.spec.learners.adversarial_images import GRID, INTERPOLATIONS, MEASURED
from nnviz.spec.noise_sources import NormalNoise

TOGETHER = 100
"""Images in one forward pass, whose activations fit into a core's cache."""


class ImageSnapshots:
    """Pictures of one learner, always of the same noise and labels."""

    def __init__(
        self,
        learner: spec.ImageAdversarial,
        seed: int,
        device: torch.device,
        images: ImageSet,
        noise: Callable[[int, torch.Generator], Tensor],
    ) -> None:
        self.spec, self.seed, self.device, self.set, self._noise = learner, seed, device, images, noise
        self.classes = learner.data.classes

    @cached_property
    def labels(self) -> Tensor:
        """Of the generated samples that are measured, all classes alike, then of the grid, (MEASURED + GRID²,)."""
        measured = torch.arange(MEASURED, device=self.device) % max(1, self.classes)
        return torch.cat([measured, self._grid_labels])

    @cached_property
    def noise(self) -> Tensor:
        """Of the same, (MEASURED + GRID², dimensions). In the grid the n-th sample of every class has the n-th noise
        where the generator gets classes: with ten of them, a row has one noise."""
        drawn = self._noise(GRID**2 + MEASURED, generator(self.seed, "picture noise"))
        grid = drawn[: GRID**2]
        if self.spec.is_conditional:
            is_of = self._grid_labels[:, None] == torch.arange(self.classes, device=self.device)
            grid = grid[is_of.cumsum(0)[is_of] - 1]
        return torch.cat([drawn[GRID**2 :], grid])

    @cached_property
    def between(self) -> Tensor:
        """Noise on the way from one point to another, (INTERPOLATIONS · GRID, dimensions)."""
        ends = self._noise(2 * INTERPOLATIONS, generator(self.seed, "interpolated noise")).reshape(
            INTERPOLATIONS, 2, -1
        )
        along = torch.linspace(0, 1, GRID, device=self.device)[:, None]
        rows = [interpolated(a, b, along, isinstance(self.spec.noise, NormalNoise)) for a, b in ends]
        return torch.cat(rows)

    @cached_property
    def _measured(self) -> Tensor:
        """Real images that samples are compared with: indices (MEASURED,)."""
        drawn = torch.randint(len(self.set.images), (MEASURED,), generator=generator(self.seed, "compared"))
        return drawn.to(self.device)

    @cached_property
    def _grid_labels(self) -> Tensor:
        """(GRID²,): a column a class; fewer classes have neighboring columns, more follow one another."""
        place, k = torch.arange(GRID**2, device=self.device), max(1, self.classes)
        return place % GRID * k // GRID if k <= GRID else place % k

    @cached_property
    def _row_labels(self) -> Tensor:
        """Of each row of the interpolation, (INTERPOLATIONS,)."""
        return torch.arange(INTERPOLATIONS, device=self.device) * max(1, self.classes) // INTERPOLATIONS

    @cached_property
    def _classifier(self) -> image_classifier.Classifier:
        return image_classifier.trained(self.spec.data, self.set, self.seed)

    @cached_property
    def _real_fractions(self) -> Tensor:
        return torch.bincount(self.set.labels, minlength=self.classes) / len(self.set.labels)

    @cached_property
    def _neighbors(self) -> image_quality.Neighbors:
        return image_quality.Neighbors(self.set.images)

    @cached_property
    def _halves(self) -> tuple[Tensor, Tensor]:
        """Indices of real images that are compared with samples and with each other, each at most MEASURED, none
        twice."""
        drawn = torch.randperm(len(self.set.images), generator=generator(self.seed, "compared halves"))
        first, second = drawn[: 2 * MEASURED].to(self.device).chunk(2)
        return first, second

    @cached_property
    def _discrepancy(self) -> image_quality.PixelDiscrepancy:
        return image_quality.PixelDiscrepancy(self.set.images[self._halves[0]])

    def begin(self) -> list[Record]:
        """Snapshot "real_images": images (n, height, width, channels) uint8, at most GRID²; of labeled data their
        labels (n,), placed as in the grid of samples; class_names (classes,); notes on files that were skipped. And
        what measures of the samples are compared with: the same of real images, and the classifier's accuracy."""
        arrays = {
            "class_names": np.array(self.set.class_names, dtype=str),
            "notes": np.array(self.set.notes, dtype=str),
        }
        shown = torch.arange(min(GRID**2, len(self.set.images)))
        if self.classes:
            shown = self._examples()
            arrays["labels"] = self.set.labels.cpu()[shown].numpy()
        records: list[Record] = [
            Snapshot(0, "real_images", {"images": to_pixels(self.set.images[shown]).numpy(), **arrays})
        ]
        real = self.set.images[self._measured]
        classes = self.set.labels[self._measured] if self.classes else None
        found = {
            "diversity": image_quality.diversity(real, classes),
            "nearest_distance": self._neighbors.typical,
            "pixel_discrepancy": self._discrepancy.of(self.set.images[self._halves[1]]),
        }
        if self.classes:
            held_out = self.set.images[self._classifier.held_out.to(self.device)]
            sure = self._classifier.probabilities(held_out).amax(1) > image_classifier.CONFIDENT_FROM
            found |= {
                "classifier_accuracy": self._classifier.accuracy,
                "confident_fraction": float(sure.float().mean()),
            }
        return records + [Scalar(0, name, value, "real") for name, value in found.items()]

    def _examples(self) -> Tensor:
        """Indices of real images with the labels of the grid, each once where there are enough, (GRID²,)."""
        labels, used, found = self.set.labels.cpu(), [0] * self.classes, []
        places = [torch.nonzero(labels == c).flatten().tolist() for c in range(self.classes)]
        for c in self._grid_labels.tolist():
            if places[c]:
                found.append(places[c][used[c] % len(places[c])])
                used[c] += 1
        return torch.tensor(found)

    @torch.no_grad()
    def draw(
        self,
        step: int,
        judged: nn.Module,
        trained: nn.Module,
        discriminator: nn.Module,
        watching: AbstractContextManager[None],
        is_brief: bool = False,
    ) -> Iterator[Record]:
        """Pictures and measures of the samples of the generator `judged`, which may be the average of the one that is
        `trained`. All are in evaluation mode. `watching` sees the latter and the discriminator.

        Snapshots: "sample_grid", images (GRID², height, width, channels) uint8 row by row, and labels (GRID²,) where
        the generator gets them; "interpolation", images (INTERPOLATIONS, GRID, …), and labels (INTERPOLATIONS,);
        "nearest_real", the first row of the grid and its nearest real images, see `image_quality.Neighbors`; of labeled
        data "class_histogram". The second and the third are left out where it `is_brief`."""
        real, own = self.set.images[self._measured], self.set.labels[self._measured]
        with watching:
            first = self._made(trained, self.noise[:TOGETHER], self.labels[:TOGETHER])
            on_first = self._judge(discriminator, real[:TOGETHER], own[:TOGETHER])
        if judged is trained:
            made = torch.cat([first, self._made(trained, self.noise[TOGETHER:], self.labels[TOGETHER:])])
        else:
            made = self._made(judged, self.noise, self.labels)
        measured, grid = made[:MEASURED], made[MEASURED:]
        on_real = torch.cat([on_first, self._judge(discriminator, real[TOGETHER:], own[TOGETHER:])]).cpu()
        on_made = self._judge(discriminator, measured, self.labels[:MEASURED]).cpu()
        labels = {"labels": self._grid_labels.cpu().numpy()} if self.spec.is_conditional else {}
        yield Snapshot(step, "sample_grid", {"images": to_pixels(grid).numpy(), **labels})
        if not is_brief:
            yield self._interpolation(step, judged)
            yield from self._nearest(step, grid, measured)
        predicted = self.labels[:MEASURED] if self.spec.is_conditional else None
        if self.classes:
            probabilities = self._classifier.probabilities(measured)
            yield from self._of_classes(step, probabilities)
            if predicted is None:
                predicted = probabilities.argmax(1)
        if bool(measured.isfinite().all()):
            yield Scalar(step, "diversity", image_quality.diversity(measured, predicted), "generated")
            yield Scalar(step, "pixel_discrepancy", self._discrepancy.of(measured), "generated")
        yield from discriminator_output.means(step, self.spec.objective, on_real, on_made)
        yield discriminator_output.histogram(step, self.spec.objective, on_real, on_made)

    def _interpolation(self, step: int, judged: nn.Module) -> Snapshot:
        images = to_pixels(self._made(judged, self.between, self._row_labels.repeat_interleave(GRID))).numpy()
        arrays = {"images": images.reshape(INTERPOLATIONS, GRID, *images.shape[1:])}
        if self.spec.is_conditional:
            arrays["labels"] = self._row_labels.cpu().numpy()
        return Snapshot(step, "interpolation", arrays)

    def _nearest(self, step: int, grid: Tensor, measured: Tensor) -> Iterator[Record]:
        row, others = grid[:GRID], measured[: image_quality.COMPARED]
        if not bool(row.isfinite().all() & others.isfinite().all()):
            return
        index, distance = self._neighbors.of(torch.cat([row, others]))
        yield Scalar(step, "nearest_distance", float(distance[GRID:].median()), "generated")
        arrays = {
            "generated": to_pixels(row).numpy(),
            "nearest": to_pixels(self.set.images[index[:GRID]]).numpy(),
            "distance": distance[:GRID].cpu().numpy(),
            "typical": np.array([self._neighbors.typical]),
        }
        yield Snapshot(step, "nearest_real", arrays)

    def _of_classes(self, step: int, probabilities: Tensor) -> Iterator[Record]:
        """Measures by the classifier's probabilities of each class, (MEASURED, classes)."""
        found = image_quality.classes(probabilities, self._real_fractions)
        yield Scalar(step, "confident_fraction", found.confident, "generated")
        yield Scalar(step, "classes_covered", float((~found.missing).sum()), "generated")
        if self.spec.is_conditional:
            agree = probabilities.argmax(1) == self.labels[:MEASURED]
            yield Scalar(step, "label_accuracy", float(agree.float().mean()), "generated")
        arrays = {
            "generated": found.fractions.cpu().numpy(),
            "real": self._real_fractions.cpu().numpy(),
            "missing": found.missing.cpu().numpy(),
            "class_names": np.array(self.set.class_names, dtype=str),
        }
        yield Snapshot(step, "class_histogram", arrays)

    def _made(self, network: nn.Module, noise: Tensor, labels: Tensor) -> Tensor:
        given = (labels,) if self.spec.is_conditional else ()
        inputs = image_networks.generator_inputs(self.spec, noise, *given)
        return torch.cat([network(part) for part in inputs.split(TOGETHER)])

    def _judge(self, network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        parts = zip(images.split(TOGETHER), labels.split(TOGETHER), strict=True)
        return torch.cat([network(x, y) if self.spec.is_conditional else network(x) for x, y in parts])


def interpolated(a: Tensor, b: Tensor, along: Tensor, on_sphere: bool) -> Tensor:
    """From a to b (dimensions,) at fractions `along` (n, 1): on a straight line, or with `on_sphere` on an arc, whose
    points are as long as normal noise is in many dimensions (White, 2016, arXiv:1609.04468)."""
    if not on_sphere:
        return a + along * (b - a)
    angle = torch.acos((a @ b / (a.norm() * b.norm()).clamp_min(1e-12)).clamp(-0.9999, 0.9999))
    return (torch.sin((1 - along) * angle) * a + torch.sin(along * angle) * b) / torch.sin(angle)
