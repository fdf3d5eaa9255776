"""Critical points: exactly the known ones are found; unusual surfaces cause no error."""

import math
import sys

import numpy as np
import pytest
import torch

from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import CriticalPoints, find_critical_points, minimum_value, split_curves
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
def test_exactly_the_critical_points_of_a_known_surface_are_found(surface, minima, maxima, saddles, least):
    found = find_critical_points(surface)
    assert same(found.minima, minima), found.minima
    assert same(found.maxima, maxima), found.maxima
    assert same(found.saddles, saddles), found.saddles
    assert len(found.global_minima) == least
    assert torch.equal(found.global_minima, found.minima[:least])


def test_points_are_sorted_by_value_and_have_no_gradient():
    for surface in (spec.Himmelblau(), spec.Rastrigin(), spec.Ackley(), spec.StyblinskiTang()):
        found = find_critical_points(surface)
        for points in found[:4]:
            assert (surfaces.values(surface, points).diff() >= 0).all(), surface
        for points in found[:3]:
            assert (surfaces.value_and_gradient(surface, points)[1].norm(dim=1) < 1e-8).all(), surface


def test_a_surface_of_ripples_has_as_many_critical_points_as_ripples():
    # Along an axis: 11 minima next to the whole numbers from −5 to 5, and the 10 maxima between them.
    for surface in (spec.Rastrigin(), spec.Ackley()):
        found = find_critical_points(surface)
        assert [len(points) for points in found[:3]] == [11**2, 10**2, 2 * 11 * 10], surface
        assert same(found.global_minima, [(0, 0)]), surface
    # sin(15x) has 14 maxima, 14 minima and 29 zeros in view, so the product has 2 · 14² minima and as many maxima.
    for times, extremes, zeros in ((15, 28, 29), (30, 58, 57)):
        found = formula(f"sin({times}*x)*sin({times}*y)")
        assert len(found.minima) == len(found.maxima) == len(found.global_minima) == extremes**2 / 2, times
        assert len(found.saddles) == zeros**2, times
        assert found.omitted == (0, 0, 0), times


def test_points_beyond_the_limit_are_counted(monkeypatch):
    monkeypatch.setattr(sys.modules[find_critical_points.__module__], "MAX_POINTS", 100)
    found = find_critical_points(spec.Rastrigin(amplitude=10.5))
    assert [len(points) for points in found[:3]] == [100, 100, 100]
    assert found.omitted == (21, 0, 120)
    assert same(found.global_minima, [(0, 0)])
    assert (surfaces.values(spec.Rastrigin(amplitude=10.5), found.minima).diff() >= 0).all()


def test_ripples_without_height_are_a_bowl():
    found = find_critical_points(spec.Rastrigin(amplitude=0))
    assert same(found.minima, [(0, 0)])
    assert len(found.saddles) == len(found.maxima) == 0


def test_ackleys_funnel_has_its_one_optimum_among_many_minima():
    found = find_critical_points(spec.Ackley())
    assert float(found.global_minima.norm()) < 1e-8
    assert len(found.global_minima) == 1
    whole = torch.arange(-5.0, 6.0, dtype=torch.float64)
    assert same(found.minima, torch.cartesian_prod(whole, whole).tolist(), near=0.1)


def test_a_cliff_ends_in_its_shallow_bowl():
    found = find_critical_points(spec.Cliff())
    assert len(found.minima) == 1
    assert found.minima[0].tolist() == pytest.approx([3, 0], abs=1e-6)


def formula(text: str) -> CriticalPoints:
    return find_critical_points(spec.Formula(text=text))


def test_a_surface_without_critical_points_has_none():
    for text in ("x", "x + 2*y", "exp(x)", "x**3 + x", "1e-13*x", "(x - 10)**2 + y**2", "-x**2 + x*20", "log(x - 9)"):
        found = formula(text)
        assert [len(points) for points in found[:8]] == [0] * 8, text
        assert len(minimum_value(spec.Formula(text=text))) == 0, text


def test_a_surface_with_holes_does_no_harm():
    for text in ("log(x) + y**2/2 - x", "sqrt(x - 1) + sqrt(y - 1)", "x**0.5*y", "1/x + 1/y", "sqrt(x) + y**2"):
        found = formula(text)
        for points in found[:4]:
            assert torch.isfinite(points).all(), text
        if text.startswith("log(x) +"):
            assert same(found.saddles, [(1, 0)])


# -- kinks ------------------------------------------------------------------------------------------------------------

KINKS = {
    "abs(x) + abs(y)": [(0, 0)],
    "sqrt((x - 0.31)**2 + y**2)": [(0.31, 0)],
    "((x - 0.5)**2 + (y + 1)**2)**0.5": [(0.5, -1)],
    "abs(x - 0.123456) + 3*abs(y + 2.5)": [(0.123456, -2.5)],
    "abs(abs(x) - 1) + y**2": [(1, 0), (-1, 0)],
    "100*abs(2*x - y) + (x + 2*y)**2": [(0, 0)],  # a steep crease along which it falls slowly
    "abs(y - x**2) + (x - 1)**2": [(1, 1)],
    "sqrt(abs(x)) + sqrt(abs(y - 1))": [(0, 1)],
    "abs(x - 3) + abs(y)": [(3, 0)],  # on the edge
    "abs(x) + y": [],
    "sqrt((x - 10)**2 + y**2)": [],
    "-abs(x) - abs(y)": [],
}


def test_minima_at_kinks_are_found_no_more_and_no_less():
    for text, expected in KINKS.items():
        found = formula(text)
        assert same(found.minima, expected, 1e-9), (text, found.minima)
        assert torch.equal(found.global_minima, found.minima), text
        assert len(found.minimum_curves) == len(found.flat_region) == 0, text


