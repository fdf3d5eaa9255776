"""What every kind of job says of itself."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

from nnviz.spec.base import Spec
from nnviz.spec.estimates import Estimate


class BaseJob(Spec):
    """Everything that decides a run. Each kind has a `kind`, `steps`, a `seed`, a `device` and a `parent`."""

    retention: ClassVar[Literal["history", "cache", "moment"]]
    """How long its runs are kept. history: for the library, until the viewer deletes them. cache: the newest few, to be
    found again. moment: as long as they are shown. The last two are made again when they are needed, and take so
    little, turn by turn, that they need not wait for a worker of their own."""
    counts: ClassVar[str] = "steps"
    """What `steps` counts."""
    has_weights: ClassVar[bool] = False
    """Whether its runs keep what they have trained."""
    keeps_best: ClassVar[bool] = False
    """Whether what its runs keep at their end is of their best step, not of the last."""
    shows: ClassVar[str] = ""
    """The snapshot without which there is nothing to see of a run; none: there is from its first step."""
    has_pictures: ClassVar[bool] = True
    """Whether its runs have snapshots, so that a time slider has places for it."""
    called: ClassVar[str] = ""
    """What its run is called among the parts of another job."""

    @property
    def steps_per_epoch(self) -> int | None:
        """None where there are no epochs."""
        return None

    @property
    def shown_as(self) -> str:
        """What pages tell jobs apart by: a page shows jobs that are shown as its default is."""
        return self.kind

    def estimate(self) -> Estimate:
        """What it will need."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """What is looked at: pictures of another subject have nothing in common with these."""
        return ""

    def stage(self, done: int) -> str:
        """What is done after so many of its steps."""
        return f"step {done:,} of {self.steps:,}"

    def belongs_to(self, _job: Spec) -> bool:
        """Whether its run is a part of that job, for which it was asked besides."""
        return False

    def parts(self, _jobs: Sequence[Self] = (), _place: int = 0) -> Mapping[str, Self]:
        """The jobs of the runs behind this one, by part. `_jobs` are all that are shown side by side, this one at
        `_place`."""
        return {"": self}
