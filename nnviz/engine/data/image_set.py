"""Images ready for training."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class ImageSet:
    """Images (n, channels, height, width) float32 in [−1, 1], −1 black; labels (n,) int64, 0 where there are no
    classes; `notes` say in one line each which files were skipped, and why."""

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to(self, device: torch.device) -> "ImageSet":
        """The same on another device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


def to_pixels(images: Tensor) -> Tensor:
    """Images (n, channels, height, width) in [−1, 1] as pixels (n, height, width, channels) uint8, on the CPU."""
    scaled = (images.detach().float().permute(0, 2, 3, 1) + 1) * 127.5
    return scaled.nan_to_num(0).clamp(0, 255).round().to(torch.uint8).cpu().contiguous()


def from_pixels(pixels: Tensor) -> Tensor:
    """What `to_pixels` is the inverse of: (n, channels, height, width) float32 in [−1, 1]."""
    return (pixels.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def resized(images: Tensor, size: int) -> Tensor:
    """Images (n, channels, height, width) in [−1, 1] at size × size: bicubic, antialiased where they get smaller."""
    if images.shape[-2:] == (size, size):
        return images
    return functional.interpolate(images, (size, size), mode="bicubic", antialias=True).clamp_(-1, 1)
