"""What all pages share: the form, the transport, the board."""

from nnviz.ui import landscape_pictures, race_pictures
from nnviz.ui.experiment import experiment
from nnviz.ui.landscape import landscape
from nnviz.ui.layers import layers
from nnviz.ui.lineage import forks
from nnviz.ui.live import Picture, show
from nnviz.ui.options import choice
from nnviz.ui.page import heading, run, start
from nnviz.ui.race import race
from nnviz.ui.watch_landscape import watch_landscape
from nnviz.ui.watch_race import racer_choice, watch_race

__all__ = [
    "Picture",
    "choice",
    "experiment",
    "forks",
    "heading",
    "landscape",
    "landscape_pictures",
    "layers",
    "race",
    "race_pictures",
    "racer_choice",
    "run",
    "show",
    "start",
    "watch_landscape",
    "watch_race",
]
