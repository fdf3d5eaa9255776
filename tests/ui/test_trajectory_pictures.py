"""Pictures of trajectories: how optimizers are called in them."""

from types import SimpleNamespace

import numpy as np

from nnviz.spec.jobs import RateSearch, Trajectories
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.trajectories import TrajectorySpec
from nnviz.ui import trajectory_pictures


def test_optimizers_that_differ_only_in_their_rates_are_numbered_in_the_search_over_rates():
    methods = (SGD(lr=0.1), Adam(), SGD(lr=0.5))
    job = RateSearch(trajectories=Trajectories(optimizers=tuple(TrajectorySpec(method=m) for m in methods)))
    found = {"rates": np.logspace(-2, 0, 5), "final": np.ones((3, 5)), "best": np.zeros(3, int), "minimum_value": []}
    run = SimpleNamespace(job=job, snapshot=lambda _: found)
    figure = trajectory_pictures.rate_search(run, log=None)
    assert [t["name"] for t in figure["data"] if t.get("showlegend")] == ["1 · SGD", "Adam", "3 · SGD"]
