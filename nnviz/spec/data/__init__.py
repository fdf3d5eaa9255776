"""Data sets. Each says the shape of a sample and how many classes it has (0: regression) without being made, so that a
job can be checked and its size estimated."""

from nnviz.spec.data.data_union import Data
from nnviz.spec.data.real_sets import BreastCancer, Diabetes, Digits, Iris, Wine
from nnviz.spec.data.toys import XOR, Blobs, Checkerboard, Circles, Curve, Hills, Moons, Spirals

__all__ = [
    "XOR",
    "Blobs",
    "BreastCancer",
    "Checkerboard",
    "Circles",
    "Curve",
    "Data",
    "Diabetes",
    "Digits",
    "Hills",
    "Iris",
    "Moons",
    "Spirals",
    "Wine",
]
