"""A generator learns to make images from a discriminator."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.base import label, options
from nnviz.spec.data.images import DigitImages, Images
from nnviz.spec.learners.adversarial import AdversarialBase
from nnviz.spec.models import DCGANDiscriminator, DCGANGenerator, ImageDiscriminator, ImageGenerator, Size
from nnviz.spec.noise_sources import NoiseSource, NormalNoise
from nnviz.spec.optimizers import Adam, Optimizer
from nnviz.spec.resuming import RESUMABLE
from nnviz.spec.shapes import Shape, numbers, words

GRID = 10
"""Rows and columns of the grid of samples."""

INTERPOLATIONS = 4
"""Rows of images between two noise points."""

MEASURED = 200
"""Generated samples, and real images, that are measured besides those of the grid."""


def _adam() -> Adam:
    return Adam(lr=5e-4, beta1=0.5, beta2=0.999)


class ImageAdversarial(AdversarialBase):
    """A generative adversarial network of images, with convolutional networks as in DCGAN (Radford et al., 2016,
    arXiv:1511.06434) and class labels where there are some (Mirza & Osindero, 2014, arXiv:1411.1784)."""

    model_config = ConfigDict(title="Adversarial (GAN) on images")
    kind: Literal["adversarial_images"] = "adversarial_images"
    data: Images = Field(DigitImages(), title="real images")
    noise: NoiseSource = Field(NormalNoise(dimensions=64), title="noise z")
    generator: ImageGenerator = DCGANGenerator()
    discriminator: ImageDiscriminator = DCGANDiscriminator()
    generator_optimizer: Optimizer = Field(
        _adam(), title="generator's optimizer", json_schema_extra={"resumable": "settings"}
    )
    discriminator_optimizer: Optimizer = Field(
        _adam(), title="discriminator's optimizer", json_schema_extra={"resumable": "settings"}
    )
    batch_size: int = Field(
        64,
        ge=2,
        le=2048,
        description="Real images, and generated images, in each update; batch norm needs two.",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    conditional: Literal["projection", "concatenation", "none"] = Field(
        "projection",
        title="class labels",
        description="The generator gets the class of the image beside the noise. The discriminator gets it by "
        "projection: the inner product of its features with a vector of the class is added to its output (Miyato & "
        "Koyama, 2018, arXiv:1802.05637); or by concatenation: a learned map of the class is one more channel of the "
        "image. none: both networks see no labels.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="bfloat16: mixed precision, layers compute with 8 significant bits while weights and losses keep "
        "24; faster on devices that have it.",
    )
    channels_last: bool = Field(
        False,
        title="channels last",
        description="Pixels are stored with their channels side by side, which convolutions on many GPUs prefer.",
    )

    @model_validator(mode="after")
    def _images_fit(self) -> "ImageAdversarial":
        if self.is_conditional and not self.data.classes:
            raise ValueError(
                f"learner.conditional must be none with {self.data.kind}, whose images have no labels, got "
                f"{self.conditional}"
            )
        for name, inputs in (("generator", self.generated_from), ("discriminator", self.judged)):
            model = getattr(self, name)
            if not model.accepts(inputs):
                raise ValueError(
                    f"learner.{name} must accept its inputs: {label(type(model))} takes {model.takes}, got "
                    f"{words(inputs)}; choose another network or other data"
                )
        return self

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:
        """Also: no class labels without labeled data."""
        if name != "conditional":
            return super().fitting(name, chosen)
        kinds = options(type(self).model_fields["data"].annotation)
        data = kinds[chosen.get("data", {}).get("kind", self.data.kind)]
        return ["none"] if data.classes == 0 else None

    @property
    def is_conditional(self) -> bool:
        """Whether the networks get class labels."""
        return self.conditional != "none"

    @property
    def generated_from(self) -> Shape:
        """What the generator gets: noise, and one number a class."""
        return (self.noise.dimensions + self.data.classes * self.is_conditional,)

    @property
    def judged(self) -> Shape:
        """What the discriminator's first layer gets."""
        channels, height, width = self.data.shape
        return channels + (self.conditional == "concatenation"), height, width

    @property
    def snapshots(self) -> tuple[str, ...]:
        """Pictures that are taken at each evaluation."""
        labeled = ("class_histogram",) if self.data.classes else ()
        return ("sample_grid", "interpolation", "nearest_real", "discriminator_histogram", *labeled)

    @property
    def sizes(self) -> Mapping[str, Size]:
        judged = self.discriminator.size(self.judged, 1)
        entries = {"projection": self.discriminator.features(self.judged), "concatenation": numbers(self.judged[1:])}
        embedding = self.data.classes * entries.get(self.conditional, 0)
        return {
            "generator": self.generator.size(self.generated_from, numbers(self.data.shape)),
            "discriminator": judged._replace(parameters=judged.parameters + embedding),
        }

    @property
    def samples(self) -> int:
        """How many go through the networks at once: a batch, or those of a grid."""
        return max(self.batch_size, GRID**2)

    @property
    def data_bytes(self) -> int:
        """Bytes of its images, and of a copy in another order."""
        return 2 * 4 * self.data.count * numbers(self.data.shape)

    @property
    def picture(self) -> int:
        """Bytes of its pictures at an evaluation."""
        images = GRID * GRID + GRID * INTERPOLATIONS + 2 * GRID
        return images * numbers(self.data.shape) + 2_000
