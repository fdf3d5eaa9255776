"""The discriminator beside the best one against the generator as it is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nnviz.figures.kit import labels, layout, png_images, tables, theme

EDGE = 3.0
OPACITY = 0.9

_HELP = (
    "Left: what the discriminator has learned. Middle: the best one against this generator, p/(p + q), with the exact "
    "density p of the data and a kernel estimate of the density q of 20,000 generated samples; clear where neither has "
    "any. Right: learned minus best. Made at every second evaluation. A generator learns from a discriminator that is "
    "close to the best one where the samples are."
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
    axes, images, notes = {}, [], []
    width = 1 / len(chosen)
    for place, (name, values) in enumerate(chosen.items()):
        end = "" if place == 0 else str(place + 1)
        domain = [place * width + 0.012 * (place > 0), (place + 1) * width - 0.012 * (place < len(chosen) - 1)]
        frame = {"range": [-EDGE, EDGE], "showgrid": False, "constrain": "domain", "fixedrange": True}
        axes[f"xaxis{end}"] = layout.axis("x", **frame, domain=domain, anchor=f"y{end}")
        axes[f"yaxis{end}"] = layout.axis(
            "y" if place == 0 else "", **frame, scaleanchor=f"x{end}", anchor=f"x{end}"
        ) | ({} if place == 0 else {"showticklabels": False})
        images.append(_picture(values, name) | {"xref": f"x{end}", "yref": f"y{end}"})
        notes.append(
            {
                "text": {"optimal": "optimal: p/(p + q)", "difference": "learned − optimal"}.get(name, name),
                "x": sum(domain) / 2,
                "y": 1.0,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    told = f"kernel bandwidth {float(field['bandwidth'][0]):g}"
    if len(known := gaps["value"][gaps["step"] == step] if step is not None else gaps["value"]):
        told = f"RMS difference over the samples {labels.number(float(known.iloc[-1]))} · {told}"
    below = {"y": 0, "yanchor": "top", "yshift": -40}  # below the axes' titles
    if step is not None:
        told = f"step {step:,} · {told}"
    notes.append(layout.corner_note(told) | below)
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
        table=[tables.grid({"y": field["axis"]}, {"x": field["axis"]}, chosen)],
    )


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
