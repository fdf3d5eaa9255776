"""Critical points on a contour map: minima, maxima and saddle points; curves and flat regions of them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, tables, theme
from nnviz.figures.kit.layout import f4

# More points of a kind would hide the paths: they are off until clicked in the legend.
MAX_VISIBLE = 40
# Maximum number of drawn points per kind, and of points of all curves of a kind.
MAX_DRAWN = 400
LOWEST_MINIMUM = "lowest minimum in view"
MINIMUM_CURVE = "curve of minima"
FLAT_REGION = "flat region of minima"
CROSS, TRIANGLE = {"symbol": "x-thin", "size": 7}, {"symbol": "triangle-up", "size": 8}
COUNTED_KINDS = ("minima", "maxima", "saddles")

Arrays = Mapping[str, np.ndarray]


class PointKind(NamedTuple):
    """Points of one kind (n, 2), their name and marker; `may_hide`: not shown if they are many."""

    points: np.ndarray
    name: str
    marker: dict
    may_hide: bool = False


def points(surface: Arrays, name: str) -> np.ndarray:
    """Points or lines (n, 2) of a surface by name, empty if it has none."""
    return np.asarray(surface.get(name, ()), float).reshape(-1, 2)


def traces(surface: Arrays) -> list[dict]:
    """Curves, then points; of many points of a kind a random sample is drawn, and the legend gives their number."""
    traces = []
    for kind in _point_kinds(surface):
        shown = kind.points[sample_indices(len(kind.points))]
        is_hidden = kind.may_hide and len(kind.points) > MAX_VISIBLE
        is_sampled = len(shown) < len(kind.points)
        name = f"{kind.name} ({len(shown):,} of {len(kind.points):,} drawn)" if is_sampled else kind.name
        hover = f"{kind.name}<br>{labels.HOVER_POINT}"
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(shown[:, 0]),
                "y": f4(shown[:, 1]),
                "marker": kind.marker,
                "name": name,
                "uid": kind.name.replace(" ", "_"),
                "visible": "legendonly" if is_hidden else True,
                "showlegend": is_hidden or is_sampled,
                "legendrank": 1100,
                "hovertemplate": f"{hover}<extra></extra>",
            }
        )
    return [*_curves(surface), *_flat_region(surface), *traces]


def _point_kinds(surface: Arrays) -> tuple[PointKind, ...]:
    lowest, minima = points(surface, "global_minima"), _higher_minima(surface)
    halo = {"color": theme.HALO, "line": {"color": theme.MARKER_OUTLINE, "width": 1.2}}
    star = 14 if len(lowest) <= MAX_VISIBLE / 2 else 7
    return (
        PointKind(
            points(surface, "saddles"),
            "saddle point",
            CROSS | {"line": {"color": theme.MARKER_OUTLINE, "width": 1.8}},
            may_hide=True,
        ),
        PointKind(points(surface, "maxima"), "maximum", {"color": theme.NEUTRAL} | TRIANGLE, may_hide=True),
        PointKind(minima, "minimum", halo | {"symbol": "circle", "size": 4 if len(minima) > MAX_VISIBLE else 7}),
        PointKind(lowest, LOWEST_MINIMUM, halo | {"symbol": "star", "size": star}),
    )


def _higher_minima(surface: Arrays) -> np.ndarray:
    """Minima other than the lowest, which are compared up to rounding."""
    lowest, minima = points(surface, "global_minima"), points(surface, "minima")
    size = max(float(np.ptp(surface["x"])), float(np.ptp(surface["y"])))
    known = {tuple(point) for point in np.round(lowest / (1e-6 * size)).tolist()}
    is_lowest = [tuple(point) in known for point in np.round(minima / (1e-6 * size)).tolist()]
    return minima[~np.array(is_lowest, bool)]


def _curves(surface: Arrays) -> list[dict]:
    """Curves of minima (the lowest ones emphasized) and of maxima (dotted)."""
    lowest = points(surface, "global_minimum_curves")
    others = _lines_without(points(surface, "minimum_curves"), lowest)
    styles = (
        (points(surface, "maximum_curves"), "curve of maxima", [{"color": theme.NEUTRAL, "width": 2, "dash": "dot"}]),
        (others, "curve of local minima", [{"color": theme.HALO, "width": 4}, {"color": theme.NEUTRAL, "width": 1.5}]),
        (lowest, MINIMUM_CURVE, [{"color": theme.HALO, "width": 7}, {"color": theme.MARKER_OUTLINE, "width": 3}]),
    )
    traces = []
    for line, name, pens in styles:
        thin = thinned_lines(line)
        for i, style in enumerate(pens if len(line) else ()):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": f4(thin[:, 0]),
                    "y": f4(thin[:, 1]),
                    "line": style,
                    "name": name,
                    "legendgroup": name,
                    "uid": f"{name.replace(' ', '_')}{i}",
                    "showlegend": i == len(pens) - 1,
                    "legendrank": 1050,
                    "hovertemplate": f"{name}<br>{labels.HOVER_POINT}<extra></extra>",
                }
            )
    return traces


def _flat_region(surface: Arrays) -> list[dict]:
    region = points(surface, "flat_region")
    if not len(region):
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": f4(region[:, 0]),
            "y": f4(region[:, 1]),
            "marker": {"symbol": "circle", "size": 3, "color": theme.NEUTRAL},
            "name": FLAT_REGION,
            "uid": "flat_region",
            "showlegend": True,
            "legendrank": 1050,
            "hoverinfo": "skip",
        }
    ]


def thinned_lines(lines: np.ndarray, limit: int = MAX_DRAWN) -> np.ndarray:
    """Lines (n, 2) separated by rows of NaN, subsampled to at most about `limit` points; if needed only the longest."""
    if len(lines) <= limit:
        return lines
    gaps = np.flatnonzero(np.isnan(lines).any(1))
    parts = [part[~np.isnan(part).any(1)] for part in np.split(lines, gaps)]
    every = -(-2 * len(lines) // limit)
    parts = sorted((np.vstack([part[:-1:every], part[-1:]]) for part in parts if len(part)), key=len, reverse=True)
    total = np.cumsum([len(part) + 1 for part in parts])
    longest = parts[: max(1, int(np.searchsorted(total, limit, "right")))]
    return np.vstack([row for part in longest for row in (part, np.full((1, 2), np.nan))])[:-1]


def left_out_text(surface: Arrays) -> str:
    """A sentence on critical points that were found but not recorded; empty if there are none."""
    omitted = np.asarray(surface.get("omitted", (0, 0, 0))).tolist()
    counts = [
        (name, len(points(surface, name)), more) for name, more in zip(COUNTED_KINDS, omitted, strict=True) if more
    ]
    texts = [f"{recorded:,} of {recorded + more:,} {name}" for name, recorded, more in counts]
    return f" Only the lowest are recorded: {', '.join(texts)}." if texts else ""


def table(surface: Arrays) -> list[tables.Part]:
    """Minima, maxima, saddle points, the lowest minima, and points of curves."""
    kinds = {
        "minimum": "minima",
        "maximum": "maxima",
        "saddle point": "saddles",
        LOWEST_MINIMUM: "global_minima",
        MINIMUM_CURVE: "minimum_curves",
        "curve of maxima": "maximum_curves",
        FLAT_REGION: "flat_region",
    }
    parts = []
    for kind, name in kinds.items():
        found = points(surface, name)
        x, y = found[np.isfinite(found).all(1)].T
        if len(x) or name in ("minima", "maxima", "saddles", "global_minima"):
            parts.append(tables.rows({"kind": kind, "x": x, "y": y}))
    return parts


def sample_indices(count: int) -> np.ndarray:
    """Ascending indices of the points that are drawn, a random sample if they are many."""
    if count <= MAX_DRAWN:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:MAX_DRAWN])


def _lines_without(lines: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Those lines, separated by rows of NaN, that are not among `others`."""
    known = {row.tobytes() for row in others}
    is_other = np.array([np.isnan(row).any() or row.tobytes() not in known for row in lines], bool)
    remaining = lines[is_other]
    is_gap = np.isnan(remaining).any(1)
    return remaining if (~is_gap).any() else remaining[:0]
