"""Wrong labels in a training set."""

from typing import Annotated

from pydantic import Field

LabelNoise = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        title="label noise",
        description="Fraction of the training samples whose label is replaced by another class, chosen at random "
        "(partially corrupted labels: Zhang et al., 2017, arXiv:1611.03530). Test labels stay as they are.",
    ),
]
