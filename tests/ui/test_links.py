"""Links: what a link says comes back, and what is wrong in it loses only itself."""

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from nnviz.presets import PAGES, gradient_flow, optimizers, playground
from nnviz.runs import Store
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training, dump
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
    job = some(Training, seed).model_copy(update={"parent": None})
    parameters = through_a_browser(links.query([job], DEFAULT))
    assert links.read(parameters, DEFAULT) == ([job], [], [])


@each("seed", range(30))
def test_any_two_jobs_come_back_from_their_link(seed):
    jobs = [some(Training, 1000 + seed), some(Training, 2000 + seed)]
    parameters = through_a_browser(links.query(jobs, DEFAULT, ["20261120-1551-ab12cd", "20261120-1551-ab12ce"]))
    assert links.read(parameters, DEFAULT) == (jobs, ["20261120-1551-ab12cd", "20261120-1551-ab12ce"], [])


@each("seed", range(20))
def test_any_set_of_two_to_eight_jobs_comes_back_from_its_link(seed):
    jobs = [some(Training, 100 * seed + n, small=True) for n in range(2 + seed % 7)]
    default = DEFAULT if jobs[0].shown_as == DEFAULT.shown_as else jobs[0]  # a page shows jobs of its kind only
    kept = {}
    parameters = through_a_browser(links.query(jobs, default, ["a", "b"], keep=keeper(kept)))
    assert links.read(parameters, default, find=kept.__getitem__) == (jobs, ["a", "b"], [])


def test_further_jobs_are_said_as_differences_from_the_first():
    first = replace_many(DEFAULT, {"seed": 7})
    jobs = [first, replace_many(first, {"learner.model.norm": "batch"}), replace_many(first, {"learner.l2": 0.1})]
    said = {"seed": "7", "b.learner.model.norm.kind": "batch", "c.learner.l2": "0.1"}
    assert links.query(jobs, DEFAULT) == said
    assert links.read(said, DEFAULT) == (jobs, [], [])


def test_equal_jobs_come_back_as_many_as_they_were():
    seventh = replace_many(DEFAULT, {"seed": 7})
    for jobs in ([DEFAULT] * 2, [seventh] * 8, [DEFAULT, seventh, DEFAULT, DEFAULT], [DEFAULT, DEFAULT, seventh]):
        assert links.read(through_a_browser(links.query(jobs, DEFAULT)), DEFAULT) == (jobs, [], [])


@each("text", ["0", "9", "-1", "2.5", "true", "many", "[2]", "1e9", ""])
def test_a_number_of_variants_that_there_cannot_be_is_said(text):
    jobs, _, problems = links.read({"variants": text, "b.seed": "7"}, DEFAULT)
    assert [job.seed for job in jobs] == [0, 7]
    assert len(problems) == 1
    assert "variants must be a whole number from 1 to 8" in problems[0]


def test_a_bad_value_of_one_variant_loses_only_itself():
    wanted = {"b.seed": "1", "c.seed": "2", "c.steps": "0", "d.learner.data": "curve", "d.learner.optimizer.lr": "-1"}
    jobs, _, problems = links.read(wanted, DEFAULT)
    assert [job.seed for job in jobs] == [0, 1, 2, 0]
    assert {job.steps for job in jobs} == {DEFAULT.steps}
    assert (jobs[3].learner.data.kind, jobs[3].learner.loss.kind) == ("curve", "mse")
    assert problems == [
        "link: C: Training.steps must be in [1, 1000000], got 0; it is ignored",
        "link: D: learner.optimizer.lr must be in (0, 10], got -1; it is ignored",
    ]


def keeper(kept: dict[str, str]):
    """Keeps texts in a dict."""

    def keep(text: str) -> str:
        kept[f"mark{len(kept)}"] = text
        return f"mark{len(kept) - 1}"

    return keep


def long_jobs() -> list[Training]:
    """Four that are too long for an address, each with fifty layers of its own."""
    layers = [[{"width": 10 + n, "activation": {"kind": "leaky_relu", "slope": 0.01 * n}}] * 50 for n in range(1, 5)]
    return [replace_many(DEFAULT, {"learner.model.hidden": hidden}) for hidden in layers]


def test_four_jobs_beyond_8000_characters_come_back_where_their_link_was_made(store):
    jobs = long_jobs()
    assert len(urlencode(links.query(jobs, DEFAULT))) > 8000
    for said in (
        links.query(jobs, DEFAULT, ["a"], keep=store.keep_draft),
        links.shared(jobs, DEFAULT, keep=store.keep_draft),
    ):
        assert len(urlencode(said)) < 80
        read = links.read(through_a_browser(said), DEFAULT, find=store.draft)
        assert read == (jobs, said.get("run", "").split(), [])
    assert links.query(jobs, DEFAULT, keep=store.keep_draft)["draft"] == said["draft"]


