"""Colors tell things apart, on both pages and for all readers."""

from itertools import combinations

import numpy as np
import plotly.graph_objects as go
import pytest

from nnviz.figures.kit import theme
from tests.each import each

WHITE, DARK = "#ffffff", "#0e1117"
# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _linear(color: str) -> np.ndarray:
    channels = np.array(theme.rgb(color)) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _oklab(linear: np.ndarray) -> np.ndarray:
    """Ottosson (2020): Euclidean distances are about perceived differences; black to white is 1."""
    to_cones = [
        [0.41222147, 0.53633254, 0.05144599],
        [0.2119035, 0.68069955, 0.10739696],
        [0.08830246, 0.28171884, 0.62997870],
    ]
    to_lab = [
        [0.21045426, 0.79361779, -0.00407205],
        [1.97799850, -2.42859220, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
    return np.array(to_lab) @ np.cbrt(np.array(to_cones) @ linear)


def _contrast(one: str, other: str) -> float:
    """Of luminances, as WCAG defines it: 1 … 21."""
    light, dark = sorted((_linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _distance(one: str, other: str, sight: str) -> float:
    seen = [_oklab(np.clip(np.array(SIGHT[sight]) @ _linear(color), 0, 1)) for color in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


@pytest.mark.parametrize("sight", SIGHT)
def test_all_ten_class_colors_differ_for_every_kind_of_sight(sight):
    for one, other in combinations(theme.CLASSES, 2):
        assert _distance(one, other, sight) > 0.06, (one, other)


@each("sight", SIGHT)
@each("count", [(2, 0.17), (4, 0.13), (6, 0.09), (8, 0.07), (12, 0.065)])
def test_optimizers_differ_for_every_kind_of_sight_and_few_of_them_more(count, sight):
    most, least = count
    for one, other in combinations(theme.OPTIMIZERS[:most], 2):
        assert _distance(one, other, sight) > least * (1.5 if sight == "usual" else 1), (one, other)


@each("sight", SIGHT)
@each("pair", list(combinations(theme.SPLITS, 2)))
def test_train_test_and_batch_differ_for_every_kind_of_sight(pair, sight):
    assert _distance(*(theme.SPLITS[name] for name in pair), sight) > 0.1


@pytest.mark.parametrize("page", [WHITE, DARK])
def test_data_colors_stand_out_from_the_page(page):
    for color in (
        *theme.SPLITS.values(),
        *theme.DEPTH,
        *theme.OPTIMIZERS,
        theme.NEGATIVE,
        theme.POSITIVE,
        theme.NEUTRAL,
    ):
        assert _contrast(color, page) > 2.3, color


@pytest.mark.parametrize("dark", [False, True])
def test_text_of_the_template_is_legible(dark):
    layout = theme.template(dark)["layout"]
    for color in (layout["font"]["color"], layout["xaxis"]["tickfont"]["color"]):
        assert _contrast(color, DARK if dark else WHITE) > 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_the_template_is_one_that_plotly_takes_and_leaves_the_page_through(dark):
    layout = go.Figure(layout={"template": theme.template(dark)}).layout.template.layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert "Noto Sans CJK KR" in layout.font.family


def test_depth_runs_from_the_first_stop_to_the_last():
    assert theme.depth_color(0, 51) == theme.DEPTH[0]
    assert theme.depth_color(50, 51) == theme.DEPTH[-1]
    assert theme.depth_color(0, 1) == theme.DEPTH[0]
    assert len({theme.depth_color(i, 51) for i in range(51)}) == 51


def test_zero_is_the_page_itself_on_the_diverging_scale():
    low, below, above, high = theme.diverging()
    assert low[1] == theme.with_alpha(theme.NEGATIVE, 1)
    assert high[1] == theme.with_alpha(theme.POSITIVE, 1)
    assert below[0] == above[0] == 0.5
    assert below[1].endswith(",0)")
    assert above[1].endswith(",0)")
