"""All layers at one step: profiles over depth with theory, and bars of weights, gradients and updates."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.layers.layer_curves import layer_table

_RMS_PREFIXES = {"activation_rms": "activation", "preactivation_rms": "preactivation"}
_HELP = {
    "gradient_norm": ("Ideally flat; a slope means that the gradient shrinks or grows by a constant factor per layer."),
    "signal_rms": (
        "The backpropagated signal is multiplied by a factor at every layer, from the output (right) to the input "
        "(left)."
    ),
    "activation_rms": (
        "The forward signal from the input (left) to the output (right); a slope is a constant factor per layer."
    ),
    "preactivation_spread": (
        "Standard deviation of a layer's pre-activations across training samples (RMS over units), in evaluation mode. "
        "Where it falls to the rounding error of float32, about 10⁻⁸, the following layers get the same input for "
        "every sample. Batch norm's running statistics start at mean 0 and variance 1 and take about 50 steps to "
        "converge."
    ),
}
MIN_DECADES = 2.0
# Weight gradients are sums over dependent samples, while the theory is for single samples.
QUANTITIES_WITHOUT_LINE = ("gradient_norm",)
THEORY_NAME = "theory, untrained,<br>infinite width"


def depth_profile(
    frame: pd.DataFrame,
    quantity: str,
    step: int | None,
    layers: frames.Layers,
    theory: Mapping[str, np.ndarray] | None = None,
    *,
    log: bool | None = None,
    title: str | None = None,
) -> dict:
    """A quantity over depth (x = layer 1 … L) at `step` (None: newest) with theory; logarithmic unless `log` is False.

    `quantity` is a recorded one of parameters or modules, or "activation_rms" / "preactivation_rms", computed as
    √(mean² + std²). `theory` is the snapshot of that name, drawn if each layer is used once per step: dashed for
    infinite width, a gray band for random networks of this architecture and a thin line for their median; the legend
    says why any is missing. The profile of the first step is dotted. Zeros are marked at the lower edge of a
    logarithmic axis. Layers of several roots, or used several times, follow each other from left to right.
    """
    title = title or f"{labels.capitalized(labels.quantity_name(quantity))} over depth"
    help = _HELP.get(
        quantity,
        f"{labels.capitalized(labels.quantity_name(quantity))} from the first layer (left) to the last (right).",
    )
    measured = _measured_table(frame, quantity, layers)
    if len(measured.steps) == 0:
        return layout.empty(title, help)
    start, at = int(measured.steps[0]), int(measured.steps[-1]) if step is None else max(step, int(measured.steps[0]))
    at = int(measured.steps[measured.steps <= at].max())  # probes do not record every step
    (first, _), (current, known) = measured.at(start), measured.at(at)
    layer_index = np.array([layers.place(site) for site in measured.sites])
    is_once = layer_index.min() >= 0 and len(np.unique(layer_index)) == len(layer_index)
    x = layer_index + 1 if is_once else np.arange(len(layer_index)) + 1
    names = [layers.label(site) for site in measured.sites]
    sites = [layers.owner(site) for site in measured.sites]
    shown = log_axis_values(np.concatenate([current, first]))
    lines = _theory_lines(quantity, theory, len(layers.sites)) if is_once else {}
    expected = {word: line[layer_index] for word, line in lines.items()}
    band = [expected[word] for word in ("low", "median", "high") if word in expected]
    drawn = [current, first, *expected.values()]
    both, recorded = np.stack([current, first], 1), np.stack([known, ~np.isnan(first)], 1)
    edges_used = [shown.floor] * bool((both <= 0).any()) + [shown.ceiling] * bool((~np.isfinite(both) & recorded).any())
    values = np.concatenate([*drawn, edges_used])
    is_log = log is not False
    log_range = _log_range(values, MIN_DECADES)
    edges = 10 ** np.clip(log_range, -300, 300) if is_log else _linear_range(np.concatenate([current, first]))
    traces = _theory_band(x, *band, float(theory["covered"]), int(theory["networks"]), names, edges) if band else []
    if at > start:
        line = {"dash": "dot", "color": theme.POSITIVE, "width": 1.2}
        traces.append(_line(x, first, f"step {start}", line, names, is_log))
    traces.append(_line(x, current, f"step {at}", {"color": theme.POSITIVE, "width": 2}, names, is_log))
    if len(sites) <= 60:
        marker = {"size": 6 if len(sites) <= 20 else 4, "color": theme.POSITIVE}
        traces[-1] |= {"mode": "lines+markers", "marker": marker}
    if "line" in expected:
        line = {"dash": "dash", "color": theme.NEUTRAL, "width": 2}
        traces.append(_line(x, expected["line"], THEORY_NAME, line, names))
    traces += [layout.legend_note(text) for text in _missing_theory_notes(quantity, theory or {})]
    zeros, infinite = edge_marks(
        x, both, recorded, shown if is_log else shown._replace(ceiling=edges[1]), x_name="layer"
    )
    traces += [zeros, infinite] if is_log else [infinite]
    tick_indices, texts = labels.depth_ticks([layers.tick(site) for site in measured.sites])
    return layout.figure(
        traces,
        title=title,
        help=f"{help} {_theory_assumptions(expected, theory)}".strip(),
        x=layout.axis("layer", tickvals=x[tick_indices].tolist(), ticktext=texts, range=[x[0] - 0.4, x[-1] + 0.4]),
        y=logarithmic(labels.quantity_name(quantity), values, log_range)
        if is_log
        else layout.axis(labels.quantity_name(quantity), range=[0.0, float(edges[1])]),
        table=[
            *([_step_table(x, sites, start, quantity, first)] if at > start else []),
            _step_table(x, sites, at, quantity, np.where(known, current, np.nan)),
            *(
                [tables.rows({"layer": x} | {f"theory_{word}": line for word, line in expected.items()})]
                if expected
                else []
            ),
        ],
        legend={"font": {"size": theme.SMALL}},
    )


def _step_table(x: np.ndarray, sites: Sequence[str], step: int, quantity: str, values: np.ndarray) -> tables.Part:
    """One step's profile as a table: layer, site, step and the quantity, a row per layer that has it."""
    is_known = ~np.isnan(values)
    return tables.rows(
        {"layer": x[is_known], "site": np.array(sites)[is_known], "step": step, quantity: values[is_known]}
    )


