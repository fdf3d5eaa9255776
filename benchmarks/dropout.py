"""The cost of what is recorded of dropout: masks at each evaluation, predictions over masks now and then.

    python -m benchmarks.dropout [--rounds 7]

Trains the same job twice in alternating chunks of steps, with all default probes every 10 steps: once as it is, once
without the records of dropout. A chunk has as many steps as there are between two predictions over masks. Prints the
median over the rounds of the ratio of CPU time.
"""

import argparse
import statistics
import time
from itertools import islice

import torch

from nnviz.engine import TrainingRun, run
from nnviz.presets import dropout
from nnviz.spec import data as d
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training

JOBS = {
    "two moons, 2-64-64-2": dropout.DEFAULT,
    "digits, 64-64-64-10": replace_many(dropout.DEFAULT, {"learner.data": d.Digits()}),
    "two moons, 2-8-2, all 256 masks": replace_many(
        dropout.DEFAULT, {"learner.model.depth": 1, "learner.model.width": 8}
    ),
    "digits, six layers of 256": replace_many(
        dropout.DEFAULT, {"learner.data": d.Digits(), "learner.model.depth": 6, "learner.model.width": 256}
    ),
}


def started(job: Training) -> TrainingRun:
    """The job under way, past its first evaluations."""
    running = run(job)
    for _ in islice(running, 30):
        pass
    return running


def seconds(running: TrainingRun, steps: int) -> float:
    """CPU time of so many steps."""
    begin = time.process_time()
    for _ in islice(running, steps):
        pass
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for name, job in JOBS.items():
        long = replace_many(job, {"steps": 1_000_000, "probes": Training().probes})
        watched, bare = started(long), started(long)
        bare.learning.of_dropout = None
        steps, ratios = watched.learning.full_every * job.evaluate_every, []
        for number in range(rounds + 1):
            order = (watched, bare) if number % 2 else (bare, watched)
            taken = {running: seconds(running, steps) for running in order}
            if number:  # the first warms up
                ratios.append(taken[watched] / taken[bare])
        for running in (watched, bare):
            running.close()
        spread = f"rounds {min(ratios):.3f} to {max(ratios):.3f}"
        print(f"{name}: {statistics.median(ratios):.3f}× without records of dropout ({spread}), {steps} steps a chunk")


if __name__ == "__main__":
    main()
