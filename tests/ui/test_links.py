"""Links: what a link says comes back, and what is wrong in it loses only itself."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from nnviz.presets import PAGES, gradient_flow, playground
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Experiment
from nnviz.spec.optimizers import Adam
from nnviz.ui import links
from tests.each import each
from tests.spec.options import some

DEFAULT = playground.DEFAULT
EXAMPLES = (*playground.EXAMPLES, *gradient_flow.EXAMPLES)


def through_a_browser(parameters: dict[str, str]) -> dict[str, str]:
    """What another browser's server reads from the address made of the parameters."""
    address = links.address("http://127.0.0.1:8501/page?old=1#part", parameters)
    assert address.isascii()
    assert "old=1" not in address
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True, strict_parsing=bool(parameters)))


def test_the_default_job_needs_no_parameters():
    assert links.query([DEFAULT], DEFAULT) == {}
    assert links.read({}, DEFAULT) == ([DEFAULT], [], [])


def test_a_link_says_only_what_differs_from_the_default():
    job = replace_many(DEFAULT, {"learner.optimizer.lr": 0.3, "seed": 7})
    assert links.query([job], DEFAULT) == {"learner.optimizer.lr": "0.3", "seed": "7"}


@each("seed", range(60))
def test_any_job_comes_back_from_its_link(seed):
    job = some(Experiment, seed).model_copy(update={"parent": None})
    parameters = through_a_browser(links.query([job], DEFAULT))
    assert links.read(parameters, DEFAULT) == ([job], [], [])


@each("seed", range(30))
def test_any_two_jobs_come_back_from_their_link(seed):
    jobs = [some(Experiment, 1000 + seed), some(Experiment, 2000 + seed)]
    parameters = through_a_browser(links.query(jobs, DEFAULT, ["20261120-1551-ab12cd", "20261120-1551-ab12ce"]))
    assert links.read(parameters, DEFAULT) == (jobs, ["20261120-1551-ab12cd", "20261120-1551-ab12ce"], [])


def test_two_equal_jobs_come_back_as_two():
    assert links.read(links.query([DEFAULT, DEFAULT], DEFAULT), DEFAULT)[0] == [DEFAULT, DEFAULT]


@each("preset", EXAMPLES)
def test_an_example_comes_back_from_its_link(preset):
    jobs = list(preset.jobs)
    assert links.read(through_a_browser(links.query(jobs, DEFAULT)), DEFAULT) == (jobs, [], [])


@each("seed", range(40))
def test_a_shared_link_comes_back_and_says_where_the_page_starts_from_something_else(seed):
    default, other = (some(Experiment, n + seed).model_copy(update={"parent": None}) for n in (500, 900))
    jobs = [some(Experiment, seed + n).model_copy(update={"parent": None}) for n in range(1 + seed % 2)]
    parameters = through_a_browser(links.shared(jobs, default))
    assert links.read(parameters, default) == (jobs, [], [])
    assert "other settings" in links.read(parameters, other)[2][0]


@each(("page", "preset"), [(page, preset) for page in PAGES.values() for preset in page.examples])
def test_a_shared_link_of_an_example_is_short(page, preset):
    link = links.address("http://localhost:8501/page", links.shared(preset.jobs, page.default))
    assert len(link) < 1000
    assert len(links.address("http://localhost:8501/page", links.shared([page.default], page.default))) < 60


BAD = {
    "a value out of limits": ({"learner.optimizer.lr": "-3"}, "learner.optimizer.lr must be in (0, 10], got -3"),
    "an unknown field": ({"learner.optimizer.speed": "1"}, "learner.optimizer.speed is not a field of SGD"),
    "an unknown path": ({"foo": "1"}, "foo is not a field of Experiment"),
    "an unknown kind": ({"learner.optimizer.kind": "adan"}, "did you mean adam?"),
    "a word for a number": ({"steps": "many"}, 'steps must be a whole number, got "many"'),
    "nothing for a number": ({"steps": ""}, 'steps must be a whole number, got ""'),
    "a list for a number": ({"steps": "[1, 2]"}, "steps must be a whole number"),
    "not a number": ({"learner.l2": "NaN"}, "learner.l2 must be a finite number"),
    "infinity": ({"learner.l2": "1e999"}, "learner.l2 must be a finite number"),
    "a number for an object": ({"learner.optimizer": "3"}, "learner.optimizer"),
    "a path through a number": ({"steps.first": "1"}, "steps.first"),
    "a layer that is not there": ({"learner.model.hidden.9.width": "1"}, "9"),
    "a path of dots": ({"....": "1"}, "...."),
    "an empty path": ({"": "1"}, "is not a field"),
    "a second job's value": ({"b.steps": "0"}, "steps must be in [1, 1000000], got 0"),
    "deeply nested JSON": ({"learner": "[" * 2000}, "learner"),
}


