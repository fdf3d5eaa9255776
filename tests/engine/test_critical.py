"""Level points of a surface: those that books name are found, no more and no less; odd surfaces do no harm."""

import math
import time

import numpy as np
import pytest
import torch

from nnviz.engine import surfaces
from nnviz.engine.analysis.critical import MOST, Critical, critical
from nnviz.spec import surfaces as spec
from tests.each import each

# Roots of 4x³ − 32x + 5 = 0, twice the slope of Styblinski and Tang's function along one axis.
LOW, MIDDLE, HIGH = sorted(np.roots([4, 0, -32, 5]).real)
# The outer minima and the two saddles of the camel lie on x = −2y, where x⁴ − 4.2x² + 3.5 = 0.
CAMEL_SADDLE, CAMEL_MINIMUM = (math.sqrt(2.1 + sign * math.sqrt(2.1**2 - 3.5)) for sign in (-1, 1))

KNOWN: dict[str, tuple[spec.Surface, list, list, list, int]] = {
    "quadratic": (spec.Quadratic(), [(0, 0)], [], [], 1),
    "steep and turned": (spec.Quadratic(curvature=1000, condition=10_000, angle=33), [(0, 0)], [], [], 1),
    "ravine": (spec.Ravine(), [(0, 0)], [], [], 1),
    "saddle": (spec.Saddle(), [(0, 1), (0, -1)], [], [(0, 0)], 2),
    "open saddle": (spec.Saddle(bounded=False), [], [], [(0, 0)], 0),
    "open monkey saddle": (spec.MonkeySaddle(bounded=False), [], [], [(0, 0)], 0),
    "monkey saddle": (
        spec.MonkeySaddle(),
        [(1.5 * math.cos(turn), 1.5 * math.sin(turn)) for turn in (math.pi / 3, math.pi, -math.pi / 3)],
        [],
        [(0, 0)],
        3,
    ),
    "rosenbrock": (spec.Rosenbrock(), [(1, 1)], [], [], 1),
    "rosenbrock, moved": (spec.Rosenbrock(a=0.5, b=1000), [(0.5, 0.25)], [], [], 1),
    "himmelblau": (
        spec.Himmelblau(),
        [
            (3, 2),
            (-2.8051180869527448, 3.1313125182505730),
            (-3.7793102533777469, -3.2831859912861694),
            (3.5844283403304919, -1.8481265269644034),
        ],
        [(-0.2708445906673476, -0.9230385564799815)],
        [
            (0.08667750455539634, 2.884254701174776),
            (-3.0730257507643897, -0.08135304428796751),
            (-0.12796134673068005, -1.9537149802445766),
            (3.385154183607021, 0.0738518798377493),
        ],
        4,
    ),
    "styblinski_tang": (
        spec.StyblinskiTang(),
        [(x, y) for x in (LOW, HIGH) for y in (LOW, HIGH)],
        [(MIDDLE, MIDDLE)],
        [(LOW, MIDDLE), (HIGH, MIDDLE), (MIDDLE, LOW), (MIDDLE, HIGH)],
        1,
    ),
    "camel": (
        spec.ThreeHumpCamel(),
        [(0, 0), *((s * CAMEL_MINIMUM, -s * CAMEL_MINIMUM / 2) for s in (1, -1))],
        [],
        [(s * CAMEL_SADDLE, -s * CAMEL_SADDLE / 2) for s in (1, -1)],
        1,
    ),
    "beale": (spec.Beale(), [(3, 0.5)], [], [(0, 1), (0.1005379373241584, -2.6445135850231245)], 1),
}


def same(found: torch.Tensor, expected: list, near: float = 1e-8) -> bool:
    """Whether both are the same points, in whatever order."""
    if len(found) != len(expected):
        return False
    if not expected:
        return found.shape == (0, 2)
    distance = torch.cdist(found, torch.tensor(expected, dtype=torch.float64))
    return bool((distance.min(0).values < near).all() and (distance.min(1).values < near).all())


@each(("surface", "minima", "maxima", "saddles", "least"), KNOWN.values())
def test_the_level_points_of_a_known_surface_are_found_no_more_and_no_less(surface, minima, maxima, saddles, least):
    found = critical(surface)
    assert same(found.minima, minima), found.minima
    assert same(found.maxima, maxima), found.maxima
    assert same(found.saddles, saddles), found.saddles
    assert len(found.optima) == least
    assert torch.equal(found.optima, found.minima[:least])


