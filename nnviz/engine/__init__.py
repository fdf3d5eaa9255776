"""The machinery: what each choice does, in torch."""

from nnviz.engine.device import EngineError
from nnviz.engine.divergence import Diverged
from nnviz.engine.run import Run, run

__all__ = ["Diverged", "EngineError", "Run", "run"]
