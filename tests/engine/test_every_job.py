"""What running jobs of all kinds do: info, checkpoints, evaluation, closing."""

import io
import re
from collections.abc import Iterator

import pytest
import torch

from nnviz.engine import EngineError, checkpoints, run
from nnviz.engine.landscape import landscape_evaluation
from nnviz.engine.running_job import RunningJob
from nnviz.records import Record, Scalar
from nnviz.spec.base import options
from nnviz.spec.jobs import Ensemble, Job
from nnviz.spec.landscapes import Line, PathPlane, RandomPlane
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.surfaces import Himmelblau
from nnviz.spec.trajectories import RateSearch
from tests.each import each
from tests.engine import gan_jobs, short_runs, trajectory_jobs
from tests.engine.landscape_jobs import landscape
from tests.engine.short_runs import as_bytes

TRAJECTORIES = trajectory_jobs.job(Himmelblau(), [SGD(lr=0.01), Adam(), SGD()], steps=8, noise=0.5, grid=2)
JOBS: list[Job] = [
    short_runs.job(steps=8, evaluate_every=3, learner__optimizer="adam"),
    gan_jobs.job(steps=7, spectral_norm=True, average=0.9, instance_noise=0.1),
    TRAJECTORIES,
    RateSearch(trajectories=TRAJECTORIES, rates=2),
    landscape(RandomPlane(resolution=9), PathPlane(resolution=9), Line(resolution=9), samples=20, steps=3),
    Ensemble.parse(
        {
            "learner": {
                "data": {"kind": "moons", "points": 40},
                "model": {"kind": "mlp", "norm": {"kind": "batch"}, "dropout": {"kind": "standard"}},
                "optimizer": {"kind": "nadam"},
            },
            "members": 2,
            "steps": 7,
            "evaluate_every": 3,
            "device": "cpu",
        }
    ),
]
each_job = each("job", JOBS)
EVERY_KIND = {"device", "torch", "python", "nnviz", "seed", "metric"}


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    """A landscape can be left at any step."""
    monkeypatch.setattr(landscape_evaluation, "TURN_SECONDS", 0.0)


def at_each_step(job: Job) -> Iterator[tuple[RunningJob, list[Record]]]:
    """The running job and what it has returned, before the first and after each step that it can be left at."""
    with run(job) as running_job:
        returned: list[Record] = []
        yield running_job, returned
        for records in running_job:
            returned += records
            yield running_job, returned


def rest(running_job: RunningJob) -> list[Record]:
    with running_job:
        return [record for records in running_job for record in records]


def test_each_kind_is_tried():
    assert {job.kind for job in JOBS} == set(options(Job))


@each_job
def test_info_has_what_every_kind_has_and_at_most_its_parameters_and_epochs_besides(job):
    with run(job) as running_job:
        info = running_job.info
    assert EVERY_KIND <= set(info) <= EVERY_KIND | {"parameters", "steps_per_epoch"}
    assert info["seed"] == job.seed
    assert info["device"].startswith("cpu (")
    assert info["torch"] == torch.__version__


@each_job
def test_its_metric_is_among_its_records(job):
    running_job = run(job)
    metric = running_job.info["metric"]
    places = {(r.quantity, r.site) for r in rest(running_job) if isinstance(r, Scalar)}
    if metric is None:
        assert places == set(), "what has numbers has a metric"
    elif metric["site"] is None:
        assert metric["quantity"] in {quantity for quantity, _ in places}
    else:
        assert (metric["quantity"], metric["site"]) in places


