"""The races that the page on optimizers offers: small, started in the picture, with racers that are told apart."""

from nnviz.presets import optimizers
from nnviz.spec.descent import MOST_RACERS
from nnviz.spec.surfaces import inside
from tests.each import each


@each("preset", optimizers.EXAMPLES)
def test_an_example_is_one_small_race_that_starts_in_the_picture(preset):
    (job,) = preset.jobs
    assert job.estimate().snapshot_bytes < 20_000_000
    assert len(job.racers) <= MOST_RACERS
    assert inside(job.surface, job.start)


@each("preset", optimizers.EXAMPLES)
def test_racers_of_an_example_are_told_apart_by_their_names(preset):
    names = [racer.name for racer in preset.jobs[0].racers]
    assert len(set(names)) == len(names)
