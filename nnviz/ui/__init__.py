"""What all pages share: the form, the transport, the board."""

from nnviz.ui.experiment import experiment
from nnviz.ui.lineage import forks
from nnviz.ui.live import Picture, show
from nnviz.ui.options import choice
from nnviz.ui.page import heading, start

__all__ = ["Picture", "choice", "experiment", "forks", "heading", "show", "start"]