@each_job
def test_from_a_checkpoint_of_any_step_come_the_records_of_going_on(job):
    whole = as_bytes(rest(run(job)))
    left = [(one.step, one.checkpoint(), as_bytes(returned)) for one, returned in at_each_step(job) if one.is_flushed]
    assert len(left) > 2
    torch.manual_seed(99)
    for step, checkpoint, returned in left[:: max(1, len(left) // 8)] + left[-1:]:
        resumed = run(job, checkpoint)
        assert resumed.step == step
        assert returned + as_bytes(rest(resumed)) == whole, step
        assert resumed.step == job.steps


@each_job
def test_evaluate_now_before_a_checkpoint_does_not_change_later_records(job):
    running_job = run(job)
    next(running_job)
    evaluated = running_job.evaluate_now()
    resumed = run(job, running_job.checkpoint())
    later = as_bytes(rest(running_job))
    assert as_bytes(rest(resumed)) == later
    known = {(step, quantity, site) for step, quantity, site, *_ in as_bytes(evaluated)}
    assert not known & {(step, quantity, site) for step, quantity, site, *_ in later}


@each_job
def test_a_second_evaluate_now_returns_nothing_and_neither_changes_later_records(job):
    whole = as_bytes(rest(run(job)))
    evaluated: list[tuple] = []
    came: list[tuple] = []
    for running_job, returned in at_each_step(job):
        came = as_bytes(returned)
        evaluated += as_bytes(running_job.evaluate_now())
        assert running_job.evaluate_now() == []
    assert sorted(set(map(repr, came + evaluated))) == sorted(map(repr, came + evaluated)), "returned twice"
    assert set(map(repr, whole)) <= set(map(repr, came + evaluated))


@each_job
def test_a_closed_job_ends_at_its_step(job):
    running_job = run(job)
    next(running_job)
    at = running_job.step
    running_job.close()
    running_job.close()
    assert next(running_job, None) is None
    assert running_job.step == at < job.steps


@each_job
def test_a_job_at_its_end_stays_ended_and_resumed_from_there_returns_nothing(job):
    running_job = run(job)
    rest(running_job)
    assert next(running_job, None) is None
    assert running_job.evaluate_now() == []
    assert rest(run(job, running_job.checkpoint())) == []


def damages(job: Job) -> dict[str, bytes]:
    """Checkpoints that are none of this job."""
    with run(job) as running_job:
        next(running_job)
        good = running_job.checkpoint()
        state = torch.load(io.BytesIO(good), weights_only=True)["state"]
    newer = io.BytesIO()
    torch.save(torch.load(io.BytesIO(good), weights_only=True) | {"format": checkpoints.FORMAT + 1}, newer)
    plain = io.BytesIO()
    torch.save({"step": 1}, plain)
    others = {f"of a {other.kind}": run(other).checkpoint() for other in JOBS if other.kind != job.kind}
    return others | {
        "empty": b"",
        "cut off": good[: len(good) // 2],
        "no torch": b"17",
        "pickled code": b"\x80\x04cos\nsystem\n.",
        "newer": newer.getvalue(),
        "of something else": plain.getvalue(),
        "beyond the end": checkpoints.pack(job.kind, job.steps + 1, state),
        "before the beginning": checkpoints.pack(job.kind, -1, state),
        "without a step": checkpoints.pack(job.kind, "½", state),
    }


@each_job
def test_a_damaged_or_foreign_checkpoint_is_refused_in_one_line(job):
    words = r"the checkpoint is damaged, or of another job, data set or model: .+; run the job from step 0"
    for what, checkpoint in damages(job).items():
        line = refusal(job, checkpoint)
        assert re.fullmatch(words, line), what
        assert len(line) < 320, what


def refusal(job: Job, checkpoint: bytes) -> str:
    """The message about the checkpoint."""
    try:
        run(job, checkpoint)
    except EngineError as error:
        return str(error)
    return "nothing"


@each("job", [job for job in JOBS if job.kind not in ("training", "ensemble")])
def test_while_it_is_replayed_it_stays_at_the_checkpoints_step_and_returns_nothing(job):
    running_job = run(job)
    while running_job.step < 2:
        next(running_job)
    resumed = run(job, running_job.checkpoint())
    assert next(resumed) == []
    assert resumed.step == running_job.step
    assert resumed.evaluate_now() == []
    other = run(job, resumed.checkpoint())
    assert as_bytes(rest(other)) == as_bytes(rest(resumed))


@each_job
def test_a_job_has_weights_where_its_spec_says_so(job):
    with run(job) as running_job:
        assert (running_job.weights() is not None) == job.has_weights
