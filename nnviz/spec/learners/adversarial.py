"""A generator learns a distribution from a discriminator."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.activations import ReLU
from nnviz.spec.base import Spec, options
from nnviz.spec.clipping import Clipping, NoClipping
from nnviz.spec.data.distributions import PlaneDistribution, Ring
from nnviz.spec.gan_objectives import NonSaturating, Objective, WassersteinClipping, WassersteinPenalty
from nnviz.spec.initializers import Constant, PyTorchDefault, Zeros
from nnviz.spec.models import MLP, Family, Hidden, Model, Size
from nnviz.spec.noise_sources import NoiseSource, NormalNoise
from nnviz.spec.optimizers import Adam, Optimizer, can_be_scheduled
from nnviz.spec.resuming import RESUMABLE
from nnviz.spec.schedules import ConstantRate, Schedule

PICTURE_SAMPLES = 20_000
"""Generated samples from which their density is estimated."""


def _network() -> MLP:
    layer = Hidden(width=128, activation=ReLU())
    return MLP(hidden=(layer, layer), initializer=PyTorchDefault())


def _adam() -> Adam:
    return Adam(lr=1e-3, beta1=0.5, beta2=0.999)


class AdversarialBase(Spec):
    """What every generative adversarial network has, whatever its samples are."""

    kind: str
    data: Spec
    noise: NoiseSource = Field(NormalNoise(), title="noise z")
    generator: Family
    discriminator: Family
    objective: Objective = Field(NonSaturating(), json_schema_extra=RESUMABLE)
    generator_optimizer: Optimizer = Field(
        _adam(), title="generator's optimizer", json_schema_extra={"resumable": "settings"}
    )
    discriminator_optimizer: Optimizer = Field(
        _adam(), title="discriminator's optimizer", json_schema_extra={"resumable": "settings"}
    )
    schedule: Schedule = Field(ConstantRate(), title="learning-rate schedule of both", json_schema_extra=RESUMABLE)
    clipping: Clipping = Field(NoClipping(), title="gradient clipping of both", json_schema_extra=RESUMABLE)
    batch_size: int = Field(
        128,
        ge=1,
        le=20_000,
        description="Real samples, and generated samples, in each update.",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    updates: Literal["both", "discriminator", "generator"] = Field(
        "both",
        title="trained networks",
        description="Which of the two networks are trained; the other keeps its weights.",
        json_schema_extra=RESUMABLE,
    )
    discriminator_updates: int = Field(
        1,
        ge=1,
        le=20,
        title="discriminator updates",
        description="Updates of the discriminator before each update of the generator.",
        json_schema_extra=RESUMABLE,
    )
    unrolled: int = Field(
        0,
        ge=0,
        le=10,
        title="unrolled steps",
        description="The generator is updated against the discriminator as it would be after this many steps of "
        "gradient descent, and through them (Metz et al., 2017, arXiv:1611.02163); 0: off.",
        json_schema_extra=RESUMABLE,
    )
    unrolled_lr: float = Field(
        0.1,
        gt=0,
        le=10,
        title="learning rate of unrolled steps",
        description="Of the gradient descent steps that are unrolled.",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    spectral_norm: bool = Field(
        False,
        title="spectral norm",
        description="Divide each weight matrix of the discriminator by its largest singular value (Miyato et al., "
        "2018, arXiv:1802.05957).",
    )
    instance_noise: float = Field(
        0.0,
        ge=0,
        le=2,
        title="instance noise σ",
        description="Standard deviation of normal noise added to all inputs of the discriminator at the first step "
        "(Sønderby et al., 2017, arXiv:1610.04490); 0: off.",
        json_schema_extra=RESUMABLE,
    )
    instance_noise_until: int = Field(
        3000,
        ge=1,
        le=1_000_000,
        title="instance noise until step",
        description="The noise falls linearly to 0 at this step.",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        le=0.5,
        title="one-sided label smoothing",
        description="The discriminator's target for real samples is 1 minus this (Salimans et al., 2016, "
        "arXiv:1606.03498).",
        json_schema_extra=RESUMABLE,
    )
    average: float = Field(
        0.0,
        ge=0,
        le=0.9999,
        title="EMA of the generator",
        description="Decay of an exponential moving average of the generator's weights; pictures and measures are then "
        "of the averaged generator; 0: off.",
        json_schema_extra=RESUMABLE,
    )

    has_probabilities: ClassVar[bool] = False
    steps_per_epoch: ClassVar[None] = None
    train_size: ClassVar[int] = 0
    """Samples whose classes it learns."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in ("generator_optimizer", "discriminator_optimizer"):
            kind = getattr(self, name)
            if not (isinstance(self.schedule, ConstantRate) or can_be_scheduled(kind)):
                raise ValueError(
                    f"learner.schedule must be constant with {kind.kind} as {name}: its steps after the first do not "
                    f"depend on the learning rate; got {self.schedule.kind}, choose constant or another optimizer"
                )
        for name in ("generator", "discriminator"):
            least = getattr(self, name).least_batch
            if self.batch_size < least:
                raise ValueError(
                    f"learner.batch_size must be at least {least} with batch norm in the {name}, got {self.batch_size}"
                )
        if self.label_smoothing and self.objective.output == "score":
            raise ValueError(
                f"learner.label_smoothing must be 0 with {self.objective.kind}, which has no targets, got "
                f"{self.label_smoothing:g}"
            )
        if isinstance(self.objective, WassersteinPenalty) and self.discriminator.statistics:
            raise ValueError(
                "learner.objective must not be wasserstein_penalty with batch norm in the discriminator: the penalty "
                "is on the gradient of each sample by itself; choose another objective, or no norm"
            )
        if self.unrolled and isinstance(self.objective, WassersteinClipping | WassersteinPenalty):
            raise ValueError(
                f"learner.unrolled must be 0 with {self.objective.kind}, whose limit on the discriminator the unrolled "
                f"steps would leave, got {self.unrolled}"
            )
        initial = self.discriminator.initializer
        if self.spectral_norm and (isinstance(initial, Zeros) or (isinstance(initial, Constant) and not initial.value)):
            raise ValueError(
                "learner.spectral_norm must be off with weights that start from 0 in the discriminator, which "
                "have no singular value to divide by; choose another initializer"
            )
        if self.unrolled and (self.spectral_norm or self.discriminator.statistics):
            found = "spectral norm" if self.spectral_norm else "batch norm"
            raise ValueError(
                f"learner.unrolled must be 0 with {found} in the discriminator, whose statistics the unrolled steps "
                f"would change, got {self.unrolled}"
            )
        return self

    def instance_noise_at(self, step: int) -> float:
        """Standard deviation of the instance noise in step `step` (1-based); of step 0 that of the first."""
        return self.instance_noise * max(0.0, 1 - max(0, step - 1) / self.instance_noise_until)

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:
        """Schedules that both optimizers follow."""
        if name != "schedule":
            return None
        kinds = options(type(self).model_fields["generator_optimizer"].annotation)
        for field in ("generator_optimizer", "discriminator_optimizer"):
            kind = chosen.get(field, {}).get("kind", getattr(self, field).kind)
            if not can_be_scheduled(kinds[kind]()):
                return ["constant"]
        return None

    @property
    def conditions(self) -> list[str]:
        """What is switched on besides the two networks and their objective, in words."""
        normed = [role for role in ("generator", "discriminator") if getattr(self, role).statistics]
        found = {
            f"batch norm in the {' and the '.join(normed)}": normed,
            f"{self.discriminator_updates} discriminator updates a step": self.discriminator_updates > 1,
            self.objective.constraint: self.objective.constraint,
            self.clipping.words: self.clipping.words,
            f"learning rates scheduled: {self.schedule.kind}": not isinstance(self.schedule, ConstantRate),
            f"instance noise {self.instance_noise:g} → 0 by step {self.instance_noise_until:,}": self.instance_noise,
            "spectral norm": self.spectral_norm,
            f"{self.unrolled} unrolled steps": self.unrolled,
            f"label smoothing {self.label_smoothing:g}": self.label_smoothing,
            f"samples of the averaged generator, decay {self.average:g}": self.average,
            f"{self.updates} only": self.updates != "both",
        }
        return [words for words, is_on in found.items() if is_on]

    # -- its size, as `estimates.of_training` asks for it

    @property
    def sizes(self) -> Mapping[str, Size]:
        """Of each network."""
        raise NotImplementedError

    @property
    def size(self) -> Size:
        """Of both networks together."""
        sizes = self.sizes
        return sizes["generator"] + sizes["discriminator"]

    @property
    def work(self) -> int:
        """Multiply-adds of a step's forward passes, which decide the number of threads."""
        sizes, n = self.sizes, self.discriminator_updates
        passes = sizes["generator"].work * (n + 1) + sizes["discriminator"].work * (2 * n + 1 + 2 * self.unrolled)
        return passes * self.batch_size


class Adversarial(AdversarialBase):
    """A generative adversarial network: the discriminator learns to tell generated samples from real ones, the
    generator to make samples that it takes for real (Goodfellow et al., 2014, arXiv:1406.2661)."""

    model_config = ConfigDict(title="Adversarial (GAN)")
    kind: Literal["adversarial"] = "adversarial"
    data: PlaneDistribution = Field(Ring(), title="real data")
    generator: Model = _network()
    discriminator: Model = _network()

    snapshots: ClassVar[tuple[str, ...]] = ("generated", "discriminator_field", "discriminator_histogram")

    @property
    def sizes(self) -> Mapping[str, Size]:
        return {
            "generator": self.generator.size((self.noise.dimensions,), 2),
            "discriminator": self.discriminator.size(self.data.shape, 1),
        }

    @property
    def data_bytes(self) -> int:
        """Bytes of its data, which are drawn afresh."""
        return 0

    @property
    def samples(self) -> int:
        """How many go through the networks at once: a batch, or those of a picture."""
        return max(self.batch_size, PICTURE_SAMPLES)

    @property
    def picture(self) -> int:
        """Bytes of its pictures at an evaluation."""
        return 40_000
