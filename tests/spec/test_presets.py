"""Presets: valid, told apart, and saying what to look at."""

from nnviz.spec import presets
from nnviz.spec.base import differences, replace_many
from nnviz.spec.jobs import dump, load
from tests.each import each

EXAMPLES = (*presets.PLAYGROUND_EXAMPLES, *presets.GRADIENT_FLOW_EXAMPLES)
JOBS = [presets.PLAYGROUND, presets.GRADIENT_FLOW, *(job for preset in EXAMPLES for job in preset.jobs)]


@each("job", JOBS)
def test_the_jobs_of_presets_survive_json_and_are_small(job):
    assert load(dump(job)) == job
    assert job.estimate().parameters < 200_000
    assert replace_many(presets.PLAYGROUND, differences(job, presets.PLAYGROUND)) == job


@each("preset", EXAMPLES)
def test_a_preset_says_in_a_few_sentences_what_to_look_at_and_after_whom(preset):
    assert 80 < len(preset.look_at) < 400
    assert preset.look_at.rstrip().endswith(".")
    assert preset.reference
    assert "  " not in preset.look_at


@each("preset", [p for p in EXAMPLES if len(p.jobs) == 2])
def test_two_jobs_side_by_side_differ_only_in_the_model_or_the_clipping(preset):
    a, b = preset.jobs
    assert differences(b, a)
    assert all(path.startswith(("learner.model", "learner.clipping")) for path in differences(b, a))


def test_titles_are_unique():
    assert len({p.title for p in EXAMPLES}) == len(EXAMPLES)
