"""What saturated means depends on the activation."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures import saturation
from tests.figures.made import deep


def _layers(*activations):
    return {"activations": np.array([*activations, ""])}


@pytest.mark.parametrize(("kinds", "can"), [(["identity"], False), (["identity", "tanh"], True), (["relu"], True)])
def test_only_a_straight_line_cannot_saturate(kinds, can):
    assert saturation.can_saturate(_layers(*kinds)) is can
    assert saturation.can_saturate(None)


def test_half_of_the_inputs_of_relu_are_no_alarm():
    assert "about half" in saturation.explained(_layers("relu", "relu"))
    assert "about half" not in saturation.explained(_layers("relu", "tanh"))
    assert "twentieth" in saturation.explained({})


def test_shares_say_what_they_count_and_leave_out_what_cannot_be():
    relu = figures.shares(deep(3), layers=_layers("relu"))["layout"]
    assert [note["text"].split(":")[0] for note in relu["annotations"]] == [
        "dead units",
        "inputs below 0, where ReLU is flat",
    ]
    assert "about half" in relu["meta"]["help"]
    assert len(figures.shares(deep(3), layers=_layers("identity"))["data"]) == 1