@each("what", BAD)
def test_a_bad_parameter_loses_only_itself(what):
    bad, words = BAD[what]
    jobs, runs, problems = links.read({"seed": "7", "learner.data.kind": "circles", "run": "abc", **bad}, DEFAULT)
    assert (jobs[0].seed, jobs[0].learner.data.kind, runs) == (7, "circles", ["abc"])
    assert replace_many(jobs[0], {"seed": 0, "learner.data": DEFAULT.learner.data}) == DEFAULT
    assert len(problems) == 1
    assert problems[0].startswith("link: ")
    assert words in problems[0]
    assert "\n" not in problems[0]
    assert len(problems[0]) <= 420


def test_each_bad_parameter_is_said_once():
    _, _, problems = links.read({"steps": "0", "seed": "-1", "learner.batch_size": "0"}, DEFAULT)
    assert len(problems) == 3
    assert {p.split()[1] for p in problems} == {"Experiment.steps", "Experiment.seed", "learner.batch_size"}


def test_values_that_fit_only_together_are_applied_together():
    wanted = {"learner.data.kind": "curve", "learner.loss.kind": "mse"}
    jobs, _, problems = links.read(wanted, DEFAULT)
    assert (jobs[0].learner.data.kind, jobs[0].learner.loss.kind, problems) == ("curve", "mse", [])


def test_a_bad_parameter_beside_values_that_fit_only_together_loses_only_itself():
    wanted = {"learner.data.kind": "curve", "learner.loss.kind": "mse", "steps": "0"}
    jobs, _, problems = links.read(wanted, DEFAULT)
    assert (jobs[0].learner.data.kind, jobs[0].learner.loss.kind) == ("curve", "mse")
    assert len(problems) == 1
    assert "steps" in problems[0]


def test_a_bad_parameter_beside_the_settings_of_another_kind_loses_only_itself():
    parameters = {"learner.optimizer.beta1": "0.5", "learner.optimizer.kind": "adam", "steps": "0"}
    jobs, _, problems = links.read(parameters, DEFAULT)
    assert jobs[0].learner.optimizer == Adam(beta1=0.5)
    assert len(problems) == 1


def test_a_link_full_of_wrong_values_is_answered_in_few_lines():
    nonsense = {f"x{i}": "1" for i in range(1200)}
    jobs, _, problems = links.read({**nonsense, "seed": "7"}, DEFAULT)
    assert jobs[0].seed == 7
    assert len(problems) == 6
    assert problems[-1] == "link: 1195 more of its values are wrong"


def test_settings_of_a_kind_come_after_the_kind():
    parameters = {"learner.optimizer.beta1": "0.5", "learner.optimizer.kind": "adam"}
    jobs, _, problems = links.read(parameters, DEFAULT)
    assert (jobs[0].learner.optimizer, problems) == (Adam(beta1=0.5), [])


def test_a_kind_may_be_said_by_its_name_alone():
    assert links.read({"learner.optimizer": "adam"}, DEFAULT)[0][0].learner.optimizer == Adam()


def test_a_link_of_more_than_8000_characters_is_refused_whole():
    jobs, runs, problems = links.read({"seed": "7", "device": "x" * 8000, "run": "abc"}, DEFAULT)
    assert (jobs, runs) == ([DEFAULT], [])
    assert problems == ["the link must be at most 8000 characters long; share the job as JSON instead"]


@each(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE runs; --", "\u202e\x00\x1b[31m\ud800", "💥" * 100, "__class__"]
)
@each("place", ["name", "value", "json"])
def test_nonsense_is_answered_in_one_printable_line(text, place):
    parameters = {
        "name": {text: "1"},
        "value": {"device": text},
        "json": {"learner.model.hidden": json.dumps([text])},
    }[place]
    jobs, _, problems = links.read(parameters, DEFAULT)
    assert jobs == [DEFAULT]
    assert len(problems) == 1
    assert problems[0].isprintable()
    problems[0].encode()


def test_ids_of_runs_are_not_taken_for_fields():
    assert links.read({"run": "a,b"}, DEFAULT) == ([DEFAULT], ["a", "b"], [])
    assert links.read({"run": ",a,a,,b,c,d"}, DEFAULT) == ([DEFAULT], ["a", "b"], [])
    assert links.read({"run": ""}, DEFAULT) == ([DEFAULT], [], [])


@pytest.mark.parametrize("text", ["{}", "[1]", "null", "3", '"x"'])
def test_ids_of_runs_are_text_whatever_they_look_like(text):
    runs = links.read({"run": text}, DEFAULT)[1]
    assert all(isinstance(r, str) for r in runs)
