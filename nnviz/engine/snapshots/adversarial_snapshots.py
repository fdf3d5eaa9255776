"""Generator and discriminator in the plane at one step -> measures of the samples, and arrays of pictures."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import gan_objectives
from nnviz.engine.data import distributions
from nnviz.engine.randomness import generator
from nnviz.engine.snapshots import discriminator_output, sample_quality
from nnviz.records import Record, Scalar, Snapshot
from nnviz.spec import learners as spec
from nnviz.spec.data.distributions import WINDOW, Drawn
from nnviz.spec.noise_sources import UniformNoise

CELLS = 64
"""Cells along each side of the discriminator's field."""

MEASURED = 2500
"""Generated and real samples that are measured."""

SHOWN = 1000
"""The first of them, which are drawn and judged by the discriminator."""

TOGETHER = 500
"""Samples in one forward pass, whose activations fit into a core's cache."""

ARROWS = 150
"""Generated samples whose gradient is drawn."""

COMPARED = 500
"""Samples of each kind in the maximum mean discrepancy."""

ESTIMATED_FROM = 20_000
"""Generated samples in the estimate of their density."""

COUNTED = 50_000
"""Real samples from which the mass of the data in each cell is counted where there are no separate modes."""

GAP_SAMPLES = 500
"""Real and generated samples at which the discriminator is compared with the best one."""

LATTICE = 25
"""Lines each way of the grid of noise that the generator bends; eight times as many points of one-dimensional noise."""

NEGLIGIBLE = 1e-3
"""Of the largest density: where p and q are both below it, the optimal discriminator is left out."""

PAIRS = 10
"""Pairs of sets of real samples that the floor of a divergence is measured on."""


