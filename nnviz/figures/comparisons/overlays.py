"""Comparisons of runs: curves in one figure, or several figures with the same axes."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from nnviz.figures.kit import labels, log_axis, tables, theme
from nnviz.figures.training.curves import curves

# Left margin of figures side by side, in pixels: for labels such as 10⁻¹².
LEFT_MARGIN = 58
# Up to this many runs are distinguished by dashes, more by colors.
MAX_DASHED_RUNS = 2
# Maximum length of a run's name in the legend, so that two fit side by side in 500 pixels.
MAX_NAME_LENGTH = 18
# Maximum height of the legend of more runs before it scrolls, as a fraction of the figure's height.
MAX_LEGEND_HEIGHT = 0.4


def overlay(
    runs: Mapping[str, pd.DataFrame],
    quantity: str = "loss",
    *,
    batch: bool = False,
    title: str | None = None,
    **options: object,
) -> dict:
    """`curves` of several runs in one figure.

    Of two runs the first is solid, the second dashed, with one color per split; of more, up to eight, each run has a
    color, train is solid and test dashed. The batch loss is omitted unless `batch`. A single run is drawn as by
    `curves`. `runs` have names such as "A" or "B: batch norm". `options` are those of `curves`.
    """
    if len(runs) == 1:
        return curves(next(iter(runs.values())), quantity, title=title, **options)
    runs = {name: frame if batch else frame[(frame["site"] != "batch").to_numpy()] for name, frame in runs.items()}
    with_data = [frame for frame in runs.values() if len(frame)]
    joined = curves(pd.concat(with_data) if with_data else pd.DataFrame(), quantity, title=title, **options)
    if not joined["data"]:
        return joined
    options["log"] = joined["layout"]["yaxis"].get("type") == "log"
    sites = [trace["uid"] for trace in joined["data"] if _has_legend_value(trace)]
    sites.sort(key=lambda site: site == "batch")
    traces, table, in_legend = [], [], set()
    for index, (name, frame) in enumerate(runs.items()):
        drawn = curves(frame, quantity, title=title, **options)
        table += tables.parts_of_run(name, drawn["layout"]["meta"].get("table", []), len(traces))
        style = _styled_by_dash if len(runs) == MAX_DASHED_RUNS else partial(_styled_by_color, sites=sites)
        run_traces = []
        for trace in drawn["data"]:
            if None in trace["x"] or (len(runs) > MAX_DASHED_RUNS and "uid" not in trace):  # the same for every run
                run_traces.append(trace if trace["name"] not in in_legend else trace | {"showlegend": False})
            else:
                run_traces.append(style(trace, index, name, is_first=not any(map(_has_legend_value, run_traces))))
        in_legend |= {trace["name"] for trace in run_traces if trace.get("showlegend", True)}
        traces += [{key: value for key, value in trace.items() if key != "uid"} for trace in run_traces]
    many = {"maxheight": MAX_LEGEND_HEIGHT, "font": {"size": theme.SMALL}} if len(runs) > MAX_DASHED_RUNS else {}
    legend = joined["layout"]["legend"] | many
    meta = joined["layout"]["meta"] | {"table": table}
    return {"data": traces, "layout": joined["layout"] | {"meta": meta, "legend": legend}}


def _has_legend_value(trace: Mapping) -> bool:
    """Whether a trace's name contains its last value."""
    return "follow" in trace.get("meta", ())


def _styled_by_dash(trace: Mapping, index: int, run: str, *, is_first: bool) -> dict:  # noqa: ARG001
    """A trace of the first (solid) or the second (dashed) run."""
    dashed = _named_after_run(trace, run, run)
    if "line" in trace and trace["mode"] == "lines":
        dashed["line"] = trace["line"] | {"dash": theme.RUN_DASHES[index]}
    elif "uid" in trace and index:  # a single point
        dashed["marker"] = trace["marker"] | {"symbol": "circle-open", "size": 9}
    return dashed


def _styled_by_color(trace: Mapping, index: int, run: str, *, is_first: bool, sites: Sequence[str]) -> dict:
    """A trace of one of several runs, in the run's color; its full name is in the legend once."""
    drawn = _named_after_run(trace, run, labels.shorten(run if is_first else labels.run_letter(run), MAX_NAME_LENGTH))
    site = trace["uid"].removesuffix("_raw")
    dash = theme.RUN_DASHES[sites.index(site) % len(theme.RUN_DASHES) if site in sites else 0]
    color = theme.run_color(index)
    style = {"line": trace["line"] | {"color": color, "dash": dash}, "marker": trace["marker"] | {"color": color}}
    return drawn | style


