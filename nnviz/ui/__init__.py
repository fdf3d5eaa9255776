"""What all pages share: the form, the transport, the board."""

from nnviz.ui import landscape_pictures, rate_tuning, trajectory_pictures, trajectory_status
from nnviz.ui.early_stopping_marks import stopping_marks
from nnviz.ui.form import landscape_widgets, trajectory_widgets
from nnviz.ui.job_diff import resume_marks
from nnviz.ui.page import AXIS, Choice, Draw, Event, Figure, JobsFromRuns, Page, Panel, RunView, smoothing
from nnviz.ui.page_frame import run, start
from nnviz.ui.run_layers import layers, scalars_of
from nnviz.ui.seeds_panel import over_seeds
from nnviz.ui.show import render

__all__ = [
    "AXIS",
    "Choice",
    "Draw",
    "Event",
    "Figure",
    "JobsFromRuns",
    "Page",
    "Panel",
    "RunView",
    "landscape_pictures",
    "landscape_widgets",
    "layers",
    "over_seeds",
    "rate_tuning",
    "render",
    "resume_marks",
    "run",
    "scalars_of",
    "smoothing",
    "start",
    "stopping_marks",
    "trajectory_pictures",
    "trajectory_status",
    "trajectory_widgets",
]
