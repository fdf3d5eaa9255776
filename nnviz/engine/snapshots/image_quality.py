"""How generated images compare with real ones: nearest neighbors, classes, diversity."""

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine.image_classifier import CONFIDENT_FROM

COMPARED = 60
"""Images whose distance from the nearest real one is measured."""

COVERED_FROM = 0.1
"""Of a class's fraction of the real images: fewer confident samples, and it is missing."""


class Neighbors:
    """The nearest of real images; distances are root mean square differences of pixels."""

    def __init__(self, real: Tensor) -> None:
        """`real` is (n, channels, height, width)."""
        self._real = real.flatten(1)
        self._squared = self._real.square().sum(1)

    def of(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of images (m, channels, height, width): index of the nearest, (m,), and its distance, (m,)."""
        x = images.flatten(1)
        index = (self._squared - 2 * x @ self._real.T).argmin(1)
        return index, (x - self._real[index]).square().mean(1).sqrt()

    @cached_property
    def typical(self) -> float:
        """Median distance of a real image to the nearest other one."""
        x = self._real[:COMPARED]
        distance = self._squared - 2 * x @ self._real.T
        distance[torch.arange(len(x)), torch.arange(len(x))] = torch.inf
        return float((x - self._real[distance.argmin(1)]).square().mean(1).sqrt().median())


KERNEL_WIDTHS = (0.5, 1.0, 2.0)
"""Standard deviations of the Gaussian kernels of the maximum mean discrepancy, in median distances of real images."""


class PixelDiscrepancy:
    """Squared maximum mean discrepancy of images from real ones, over pixels: the mean of Gaussian kernels as wide as
    the median distance of two real images, half and twice as wide; the unbiased estimate, which may be below 0 (Gretton
    et al., 2012; for images of GANs Sutherland et al., 2017, arXiv:1611.04488). Pixels are fair features of small
    images of one scale; there is no pretrained network here whose features would be."""

    def __init__(self, real: Tensor) -> None:
        """`real` is (n, channels, height, width), n at least two."""
        self._real = real.flatten(1)
        squared = torch.cdist(self._real, self._real).square()
        others = squared[~torch.eye(len(real), dtype=torch.bool, device=real.device)]
        self._median = others.median().clamp_min(1e-12)
        self._own = self._kernel(others).mean()

    def of(self, images: Tensor) -> float:
        """Of images (m, channels, height, width), m at least two."""
        x = images.flatten(1)
        own, between = self._kernel(torch.cdist(x, x).square()), self._kernel(torch.cdist(x, self._real).square())
        # Without each image with itself, whose kernel is 1.
        within = (own.sum() - own.diagonal().sum()) / (len(x) * (len(x) - 1))
        return float(self._own + within - 2 * between.mean())

    def _kernel(self, squared: Tensor) -> Tensor:
        widths = [2 * self._median * width**2 for width in KERNEL_WIDTHS]
        return sum((-squared / width).exp() for width in widths) / len(widths)


class Classes(NamedTuple):
    """Which classes generated samples are of."""

    fractions: Tensor
    """Of the samples, (classes,)."""
    confident: float
    """Fraction of samples with a probability above `CONFIDENT_FROM`."""
    missing: Tensor
    """Whether there are hardly any confident samples of a class that real images have, (classes,)."""


def classes(probabilities: Tensor, real: Tensor) -> Classes:
    """Of samples with these probabilities of each class, (n, classes), where the real images have fractions `real`."""
    n, k = probabilities.shape
    best, predicted = probabilities.max(1)
    sure = best > CONFIDENT_FROM
    fractions = torch.bincount(predicted, minlength=k) / n
    certain = torch.bincount(predicted[sure], minlength=k) / n
    return Classes(fractions, float(sure.float().mean()), (certain < COVERED_FROM * real) & (real > 0))


def diversity(images: Tensor, labels: Tensor | None) -> float:
    """Root mean square difference of the pixels of two images (n, …) of the same class, where there are `labels` (n,);
    each class counts by its pairs' first images. Within classes, as Odena et al., 2017, arXiv:1610.09585, compare pairs
    by MS-SSIM, which needs larger images."""
    x = images.flatten(1)
    labels = torch.zeros(len(x), dtype=torch.int64, device=x.device) if labels is None else labels
    counts = torch.bincount(labels).clamp_min(1)
    sums = x.new_zeros(len(counts), x.shape[1]).index_add_(0, labels, x)
    apart = (x - (sums / counts[:, None])[labels]).square().mean(1)
    # The mean of (a − b)² over pairs is twice the variance.
    unbiased = (counts / (counts - 1).clamp_min(1))[labels]
    return float((2 * apart * unbiased)[counts[labels] > 1].mean().nan_to_num(0).sqrt())