def _named_after_run(trace: Mapping, run: str, short: str) -> dict:
    """A trace named after its run, with a short name in the legend."""
    before = f"{short}, " if ":" in short else f"{short}: "
    named = {**trace, "name": before + trace["name"]}
    if trace.get("hovertemplate"):
        named["hovertemplate"] = f"{run}, {trace['hovertemplate']}"
    if _has_legend_value(trace):
        follow = trace["meta"]["follow"]
        named["meta"] = {"follow": follow | {"name": before + follow["name"]}}
    return named


def same_axes(*figures: dict | None) -> tuple[dict | None, ...]:
    """The same figures with equal axis and color ranges, legends and margins, for comparison side by side.

    None stays None. Axes of the same name and type get the union of their ranges. Where one y axis is logarithmic, the
    others become so unless they have a range or nonpositive values. Of 3-D scenes, axes with a range are equalized, z
    only if the titles are equal; ticks are those of the figure with the widest range. All figures get the same legend
    entries, so that plots are equally high. Figures whose `layout.meta.own_plane` says that x and y are directions of
    their own keep those axes. Figures without data are unchanged. Nothing is changed in place.
    """
    if None in figures:
        drawn = iter(same_axes(*(figure for figure in figures if figure is not None)))
        return tuple(figure and next(drawn) for figure in figures)
    if sum(bool(figure["data"]) for figure in figures) < 2:
        return figures
    figures = _with_common_axis_type(figures)
    with_data = [figure for figure in figures if figure["data"]]
    changes: dict[str, dict] = {}
    has_own_plane = any(figure["layout"]["meta"].get("own_plane") for figure in with_data)
    names = {
        key
        for figure in with_data
        for key in figure["layout"]
        if key.startswith(("xaxis", "yaxis")) and not has_own_plane
    }
    for name in names:
        axes = [figure["layout"].get(name) for figure in with_data]
        if any(axis is None or axis.get("visible") is False for axis in axes):
            continue
        if len({axis.get("type") for axis in axes}) > 1:
            continue
        spans = [_axis_range(figure, name) for figure in with_data]
        spans = [span for span in spans if span is not None]
        if spans:
            low, high = min(min(s) for s in spans), max(max(s) for s in spans)
            reversed_ = any(a.get("autorange") == "reversed" or _is_descending(a.get("range")) for a in axes)
            changes[name] = {"range": [high, low] if reversed_ else [low, high], "autorange": False}
            if all(axis.get("type") == "log" for axis in axes):
                changes[name] |= log_axis.tick_options(low, high)
    scenes = [figure["layout"]["scene"] for figure in with_data if "scene" in figure["layout"]]
    if len(scenes) == len(with_data):
        changes["scene"] = {
            name: _common_scene_axis(scenes, name) for name in ("xaxis", "yaxis", "zaxis")[2 * has_own_plane :]
        }
    colors = [figure["layout"]["coloraxis"] for figure in with_data if "coloraxis" in figure["layout"]]
    if len(colors) == len(with_data):
        changes["coloraxis"] = {"cmin": min(c["cmin"] for c in colors), "cmax": max(c["cmax"] for c in colors)}
    names_in_legend = {trace["name"] for figure in with_data for trace in _legend_traces(figure)}
    return tuple(
        _with_common_axes(figure, changes, names_in_legend) if figure["data"] else figure for figure in figures
    )


def _common_scene_axis(scenes: Sequence[Mapping], name: str) -> dict:
    """The common range and ticks of a scene's axis; {} if the axes show different quantities."""
    axes = [scene[name] for scene in scenes]
    ranges = [axis.get("range") for axis in axes]
    if None in ranges or (name == "zaxis" and len({axis["title"]["text"] for axis in axes}) > 1):
        return {}
    widest = max(axes, key=lambda axis: axis["range"][1] - axis["range"][0])
    ticks = {key: widest[key] for key in ("tickvals", "ticktext") if key in widest}
    return {"range": [min(r[0] for r in ranges), max(r[1] for r in ranges)], **ticks}