def layer_bars(frame: pd.DataFrame, step: int | None, layers: frames.Layers) -> dict:
    """RMS of every layer's weights, of their gradient and of the last update, as bars.

    The recorded L2 norms are divided by √(fan_in · fan_out), so layers of unknown size are omitted; each of the three
    has its own axis.
    """
    title = "Weights, gradients and updates"
    help = "Root mean square of the weights of each layer, of their gradients, and of their last update."
    quantities = {"weight_norm": "weight", "gradient_norm": "gradient", "update_norm": "update"}
    found = {name: layer_table(_last_step(frame, step), name, layers) for name in quantities}
    if not all(len(table.steps) for table in found.values()):
        found = {name: layer_table(frame, name, layers) for name in quantities}
    sites = layers.order(site for table in found.values() for site in table.sites if layers.place(site) >= 0)
    if not sites:
        return layout.empty(title, help)
    index = [layers.place(site) for site in sites]
    size = np.sqrt(np.array(layers.fan_in, float)[index] * np.array(layers.fan_out, float)[index])
    tick_indices, texts = labels.depth_ticks([layers.tick(site) for site in sites], max_labels=9)
    has_numbers = len(sites) <= 9
    # A single layer's bar is not wider than one of four.
    middle, half = (len(sites) - 1) / 2, max(len(sites), 4) / 2
    traces, axes, notes, columns = [], {}, [], {}
    for i, (name, word) in enumerate(quantities.items()):
        suffix = "" if i == 0 else str(i + 1)
        values = dict(zip(found[name].sites, found[name].at(step)[0], strict=True))
        rms = np.array([values.get(site, np.nan) for site in sites]) / size
        columns[f"{word}_rms"] = rms
        rms = np.where(np.isfinite(rms), rms, np.nan)
        power, unit = _display_exponent(rms)
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": f4(rms / 10.0**power),
                "y": i4(range(len(sites))),
                "xaxis": f"x{suffix}",
                "marker": {"color": theme.MEASURES[word]},
                "text": [_format_value(value / 10.0**power) for value in rms] if has_numbers else None,
                "textposition": "outside",
                "cliponaxis": False,
                "customdata": [
                    f"{layers.label(site)}: {word} {labels.number(v, 4)}" for site, v in zip(sites, rms, strict=True)
                ],
                "hovertemplate": "%{customdata} (RMS)<extra></extra>",
                "showlegend": False,
                "name": word,
            }
        )
        left, right = i / 3 + (0.02 if i else 0), (i + 1) / 3 - 0.02
        is_missing = name == "update_norm" and not np.isfinite(rms).any()  # as before the first update
        # Room for the numbers to the right of the bars.
        widest = float(np.nanmax(rms, initial=0.0)) / 10.0**power * (1.4 if has_numbers else 1.05) or 1.0
        axes[f"xaxis{suffix}"] = {"domain": [left, right], "range": [0, widest], "nticks": 3, "anchor": "y"}
        axes[f"xaxis{suffix}"]["showticklabels"] = not has_numbers and not is_missing
        notes.append({"x": left, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "xanchor": "left"})
        notes[-1] |= {"text": f"{word}: none yet" if is_missing else f"{word} (RMS){unit}", "showarrow": False}
    measured = np.concatenate([table.steps for table in found.values()])
    last = int(measured[measured <= (measured.max() if step is None else step)].max(initial=0))
    if step is not None and step > last:  # probes do not record every step
        note = {"text": f"measured at step {last:,}", "x": 1, "y": 0, "xref": "paper", "yref": "paper"}
        notes.append(note | {"xanchor": "right", "yanchor": "bottom", "showarrow": False})
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=axes.pop("xaxis"),
        y=layout.axis(
            "layer", range=[middle + half, middle - half], tickvals=tick_indices, ticktext=texts, showgrid=False
        ),
        table=[tables.rows({"site": [layers.owner(site) for site in sites]} | columns)],
        bargap=0.25,
        annotations=notes,
        margin={"t": 24, "b": 14 if has_numbers else 30},
        **axes,
    )


