"""Which fields may change when a run goes on."""

from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training
from nnviz.spec.resuming import is_resumable

MAY = (
    *("steps", "learner.optimizer.lr", "learner.optimizer.momentum", "learner.schedule", "learner.schedule.kind"),
    *("learner.clipping.kind", "learner.l1", "learner.l2", "learner.batch_size"),
)
MAY_NOT = (
    *("seed", "device", "learner", "learner.data", "learner.data.noise", "learner.model.hidden", "learner.loss.kind"),
    *("learner.optimizer", "learner.optimizer.kind"),
)


def test_settings_that_weights_and_memory_bear_may_change():
    job = Training()
    assert [path for path in MAY if not is_resumable(job, path)] == []
    assert [path for path in MAY_NOT if is_resumable(job, path)] == []


def test_what_is_read_at_the_first_step_alone_may_not():
    for kind, path in (("rprop", "lr"), ("adagrad", "initial_accumulator")):
        job = replace_many(Training(), {"learner.optimizer.kind": kind})
        assert not is_resumable(job, f"learner.optimizer.{path}"), kind
    assert is_resumable(replace_many(Training(), {"learner.optimizer.kind": "rprop"}), "learner.optimizer.grow")
