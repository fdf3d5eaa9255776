"""Colors, fonts and margins of all figures.

Figures are drawn once and shown on light and dark pages, so data colors suit both; where color encodes a magnitude,
zero is transparent. Text takes the template's color.
"""

from functools import lru_cache

FONT = (
    "'Source Sans 3', 'Source Sans Pro', 'Source Sans', 'Noto Sans', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', "
    "'Malgun Gothic', sans-serif"
)
SIZE = 12
SMALL = 10.5

# Negative and positive weights and activations. Classes 0 and 1 have the same colors, so that the sign of a two-class
# network's output has the color of the predicted class.
NEGATIVE, POSITIVE = "#e07b1f", "#2f7fd1"
# Distinct with color vision deficiencies (Machado et al., 2009) and on light and dark pages.
CLASSES = (
    NEGATIVE,
    POSITIVE,
    "#226110",
    "#dd357a",
    "#6539ae",
    "#20cd9d",
    "#a0016e",
    "#c9bf0b",
    "#fe7ef1",
    "#68a8ba",
)
# Lines of optimizers and of runs, chosen as the classes' colors are; the first four, six and eight stay further apart.
OPTIMIZERS = (
    POSITIVE,
    NEGATIVE,
    "#a50078",
    "#4b5a00",
    "#1eb478",
    "#7800e1",
    "#b496ff",
    "#f00f4b",
    "#005a78",
    "#f087a5",
    "#f01eb4",
    "#966900",
)
# Up to eight runs in one figure.
RUNS = OPTIMIZERS[:8]
# Marker symbols and dashes of optimizers, so that color is not the only distinction: together unique for twelve.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "triangle-down")
OPTIMIZER_DASHES = ("solid", "dash")
# Minima beyond those with a color of their own.
OTHER_MINIMA = "#a08a5b"
# The components of a vector in the plane.
COMPONENTS = {"x": POSITIVE, "y": NEGATIVE}
# Arrows of an update's parts.
ARROWS = {"gradient": "#12909f", "momentum": "#b0307a"}
# A surface under paths: so unsaturated that all optimizers stand out.
SURFACE = "#6f7f9c"
# The same in 3-D, from low to high values, increasingly unlike the page's color; and its contour lines.
SURFACE_3D = {
    "light": ("#edf0f5", "#d0d7e2", "#aab6c9", "#8493ad", "#66758f"),
    "dark": ("#56647f", "#6d7c98", "#8795af", "#a3afc4", "#bfc8d7"),
}
SURFACE_3D_CONTOURS = {"light": "#8e9bb2", "dark": "#a9b4c6"}
# First layer … last layer.
DEPTH = ("#7d4fd6", "#3f74d4", "#1690a8", "#2f9f5d", "#94a01c", "#d9922a")
# Sequential, for values without a meaningful zero: targets of a regression.
VALUES = ("#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")
SPLITS = {"train": "#6b4fc9", "test": "#e5533d", "batch": "#8b929c"}
ALERT = "#d4475f"
SITES = {
    **SPLITS,
    "correct_labels": POSITIVE,
    "replaced_labels": ALERT,
    "replaced_labels_by_true_class": "#1e8a4c",
    "real": "#1e8a4c",
    "generated": "#8a3fd1",
    "generator": "#8a3fd1",
    "discriminator": "#e07b1f",
    "before_clipping": "#8b929c",
    "after_clipping": "#1aa0b4",
    "model": POSITIVE,
}
MEASURES = {"weight": "#7a68d8", "gradient": "#1aa0b4", "update": "#1f9d76"}
# Real and generated samples, and what the discriminator takes for either.
ADVERSARIAL = {"real": "#1e8a4c", "generated": "#8a3fd1"}
UNCERTAINTY = "#b0307a"
HEALTHY = "#1f9d76"
RUN_DASHES = ("solid", "dash", "dot", "dashdot")
NEUTRAL = "#8b929c"
# Outlines of markers, visible on any surface and page.
MARKER_OUTLINE = "#727c8a"
WHITE = "#ffffff"
HALO = "rgba(255,255,255,0.9)"
TRANSPARENT = "rgba(0,0,0,0)"


