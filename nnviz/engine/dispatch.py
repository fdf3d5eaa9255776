"""Runs a job: a stream of records."""

from nnviz.engine.announcements import Announce, heard_by
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.ensembles.ensemble_run import EnsembleRun
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.engine.learners import Learning
from nnviz.engine.running_job import RunningJob
from nnviz.engine.training import TrainingRun
from nnviz.engine.trajectories.rate_search import RateSearchRun
from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.spec.jobs import Ensemble, Job, Landscape, RateSearch, Training, Trajectories


def run(
    job: Job,
    checkpoint: bytes | None = None,
    learning: Learning | None = None,
    read_file: ReadFile = no_files,
    announce: Announce | None = None,
) -> RunningJob:
    """The job as an iterator of lists of records, from its beginning or from a checkpoint of it or of its parent.

    The same job on the CPU gives the same records, whether it is paused, resumed or evaluated in between. `learning`, a
    learner at step 0, is trained instead of the job's own. `read_file` returns the content of the files that the job
    names; `announce` is told in a line what takes long before the first step, such as a download. Raises EngineError
    for a job that cannot be run here.
    """
    with heard_by(announce):
        return _build(job, checkpoint, learning, read_file)


def _build(job: Job, checkpoint: bytes | None, learning: Learning | None, read_file: ReadFile) -> RunningJob:
    match job:
        case Training():
            return TrainingRun(job, checkpoint, learning, read_file)
        case Trajectories():
            return TrajectoryRun(job, checkpoint)
        case RateSearch():
            return RateSearchRun(job, checkpoint)
        case Landscape():
            return LandscapeEvaluation(job, checkpoint, read_file)
        case Ensemble():
            return EnsembleRun(job, checkpoint, read_file)
    raise TypeError(f"no engine for {job!r}")
