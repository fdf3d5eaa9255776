"""The discriminator beside the best one against the generator as it is."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nnviz.figures.kit import labels, layout, png_images, tables, theme

Place = tuple[tuple[float, float], tuple[float, float]]

EDGE = 3.0
GAP = 0.024
OPACITY = 0.9

_HELP = (
    "Left: the learned discriminator. Middle: the optimal one for this generator, p/(p + q), with the exact density p "
    "of the data and a kernel estimate of the density q of 20,000 generated samples; transparent where both are near "
    "0. Green: 1 (real), purple: 0 "
    "(generated). Right: learned minus optimal, blue above 0, orange below. Computed at every second evaluation. A "
    "generator learns from a discriminator that is close to the optimal one where the samples are."
)


def optimal_discriminator(
    field: Mapping[str, np.ndarray],
    gaps: pd.DataFrame,
    step: int | None = None,
    *,
    has_optimum: bool = True,
    show: str = "all",
) -> dict:
    """Learned and best discriminator and their difference over the plane, from the snapshot optimal_discriminator,
    which was made at `step`; `gaps` are the root mean squares of the difference over the samples, of which that at
    `step` (None: the last) is printed. `show` is "all", "learned", "optimal" or "difference"."""
    title = "Learned and optimal discriminator"
    if not has_optimum:
        return layout.empty(title, _HELP, "this objective has no optimal discriminator in closed form")
    if not field:
        return layout.empty(title, _HELP)
    learned, best = np.asarray(field["output"], float), np.asarray(field["optimal"], float)
    shown = {"learned": learned, "optimal": best, "difference": learned - best}
    chosen = {name: values for name, values in shown.items() if show in ("all", name)}
    told = [f"kernel bandwidth {float(field['bandwidth'][0]):g}"]
    if len(known := gaps["value"][gaps["step"] == step] if step is not None else gaps["value"]):
        told.insert(0, f"RMS difference over the samples {labels.number(float(known.iloc[-1]))}")
    if step is not None:
        told.insert(0, f"step {step:,}")
    count = len(chosen)
    beside = [(_share(i, count), (0.0, 1.0)) for i in range(count)]
    axes, notes = _placed(list(chosen), beside, is_small=False)
    below = {"y": 0, "yanchor": "top", "yshift": -40}  # below the axes' titles
    notes.append(layout.corner_note(" · ".join(told)) | below)
    # In a narrow card one under the other two, and what is told in the place of a fourth.
    quarters = [(_share(i, 2), (up, up + 0.42)) for i, up in ((0, 0.55), (1, 0.55), (0, 0.0))]
    small, small_notes = _placed(list(chosen), quarters if count > 1 else beside, is_small=True)
    place = {"x": 0.53, "y": 0.2, "yanchor": "middle"} if count > 1 else {}
    lines = "<br>".join(told).replace("difference over", "difference<br>over")
    small_notes.append(layout.corner_note(lines) | {"align": "left", "font": {"size": 10}} | place)
    images = [_picture(values, name) | _axis_of(i) for i, (name, values) in enumerate(chosen.items())]
    first, second = axes.pop("xaxis"), axes.pop("yaxis")
    traces = [_hover(field["axis"], values, name, place) for place, (name, values) in enumerate(chosen.items())]
    return layout.figure(
        traces,
        title=title,
        help=_HELP,
        x=first,
        y=second,
        **axes,
        images=images,
        annotations=notes,
        margin={"t": 24, "l": 46, "r": 12, "b": 62},
        narrow=small | {"annotations": small_notes, "margin": {"t": 24, "l": 8, "r": 8, "b": 8}},
        table=[tables.grid({"y": field["axis"]}, {"x": field["axis"]}, chosen)],
    )


def _axis_of(place: int) -> dict:
    end = "" if place == 0 else str(place + 1)
    return {"xref": f"x{end}", "yref": f"y{end}"}


def _share(place: int, count: int) -> tuple[float, float]:
    """One of so many equal parts of the width, with gaps between them."""
    width = (1 - GAP * (count - 1)) / count
    return place * (width + GAP), place * (width + GAP) + width


def _placed(names: Sequence[str], places: Sequence[Place], is_small: bool) -> tuple[dict, list[dict]]:
    """Axes of each picture within its place, fractions of the width and of the height, and its name above it."""
    axes, notes = {}, []
    for i, (name, (across, up)) in enumerate(zip(names, places, strict=False)):
        end = _axis_of(i)["xref"][1:]
        frame = {"range": [-EDGE, EDGE], "showgrid": False, "constrain": "domain", "fixedrange": True}
        is_first = i == 0 and not is_small
        x, y = ("" if is_small else "x"), ("y" if is_first else "")
        axes[f"xaxis{end}"] = layout.axis(x, **frame, domain=list(across), anchor=f"y{end}")
        axes[f"yaxis{end}"] = layout.axis(y, **frame, domain=list(up), scaleanchor=f"x{end}", anchor=f"x{end}")
        if is_small:
            axes[f"xaxis{end}"]["showticklabels"] = False
        if not is_first:
            axes[f"yaxis{end}"]["showticklabels"] = False
        notes.append(
            {
                "text": {"optimal": "optimal: p/(p + q)", "difference": "learned − optimal"}.get(name, name),
                "x": 0.5,
                "y": 1.0,
                "xref": f"x{end} domain",
                "yref": f"y{end} domain",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    return axes, notes


def _picture(values: np.ndarray, name: str) -> dict:
    if name == "difference":
        palette, pixels = png_images.diverging_palette(), png_images.diverging_indices(values, 1.0)
    else:
        palette, levels = png_images.class_palette([theme.ADVERSARIAL["generated"], theme.ADVERSARIAL["real"]], OPACITY)
        fraction = np.clip(values, 0, 1)
        strength = np.abs(2 * fraction - 1) * (levels - 1)
        pixels = np.nan_to_num((fraction >= 0.5) * levels + strength.round(), nan=0.0).astype(np.uint8)
    return png_images.layout_image(png_images.png(pixels[::-1], palette), -EDGE, EDGE, 2 * EDGE, 2 * EDGE)


def _hover(axis: np.ndarray, values: np.ndarray, name: str, place: int) -> dict:
    end = "" if place == 0 else str(place + 1)
    return {
        "type": "heatmap",
        "x": layout.f4(axis),
        "y": layout.f4(axis),
        "z": layout.f4(values),
        "xaxis": f"x{end}",
        "yaxis": f"y{end}",
        "opacity": 0,
        "showscale": False,
        "name": name,
        "hovertemplate": f"{name} {labels.hover_number('z')}<extra></extra>",
    }
