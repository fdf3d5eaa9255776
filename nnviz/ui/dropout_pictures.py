"""Pictures of dropout, each from its RunView."""

from collections.abc import Callable, Mapping

from nnviz import figures
from nnviz.figures.dropout.uncertainty_map import SHOWN
from nnviz.spec.jobs import Job
from nnviz.ui.page import Choice, Figure, RunView
from nnviz.ui.run_layers import layers

SAMPLE = Choice(
    "sample",
    "Masks",
    {**{str(i): f"of sample {i + 1}" for i in range(4)}, "": "none (evaluation)"},
    shared=True,
    meanings={**{str(i): i for i in range(4)}, "": None},
)


def _shown(job: Job) -> Mapping[str, str]:
    """What a map may show; over other inputs there is nothing to choose."""
    data = job.learner.data
    names = () if data.shape != (2,) else ("information", "mean") if data.classes else ("mean",)
    return {name: SHOWN[name] for name in ("std", *names)}


UNCERTAINTY = Choice("show", "Show", _shown)

OF_MANY_INPUTS = "drawn over one or two inputs, and for classes:<br>these data have numbers as targets and more inputs"
OF_NUMBERS = "drawn for classes: these data have numbers as targets"
WITHOUT = "no dropout:<br>nothing differs between training and evaluation mode"


def network(run: RunView, sample: int | None) -> Figure:
    """The network with its weights, and the units that dropout left out at the chosen step."""
    model = run.job.learner.model
    if not model.has_diagram:
        return None
    masks = run.snapshot("dropout_masks") if sample is not None else {}
    return figures.network_diagram(
        run.snapshot("network"), run.snapshot("data"), layers(run), skip=model.skip, masks=masks, sample=sample or 0
    )


def activations(show: str) -> Callable[[RunView], Figure]:
    """Mean or standard deviation of activations over masks against evaluation mode."""
    return lambda run: _with_dropout(
        run, figures.dropout_activations(run.snapshot("dropout_activations"), layers(run), show=show)
    )


def averages(run: RunView) -> Figure:
    """Weight scaling against means over masks, sample by sample."""
    return _of_classes(run, figures.mask_averages(run.snapshot("mask_averages")))


def average_curve(quantity: str) -> Callable[..., Figure]:
    """Loss or accuracy of weight scaling and of means over masks, over time."""
    return lambda run, **chosen: _of_classes(run, figures.curves(run.scalars(quantity), quantity, **chosen))


def uncertainty(run: RunView, show: str) -> Figure:
    """The spread of predictions over masks: over one or two inputs, else of the most uncertain test samples."""
    data, found = run.snapshot("data"), run.snapshot("uncertainty")
    if samples := run.snapshot("uncertain_samples"):
        return figures.uncertain_samples(samples, data)
    if "x" in found and "y" not in found:
        return figures.uncertainty_band(found, data)
    of = run.job.learner.data
    reason = "" if of.classes or of.shape in ((1,), (2,)) else OF_MANY_INPUTS
    return _with_dropout(run, figures.uncertainty_map(found, data, show=show), reason)


def _of_classes(run: RunView, figure: dict) -> dict:
    """The figure of averages over masks, which are taken of probabilities."""
    return _with_dropout(run, figure, "" if run.job.learner.data.classes else OF_NUMBERS)


def _with_dropout(run: RunView, figure: dict, reason: str = "") -> dict:
    """The figure, or why there is nothing to draw."""
    if run.job.learner.model.has_dropout and not reason:
        return figure
    meta = figure["layout"]["meta"]
    return figures.empty(meta["title"], meta["help"], reason if run.job.learner.model.has_dropout else WITHOUT)
