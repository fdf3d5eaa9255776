"""All learners."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from nnviz.spec.learners.adversarial import Adversarial
from nnviz.spec.learners.adversarial_images import ImageAdversarial
from nnviz.spec.learners.supervised import Supervised


def _with_kind(value: Any) -> Any:
    """A learner that does not say its kind is a supervised one."""
    return {"kind": "supervised", **value} if isinstance(value, dict) else value


Learner = Annotated[
    Supervised | Adversarial | ImageAdversarial, Field(discriminator="kind"), BeforeValidator(_with_kind)
]
