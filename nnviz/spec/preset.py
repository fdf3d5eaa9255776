"""A job worth seeing, with what to look at in it."""

from pydantic import Field

from nnviz.spec.base import Spec
from nnviz.spec.jobs import MOST, Job


class Preset(Spec):
    """Jobs worth seeing side by side, or one, and what to look at in them."""

    title: str
    look_at: str = Field(description="Two or three sentences: what to look at, and why it is so.")
    reference: str = ""
    jobs: tuple[Job, ...] = Field(min_length=1, max_length=MOST)
    section: str = Field("", description="The section that is open; none: the page's first.")
    choices: dict[str, str] = Field(default_factory=dict, description="Values of the panels' choices by their names.")
