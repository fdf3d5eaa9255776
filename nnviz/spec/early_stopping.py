"""Early stopping: when a run ends before its last step."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec


class NoEarlyStopping(Spec):
    """The run goes on to its last step, whose weights it keeps."""

    kind: Literal["none"] = "none"


class Patience(Spec):
    """The run ends when the test loss has not improved for a number of evaluations, and keeps the weights of the step
    with the lowest test loss as its final ones (Prechelt, 1998, "Early stopping — but when?").

    The evaluations are those of every `evaluate_every`-th step, the first at step 0. The test set serves as validation
    set here, so the test loss at the best step is slightly optimistic.
    """

    model_config = ConfigDict(title="Early stopping")
    kind: Literal["patience"] = "patience"
    patience: int = Field(
        10,
        ge=1,
        le=100_000,
        description="Evaluations in a row without improvement after which the run ends.",
        json_schema_extra={"log": True},
    )
    least_improvement: float = Field(
        0.0,
        ge=0,
        le=1,
        title="least improvement",
        description="A test loss improves on the lowest only if it is lower by more than this.",
        json_schema_extra={"log": True},
    )


EarlyStopping = Annotated[NoEarlyStopping | Patience, Field(discriminator="kind")]
