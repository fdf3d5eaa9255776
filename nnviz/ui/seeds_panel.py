"""The panel of runs over many seeds, which a page may have: the seeds train together, beside the run that is shown."""

from collections.abc import Mapping

from nnviz import figures
from nnviz.runs import RunView
from nnviz.spec.base import SpecError
from nnviz.spec.ensembles import ensemble_of
from nnviz.spec.jobs import Job
from nnviz.ui.page import AXIS, Choice, Figure, Panel

PART = "seeds"
NUMBERS = (8, 32)
SEEDS = Choice(
    "seeds",
    "Seeds",
    {"0": "off", **{str(number): str(number) for number in NUMBERS}},
    meanings={str(number): number for number in (0, *NUMBERS)},
)
MEASURE = Choice("measure", "Measure", {"loss": "loss", "metric": "accuracy or R²"})
SITES = Choice(
    "sites",
    "Samples",
    {"both": "train and test", "test": "test", "train": "train"},
    meanings={"both": ("train", "test"), "test": ("test",), "train": ("train",)},
)


def companion(job: Job, seeds: int, **_choices: object) -> Job | str:
    """The seeds of a training, from its own on, or why there are none."""
    if not seeds:
        return "choose a number of seeds above: they train beside the run, once it has started"
    if job.parent:
        return f"resumed from step {job.parent.step:,}, where seeds start at step 0"
    try:
        return ensemble_of(job, seeds)
    except SpecError as error:
        return str(error)


def draw(
    runs: Mapping[str, RunView],
    missing: Mapping[str, str],
    seeds: int,
    measure: str,
    sites: tuple[str, ...],
    log: bool | None,
) -> Figure:
    """Mean and range over the seeds, of every run that has them."""
    names = ["loss"] if measure == "loss" else ["accuracy", "r_squared"]
    found = {name: run.scalars(*names, sites=sites) for name, run in runs.items()}
    quantity = names[-1] if any((frame["quantity"] == names[-1]).any() for frame in found.values()) else names[0]
    failed = {name: run.status.error for name, run in runs.items() if run.status.error}
    waiting = {name: "waiting for the run to start" for name, why in missing.items() if not why}
    return figures.seed_bands(
        found, quantity, seeds=seeds, sites=sites, log=log, missing={**missing, **waiting, **failed}
    )


def over_seeds(name: str = "seeds", height: int = 280) -> Panel:
    """Losses and metrics over several seeds, off at first; a preset may set "seeds.seeds" to one of the numbers."""
    return Panel(
        name,
        draw,
        "Over several seeds",
        per="set",
        part=PART,
        companion=companion,
        needs=("loss",),
        choices=(SEEDS, MEASURE, SITES, AXIS),
        height=height,
    )
