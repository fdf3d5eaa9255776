"""The machinery: what each choice does, in torch."""

from nnviz.engine.device import EngineError
from nnviz.engine.dispatch import run
from nnviz.engine.divergence import Diverged
from nnviz.engine.running_job import RunningJob
from nnviz.engine.training import TrainingRun

__all__ = ["Diverged", "EngineError", "RunningJob", "TrainingRun", "run"]
