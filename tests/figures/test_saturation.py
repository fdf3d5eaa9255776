"""What saturated means depends on the activation."""

import pytest

from nnviz import figures
from nnviz.figures.layers import saturation
from nnviz.frames import Layers
from tests.figures.sample_records import deep, layers


def _layers(*activations):
    return layers(*[4] * (len(activations) + 2), activations=activations)


@pytest.mark.parametrize(("kinds", "can"), [(["identity"], False), (["identity", "tanh"], True), (["relu"], True)])
def test_only_a_straight_line_cannot_saturate(kinds, can):
    assert saturation.can_saturate(_layers(*kinds)) is can
    assert saturation.can_saturate(Layers({}))


def test_what_is_counted_and_on_what_is_said_of_every_activation():
    for kinds in ([], ["relu"], ["relu", "tanh"], ["leaky_relu"], ["prelu"], ["gelu"], ["silu", "gelu"], ["sigmoid"]):
        told = saturation.definitions(_layers(*kinds))
        for part in (
            "1,024 training samples",
            "evaluation mode",
            "below 0.001 for every sample",
            "below 5% of its maximum",
        ):
            assert part in told, kinds
        assert ("about half" in told) == ("relu" in kinds), kinds
        assert ("slope is below 0.05" in told) == ("leaky_relu" in kinds), kinds
        assert ("9%" in told) == (kinds != [] and set(kinds) <= {"gelu", "silu"}), kinds
    assert "cannot saturate" in saturation.definitions(_layers("identity"))


def test_dead_and_saturated_fractions_name_what_they_count_and_omit_what_cannot_saturate():
    relu = figures.dead_and_saturated(deep(3), _layers("relu", "relu", "relu"))["layout"]
    assert [note["text"].split(":")[0] for note in relu["annotations"]] == [
        "dead units",
        "inputs below 0, where ReLU is flat",
    ]
    assert "about half" in relu["meta"]["help"]
    assert len(figures.dead_and_saturated(deep(3), _layers(*["identity"] * 3))["data"]) == 1
