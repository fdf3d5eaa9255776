"""Pictures of normalization layers: the choices in their cards, and figures of runs."""

from collections.abc import Callable, Mapping

import numpy as np

from nnviz import figures
from nnviz.runs import RunView
from nnviz.spec.jobs import Job, Training
from nnviz.spec.norms import CURVE_UNITS, SHOWN_SAMPLES, SHOWN_UNITS, shown_layers
from nnviz.ui.page import Choice, Event, Figure
from nnviz.ui.run_layers import layers

Runs = Mapping[str, RunView]


def _layers(job: Job) -> dict[str, str]:
    return {str(place): f"layer {number}" for place, number in enumerate(shown_layers(len(_hidden(job))))}


def _samples(job: Job) -> dict[str, str]:
    size = min(SHOWN_SAMPLES, job.learner.batch_size) if isinstance(job, Training) else SHOWN_SAMPLES
    return {str(i): f"{i + 1}" for i in range(size)}


def _units(job: Job) -> dict[str, str]:
    widest = max((layer.width for layer in _hidden(job)), default=1)
    return {str(i): f"{i + 1}" for i in range(min(SHOWN_UNITS, widest))}


def _hidden(job: Job) -> tuple:
    return getattr(job.learner.model, "hidden", ()) if isinstance(job, Training) else ()


LAYER = Choice("layer", "Layer", _layers, shared=True, meanings={str(i): i for i in range(50)})
SAMPLE = Choice("sample", "Sample", _samples, shared=True, meanings={str(i): i for i in range(SHOWN_SAMPLES)})
UNIT = Choice("unit", "Unit", _units, shared=True, meanings={str(i): i for i in range(SHOWN_UNITS)})
CELL = (LAYER, SAMPLE, UNIT)
CURVE_UNIT = Choice(
    "curve_unit",
    "Unit",
    {str(i): f"{i + 1}" for i in range(CURVE_UNITS)},
    meanings={str(i): i for i in range(CURVE_UNITS)},
)
MEASURE = Choice("measure", "Measure", {"gap": "difference of outputs", "loss": "loss", "accuracy": "accuracy"})


def cell_picked(event: Event) -> dict[str, str]:
    """The sample and the unit of a click in a heat map."""
    x, y = event.points[-1]
    return {"unit": str(max(0, round(x))), "sample": str(max(0, round(y)))}


def values(side: str) -> Callable[..., Figure]:
    """A layer's "input" or "output" as a heat map."""
    return lambda run, **chosen: figures.norm_heatmap(run.snapshot("norm_values"), side, **chosen)


def arithmetic(run: RunView, **chosen: int) -> Figure:
    """The marked cell, computed."""
    return figures.norm_arithmetic(run.snapshot("norm_values"), **chosen)


def averages(run: RunView, layer: int, curve_unit: int) -> Figure:
    """Batch statistics and running averages of a unit."""
    frame = run.scalars("batch_mean", "batch_var", "running_mean", "running_var")
    norm = run.job.learner.model.norm
    if norm.kind != "batch":
        return figures.running_averages(frame, "", None, "no batch norm:<br>nothing is averaged over batches")
    numbers = shown_layers(len(run.job.learner.model.hidden))
    site = f"model.norm{numbers[min(layer, len(numbers) - 1)]}#{curve_unit + 1}"
    return figures.running_averages(frame, site, norm.momentum)


def outputs(run: RunView) -> Figure:
    """Outputs in both modes."""
    return figures.mode_outputs(run.snapshot("norm_values"), run.snapshot("norm_batch_sizes"))


def curve(quantity: str, title: str, help: str) -> Callable[..., Figure]:
    """The same curve of all networks."""

    def draw(runs: Runs, **chosen: object) -> Figure:
        found = {name: run.scalars(quantity) for name, run in runs.items()}
        figure = figures.overlay(found, quantity, title=title, **chosen)
        figure = figure | {"data": [_without_site(trace) for trace in figure["data"]]}
        return figure | {"layout": figure["layout"] | {"meta": figure["layout"]["meta"] | {"help": help}}}

    return draw


def _without_site(trace: dict) -> dict:
    """A trace that is named after its run alone: all of these curves are of the whole network."""
    if "name" not in trace:
        return trace
    named = trace | {"name": trace["name"].replace(": model", ":")}
    if follow := trace.get("meta", {}).get("follow"):
        named["meta"] = {"follow": follow | {"name": follow["name"].replace(": model", ":")}}
    return named


def over_batch_size(runs: Runs, **chosen: str) -> Figure:
    """The gap between the modes over the batch size."""
    return figures.gap_over_batch_size(_each(runs, "norm_batch_sizes"), **chosen)


def over_momentum(runs: Runs, **chosen: str) -> Figure:
    """The gap between the modes over the momentum."""
    return figures.gap_over_momentum(_each(runs, "norm_momenta"), **chosen)


def line(runs: Runs) -> Figure:
    """The loss along the gradient at the chosen step."""
    return figures.gradient_line(_each(runs, "gradient_line"))


def ranges(runs: Runs, **chosen: bool | None) -> Figure:
    """The range of the loss along the gradient over the steps."""
    found = {name: run.scalars("line_loss_low", "line_loss_high") for name, run in runs.items()}
    return figures.loss_ranges(found, **chosen)


def scaling(runs: Runs) -> Figure:
    """A layer whose weights are scaled."""
    return figures.weight_scaling(_each(runs, "norm_scaling"))


def effective_rates(run: RunView, **chosen: object) -> Figure:
    """The effective learning rate of each layer."""
    return figures.effective_rates(run.scalars("weight_norm", "learning_rate"), layers(run), **chosen)


def dead_units(run: RunView) -> Figure:
    """Units that cannot recover."""
    return figures.dead_units(run.snapshot("norm_units"), layers(run))


def _each(runs: Runs, quantity: str) -> dict[str, dict[str, np.ndarray]]:
    return {name: run.snapshot(quantity) for name, run in runs.items()}
