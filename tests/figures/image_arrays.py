"""Images as runs of GANs record them, made up."""

import numpy as np

from tests.figures import sample_records


def images(n: int, size: int = 8, channels: int = 1) -> np.ndarray:
    """n images of one level each, (n, size, size, channels): the i-th of 10 + i in the first channel."""
    found = np.zeros((n, size, size, channels), np.uint8)
    found[..., 0] = (10 + np.arange(n) % 200)[:, None, None]
    return found


LABELS = np.arange(100) % 10
THIRDS = np.arange(100) % 10 * 3 // 10
LETTERS = np.arange(100) % 26
DIGITS = {"images": images(100), "labels": LABELS}
REAL = DIGITS | {"class_names": np.array(list("0123456789")), "notes": np.array([], dtype=str)}
UNLABELED = {"images": images(37, 16, 3), "notes": np.array(["a.png: 1 × 1 pixels", "b.txt: neither PNG nor JPEG"])}
ROWS = {"images": images(40).reshape(4, 10, 8, 8, 1), "labels": np.arange(4)}
PAIRS = {
    "generated": images(10),
    "nearest": images(10),
    "distance": np.linspace(0.1, 1, 10),
    "typical": np.array([0.4]),
}
CLASSES = {
    "generated": np.array([0.5, 0.5, 0.0]),
    "real": np.full(3, 1 / 3),
    "missing": np.array([False, False, True]),
    "class_names": np.array(["triangle", "parallelogram", "ellipse"]),
}
STEPS = list(range(0, 100, 10))
SCALARS = sample_records.scalars(
    *[
        (name, "generated", STEPS, [0.1 * i for i in range(10)])
        for name in ("confident_fraction", "classes_covered", "diversity", "nearest_distance", "label_accuracy")
    ]
)