def test_differences_that_do_not_apply_are_in_the_link_also_beside_kept_jobs():
    jobs = [some(Training, seed).model_copy(update={"parent": None}) for seed in (1, 2, 3)]
    unused = [{}, {"learner.optimizer.momentum": 0.9, "learner.model.depth": 3}]
    kept = {}
    for longest, has_draft, found in ((8000, False, unused), (1150, True, unused), (1050, True, [{}, {}])):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(links, "MAX_LENGTH", longest)
            parameters = through_a_browser(links.query(jobs, DEFAULT, unused=unused, keep=keeper(kept)))
        assert ("draft" in parameters) == has_draft, longest
        assert links.read(parameters, DEFAULT, find=kept.get) == (jobs, [], []), longest
        assert links.unused(parameters)[:2] == found, longest


def test_elsewhere_a_link_to_kept_jobs_says_that_they_are_not_here(store, tmp_path):
    said = links.query(long_jobs(), DEFAULT, ["a"], keep=store.keep_draft)
    for find in (Store(tmp_path / "elsewhere").draft, None):
        jobs, runs, problems = links.read(said, DEFAULT, find=find)
        assert (jobs, runs, len(problems)) == ([DEFAULT], ["a"], 1)
        assert "stored only on the machine where it was made" in problems[0]


def test_kept_jobs_that_a_page_cannot_show_are_said(store):
    for text, words in ((dump(optimizers.DEFAULT), "jobs of kind training, got trajectories"), ("{", "is not JSON")):
        jobs, _, problems = links.read({"draft": store.keep_draft(text)}, DEFAULT, find=store.draft)
        assert (jobs, len(problems)) == ([DEFAULT], 1)
        assert words in problems[0]


def test_where_nothing_can_be_kept_the_link_is_still_made(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "drafts").write_text("a file")
    store = Store(tmp_path / "runs")
    jobs = long_jobs()
    assert links.query(jobs, DEFAULT, keep=store.keep_draft) == links.query(jobs, DEFAULT)


def test_eight_of_the_largest_jobs_are_kept(store):
    hidden = [{"width": 8192, "activation": {"kind": "prelu", "initial_slope": 0.123456789012345}}] * 50
    probes = [{"kind": "gradient_norms", "every": 1_000_000}] * 20
    largest = replace_many(DEFAULT, {"learner.model.hidden": hidden, "probes": probes})
    jobs = [replace_many(largest, {"seed": seed}) for seed in range(8)]
    said = links.query(jobs, DEFAULT, keep=store.keep_draft)
    assert "draft" in links.query([largest] * 2 + jobs[:6], DEFAULT, keep=store.keep_draft)
    assert links.read(said, DEFAULT, find=store.draft) == (jobs, [], [])


@each("preset", EXAMPLES)
def test_an_example_comes_back_from_its_link(preset):
    jobs = list(preset.jobs)
    assert links.read(through_a_browser(links.query(jobs, DEFAULT)), DEFAULT) == (jobs, [], [])


@each("seed", range(40))
def test_a_shared_link_comes_back_and_says_where_the_page_starts_from_something_else(seed):
    default, other = (some(Training, n + seed).model_copy(update={"parent": None}) for n in (500, 900))
    jobs = [some(Training, seed + n).model_copy(update={"parent": None}) for n in range(1 + seed % 2)]
    parameters = through_a_browser(links.shared(jobs, default))
    assert links.read(parameters, default) == (jobs, [], [])
    assert "other default settings" in links.read(parameters, other)[2][0]


@each(("page", "preset"), [(page, preset) for page in PAGES.values() for preset in page.examples])
def test_a_shared_link_of_an_example_is_short(page, preset):
    link = links.address("http://localhost:8501/page", links.shared(preset.jobs, page.default))
    assert len(link) < 1000
    assert len(links.address("http://localhost:8501/page", links.shared([page.default], page.default))) < 60


BAD = {
    "a value out of limits": ({"learner.optimizer.lr": "-3"}, "learner.optimizer.lr must be in (0, 10], got -3"),
    "an unknown field": ({"learner.optimizer.speed": "1"}, "learner.optimizer.speed is not a field of SGD"),
    "an unknown path": ({"foo": "1"}, "foo is not a field of Training"),
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
    assert {p.split()[1] for p in problems} == {"Training.steps", "Training.seed", "learner.batch_size"}


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
    assert problems[-1] == "link: 1195 more of its values are invalid"


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
    assert links.read({"run": ",a,a,,b,c,d,e,f,g,h,i"}, DEFAULT) == ([DEFAULT], list("abcdefgh"), [])
    assert links.read({"run": ""}, DEFAULT) == ([DEFAULT], [], [])


@pytest.mark.parametrize("text", ["{}", "[1]", "null", "3", '"x"'])
def test_ids_of_runs_are_text_whatever_they_look_like(text):
    runs = links.read({"run": text}, DEFAULT)[1]
    assert all(isinstance(r, str) for r in runs)
