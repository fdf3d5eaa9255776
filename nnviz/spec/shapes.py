"""Shapes of one sample: (features,), (channels, height, width) or (time, features); the batch is not counted."""

from math import prod

Shape = tuple[int, ...]


def numbers(shape: Shape) -> int:
    """How many numbers a sample of this shape has."""
    return prod(shape)


def words(shape: Shape) -> str:
    """The shape as a reader writes it: "64 numbers", "1 × 8 × 8"."""
    if len(shape) == 1:
        return f"{shape[0]} number{'s' * (shape[0] != 1)}"
    return " × ".join(map(str, shape))


def is_image(shape: Shape) -> bool:
    """Whether it is (channels, height, width)."""
    return len(shape) == 3
