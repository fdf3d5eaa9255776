"""Job texts: what is wrong with one is said in one short line, fast."""

import json
import sys

import pytest

from nnviz.presets import PAGES, optimizers, playground
from nnviz.spec.base import SpecError
from nnviz.spec.jobs import MOST, Training, dump, dump_set, load, load_set
from nnviz.spec.models import DeepMLP
from tests.each import each
from tests.spec.options import some

BIG = "x" * 10_000_000


def in_optimizer(value: str) -> str:
    return '{"learner": {"optimizer": ' + value + "}}"


def in_data(value: str) -> str:
    return '{"learner": {"data": ' + value + "}}"


HOSTILE = {
    "empty": "",
    "null": "null",
    "a list": "[]",
    "a string": '"job"',
    "cut off": '{"steps": ',
    "trailing": "{} {}",
    "zero byte": "\x00",
    "not utf-8": b"\xff\xfe{}",
    "utf-16": '{"stepz": 1}'.encode("utf-16"),
    "nan": '{"seed": NaN}',
    "infinity": '{"steps": Infinity}',
    "nan rate": in_optimizer('{"kind": "sgd", "lr": NaN}'),
    "overflow": in_optimizer('{"kind": "sgd", "lr": 1e999}'),
    "400 digits": in_optimizer('{"kind": "sgd", "lr": ' + "9" * 400 + "}"),
    "4000 digits": '{"seed": ' + "9" * 4000 + "}",
    "5000 digits": '{"seed": ' + "9" * 5000 + "}",
    "fraction": '{"seed": 1.5}',
    "null steps": '{"steps": null}',
    "null learner": '{"learner": null}',
    "list learner": '{"learner": []}',
    "no kind": in_data("{}"),
    "null kind": in_data('{"kind": null}'),
    "list kind": in_data('{"kind": ["moons"]}'),
    "object kind": in_data('{"kind": {}}'),
    "number kind": in_data('{"kind": 5}'),
    "other job": '{"kind": "ascent"}',
    "wrong trajectories": '{"kind": "trajectories", "steps": 0}',
    "no optimizers": '{"kind": "trajectories", "optimizers": []}',
    "grid of one": '{"kind": "trajectories", "grid": 1}',
    "wrong formula": '{"kind": "trajectories", "surface": {"kind": "formula", "text": "x.y"}}',
    "edges": '{"kind": "trajectories", "surface": {"kind": "formula", "low_x": 3, "high_x": 1}}',
    "list as kind": '{"kind": ["trajectories"]}',
    "hidden number": '{"learner": {"model": {"kind": "mlp", "hidden": 5}}}',
    "hidden text": '{"learner": {"model": {"kind": "mlp", "hidden": "abc"}}}',
    "51 layers": '{"learner": {"model": {"kind": "mlp", "hidden": [' + ",".join(["{}"] * 51) + "]}}}",
    "bool": '{"learner": {"model": {"kind": "mlp", "bias": "perhaps"}}}',
    "empty parent": '{"parent": {}}',
    "device": '{"device": "cuda:1 "}',
    "device line": '{"device": "cpu\\n"}',
    "line in field": '{"a\\nb\\u2028c": 1}',
    "line in kind": in_data('{"kind": "a\\nb"}'),
    "escape in field": '{"\\u001b[31m": 1}',
    "surrogate in field": '{"\\ud800": 1}',
    "surrogate in value": '{"device": "\\ud800"}',
    "surrogate in kind": in_data('{"kind": "\\ud800"}'),
    "big text": BIG,
    "big string": f'"{BIG}"',
    "big field": f'{{"{BIG}": 1}}',
    "big field inside": in_data(f'{{"kind": "moons", "{BIG}": 1}}'),
    "big kind": in_data(f'{{"kind": "{BIG}"}}'),
    "big device": f'{{"device": "{BIG}"}}',
    "big parent": f'{{"parent": {{"run": "{BIG}", "step": 0}}}}',
    "many layers": '{"learner": {"model": {"kind": "mlp", "hidden": [' + ",".join(["1"] * 1_000_000) + "]}}}",
    "many probes": '{"probes": [' + ",".join(['{"kind": "x"}'] * 500_000) + "]}",
    "many fields": "{" + ",".join(f'"k{i}": 1' for i in range(300_000)) + "}",
    "medium field": f'{{"{BIG[:90_000]}": 1}}',
    "medium layers": '{"learner": {"model": {"kind": "mlp", "hidden": [' + ",".join(["1"] * 30_000) + "]}}}",
}


@each("text", HOSTILE.values())
def test_a_wrong_text_gets_one_short_line(text):
    with pytest.raises(SpecError) as refused:
        load(text)
    is_one_short_line(str(refused.value))


def is_one_short_line(line: str) -> None:
    assert line.isprintable()
    assert len(line) < 500
    line.encode()


