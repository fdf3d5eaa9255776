"""Generator and discriminator in the plane at one step -> measures of the samples, and arrays of pictures."""

from collections.abc import Callable, Iterator
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
"""Generated and real samples that are measured; the first SHOWN of them are drawn."""

SHOWN = 1000
ARROWS = 150
"""Generated samples whose gradient is drawn."""

COMPARED = 500
"""Samples of each kind in the maximum mean discrepancy."""

ESTIMATED_FROM = 20_000
"""Generated samples in the estimate of their density."""

TOGETHER = 1000
"""Samples in one forward pass, whose activations fit into a core's cache."""

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
    ) -> Iterator[Record]:
        """Measures and pictures of the generator `judged`, which may be an average; the best discriminator is that
        against the one that is `trained`. All are in evaluation mode. `watching` sees those two.

        Snapshot "discriminator_field": D, or the score, over the plane (CELLS, CELLS) by row of y; where the objective
        has a best discriminator also that, `optimal`, nan where there are hardly any samples of either kind, and the
        `bandwidth` (1,) of the estimated density of generated samples. Scalar "optimal_gap": root mean square of their
        difference, over real and generated samples."""
        has_optimum = self.spec.objective.output != "score"
        with torch.no_grad():
            with watching:
                first, on_first = trained(self.noise[:TOGETHER]), discriminator(self._real_here[:TOGETHER])
            # Of a score there is no best discriminator, whose estimate is what needs so many.
            rest = self.noise[TOGETHER : ESTIMATED_FROM if has_optimum else MEASURED]
            fresh = torch.cat([first, _outputs(trained, rest)])
            on_real = torch.cat([on_first, _outputs(discriminator, self._real_here[TOGETHER:])]).cpu()
            made = fresh[:MEASURED] if judged is trained else _outputs(judged, self.noise[:MEASURED])
            on_made = _outputs(discriminator, made).cpu()
            on_fresh = on_made[:GAP_SAMPLES] if judged is trained else discriminator(fresh[:GAP_SAMPLES]).cpu()
            field = _outputs(discriminator, self._points_here).cpu()
        made, fresh = made.cpu(), fresh.cpu()
        good = distributions.is_good(self.spec.data, made)
        modes = sample_quality.modes(self.spec.data, made) if self.spec.data.modes else None
        yield from self._measures(step, made, good, modes, on_real, on_made)
        yield self._generated(step, made, good, modes, discriminator)
        arrays = {"axis": self.axis.numpy(), "output": _picture(self._shown(field).clamp(-6e4, 6e4), np.float16)}
        if has_optimum:
            q = sample_quality.KernelDensity(fresh[fresh.isfinite().all(1)], self._bandwidth(step))
            arrays["optimal"] = self._best_picture(self._p(step), q.picture(CELLS).flatten())
            arrays["bandwidth"] = np.array([self.bandwidth])
            learned = self._shown(torch.cat([on_real[:GAP_SAMPLES], on_fresh]))
            points = torch.cat([self.real[:GAP_SAMPLES], fresh[:GAP_SAMPLES]])
            yield Scalar(step, "optimal_gap", self._gap(step, points, learned, q), "discriminator")
        yield Snapshot(step, "discriminator_field", arrays)
        yield discriminator_output.histogram(step, self.spec.objective, on_real, on_made)
        if (bent := self._bent(judged)) is not None:
            yield Snapshot(step, "noise_map", {"points": bent})

    def _measures(
        self,
        step: int,
        made: Tensor,
        good: Tensor,
        modes: tuple[Tensor, Tensor] | None,
        on_real: Tensor,
        on_made: Tensor,
    ) -> Iterator[Record]:
        if modes is not None:
            yield Scalar(step, "modes_covered", float(sample_quality.covered(modes[0], MEASURED)), "generated")
        yield Scalar(step, "high_quality_fraction", float(good.float().mean()), "generated")
        if bool(made.isfinite().all()):
            yield Scalar(step, "jensen_shannon", sample_quality.jensen_shannon(made, self.real), "generated")
            yield Scalar(step, "mmd", self._discrepancy.of(made[:COMPARED]), "generated")
        yield from discriminator_output.means(step, self.spec.objective, on_real, on_made)

    def _generated(
        self, step: int, made: Tensor, good: Tensor, modes: tuple[Tensor, Tensor] | None, discriminator: nn.Module
    ) -> Snapshot:
        """Snapshot "generated": points (SHOWN, 2), the nearest mode of each and whether it is good, (SHOWN,), and minus
        the gradient of the generator's loss at the first ARROWS of them, (ARROWS, 2)."""
        points = made[:ARROWS].to(self.device).requires_grad_()
        with torch.enable_grad():
            loss = gan_objectives.generator_loss(self.spec.objective, discriminator(points))
            (gradient,) = torch.autograd.grad(loss * len(points), points)
        arrays = {"points": made[:SHOWN].numpy(), "is_good": good[:SHOWN].numpy(), "descent": -gradient.cpu().numpy()}
        if modes is not None:
            arrays["mode"] = modes[1][:SHOWN].numpy().astype(np.int16)
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


def _outputs(network: nn.Module, inputs: Tensor) -> Tensor:
    return torch.cat([network(part) for part in inputs.split(TOGETHER)])


def _picture(values: Tensor, kind: type) -> np.ndarray:
    return values.reshape(CELLS, CELLS).numpy().astype(kind)