def _display_exponent(values: np.ndarray) -> tuple[int, str]:
    """The power of ten of displayed values, and the heading's suffix for it: 0 and "" from 0.01 to 1000."""
    largest = float(np.nanmax(values, initial=0.0))
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    return (0, "") if -2 <= power < 3 else (power, f", × {labels.power_of_ten(power)}")


def _format_value(value: float) -> str:
    """Two significant digits: 4.0, 0.051."""
    return labels.number(value, 2) if value == value else ""


def _last_step(frame: pd.DataFrame, step: int | None) -> pd.DataFrame:
    """The rows of the last step at or before `step`."""
    if len(frame) == 0:
        return frame
    steps = frame["step"].to_numpy()
    earlier = steps if step is None else steps[steps <= step]
    return frame[steps == earlier.max()] if len(earlier) else frame[:0]


def _measured_table(frame: pd.DataFrame, quantity: str, layers: frames.Layers) -> frames.Table:
    """One quantity over steps and layers; an RMS is computed from mean and standard deviation."""
    if quantity not in _RMS_PREFIXES:
        return layer_table(frame, quantity, layers)
    mean, std = (layer_table(frame, f"{_RMS_PREFIXES[quantity]}_{part}", layers) for part in ("mean", "std"))
    if mean.values.shape != std.values.shape:
        return frames.table(frame[:0], quantity)
    return mean._replace(values=np.sqrt(mean.values**2 + std.values**2))


def _theory_lines(quantity: str, theory: Mapping[str, np.ndarray] | None, layers: int) -> dict[str, np.ndarray]:
    """The theory of a quantity, (L,) each: "line" for infinite width; "low", "median" and "high" of the band."""
    names = {"line": quantity, **{word: f"{quantity}_{word}" for word in ("low", "median", "high")}}
    known = {word: np.asarray(theory[name], float) for word, name in names.items() if theory and name in theory}
    return {word: line for word, line in known.items() if len(line) == layers}


