"""Where dropout has no picture of some data, the card says so instead of waiting."""

from types import SimpleNamespace
from typing import Any

import pandas as pd

from nnviz.presets import dropout
from nnviz.spec.base import replace_many
from nnviz.ui import dropout_pictures

WITH = {"learner.model.dropout": "standard", "learner.loss": "mse"}
DRAWN = {
    "uncertainty": lambda run: dropout_pictures.uncertainty(run, "std"),
    "averages": dropout_pictures.averages,
    "loss": lambda run: dropout_pictures.average_curve("mask_average_loss")(run, smooth=0.0),
}


def reason(data: str, name: str, **changes: Any) -> str:
    """What the card says before anything was recorded."""
    job = replace_many(dropout.DEFAULT, {**WITH, "learner.data": data, **changes})
    rows = pd.DataFrame({"step": [], "quantity": [], "site": [], "value": []})
    run = SimpleNamespace(job=job, snapshot=lambda _: {}, scalars=lambda *_, **__: rows, step=0)
    return DRAWN[name](run)["layout"]["annotations"][0]["text"]


def test_data_that_have_no_picture_say_so_and_others_wait():
    for data, name, words in (
        ("diabetes", "uncertainty", "more inputs"),
        ("diabetes", "averages", "drawn for classes"),
        ("curve", "averages", "drawn for classes"),
        ("curve", "loss", "drawn for classes"),
        ("curve", "uncertainty", "waiting"),
        ("hills", "uncertainty", "waiting"),
        ("moons", "uncertainty", "waiting"),
        ("digits", "averages", "waiting"),
    ):
        assert words in reason(data, name), (data, name)
    for name in DRAWN:
        assert "no dropout" in reason("diabetes", name, **{"learner.model.dropout": "none"}), name
