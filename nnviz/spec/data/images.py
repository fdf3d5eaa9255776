"""Sets of square images. Pixels reach the networks as numbers in [−1, 1], −1 black."""

import string
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.attachments import Attachment
from nnviz.spec.base import Spec
from nnviz.spec.shapes import Shape

CHARACTERS = {
    "digits": string.digits,
    "letters": string.ascii_uppercase,
    "digits and letters": string.digits + string.ascii_uppercase,
}
"""The characters of a set of glyphs, each a class."""

CLOTHES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

Size = Annotated[
    Literal[8, 16, 32, 64],
    Field(title="image size", description="Height and width in pixels; images of another size are resized to it."),
]
Made = Annotated[int, Field(ge=100, le=10_000, title="images", description="How many images are generated.")]
Color = Annotated[bool, Field(title="RGB", description="Red, green and blue; off: gray levels.")]


class ImageData(Spec):
    """A set of images, all of one size."""

    classes: ClassVar[int]
    """0 where the images have no labels."""
    class_names: ClassVar[tuple[str, ...]]

    @property
    def shape(self) -> Shape:
        """(channels, height, width)."""
        return (3 if getattr(self, "color", False) else 1, self.size, self.size)


class DigitImages(ImageData):
    """1,797 handwritten digits of 8 × 8 pixels with 17 gray levels (Alpaydin & Kaynak, 1998; from scikit-learn);
    interpolated (bicubic) for larger sizes."""

    model_config = ConfigDict(title="Digits (8 × 8)")
    kind: Literal["digit_images"] = "digit_images"
    size: Size = 8
    count: ClassVar[int] = 1797
    classes: ClassVar[int] = 10
    class_names: ClassVar[tuple[str, ...]] = tuple(string.digits)


class Shapes(ImageData):
    """Triangles, parallelograms and ellipses of random position, size, proportions and color on black, one per
    image, rotated by up to 17°; generated, after Shapeset (Glorot & Bengio, 2010)."""

    kind: Literal["shapes"] = "shapes"
    size: Size = 16
    smallest: float = Field(
        0.7,
        ge=0.2,
        le=0.9,
        title="smallest shape",
        description="Width or height of the smallest shapes, whichever is larger, as a fraction of the image's; the "
        "largest take 0.95 of it.",
    )
    color: Color = True
    count: Made = 4000
    classes: ClassVar[int] = 3
    class_names: ClassVar[tuple[str, ...]] = ("triangle", "parallelogram", "ellipse")


class Glyphs(ImageData):
    """Characters of the font Aileron (part of Pillow), each shifted, scaled, rotated and sheared at random;
    generated."""

    kind: Literal["glyphs"] = "glyphs"
    size: Size = 16
    characters: Literal["digits", "letters", "digits and letters"] = Field(
        "letters", description="Which characters are the classes."
    )
    distortion: float = Field(
        0.5,
        ge=0,
        le=1,
        description="At 1 characters are rotated by up to 30°, scaled by 0.7 to 1.3, and shifted and sheared by up to "
        "a fifth of their height; at 0 all images of a class are identical.",
    )
    count: Made = 4000

    @property
    def class_names(self) -> tuple[str, ...]:
        """The characters."""
        return tuple(CHARACTERS[self.characters])

    @property
    def classes(self) -> int:
        """Number of characters."""
        return len(self.class_names)


Taken = Annotated[
    int, Field(ge=100, le=70_000, title="images", description="How many of the 70,000 are used, chosen at random.")
]


class MNIST(ImageData):
    """Handwritten digits of 28 × 28 pixels, padded to 32 × 32 and resized (LeCun et al., 1998; downloaded once from
    OpenML, 15 MB)."""

    download: ClassVar[str] = "about 15 MB"
    kind: Literal["mnist"] = "mnist"
    size: Size = 32
    count: Taken = 10_000
    classes: ClassVar[int] = 10
    class_names: ClassVar[tuple[str, ...]] = tuple(string.digits)


class FashionMNIST(ImageData):
    """Ten kinds of clothes in gray, 28 × 28 pixels, padded to 32 × 32 and resized (Xiao et al., 2017,
    arXiv:1708.07747; downloaded once from OpenML, 32 MB)."""

    model_config = ConfigDict(title="Fashion-MNIST")
    download: ClassVar[str] = "about 32 MB"
    kind: Literal["fashion_mnist"] = "fashion_mnist"
    size: Size = 32
    count: Taken = 10_000
    classes: ClassVar[int] = 10
    class_names: ClassVar[tuple[str, ...]] = CLOTHES


class ImageFolder(ImageData):
    """Your own PNG or JPEG images, as a zip of a folder or as several files: the center square of each, resized.
    Without labels."""

    kind: Literal["image_folder"] = "image_folder"
    file: Attachment = Field(
        Attachment(),
        title="image files, or one zip of a folder",
        description="PNG or JPEG; files that cannot be read are listed and skipped.",
        json_schema_extra={"types": ["zip", "png", "jpg", "jpeg"]},
    )
    size: Size = 32
    color: Color = True
    count: int = Field(
        2000,
        ge=10,
        le=10_000,
        title="maximum number of images",
        description="If the folder has more images, this many are chosen at random.",
    )
    classes: ClassVar[int] = 0
    class_names: ClassVar[tuple[str, ...]] = ()


Images = Annotated[
    DigitImages | Shapes | Glyphs | MNIST | FashionMNIST | ImageFolder,
    Field(discriminator="kind"),
]