def _missing_theory_notes(quantity: str, theory: Mapping[str, np.ndarray]) -> list[str]:
    """Legend texts for a line and a band that are missing; the reasons are in the snapshot."""
    notes = []
    if "no_line" in theory and (
        quantity not in QUANTITIES_WITHOUT_LINE or not {f"{quantity}_low", "no_band"} & theory.keys()
    ):
        notes.append(f"no theory line:<br>{theory['no_line']}")
    if "no_band" in theory:
        notes.append(f"no band:<br>{theory['no_band']}")
    return notes


def _theory_assumptions(expected: Mapping[str, np.ndarray], theory: Mapping[str, np.ndarray] | None) -> str:
    """The assumptions of line and band, as sentences of the help."""
    sentences = []
    if "line" in expected:
        sentences.append(
            "Dashed: mean-field theory of the untrained network on the first batch, in the limit of infinite width."
        )
    if theory and "low" in expected:
        sentences.append(
            f"Gray: {100 * float(theory['covered']):.0f}% of networks of this shape with other random weights lie "
            f"inside (untrained, same batch); thin line: their median ({int(theory['networks'])} were drawn)."
        )
    return " ".join(sentences)


def _theory_band(
    x: np.ndarray,
    low: np.ndarray,
    median: np.ndarray,
    high: np.ndarray,
    covered: float,
    networks: int,
    names: list[str],
    edges: Sequence[float],
) -> list[dict]:
    """The band of random networks, clipped to the `edges` of the axis, and their median."""
    bottom, top = (np.clip(np.nan_to_num(one, posinf=edges[1]), *edges) for one in (low, high))
    hover = (
        f"%{{customdata[0]}}: median of {networks} untrained networks "
        f"{labels.hover_number('y')}<br>{100 * covered:.0f}% lie between %{{customdata[1]}} and "
        "%{customdata[2]}<extra></extra>"
    )
    customdata = [[n, labels.number(a, 4), labels.number(b, 4)] for n, a, b in zip(names, low, high, strict=True)]
    area = {
        "type": "scatter",
        "mode": "lines",
        "x": i4(np.concatenate([x, x[::-1]])),
        "y": f4(np.concatenate([top, bottom[::-1]])),
        "fill": "toself",
        "fillcolor": theme.with_alpha(theme.NEUTRAL, 0.25),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": f"{100 * covered:.0f}% of untrained<br>networks of this shape",
    }
    middle = _line(x, median, "median of untrained networks", {"color": theme.NEUTRAL, "width": 1}, names)
    return [area, middle | {"customdata": customdata, "hovertemplate": hover, "showlegend": False}]


def _log_range(values: np.ndarray, decades: float) -> list[float]:
    """The range of a logarithmic axis, in powers of ten: at least `decades`, so that a flat profile looks flat."""
    logs = np.log10(values[np.isfinite(values) & (values > 0)])
    low, high = (float(logs.min()), float(logs.max())) if len(logs) else (-1.0, 1.0)
    margin = max(0.05 * (high - low), (decades - (high - low)) / 2)
    return [low - margin, high + margin]


def _linear_range(measured: np.ndarray) -> tuple[float, float]:
    """The range of a linear axis for recorded values; theory may exceed it."""
    finite = measured[np.isfinite(measured)]
    return 0.0, 1.1 * float(finite.max(initial=0.0)) or 1.0


def _line(x: np.ndarray, values: np.ndarray, name: str, line: Mapping, names: list[str], log: bool = True) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": i4(x),
        "y": f4(log_axis_values(values).drawn if log else np.where(np.isfinite(values), values, np.nan)),
        "name": name,
        "line": dict(line),
        "customdata": names,
        "hovertemplate": f"%{{customdata}}: {labels.hover_number('y')}<br>{name}<extra></extra>",
    }
