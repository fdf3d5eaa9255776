"""Real and generated samples on the discriminator's output, and how the generator warps its noise."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz.figures.kit import labels, layout, png_images, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.trajectories.update_arrows import arrow_lines, arrow_scale

Arrays = Mapping[str, np.ndarray]

OPACITY = 0.42
"""Of the background where the discriminator is certain; samples in the same colors stand out from it."""

EDGE = 3.0
"""The pictures show [−EDGE, EDGE]²."""

_HELP = (
    "The background is the discriminator's output: {real} where it classifies a sample as real, {generated} where as "
    "generated, transparent where it is undecided. Arrows point where each generated sample should move to lower the "
    "generator's loss."
)
_SCORE_HELP = (
    "The background is the discriminator's score, which has no fixed scale: {real} where it is above its midpoint, "
    "{generated} where below. Arrows point where each generated sample should move to lower the generator's loss."
)
_NOISE_HELP = (
    "A grid over the noise z, mapped by the generator: equal fractions of the noise lie between neighboring lines, so "
    "dense lines mean many samples."
)


_WITHIN = {"xref": "x domain", "yref": "y domain"}  # of the square, which may be smaller than its place
_LEGEND = {"x": 0.5, "xanchor": "center"}


def samples_map(
    real: Arrays,
    generated: Arrays,
    field: Arrays,
    *,
    output: str = "logit",
    show_arrows: bool = True,
    by_mode: bool = False,
    notes: Sequence[str] = (),
    stroke: float = 0.0,
) -> dict:
    """Real and generated samples on the discriminator's output.

    `real` has points (n, 2), `generated` points (n, 2) and descent (k, 2) of the first k of them, `field` axis (m,),
    output (m, m) by row of y; `output` says what it means: "logit", "target" or "score". `by_mode` colors generated
    samples by their nearest mode, `generated["mode"]` (n,), where the data have separate ones. `notes` are
    printed on the picture. With a `stroke` the viewer can draw a line of that width over it.
    """
    title = "Samples and discriminator"
    words = {"real": "green", "generated": "violet"}
    is_score = output == "score"
    help = (_SCORE_HELP if is_score else _HELP).format(**words)
    if not real or not generated or not field:
        return layout.empty(title, help)
    traces = [
        _points(real["points"], "real", 4.0),
        _points(generated["points"], "generated", 4.0),
    ]
    if by_mode and "mode" in generated:
        colors = [theme.class_color(int(mode)) for mode in generated["mode"]]
        traces[1] |= {"name": "generated, by nearest mode", "marker": traces[1]["marker"] | {"color": colors}}
    if show_arrows:
        traces.append(_arrows(generated))
    figure = layout.figure(
        [_hover(field, is_score), *traces],
        title=title,
        help=help,
        **_axes(),
        images=[_background(np.asarray(field["output"], float), is_score)],
        annotations=[layout.corner_note("<br>".join(notes)) | _WITHIN] if notes else [],
        legend=_LEGEND,
        narrow=_narrow(),
        table=[
            *(_table(part, arrays["points"]) for part, arrays in (("real", real), ("generated", generated))),
            tables.grid(
                {"part": "discriminator", "y": field["axis"]}, {"x": field["axis"]}, {"output": field["output"]}
            ),
        ],
    )
    if stroke:
        figure["layout"]["meta"]["stroke"] = {"width": stroke}
    return figure


def noise_map(real: Arrays, noise: Arrays) -> dict:
    """Where the generator takes a grid of noise: points (n, n, 2) of two-dimensional noise, lines of constant z₁ and
    z₂, or (n, 2) of one-dimensional noise; {} for more dimensions."""
    title = "Noise grid mapped by the generator"
    if not real:
        return layout.empty(title, _NOISE_HELP)
    if not noise:
        return layout.empty(title, _NOISE_HELP, "drawn for one- and two-dimensional noise")
    points = np.asarray(noise["points"], float)
    lines = [("z", points[None])] if points.ndim == 2 else [("z₁", points), ("z₂", np.swapaxes(points, 0, 1))]
    traces = [_points(real["points"], "real", 3.0) | {"opacity": 0.45}]
    for (name, rows), color in zip(lines, theme.COMPONENTS.values(), strict=False):
        gaps = np.concatenate([rows, np.full((len(rows), 1, 2), np.nan)], 1).reshape(-1, 2)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": f4(gaps[:, 0]),
                "y": f4(gaps[:, 1]),
                "name": "G(z)" if name == "z" else f"{name} constant",
                "line": {"color": color, "width": 1.2},
                "hoverinfo": "skip",
            }
        )
    return layout.figure(
        traces,
        title=title,
        help=_NOISE_HELP,
        **_axes(),
        legend=_LEGEND,
        narrow=_narrow(),
        table=[_table("grid point", points.reshape(-1, 2))],
    )


def _axes() -> dict:
    shown = {"range": [-EDGE, EDGE], "showgrid": False, "constrain": "domain"}
    return {"x": layout.axis("x", **shown), "y": layout.axis("y", **shown, scaleanchor="x")}


def _narrow() -> dict:
    """The layout in a narrow card, which needs its width for the picture."""
    axes = _axes()
    for axis in axes.values():
        axis.pop("title", None)
    return {
        "xaxis": axes["x"],
        "yaxis": axes["y"],
        "legend": _LEGEND | {"font": {"size": 10}},
        "margin": {"t": 12, "l": 26, "r": 8, "b": 24},
    }


def _points(points: np.ndarray, kind: str, size: float) -> dict:
    points = np.asarray(points, float)
    marker = {"color": theme.ADVERSARIAL[kind], "size": size, "opacity": 0.75}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(points[:, 0]),
        "y": f4(points[:, 1]),
        "name": kind,
        "marker": marker,
        "uid": kind,
        "hovertemplate": f"{kind}: {labels.hover_number('x')}, {labels.hover_number('y')}<extra></extra>",
    }


def _arrows(generated: Arrays) -> dict:
    """The descent direction at generated samples, one factor for all."""
    vectors = np.asarray(generated["descent"], float)
    starts = np.asarray(generated["points"], float)[: len(vectors)]
    size = (2 * EDGE, 2 * EDGE)
    times = 0.5 * arrow_scale(vectors, np.ones(len(vectors), bool), size)
    lines = arrow_lines(starts, np.clip(times * vectors, -EDGE, EDGE), size)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(lines[:, 0]),
        "y": f4(lines[:, 1]),
        "name": "−gradient" if times == 1 else f"−gradient × {times:g}",
        "line": {"color": theme.ADVERSARIAL["generated"], "width": 1},
        "hoverinfo": "skip",
        "uid": "descent",
    }


def _background(output: np.ndarray, is_score: bool) -> dict:
    """The output as a picture: from the generated samples' color over clear to the real ones'."""
    fraction = _fraction(output, is_score)
    colors = [theme.ADVERSARIAL["generated"], theme.ADVERSARIAL["real"]]
    palette, levels = png_images.class_palette(colors, OPACITY)
    strength = (np.abs(2 * fraction - 1) * (levels - 1)).round()
    pixels = ((fraction >= 0.5) * levels + strength).astype(np.uint8)
    return png_images.layout_image(png_images.png(pixels[::-1], palette), -EDGE, EDGE, 2 * EDGE, 2 * EDGE)


def _fraction(output: np.ndarray, is_score: bool) -> np.ndarray:
    """From 0, generated, to 1, real; scores by their distance from the median, percentiles 2 and 98 as ends."""
    if not is_score:
        return np.nan_to_num(np.clip(output, 0, 1), nan=0.5)
    finite = output[np.isfinite(output)]
    if not len(finite):
        return np.full_like(output, 0.5)
    low, middle, high = np.percentile(finite, [2, 50, 98])
    reach = max(high - middle, middle - low) or 1.0
    return np.nan_to_num(np.clip(0.5 + (output - middle) / (2 * reach), 0, 1), nan=0.5)


def _hover(field: Arrays, is_score: bool) -> dict:
    """An invisible heatmap that says the output."""
    return {
        "type": "heatmap",
        "x": f4(field["axis"]),
        "y": f4(field["axis"]),
        "z": f4(field["output"]),
        "opacity": 0,
        "showscale": False,
        "hovertemplate": f"{'score' if is_score else 'D'} {labels.hover_number('z')}<extra></extra>",
    }


def _table(part: str, points: np.ndarray) -> tables.Part:
    points = np.asarray(points)
    return tables.rows({"part": part, "x": points[:, 0], "y": points[:, 1]})