@each("around", ["%s", '{"steps": %s}', '{"learner": {"data": %s}}', '{"learner": {"data": {"kind": %s}}}'])
@each("pair", ["[]", "{}"])
def test_no_depth_of_nesting_gets_past_the_one_line(around, pair):
    opening, closing = ("[", "]") if pair == "[]" else ('{"learner":', "}")
    limit = sys.getrecursionlimit()
    for depth in [1, 2, 10, 100, *range(limit - 250, limit + 50, 3), 10 * limit, 100 * limit]:
        middle = "" if pair == "[]" else "1"
        with pytest.raises(SpecError) as refused:
            load(around % (opening * depth + middle + closing * depth))
        is_one_short_line(str(refused.value))


def test_the_message_shows_the_path_without_the_tags_of_unions():
    with pytest.raises(SpecError, match=r"^learner\.model\.hidden\.1\.activation\.alpha must be in \(0, 5\], got -1$"):
        load('{"learner": {"model": {"kind": "mlp", "hidden": [{}, {"activation": {"kind": "elu", "alpha": -1}}]}}}')


def test_a_missing_field_is_named():
    with pytest.raises(SpecError, match=r"^parent\.run is missing$"):
        load('{"parent": {"step": 1}}')


@each("seed", range(20))
def test_a_dumped_job_says_every_field(seed):
    job = some(Training, seed)
    plain = json.loads(dump(job))
    assert plain == job.model_dump(mode="json")
    assert load(dump(job)) == load(dump(job).encode()) == job


def test_the_largest_job_is_not_too_long_to_load():
    hidden = [{"width": 8192, "activation": {"kind": "prelu", "initial_slope": 0.123456789012345}}] * 50
    job = Training.parse(
        {
            "learner": {"model": {"kind": "mlp", "hidden": hidden}},
            "probes": [{"kind": "gradient_norms", "every": 1_000_000}] * 20,
            "parent": {"run": "ü" * 100, "step": 1},
        }
    )
    assert load(dump(job)) == job


def test_the_estimate_grows_with_what_is_asked_for():
    small, large = Training().estimate(), Training(learner={"model": DeepMLP(depth=50, width=8192)}).estimate()
    assert small.parameters == 2 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2
    assert large.parameters > 3e9
    assert large.training_bytes > 19 * 4 * large.parameters
    assert Training(evaluate_every=1).estimate().snapshot_bytes > Training(evaluate_every=100).estimate().snapshot_bytes


def test_a_set_of_jobs_comes_back_from_its_text():
    for page in PAGES.values():
        for jobs in ((page.default,) * 2, *(example.jobs for example in page.examples)):
            assert load_set(dump_set(jobs)) == tuple(jobs)
    four = [playground.DEFAULT.model_copy(update={"seed": seed}) for seed in range(4)]
    assert load_set(dump_set(four).encode()) == tuple(four)


def test_one_job_is_a_set_of_one():
    job = playground.DEFAULT
    of_one = json.dumps({"kind": "set", "jobs": [json.loads(dump(job))]})
    assert dump_set([job]) == dump(job)
    assert load_set(dump(job)) == load_set(of_one) == (job,)
    assert load(of_one) == job


NO_SETS = {
    "nothing in it": ('{"kind": "set"}', "a list of 1 to 8 jobs, got NoneType"),
    "no jobs": ('{"kind": "set", "jobs": []}', "a list of 1 to 8 jobs, got 0 of them"),
    "too many": (dump_set([Training()] * (MOST + 1)), "a list of 1 to 8 jobs, got 9 of them"),
    "a word": ('{"kind": "set", "jobs": "all"}', "got str"),
    "no object": ('{"kind": "set", "jobs": [{}, 3]}', "job 2 of the set: a job must be a JSON object, got int"),
    "a set in it": ('{"kind": "set", "jobs": [{"kind": "set"}]}', "job 1 of the set: a job's kind must be one of"),
    "a wrong value": ('{"kind": "set", "jobs": [{}, {"steps": 0}]}', "job 2 of the set: Training.steps must be in"),
    "another field": ('{"kind": "set", "jobs": [{}], "x\\ny": 1}', "a set has the fields kind and jobs, got x"),
    "two kinds": (dump_set([Training(), optimizers.DEFAULT]), "job 1 is training, job 2 trajectories"),
}


@each(("text", "words"), NO_SETS.values())
def test_a_wrong_set_gets_one_short_line(text, words):
    with pytest.raises(SpecError) as refused:
        load_set(text)
    is_one_short_line(str(refused.value))
    assert words in str(refused.value)


def test_a_set_is_not_taken_for_one_job():
    with pytest.raises(SpecError, match="one job is expected here, got a set of 2"):
        load(dump_set([Training()] * 2))
