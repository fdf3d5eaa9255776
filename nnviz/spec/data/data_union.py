"""All data sets."""

from typing import Annotated

from pydantic import Field

from nnviz.spec.data.real_sets import BreastCancer, Diabetes, Digits, Iris, Wine
from nnviz.spec.data.toys import XOR, Blobs, Checkerboard, Circles, Curve, Hills, Moons, Spirals

Data = Annotated[
    Moons
    | Circles
    | Spirals
    | Blobs
    | XOR
    | Checkerboard
    | Curve
    | Hills
    | Digits
    | Iris
    | Wine
    | BreastCancer
    | Diabetes,
    Field(discriminator="kind"),
]