def rgb(color: str) -> tuple[int, int, int]:
    """The three channels 0..255 of a color like "#2f7fd1"."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def with_alpha(color: str, alpha: float) -> str:
    """A color like "#2f7fd1" with an opacity 0..1, as a CSS color."""
    red, green, blue = rgb(color)
    return f"rgba({red},{green},{blue},{alpha:.3g})"


def class_color(index: int) -> str:
    """The color of a class; they repeat after ten."""
    return CLASSES[index % len(CLASSES)]


def optimizer_color(index: int) -> str:
    """The color of an optimizer; they repeat after twelve."""
    return OPTIMIZERS[index % len(OPTIMIZERS)]


def run_color(index: int) -> str:
    """The color of a run among several; they repeat after eight."""
    return RUNS[index % len(RUNS)]


def sign_color(value: float) -> str:
    """Orange for negative values, else blue."""
    return NEGATIVE if value < 0 else POSITIVE


def diverging(alpha: float = 1.0) -> list[list]:
    """A Plotly colorscale: negative orange, zero transparent, positive blue; `alpha` at the ends."""
    return [
        [0.0, with_alpha(NEGATIVE, alpha)],
        [0.5, with_alpha(NEGATIVE, 0)],
        [0.5, with_alpha(POSITIVE, 0)],
        [1.0, with_alpha(POSITIVE, alpha)],
    ]


def opaque_diverging() -> list[list]:
    """The diverging colorscale with light gray for zero, for small opaque marks."""
    return [[0.0, NEGATIVE], [0.5, "#d5dae1"], [1.0, POSITIVE]]


def from_transparent(color: str, alpha: float = 1.0) -> list[list]:
    """A Plotly colorscale from transparent to `color`, for fractions and counts."""
    return [[0.0, with_alpha(color, 0)], [1.0, with_alpha(color, alpha)]]


def colorscale(stops: tuple[str, ...] = VALUES, reverse: bool = False) -> list[list]:
    """Evenly spaced stops as a Plotly colorscale."""
    stops = stops[::-1] if reverse else stops
    return [[i / (len(stops) - 1), stop] for i, stop in enumerate(stops)]


@lru_cache(maxsize=512)
def depth_color(index: int, layers: int) -> str:
    """The color of layer `index` (0 is the first) of `layers`."""
    position = 0.0 if layers < 2 else index / (layers - 1) * (len(DEPTH) - 1)
    left = min(int(position), len(DEPTH) - 2)
    mixed = [
        round(a + (b - a) * (position - left)) for a, b in zip(rgb(DEPTH[left]), rgb(DEPTH[left + 1]), strict=True)
    ]
    return f"#{mixed[0]:02x}{mixed[1]:02x}{mixed[2]:02x}"


def colorbar(title: str, **more: object) -> dict:
    """A slim color legend at the right edge."""
    return {
        "title": {"text": title, "side": "top", "font": {"size": SMALL}},
        "thickness": 9,
        "len": 1.0,
        "x": 1.01,
        "xpad": 4,
        "ypad": 0,
        "outlinewidth": 0,
        "tickfont": {"size": SMALL},
        "ticks": "",
        **more,
    }


def template(dark: bool) -> dict:
    """The Plotly template of the light or dark page: all that is not data."""
    name = "dark" if dark else "light"
    ink = "#e6e9ef" if dark else "#2b2f38"
    soft = "#a9b1bd" if dark else "#5b6472"
    grid = "rgba(255,255,255,0.09)" if dark else "rgba(20,30,50,0.09)"
    line = "rgba(255,255,255,0.28)" if dark else "rgba(20,30,50,0.28)"
    axis = {
        "automargin": True,
        "gridcolor": grid,
        "linecolor": line,
        "showline": False,
        "zeroline": False,
        "zerolinecolor": line,
        "zerolinewidth": 1,
        "ticks": "",
        "ticklabelstandoff": 4,
        "tickfont": {"size": SMALL, "color": soft},
        "title": {"standoff": 6, "font": {"size": SIZE - 1, "color": soft}},
        "exponentformat": "power",
        "minexponent": 4,
    }
    # 3-D scenes ignore opacity.
    solid = axis | {"showbackground": False, "gridcolor": "#39404c" if dark else "#dde1e7", "zeroline": False}
    solid = {key: solid[key] for key in ("showbackground", "gridcolor", "zeroline", "tickfont", "exponentformat")}
    solid |= {"title": {"font": axis["title"]["font"]}}
    return {
        "layout": {
            "font": {"family": FONT, "size": SIZE, "color": ink},
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "margin": {"l": 46, "r": 12, "t": 8, "b": 38, "pad": 0},
            "colorway": list(CLASSES),
            "separators": ".",  # or Plotly writes 4262 and 4,262.5 on one axis
            "hoverlabel": {
                "bgcolor": "#1c212b" if dark else "#ffffff",
                "bordercolor": line,
                "font": {"family": FONT, "size": SIZE, "color": ink},
                "align": "left",
                "namelength": -1,
            },
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": solid, "yaxis": solid, "zaxis": solid},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.01,
                "yanchor": "bottom",
                "bgcolor": TRANSPARENT,
                "font": {"size": SIZE - 1, "color": ink},
                "itemwidth": 30,
                "traceorder": "normal",
            },
            "annotationdefaults": {"font": {"size": SIZE - 1, "color": soft}, "showarrow": False},
            "shapedefaults": {"line": {"color": line, "width": 1}},
        },
        "data": {
            "scatter": [{"marker": {"line": {"width": 0}}}],
            "surface": [
                {"colorscale": colorscale(SURFACE_3D[name]), "contours": {"z": {"color": SURFACE_3D_CONTOURS[name]}}}
            ],
        },
    }
