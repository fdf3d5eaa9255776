"""What happens inside of modules while they are trained, captured without changing it."""

from nnviz.engine.capture.passes import named, silent
from nnviz.engine.capture.trace import Pass, PassSample, Place, Probe, Update, UpdateSample
from nnviz.engine.capture.watch import Watch

__all__ = ["Pass", "PassSample", "Place", "Probe", "Update", "UpdateSample", "Watch", "named", "silent"]
