"""All learners."""

from typing import Annotated

from pydantic import Field

from nnviz.spec.learners.supervised import Supervised

Learner = Annotated[Supervised, Field()]
"""Of one member as yet; with a second one its discriminator is `kind`."""
