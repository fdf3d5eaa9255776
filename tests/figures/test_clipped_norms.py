"""Gradient norms before and after clipping."""

import numpy as np

from nnviz import figures
from nnviz.records import Scalar
from tests.scalar_frames import frame


def norms(*roots: str) -> dict[str, np.ndarray]:
    records = [
        Scalar(step, quantity, value, root)
        for step in (1, 2, 3)
        for root in roots
        for quantity, value in (("gradient_norm_unclipped", 5.0 * step), ("gradient_norm_total", 1.0))
    ]
    figure = figures.clipped_norms(frame(records))
    lines = [t for t in figure["data"] if t.get("mode") == "lines"]
    return {t["name"].rpartition(" ")[0]: np.asarray(t["y"]) for t in lines}


def test_one_network_has_a_line_before_and_one_after_clipping():
    found = norms("model")
    assert set(found) == {"before clipping", "after clipping"}
    assert found["before clipping"].tolist() == [5, 10, 15]
    assert found["after clipping"].tolist() == [1, 1, 1]


def test_lines_of_several_networks_name_them():
    assert set(norms("generator", "discriminator")) == {
        f"{root}, {part} clipping" for root in ("generator", "discriminator") for part in ("before", "after")
    }
