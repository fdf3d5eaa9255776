"""How a decision surface is drawn, offered where the data have one."""

from collections.abc import Mapping

from nnviz.spec.jobs import Job
from nnviz.ui.page import Choice


def _styles(job: Job) -> Mapping[str, str]:
    """All where there are classes in a plane; with one there is nothing to choose."""
    data = job.learner.data
    borders = {"borders": "boundaries only"} if data.classes and data.shape == (2,) else {}
    return {"soft": "soft"} | borders


SURFACE_STYLE = Choice("style", "Surface", _styles)
