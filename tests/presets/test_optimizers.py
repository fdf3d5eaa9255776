"""The examples of the page on optimizers: small, started in view, with distinguishable optimizers."""

from nnviz.presets import optimizers
from nnviz.spec.surfaces import inside
from nnviz.spec.trajectories import MAX_OPTIMIZERS
from tests.each import each


@each("preset", optimizers.EXAMPLES)
def test_an_example_is_one_small_run_that_starts_in_view(preset):
    (job,) = preset.jobs
    assert job.estimate().snapshot_bytes < 20_000_000
    assert len(job.optimizers) <= MAX_OPTIMIZERS
    assert inside(job.surface, job.start)


@each("preset", optimizers.EXAMPLES)
def test_optimizers_of_an_example_have_different_names(preset):
    names = [optimizer.name for optimizer in preset.jobs[0].optimizers]
    assert len(set(names)) == len(names)
