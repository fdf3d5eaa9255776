"""A small convolutional classifier of a labeled set of images, by which generated samples are judged."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from nnviz.engine import models
from nnviz.engine.data import images
from nnviz.engine.randomness import generator, stream
from nnviz.spec.data.images import Images
from nnviz.spec.initializers import HeNormal
from nnviz.spec.models import DCGANDiscriminator

SIDE = 16
"""Pixels along each side that it sees; larger images are averaged down, so that it takes the same time for all."""

WIDTH = 16
STEPS, BATCH = 400, 64
RATE = 2e-2

FAINT = 0.1
"""Brightness below which an image is not made brighter."""

TRAINING_FRACTION = 0.8
AT_MOST = 4000
"""Images that it is trained and tested on."""

MOST_KEPT = 8
CONFIDENT_FROM = 0.9
"""Probability of a class."""


@dataclass(frozen=True)
class Classifier:
    """A trained network, and the fraction of held-out images that it classifies correctly."""

    network: nn.Module
    accuracy: float
    held_out: Tensor
    """Indices of images that it was not trained on, (m,)."""

    @torch.no_grad()
    def probabilities(self, pixels: Tensor) -> Tensor:
        """Of each class, (n, classes), for images (n, channels, height, width), on their device."""
        network = self.network.to(pixels.device)
        return torch.cat([network(_seen(part)).softmax(1) for part in pixels.split(500)])


_kept: dict[tuple[Images, int], Classifier] = {}
"""The last ones of this process."""


def trained(data: Images, found: images.ImageSet, seed: int) -> Classifier:
    """On the images `found` of labeled data, on the CPU: the same data and seed give the same bits."""
    key = data, seed
    if key not in _kept:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums depend on the number, which is the job's
        try:
            pixels, labels = (t[:AT_MOST].cpu() for t in (found.images, found.labels))
            with torch.enable_grad():  # a run that goes on asks for it in an evaluation
                made = _train(_seen(pixels), labels, data.classes, seed)
        finally:
            torch.set_num_threads(threads)
        while len(_kept) >= MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = made
    return _kept[key]


def _train(pixels: Tensor, labels: Tensor, classes: int, seed: int) -> Classifier:
    model = DCGANDiscriminator(width=WIDTH, downsampling="pooled", initializer=HeNormal())
    network = models.build(model, tuple(pixels.shape[1:]), classes, stream(seed, "classifier"))
    n = round(TRAINING_FRACTION * len(pixels))
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    g = generator(seed, "classifier's batches")
    for _ in range(STEPS):
        index = torch.randint(n, (BATCH,), generator=g)
        optimizer.zero_grad()
        cross_entropy(network(pixels[index]), labels[index]).backward()
        optimizer.step()
        schedule.step()
    network.eval().requires_grad_(False)
    held_out = torch.arange(n, len(pixels))
    with torch.no_grad():
        correct = network(pixels[held_out]).argmax(1) == labels[held_out]
    return Classifier(network, float(correct.float().mean()), held_out)


def _seen(pixels: Tensor) -> Tensor:
    """What the network gets of images (n, channels, height, width). Color decides no class: of color images the
    brightest channel, relative to the image's brightest pixel."""
    pixels = adaptive_avg_pool2d(pixels, SIDE) if pixels.shape[-1] > SIDE else pixels
    if pixels.shape[1] == 1:
        return pixels
    brightness = (pixels.amax(1, keepdim=True) + 1) / 2
    return 2 * brightness / brightness.amax((2, 3), keepdim=True).clamp_min(FAINT) - 1
