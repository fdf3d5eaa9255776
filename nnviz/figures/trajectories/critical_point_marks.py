"""Where a surface is level, on its map: minima, maxima and saddles as points, curves and plains of minima."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, tables, theme
from nnviz.figures.kit.layout import f4

# More points of a kind than these hide the paths; a click in the legend shows them.
MAX_VISIBLE = 40
# So many points of a kind are drawn at most, and points of all curves of a kind.
MAX_DRAWN = 400
LOWEST_MINIMUM = "lowest minimum in view"
MINIMUM_CURVE = "curve of minima"
FLAT_REGION = "flat region of minima"
CROSS, TRIANGLE = {"symbol": "x-thin", "size": 7}, {"symbol": "triangle-up", "size": 8}
COUNTED_KINDS = ("minima", "maxima", "saddles")

Arrays = Mapping[str, np.ndarray]


class PointKind(NamedTuple):
    """Points of one kind (n, 2), what they are called, and how they are drawn."""

    points: np.ndarray
    name: str
    marker: dict
    quiet: bool = False


def points(surface: Arrays, name: str) -> np.ndarray:
    """Points or lines (n, 2) of a surface, none if it has none of the name."""
    return np.asarray(surface.get(name, ()), float).reshape(-1, 2)


def traces(surface: Arrays) -> list[dict]:
    """Curves, then points, those that may hide a path under the others; minima that are lowest are told as such alone.

    Where there are many of a kind only some are drawn, chosen by lot, and the legend says of how many.
    """
    found = []
    for kind in _point_kinds(surface):
        shown = kind.points[sample_indices(len(kind.points))]
        hides = kind.quiet and len(kind.points) > MAX_VISIBLE
        thinned = len(shown) < len(kind.points)
        name = f"{kind.name} ({len(shown):,} of {len(kind.points):,} drawn)" if thinned else kind.name
        where = f"{kind.name}<br>{labels.HOVER_POINT}"
        found.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(shown[:, 0]),
                "y": f4(shown[:, 1]),
                "marker": kind.marker,
                "name": name,
                "uid": kind.name.replace(" ", "_"),
                "visible": "legendonly" if hides else True,
                "showlegend": hides or thinned,
                "legendrank": 1100,
                "hovertemplate": f"{where}<extra></extra>",
            }
        )
    return [*_curves(surface), *_flat_region(surface), *found]


def _point_kinds(surface: Arrays) -> tuple[PointKind, ...]:
    lowest, minima = points(surface, "global_minima"), _higher_minima(surface)
    halo = {"color": theme.HALO, "line": {"color": theme.MARKER_OUTLINE, "width": 1.2}}
    star = 14 if len(lowest) <= MAX_VISIBLE / 2 else 7
    return (
        PointKind(
            points(surface, "saddles"),
            "saddle",
            CROSS | {"line": {"color": theme.MARKER_OUTLINE, "width": 1.8}},
            quiet=True,
        ),
        PointKind(points(surface, "maxima"), "maximum", {"color": theme.NEUTRAL} | TRIANGLE, quiet=True),
        PointKind(minima, "minimum", halo | {"symbol": "circle", "size": 4 if len(minima) > MAX_VISIBLE else 7}),
        PointKind(lowest, LOWEST_MINIMUM, halo | {"symbol": "star", "size": star}),
    )


def _higher_minima(surface: Arrays) -> np.ndarray:
    """Minima that are not lowest: these come first among them, but for rounding."""
    lowest, minima = points(surface, "global_minima"), points(surface, "minima")
    size = max(float(np.ptp(surface["x"])), float(np.ptp(surface["y"])))
    known = {tuple(place) for place in np.round(lowest / (1e-6 * size)).tolist()}
    same = [tuple(place) in known for place in np.round(minima / (1e-6 * size)).tolist()]
    return minima[~np.array(same, bool)]


def _curves(surface: Arrays) -> list[dict]:
    """Lines of one height: a light line with a dark core for the lowest minima, fainter for others, dots for maxima."""
    lowest = points(surface, "global_minimum_curves")
    others = _lines_without(points(surface, "minimum_curves"), lowest)
    styles = (
        (points(surface, "maximum_curves"), "curve of maxima", [{"color": theme.NEUTRAL, "width": 2, "dash": "dot"}]),
        (others, "curve of local minima", [{"color": theme.HALO, "width": 4}, {"color": theme.NEUTRAL, "width": 1.5}]),
        (lowest, MINIMUM_CURVE, [{"color": theme.HALO, "width": 7}, {"color": theme.MARKER_OUTLINE, "width": 3}]),
    )
    found = []
    for line, name, widths in styles:
        thin = thinned_lines(line)
        for i, style in enumerate(widths if len(line) else ()):
            found.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": f4(thin[:, 0]),
                    "y": f4(thin[:, 1]),
                    "line": style,
                    "name": name,
                    "legendgroup": name,
                    "uid": f"{name.replace(' ', '_')}{i}",
                    "showlegend": i == len(widths) - 1,
                    "legendrank": 1050,
                    "hovertemplate": f"{name}<br>{labels.HOVER_POINT}<extra></extra>",
                }
            )
    return found


def _flat_region(surface: Arrays) -> list[dict]:
    places = points(surface, "flat_region")
    if not len(places):
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": f4(places[:, 0]),
            "y": f4(places[:, 1]),
            "marker": {"symbol": "circle", "size": 3, "color": theme.NEUTRAL},
            "name": FLAT_REGION,
            "uid": "flat_region",
            "showlegend": True,
            "legendrank": 1050,
            "hoverinfo": "skip",
        }
    ]


def thinned_lines(lines: np.ndarray, most: int = MAX_DRAWN) -> np.ndarray:
    """Lines (n, 2) with a row of nan between two, each with every so manyth of its points and its last; where that is
    still too much, the longest of them."""
    if len(lines) <= most:
        return lines
    gaps = np.flatnonzero(np.isnan(lines).any(1))
    parts = [part[~np.isnan(part).any(1)] for part in np.split(lines, gaps)]
    every = -(-2 * len(lines) // most)
    parts = sorted((np.vstack([part[:-1:every], part[-1:]]) for part in parts if len(part)), key=len, reverse=True)
    total = np.cumsum([len(part) + 1 for part in parts])
    kept = parts[: max(1, int(np.searchsorted(total, most, "right")))]
    return np.vstack([row for part in kept for row in (part, np.full((1, 2), np.nan))])[:-1]


def left_out_text(surface: Arrays) -> str:
    """What the map's help says of points beyond those that are kept; empty where all are."""
    left_out = np.asarray(surface.get("omitted", (0, 0, 0))).tolist()
    counts = [
        (name, len(points(surface, name)), more) for name, more in zip(COUNTED_KINDS, left_out, strict=True) if more
    ]
    said = [f"{kept:,} of {kept + more:,} {name}" for name, kept, more in counts]
    return f" Only the lowest are kept: {', '.join(said)}." if said else ""


def table(surface: Arrays) -> list[tables.Part]:
    """Minima, maxima, saddles, the lowest minima, and points of curves."""
    kinds = {
        "minimum": "minima",
        "maximum": "maxima",
        "saddle": "saddles",
        LOWEST_MINIMUM: "global_minima",
        MINIMUM_CURVE: "minimum_curves",
        "curve of maxima": "maximum_curves",
        FLAT_REGION: "flat_region",
    }
    parts = []
    for kind, name in kinds.items():
        places = points(surface, name)
        x, y = places[np.isfinite(places).all(1)].T
        if len(x) or name in ("minima", "maxima", "saddles", "global_minima"):
            parts.append(tables.rows({"kind": kind, "x": x, "y": y}))
    return parts


def sample_indices(count: int) -> np.ndarray:
    """Which of so many points are drawn, in their order."""
    if count <= MAX_DRAWN:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:MAX_DRAWN])


def _lines_without(lines: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Those lines, divided by rows of nan, that are not among the others."""
    known = {row.tobytes() for row in others}
    kept = np.array([np.isnan(row).any() or row.tobytes() not in known for row in lines], bool)
    left = lines[kept]
    is_gap = np.isnan(left).any(1)
    return left if (~is_gap).any() else left[:0]
