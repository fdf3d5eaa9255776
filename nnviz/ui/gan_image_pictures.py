"""Pictures of GANs on images, each from its RunView or, of several runs, from all of them."""

from collections.abc import Callable, Mapping
from typing import Any

from nnviz import figures
from nnviz.ui.page import Figure, RunView

STRIP = 24
"""Real images in a row over those of several networks, at most."""


def samples(run: RunView) -> Figure:
    """Generated images of the same noise at each step."""
    names = [str(name) for name in run.snapshot("real_images").get("class_names", ())]
    return figures.sample_grid(run.snapshot("sample_grid"), names)


def real(runs: Mapping[str, RunView]) -> Figure:
    """Images of the data set, and what was skipped of the user's own: of several networks those of the first, as a
    strip."""
    first = next(iter(runs.values()))
    classes = first.job.learner.data.classes or 1
    strip = STRIP // classes * classes if classes <= STRIP else STRIP
    return figures.real_grid(first.snapshot("real_images"), columns=10 if len(runs) == 1 else strip)


def interpolation(run: RunView) -> Figure:
    """Generated images on the way between noise vectors."""
    return figures.interpolation(run.snapshot("interpolation"))


def nearest(run: RunView) -> Figure:
    """Generated images and the nearest ones of the data set."""
    return figures.nearest_real(run.snapshot("nearest_real"))


def classes(run: RunView) -> Figure:
    """The classes of generated images; None without labels."""
    if not run.job.learner.data.classes:
        return None
    return figures.class_histogram(run.snapshot("class_histogram"), _of_real(run, "classifier_accuracy"))


def measure(quantity: str) -> Callable[..., Figure]:
    """A measure of the generated images of all networks over time, with that of real images where it is the same for
    all; None where none has it."""

    def draw(runs: Mapping[str, RunView], **chosen: Any) -> Figure:
        recorded = {name: run.scalars(quantity, sites=["generated"]) for name, run in runs.items()}
        if not any(map(len, recorded.values())):
            return None
        found = {_of_real(run, quantity) for run in runs.values()} - {None}
        lines = {"real images": found.pop()} if len(found) == 1 else {}
        return figures.gan_curves(recorded, quantity, lines, **chosen)

    return draw


def covered(runs: Mapping[str, RunView], **chosen: Any) -> Figure:
    """Classes covered, and how many there are; None without labels."""
    counts = {run.job.learner.data.classes for run in runs.values()} - {0}
    if not counts:
        return None
    recorded = {name: run.scalars("classes_covered") for name, run in runs.items()}
    return figures.gan_curves(recorded, "classes_covered", {"all classes:": max(counts)}, **chosen)


def _of_real(run: RunView, quantity: str) -> float | None:
    """The same measure of real images, taken once."""
    values = run.scalars(quantity, sites=["real"])["value"]
    return float(values.iloc[0]) if len(values) else None
