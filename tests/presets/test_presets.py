"""The examples of every page: valid, distinguishable, and with a text on what to look at."""

import re

from nnviz.presets import PAGES
from nnviz.spec.base import differences, replace_many
from nnviz.spec.jobs import dump, fingerprint, load
from nnviz.ui import links
from tests.each import each

EXAMPLES = [(name, preset) for name, page in PAGES.items() for preset in page.examples]
JOBS = [(name, page.default) for name, page in PAGES.items()]
JOBS += [(name, job) for name, preset in EXAMPLES for job in preset.jobs]


@each(("page", "job"), JOBS)
def test_a_job_survives_json_and_a_link_and_is_small(page, job):
    default = PAGES[page].default
    assert type(job) is type(default)
    assert load(dump(job)) == job
    assert replace_many(default, differences(job, default)) == job
    assert links.read(links.query([job], default), default) == ([job], [], [])
    assert job.estimate().parameters < 200_000


@each(("page", "preset"), EXAMPLES)
def test_an_example_says_in_a_few_sentences_what_to_look_at(page, preset):  # noqa: ARG001
    assert 80 < len(preset.look_at) < 400
    assert preset.look_at.endswith((".", "?"))
    assert "  " not in preset.look_at


@each(("page", "preset"), [(name, preset) for name, preset in EXAMPLES if len(preset.jobs) == 2])
def test_two_jobs_side_by_side_differ(page, preset):
    a, b = preset.jobs
    assert differences(b, a)
    if page == "gradient_flow":
        assert all(path.startswith(("learner.model", "learner.clipping")) for path in differences(b, a))


@each("page", PAGES)
def test_examples_differ(page):
    examples = PAGES[page].examples
    assert len({preset.title for preset in examples}) == len(examples)
    assert len({tuple(map(fingerprint, preset.jobs)) for preset in examples}) == len(examples)


@each("page", ["playground", "gradient_flow"])
def test_an_example_of_a_training_names_its_source(page):
    assert all(preset.reference for preset in PAGES[page].examples)


def test_references_are_written_alike():
    one = r"\w[\w.]+( & \w+| et al\.)?, \d{4}(, arXiv:\d{4}\.\d{4,5}|, (ch|sec)\. [\d.]+)?"
    for page, presets in PAGES.items():
        for preset in presets.examples:
            if preset.reference:
                assert re.fullmatch(rf"{one}(; {one})*", preset.reference), (page, preset.reference)