def _with_common_axis_type(figures: tuple[dict, ...]) -> tuple[dict, ...]:
    """The figures, with logarithmic y axes if one of them has one and the others' values are all positive."""
    others = [figure for figure in figures if figure["data"] and figure["layout"]["yaxis"].get("type") != "log"]
    if len(others) == sum(bool(figure["data"]) for figure in figures) or not all(map(_allows_log_axis, others)):
        return figures
    changed = {id(figure) for figure in others}
    return tuple(
        {**f, "layout": {**f["layout"], "yaxis": {**f["layout"]["yaxis"], "type": "log"}}} if id(f) in changed else f
        for f in figures
    )


def _allows_log_axis(figure: dict) -> bool:
    """Whether a figure of curves could have a logarithmic y axis."""
    if "range" in figure["layout"]["yaxis"] or not all(trace["type"] == "scatter" for trace in figure["data"]):
        return False
    return all(np.all(np.asarray(t["y"], float) > 0) for t in figure["data"] if t.get("yaxis", "y") == "y")


def _with_common_axes(figure: dict, changes: Mapping[str, Mapping], names_in_legend: Collection[str]) -> dict:
    """A figure with changed axes, and each of `names_in_legend` that it has a trace for in its legend once."""
    layout = figure["layout"]
    merged = {name: {**layout.get(name, {}), **change} for name, change in changes.items() if name != "scene"}
    if "scene" in changes:
        axes = {name: {**layout["scene"][name], **change} for name, change in changes["scene"].items()}
        merged["scene"] = {**layout["scene"], **axes}
    # With the same margin all plots begin at the same x.
    merged["margin"] = {"l": LEFT_MARGIN, **layout.get("margin", {})}
    if not names_in_legend:
        return {"data": figure["data"], "layout": {**layout, **merged}}
    missing = set(names_in_legend) - {trace["name"] for trace in _legend_traces(figure)}
    traces = []
    for trace in figure["data"]:
        is_missing = trace.get("name") in missing
        missing.discard(trace.get("name"))
        traces.append(_in_legend(trace) if is_missing else trace)
    return {"data": traces, "layout": {**layout, **merged, "showlegend": True}}


def _in_legend(trace: dict) -> dict:
    """A trace that is in the legend even if it has no points."""
    if trace.get("showlegend", True) and len(trace["x"]):
        return trace
    return trace | {"showlegend": True} | ({} if len(trace["x"]) else {"x": [None], "y": [None]})


def _legend_traces(figure: dict) -> list[dict]:
    """The traces in the legend of a figure, by Plotly's rules."""
    entries = [t for t in figure["data"] if t["type"] == "scatter" and t.get("showlegend", True) and len(t["x"])]
    few = len(entries) < 2 and not any(trace.get("showlegend") for trace in entries)
    return entries if figure["layout"].get("showlegend", not few) else []


def _is_descending(span: object) -> bool:
    return isinstance(span, list | tuple) and len(span) == 2 and span[0] > span[1]


def _axis_range(figure: dict, name: str) -> tuple[float, float] | None:
    """The range of an axis: fixed, or of the data with Plotly's margin; in powers of ten on a logarithmic axis."""
    axis = figure["layout"][name]
    if axis.get("range") is not None:
        return float(min(axis["range"])), float(max(axis["range"]))
    letter, short = name[0], name.replace("axis", "")
    columns, cells = [], 0.0
    for trace in figure["data"]:
        if trace.get(f"{letter}axis", letter) != short or trace.get(letter) is None:
            continue
        values = np.array([v for v in trace[letter] if v is not None], float)
        columns.append(values)
        if trace["type"] == "heatmap":
            cells = 0.5
    values = np.concatenate(columns) if columns else np.empty(0)
    values = values[np.isfinite(values)]
    if axis.get("type") == "log":
        values = np.log10(values[values > 0])
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    for shape in figure["layout"].get("shapes", ()):
        if shape.get(f"{letter}ref", letter) == letter and name == f"{letter}axis" and axis.get("type") != "log":
            low, high = min(low, shape[f"{letter}0"]), max(high, shape[f"{letter}1"])
    if axis.get("rangemode") == "tozero":
        low, high = min(low, 0.0), max(high, 0.0)
    margin = cells or (0.05 * (high - low) if letter == "y" else 0.0)
    return low - margin, high + margin