class AdversarialSnapshots:
    """Pictures of one learner, always of the same noise and compared with the same real samples."""

    def __init__(
        self,
        learner: spec.Adversarial,
        seed: int,
        device: torch.device,
        noise: Callable[[int, torch.Generator], Tensor],
    ) -> None:
        self.spec, self.seed, self.device, self._noise = learner, seed, device, noise
        along = (torch.arange(CELLS) + 0.5) * (2 * WINDOW / CELLS) - WINDOW
        down, across = torch.meshgrid(along, along, indexing="ij")
        self.axis, self.points = along, torch.stack([across.flatten(), down.flatten()], 1)

    @cached_property
    def real(self) -> Tensor:
        """Real samples that generated ones are compared with, (MEASURED, 2)."""
        return self._real(0)

    @cached_property
    def noise(self) -> Tensor:
        """The noise of all pictures, (ESTIMATED_FROM, dimensions)."""
        return self._noise(ESTIMATED_FROM, generator(self.seed, "picture noise"))

    @cached_property
    def _masses(self) -> Tensor:
        real = distributions.sample(self.spec.data, COUNTED, generator(self.seed, "counted"))
        return sample_quality.masses(real)

    @cached_property
    def _discrepancy(self) -> sample_quality.Discrepancy:
        return sample_quality.Discrepancy(self.real[:COMPARED])

    @cached_property
    def _real_here(self) -> Tensor:
        return self.real.to(self.device)

    @cached_property
    def _points_here(self) -> Tensor:
        return self.points.to(self.device)

    @cached_property
    def _density(self) -> Tensor:
        """p over the plane, (CELLS²,)."""
        return distributions.density(self.spec.data, self.points)

    def begin(self) -> list[Record]:
        """Snapshot "real": points (SHOWN, 2), centers (modes, 2), density (CELLS, CELLS) by row of y over the axis, and
        floors: Jensen–Shannon divergence (mean,) and maximum mean discrepancy (mean, deviation) of two sets of real
        samples."""
        sets = [self._real(1 + i) for i in range(2 * PAIRS)]
        pairs = list(zip(sets[::2], sets[1::2], strict=True))
        apart = [sample_quality.jensen_shannon(a, b) for a, b in pairs]
        discrepancy = [sample_quality.Discrepancy(a[:COMPARED]).of(b[:COMPARED]) for a, b in pairs]
        arrays = {
            "points": self.real[:SHOWN].numpy(),
            "centers": distributions.centers(self.spec.data).numpy(),
            "axis": self.axis.numpy(),
            "density": _picture(self._density, np.float32),
            "jensen_shannon_floor": np.array([np.mean(apart)]),
            "mmd_floor": np.array([np.mean(discrepancy), np.std(discrepancy)]),
        }
        return [Snapshot(0, "real", arrays)]

    def draw(
        self,
        step: int,
        judged: nn.Module,
        trained: nn.Module,
        discriminator: nn.Module,
        watching: AbstractContextManager[None],
        is_brief: bool = False,
    ) -> Iterator[Record]:
        """Measures and pictures of the generator `judged`, which may be an average; the best discriminator is that
        against the one that is `trained`. It and the maximum mean discrepancy are left out where it `is_brief`. All are
        in evaluation mode. `watching` sees those two.

        Snapshot "discriminator_field": D, or the score, over the plane (CELLS, CELLS) by row of y."""
        has_optimum = self.spec.objective.output != "score" and not is_brief
        with torch.no_grad():
            with watching:
                first, on_first = trained(self.noise[:TOGETHER]), discriminator(self._real_here[:TOGETHER])
            # Only for the density that the best discriminator needs are there so many.
            fresh = _outputs(trained, self.noise, first) if has_optimum else first
            on_real = _outputs(discriminator, self._real_here[:SHOWN], on_first).cpu()
            made = _outputs(judged, self.noise[:MEASURED], fresh[:MEASURED] if judged is trained else None)
            on_made = _outputs(discriminator, made[:SHOWN]).cpu()
            field = _outputs(discriminator, self._points_here).cpu()
            on_fresh = discriminator(fresh[:GAP_SAMPLES]).cpu() if has_optimum else None
        found = sample_quality.judged(self.spec.data, made.cpu())
        yield from self._measures(step, found, on_real, on_made, is_brief)
        yield self._generated(step, found, discriminator)
        arrays = {"axis": self.axis.numpy(), "output": _picture(self._shown(field).clamp(-6e4, 6e4), np.float16)}
        yield Snapshot(step, "discriminator_field", arrays)
        yield discriminator_output.histogram(step, self.spec.objective, on_real, on_made)
        if (bent := self._bent(judged)) is not None:
            yield Snapshot(step, "noise_map", {"points": bent})
        if on_fresh is not None:
            learned = self._shown(torch.cat([on_real[:GAP_SAMPLES], on_fresh]))
            yield from self._optimum(step, fresh.cpu(), learned, arrays)

    def _optimum(self, step: int, fresh: Tensor, learned: Tensor, field: Mapping[str, np.ndarray]) -> Iterator[Record]:
        """From samples of the generator that is trained, (ESTIMATED_FROM, 2), and D at the first GAP_SAMPLES real ones
        and of these.

        Snapshot "optimal_discriminator": the learned one as in `field`, and the `optimal` one, nan where there are
        hardly any samples of either kind; the `bandwidth` (1,) of the estimated density of generated samples. Scalar
        "optimal_gap": root mean square of their difference, over real and generated samples."""
        q = sample_quality.KernelDensity(fresh[fresh.isfinite().all(1)], self._bandwidth(step))
        optimal = self._best_picture(self._p(step), q.picture(CELLS).flatten())
        points = torch.cat([self.real[:GAP_SAMPLES], fresh[:GAP_SAMPLES]])
        yield Scalar(step, "optimal_gap", self._gap(step, points, learned, q), "discriminator")
        yield Snapshot(
            step,
            "optimal_discriminator",
            {**field, "optimal": optimal, "bandwidth": np.array([self.bandwidth])},
        )

    def _measures(
        self, step: int, found: sample_quality.Judged, on_real: Tensor, on_made: Tensor, is_brief: bool
    ) -> Iterator[Record]:
        """`on_real` and `on_made` are the discriminator's outputs for samples of both kinds, (SHOWN, 1)."""
        if found.nearest is not None:
            yield Scalar(step, "modes_covered", float(sample_quality.covered(found.counts, MEASURED)), "generated")
        yield Scalar(step, "high_quality_fraction", float(found.is_good.float().mean()), "generated")
        made = found.samples
        if bool(made.isfinite().all()):
            if found.nearest is None:
                yield Scalar(step, "mass_covered", sample_quality.mass_covered(self._masses, made), "generated")
            yield Scalar(step, "jensen_shannon", sample_quality.jensen_shannon(made, self.real), "generated")
            if not is_brief:
                yield Scalar(step, "mmd", self._discrepancy.of(made[:COMPARED]), "generated")
        yield from discriminator_output.means(step, self.spec.objective, on_real, on_made)

    def _generated(self, step: int, found: sample_quality.Judged, discriminator: nn.Module) -> Snapshot:
        """Snapshot "generated": points (SHOWN, 2), the nearest mode of each and whether it is good, (SHOWN,), and minus
        the gradient of the generator's loss at the first ARROWS of them, (ARROWS, 2)."""
        points = found.samples[:ARROWS].to(self.device).requires_grad_()
        with torch.enable_grad():
            loss = gan_objectives.generator_loss(self.spec.objective, discriminator(points))
            (gradient,) = torch.autograd.grad(loss * len(points), points)
        arrays = {
            "points": found.samples[:SHOWN].numpy(),
            "is_good": found.is_good[:SHOWN].numpy(),
            "descent": -gradient.cpu().numpy(),
        }
        if found.nearest is not None:
            arrays["mode"] = found.nearest[:SHOWN].numpy().astype(np.int16)
        return Snapshot(step, "generated", arrays)

    def _shown(self, outputs: Tensor) -> Tensor:
        return discriminator_output.shown(self.spec.objective, outputs)

    def _best(self, p: Tensor, q: Tensor) -> Tensor:
        return gan_objectives.optimal(self.spec.objective, p, q, self.spec.label_smoothing)

    def _best_picture(self, p: Tensor, q: Tensor) -> np.ndarray:
        is_there = (p > NEGLIGIBLE * p.max()) | (q > NEGLIGIBLE * q.max())
        return _picture(torch.where(is_there, self._best(p, q), torch.nan), np.float16)

    def _gap(self, step: int, points: Tensor, learned: Tensor, q: sample_quality.KernelDensity) -> float:
        """Root mean square of D minus the best D at points (n, 2); without those where both densities are 0, or outside
        of the pictures."""
        p = distributions.density(self.spec.data, points, self.spec.instance_noise_at(step))
        return float((learned - self._best(p, q.at(points))).square().nanmean().sqrt())

    @property
    def bandwidth(self) -> float:
        """Of the kernel estimate of the generated samples' density: well below σ, so that it blurs modes little, and
        near the best for some 2,500 samples a mode (Silverman, 1986)."""
        return 0.05 if isinstance(self.spec.data, Drawn) else min(0.2, max(0.01, 0.3 * self.spec.data.sigma))

    def _bandwidth(self, step: int) -> float:
        """With the instance noise of this step, which the discriminator sees on top of the samples."""
        return (self.bandwidth**2 + self.spec.instance_noise_at(step) ** 2) ** 0.5

    def _p(self, step: int) -> Tensor:
        """p over the plane as the discriminator sees it, (CELLS²,)."""
        noise = self.spec.instance_noise_at(step)
        return distributions.density(self.spec.data, self.points, noise) if noise else self._density

    @torch.no_grad()
    def _bent(self, judged: nn.Module) -> np.ndarray | None:
        """Where the generator takes a grid of noise: (LATTICE, LATTICE, 2) of two-dimensional noise, (8 · LATTICE, 2)
        of one-dimensional noise, None of more. The grid's lines have equal fractions of the noise between them."""
        dimensions = self.spec.noise.dimensions
        if dimensions > 2:
            return None
        count = LATTICE if dimensions == 2 else 8 * LATTICE
        fractions = (torch.arange(count) + 0.5) / count
        along = 2 * fractions - 1
        if not isinstance(self.spec.noise, UniformNoise):
            along = 2**0.5 * torch.erfinv(along)
        z = along[:, None] if dimensions == 1 else torch.cartesian_prod(along, along)
        return judged(z.to(self.device)).cpu().numpy().reshape(*(count,) * dimensions, 2)

    def _real(self, index: int) -> Tensor:
        return distributions.sample(self.spec.data, MEASURED, generator(self.seed, "compared", index))


def _outputs(network: nn.Module, inputs: Tensor, first: Tensor | None = None) -> Tensor:
    """Of all inputs, TOGETHER at a time; `first` are those of the first ones, where they are known."""
    known = [] if first is None else [first]
    rest = inputs if first is None else inputs[len(first) :]
    return torch.cat([*known, *(network(part) for part in rest.split(TOGETHER))])


def _picture(values: Tensor, kind: type) -> np.ndarray:
    return values.reshape(CELLS, CELLS).numpy().astype(kind)
