"""The split of a data set."""

from typing import Annotated

from pydantic import Field

TrainFraction = Annotated[
    float,
    Field(
        ge=0.05,
        le=0.95,
        title="training fraction",
        description="Fraction of the samples used for training; the rest is the test set.",
    ),
]
