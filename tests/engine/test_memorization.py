"""What is recorded of each training sample: when it is learned, and how often it is forgotten."""

import itertools

import numpy as np
import torch

from nnviz.engine import run
from nnviz.engine.snapshots.memorization import Classified, SampleCounter
from tests.engine.short_runs import all_records, as_bytes, job, scalars, snapshots

PROBE = {"probes": [{"kind": "memorization"}]}


def test_flips_are_counted_on_a_planted_history():
    history = {  # by step: whether each of five samples is classified correctly
        0: (1, 0, 0, 1, 0),
        10: (1, 1, 0, 0, 0),
        20: (1, 0, 0, 1, 0),
        30: (1, 1, 1, 0, 0),
        40: (1, 1, 1, 1, 0),
    }
    labels = torch.tensor([0, 1, 2, 3, 4])
    counting, last = SampleCounter(), None
    for step, row in history.items():
        predicted = torch.where(torch.tensor(row, dtype=torch.bool), labels, -1 if step == 20 else (labels + 1) % 5)
        (last,) = counting.count(step, Classified(predicted, labels, None))
        assert counting.count(step, Classified(labels, labels, None)) == [], "an evaluation counts once"
        # Going on from a checkpoint changes nothing.
        resumed = SampleCounter()
        resumed.load_state_dict(counting.state_dict())
        counting = resumed
    assert last.arrays["first_learned"].tolist() == [0, 10, 30, 0, -1]
    assert last.arrays["learned_since"].tolist() == [0, 30, 30, 40, -1]
    assert last.arrays["forgotten"].tolist() == [0, 1, 0, 2, 0]


def test_a_naive_count_over_the_predictions_of_a_run_gives_the_same():
    chosen = job(steps=120, learner__data__label_noise=0.3, learner__optimizer={"kind": "sgd", "lr": 0.5}, **PROBE)
    rows = []
    with run(chosen) as running:
        records = running.evaluate_now()
        found = running.learning.classified()
        rows.append(found.predicted == found.labels)
        for new in running:
            records += new
            if running.step % 5 == 0:
                found = running.learning.classified()
                rows.append(found.predicted == found.labels)
    rows = torch.stack(rows).numpy()  # (evaluations, samples)
    last = snapshots(records, "memorization")[120]
    assert last["forgotten"].sum() > 5
    for sample, row in enumerate(rows.T):
        learned = [5 * at for at, is_correct in enumerate(row) if is_correct]
        assert last["first_learned"][sample] == (learned[0] if learned else -1)
        assert last["forgotten"][sample] == sum(a and not b for a, b in itertools.pairwise(row))
        since = 5 * (len(row) - next((i for i, c in enumerate(row[::-1]) if not c), len(row)))
        assert last["learned_since"][sample] == (since if row[-1] else -1)
    # The accuracies apart, weighted by their numbers of samples, are the training accuracy.
    accuracy = scalars(records, "accuracy_by_label")
    replaced = 21 / 70
    whole = (1 - replaced) * accuracy[120, "correct_labels"] + replaced * accuracy[120, "replaced_labels"]
    np.testing.assert_allclose(whole, scalars(records, "accuracy", "train")[120], atol=1e-6)
    assert accuracy[120, "replaced_labels"] + accuracy[120, "replaced_labels_by_true_class"] == 1  # of two classes


def test_a_resumed_run_counts_on_and_a_pause_counts_nothing():
    chosen = job(learner__data__label_noise=0.2, **PROBE)
    records = as_bytes(all_records(chosen))
    with run(chosen) as first:
        for _ in range(8):
            next(first)
        first.evaluate_now()
        checkpoint = first.checkpoint()
    assert as_bytes(all_records(run(chosen, checkpoint))) == [r for r in records if r[0] > 8]


def test_the_losses_are_the_same_and_without_the_probe_or_classes_nothing_is_recorded():
    with_probe, without = all_records(job(**PROBE)), all_records(job(probes=[]))
    assert scalars(with_probe, "loss") == scalars(without, "loss")
    assert snapshots(without, "memorization") == {}
    assert sorted(snapshots(with_probe, "memorization")) == [0, 5, 10, 15, 20]
    assert scalars(with_probe, "accuracy_by_label") == {}
    regression = job(learner__data={"kind": "curve"}, learner__loss="mse", **PROBE)
    assert snapshots(all_records(regression), "memorization") == {}