@pytest.mark.parametrize("surface", [spec.Himmelblau(), spec.Rastrigin(), spec.Ackley(), spec.StyblinskiTang()])
def test_points_come_by_height_and_are_level(surface):
    found = critical(surface)
    for points in found:
        heights = surfaces.values(surface, points)
        assert (heights.diff() >= 0).all()
    minima, maxima, saddles, _ = (surfaces.slope(surface, points)[1].norm(dim=1) for points in found)
    for size in (minima, maxima, saddles):
        assert (size < 1e-8).all()


def test_a_surface_of_ripples_has_as_many_minima_as_ripples():
    found = critical(spec.Rastrigin())
    # Along an axis: 11 minima next to the whole numbers from −5 to 5, and the 10 maxima between them.
    assert len(found.minima) == 11**2
    assert len(found.maxima) == 10**2
    assert len(found.saddles) == min(MOST, 2 * 11 * 10)
    assert same(found.optima, [(0, 0)])


def test_ripples_without_height_are_a_bowl():
    found = critical(spec.Rastrigin(amplitude=0))
    assert same(found.minima, [(0, 0)])
    assert len(found.saddles) == len(found.maxima) == 0


def test_ackleys_funnel_has_its_one_optimum_among_many_minima():
    found = critical(spec.Ackley())
    assert float(found.optima.norm()) < 1e-8
    assert len(found.optima) == 1
    whole = torch.arange(-5.0, 6.0, dtype=torch.float64)
    assert same(found.minima, torch.cartesian_prod(whole, whole).tolist(), near=0.1)


def test_a_cliff_ends_in_its_shallow_bowl():
    found = critical(spec.Cliff())
    assert len(found.minima) == 1
    assert found.minima[0].tolist() == pytest.approx([3, 0], abs=1e-6)


def formula(text: str) -> Critical:
    return critical(spec.Formula(text=text))


@pytest.mark.parametrize("text", ["3", "x", "x + 2*y", "exp(x)", "x**3 + x"])
def test_a_surface_without_level_points_has_none(text):
    for points in formula(text):
        assert points.shape == (0, 2)


@pytest.mark.parametrize(
    "text", ["log(x) + y**2/2 - x", "sqrt(x - 1) + sqrt(y - 1)", "x**0.5*y", "1/x + 1/y", "log(x - 9)"]
)
def test_a_surface_with_holes_does_no_harm(text):
    found = formula(text)
    for points in found:
        assert torch.isfinite(points).all()
    if text.startswith("log(x) +"):
        assert same(found.saddles, [(1, 0)])


@each("text", ["x**2", "(x + y)**2", "(x**2 + y**2 - 1)**2", "abs(x)", "sin(x)", "tanh(100*x)"])
def test_a_line_of_minima_does_no_harm(text):
    for points in formula(text):
        assert torch.isfinite(points).all()
        assert len(points) <= MOST


@pytest.mark.parametrize("text", ["sin(30*x)*sin(30*y)", "x**2", "3", "sin(100*x*y)"])
def test_it_does_not_take_long(text):
    begun = time.process_time()
    formula(f"{text} + 0*x")  # nobody has asked for this one yet
    assert time.process_time() - begun < 3


def test_the_way_to_a_minimum_beyond_the_edge_is_not_followed():
    left_out = spec.Formula(text="x**2 + y**2", low_x=1, high_x=4)
    assert all(len(points) == 0 for points in critical(left_out))


def test_a_minimum_on_the_edge_of_the_picture_is_found():
    assert same(critical(spec.Formula(text="(x - 3)**2 + (y + 3)**2")).minima, [(3, -3)])


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_points_are_found_at_any_scale(size):
    edges = {f"{end}_{axis}": sign * 3 * size for end, sign in (("low", -1), ("high", 1)) for axis in "xy"}
    found = critical(spec.Formula(text=f"(x/{size!r})**4/4 - (x/{size!r})**2/2 + (y/{size!r})**2", **edges))
    assert same(found.minima / size, [(1, 0), (-1, 0)])
    assert same(found.saddles / size, [(0, 0)])
    assert len(found.optima) == 2
