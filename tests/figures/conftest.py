"""Fixtures for all tests of figures."""

import plotly.graph_objects as go
import pytest


@pytest.fixture
def valid():
    """Checks a figure by Plotly's own validator and by what the board is promised; gives the figure back."""

    def check(figure: dict) -> dict:
        go.Figure(figure)
        layout = figure["layout"]
        if narrow := layout["meta"].get("narrow"):
            go.Figure(figure | {"layout": layout | narrow})
        assert set(figure) == {"data", "layout"}
        assert layout["uirevision"]
        assert layout["meta"]["title"]
        assert layout["meta"]["help"].endswith((".", "?"))
        assert not {"title", "template", "width", "height", "paper_bgcolor", "plot_bgcolor"} & set(layout)
        return figure

    return check