def test_a_kink_beside_smooth_minima_is_one_of_them():
    found = formula("(x**2 - 1)**2 + y**2 + 0.2*abs(x)")
    assert len(found.minima) == 3
    assert same(found.minima[found.minima[:, 0].abs() < 0.1], [(0, 0)])
    assert len(found.global_minima) == 2


# -- curves and flat regions ------------------------------------------------------------------------------------------

# How far from a curve of minima a point is, and how long the curve is in view.
CURVES = {
    "x**2": (lambda x, _: x, 6),
    "1 + x**2": (lambda x, _: x, 6),
    "(x + y)**2": (lambda x, y: x + y, 6 * math.sqrt(2)),
    "(x**2 + y**2 - 1)**2": (lambda x, y: torch.hypot(x, y) - 1, 2 * math.pi),
    "((x**2 + y**2 - 1)**2)**2": (lambda x, y: torch.hypot(x, y) - 1, 2 * math.pi),
    "(x*y - 1)**2": (lambda x, y: x * y - 1, 8.66),
    "(y - x**2)**2": (lambda x, y: y - x**2, 7.18),
    "x**2*y**2": (lambda x, y: x * y, 12),
    "abs(x)": (lambda x, _: x, 6),
    "abs(x*y - 1)": (lambda x, y: x * y - 1, 8.66),
    "cos(2*x)": (lambda x, _: x.abs() - math.pi / 2, 12),
}


def test_curves_of_minima_are_found_whole_and_not_as_points():
    for text, (off, expected) in CURVES.items():
        found = formula(text)
        assert len(found.minima) == len(found.global_minima) == 0, (text, found.minima)
        assert len(found.minimum_curves) == len(found.global_minimum_curves), text
        curves = split_curves(found.global_minimum_curves)
        assert off(*torch.cat(curves).unbind(1)).abs().max() < (1e-4 if "**2)**2" in text else 1e-9), text
        length = sum(float(curve.diff(dim=0).norm(dim=1).sum()) for curve in curves)
        assert length == pytest.approx(expected, rel=0.03), text
        values = surfaces.values(spec.Formula(text=text), torch.cat(curves))
        assert minimum_value(spec.Formula(text=text)).tolist() == pytest.approx([float(values.min())], abs=1e-12), text


def test_a_closed_curve_ends_where_it_begins():
    (circle,) = split_curves(formula("(x**2 + y**2 - 1)**2").global_minimum_curves)
    assert torch.equal(circle[0], circle[-1])
    assert len(split_curves(formula("(x*y - 1)**2").global_minimum_curves)) == 2


def test_of_two_curves_the_lower_one_is_the_global_minimum():
    found = formula("(x**2 - 1)**2 + 0.1*x")
    assert len(split_curves(found.minimum_curves)) == 2
    (global_curve,) = split_curves(found.global_minimum_curves)
    assert (global_curve[:, 0] < -1).all()
    assert len(split_curves(found.maximum_curves)) == 1


def test_a_valley_that_falls_has_its_minimum_and_no_curve():
    for text in ("x**2 + y**4", "x**2 + y**8", "(1 - x)**2 + 100*(y - x**2)**2", "x**2 + 0.0001*y**2"):
        found = formula(text)
        assert len(found.minima) == len(found.global_minima) == 1, text
        assert len(found.minimum_curves) == len(found.saddles) == 0, text


def test_curves_of_maxima_and_lines_of_inflection_are_no_points():
    for text in ("-x**2", "x**3", "-(x**2 + y**2 - 1)**2"):
        found = formula(text)
        assert len(found.saddles) == 0, text
        assert len(found.maxima) == 0, text
        assert (len(found.maximum_curves) > 0) == text.startswith("-"), text
    assert len(formula("-(x**2 + y**2 - 1)**2").minima) == 1


def test_a_flat_region_of_minima_is_found_and_not_as_points():
    for text, fraction in (
        ("0*x", 1),
        ("3", 1),
        ("(x + abs(x))**2", 0.5),
        ("(x**2 + y**2 - 1 + abs(x**2 + y**2 - 1))**2", 0.087),
    ):
        found = formula(text)
        assert len(found.minima) == len(found.global_minima) == len(found.maxima) == len(found.saddles) == 0, text
        assert len(found.flat_region) / 161**2 == pytest.approx(fraction, abs=0.02), text
        assert minimum_value(spec.Formula(text=text)).tolist() == [3.0 if text == "3" else 0.0], text


# -- view and scale ---------------------------------------------------------------------------------------------------


def test_a_minimum_beyond_the_edge_is_not_searched_for():
    out_of_view = spec.Formula(text="x**2 + y**2", low_x=1, high_x=4)
    assert all(len(points) == 0 for points in find_critical_points(out_of_view)[:8])


def test_a_minimum_on_the_edge_of_the_view_is_found():
    assert same(find_critical_points(spec.Formula(text="(x - 3)**2 + (y + 3)**2")).minima, [(3, -3)])


def test_points_are_found_at_any_scale():
    for size in (1e-3, 1.0, 1e4):
        for factor in (1e-13, 1.0, 1e13):
            edges = {f"{end}_{axis}": sign * 3 * size for end, sign in (("low", -1), ("high", 1)) for axis in "xy"}
            text = f"{factor!r}*((x/{size!r})**4/4 - (x/{size!r})**2/2 + (y/{size!r})**2 + x/{10000 * size!r})"
            found = find_critical_points(spec.Formula(text=text, **edges))
            assert same(found.minima / size, [(1, 0), (-1, 0)], 1e-3), (size, factor)
            assert same(found.saddles / size, [(0, 0)], 1e-3), (size, factor)
            assert len(found.global_minima) == 1, (size, factor)
