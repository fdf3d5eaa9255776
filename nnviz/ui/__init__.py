"""What all pages share: the form, the transport, the board."""

from nnviz.ui import landscape, landscape_pictures, race, race_pictures, racers, rate_search
from nnviz.ui.frame import run, start
from nnviz.ui.layers import layers
from nnviz.ui.lineage import forks
from nnviz.ui.page import AXIS, Choice, Draw, Event, Page, Panel, RunView, Taken, smoothing
from nnviz.ui.show import render

__all__ = [
    "AXIS",
    "Choice",
    "Draw",
    "Event",
    "Page",
    "Panel",
    "RunView",
    "Taken",
    "forks",
    "landscape",
    "landscape_pictures",
    "layers",
    "race",
    "race_pictures",
    "racers",
    "rate_search",
    "render",
    "run",
    "smoothing",
    "start",
]
