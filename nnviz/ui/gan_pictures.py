"""Pictures of generators and discriminators, each from its RunView or, of several runs, from all of them."""

from collections.abc import Callable, Mapping
from typing import Any

from nnviz import figures
from nnviz.spec.data.distributions import STROKE, Drawn
from nnviz.ui.page import Choice, Figure, RunView
from nnviz.ui.run_layers import layers, scalars_of, snapshot_of

ARROWS = Choice("arrows", "Gradient arrows", {"on": "on", "off": "off"}, meanings={"on": True, "off": False})
MODES = Choice(
    "by_mode", "Color", {"kind": "real and generated", "mode": "nearest mode"}, meanings={"kind": False, "mode": True}
)
SHOW = Choice(
    "show", "Show", {"all": "all three", "learned": "learned", "optimal": "optimal", "difference": "difference"}
)
BATCH = Choice("batch", "Discriminator on", {"real": "real", "fake": "generated"})
NETWORK = Choice("network", "Network", {"generator": "generator", "discriminator": "discriminator"}, shared=True)


def samples(run: RunView, arrows: bool, by_mode: bool) -> Figure:
    """Real and generated samples on the discriminator's output."""
    pictures = (run.snapshot(name) for name in ("real", "generated", "discriminator_field"))
    learner = run.job.learner
    stroke = STROKE if isinstance(learner.data, Drawn) else 0.0
    return figures.samples_map(
        *pictures,
        output=learner.objective.output,
        show_arrows=arrows,
        by_mode=by_mode,
        notes=learner.conditions,
        stroke=stroke,
    )


def noise(run: RunView) -> Figure:
    """The generator's map of the noise."""
    return figures.noise_map(run.snapshot("real"), run.snapshot("noise_map"))


def optimal(run: RunView, show: str) -> Figure:
    """Learned and optimal discriminator."""
    has_optimum = run.job.learner.objective.output != "score"
    step = run.snapshot_step("optimal_discriminator")
    pictures, gaps = run.snapshot("optimal_discriminator"), run.scalars("optimal_gap")
    return figures.optimal_discriminator(pictures, gaps, step, has_optimum=has_optimum, show=show)


def histogram(run: RunView) -> Figure:
    """What the discriminator says of real and generated samples."""
    return figures.output_histogram(run.snapshot("discriminator_histogram"), output=run.job.learner.objective.output)


def curve(quantity: str, floor: str = "") -> Callable[..., Figure]:
    """A quantity of all networks over time; `floor` is what two sets of real samples give, by its name in "real"."""

    def draw(runs: Mapping[str, RunView], **chosen: Any) -> Figure:
        real = next(iter(runs.values())).snapshot("real")
        lines = {"two sets of real samples": float(real[floor][0])} if floor in real else {}
        return _drawn(runs, quantity, lines, **chosen)

    return draw


def modes(runs: Mapping[str, RunView], **chosen: Any) -> Figure:
    """Modes covered, and how many there are; where the data have no separate ones, the fraction of their mass that is
    covered."""
    counts = {run.job.learner.data.modes for run in runs.values()} - {0}
    if not counts:
        return _drawn(runs, "mass_covered", {}, **chosen)
    return _drawn(runs, "modes_covered", {"all modes:": max(counts)}, **chosen)


def losses(runs: Mapping[str, RunView], **chosen: Any) -> Figure:
    """Losses of both networks, and their values at the equilibrium where all runs have one objective."""
    objectives = {run.job.learner.objective.kind: run.job.learner.objective for run in runs.values()}
    lines = next(iter(objectives.values())).equilibrium_lines if len(objectives) == 1 else {}
    return _drawn(runs, "loss", lines, **chosen)


def gradients(run: RunView, network: str, **chosen: Any) -> Figure:
    """Gradient norms of a network's layers over time."""
    recorded = scalars_of(run, network, "gradient_norm")
    return figures.layer_curves(recorded, "gradient_norm", layers(run, network), **chosen)


def ratios(run: RunView, network: str, **chosen: Any) -> Figure:
    """The size of updates against that of weights, over time."""
    return figures.update_ratios(scalars_of(run, network, "update_ratio"), layers(run, network), **chosen)


def signal(run: RunView, network: str, batch: str, **chosen: Any) -> Figure:
    """The signal that backpropagation carries through a network's layers, from a batch of one kind."""
    frame = scalars_of(run, network, "signal_rms")
    passes = frame["site"].astype(str).str.split("#").str[1]
    frame = frame[(passes.isna() | (passes == batch)).to_numpy()]
    return figures.depth_profile(frame, "signal_rms", run.step, layers(run, network), **chosen)


def activations(run: RunView, network: str, batch: str) -> Figure:
    """Distributions of a network's layers at the chosen step, of the discriminator on a batch of one kind."""
    return figures.ridgelines(snapshot_of(run, "activation_histogram", network, batch), layers(run, network))


def sizes(quantity: str, *title: str) -> Callable[..., Figure]:
    """A histogram of magnitudes of a network's layers at the chosen step."""

    def draw(run: RunView, network: str) -> Figure:
        return figures.log2_histograms(snapshot_of(run, quantity, network), layers(run, network), *title)

    return draw


def dead_and_saturated(run: RunView, network: str) -> Figure:
    """Dead and saturated units over time."""
    return figures.dead_and_saturated(
        scalars_of(run, network, "dead_fraction", "saturated_fraction"), layers(run, network)
    )


def _drawn(runs: Mapping[str, RunView], quantity: str, lines: Mapping[str, float], **chosen: Any) -> Figure:
    recorded = {name: run.scalars(quantity) for name, run in runs.items()}
    return figures.gan_curves(recorded, quantity, lines, **chosen)
