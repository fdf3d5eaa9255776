"""Figures over the records of a learner with two modules, as of a generator and a discriminator."""

import pytest

from nnviz import figures
from nnviz.frames import Layers
from nnviz.records import Record, Snapshot
from tests.engine.short_runs import all_records
from tests.engine.test_any_learner import running
from tests.figures import sample_records
from tests.figures.exported_tables import table_of
from tests.scalar_frames import frame


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return all_records(running(steps=10))


def arrays(records: list[Record], quantity: str, site: str) -> dict:
    """The last snapshot of a quantity at a site."""
    return [r.arrays for r in records if isinstance(r, Snapshot) and (r.quantity, r.site) == (quantity, site)][-1]


def test_each_figure_of_layers_draws_both_networks_by_name_and_in_order(records, valid):
    layers = Layers({root: arrays(records, "layers", root) for root in ("maker", "critic")})
    scalars = frame(records)
    weights = ["maker, layer 1", "maker, layer 2", "maker, output"]
    weights += [f"critic, {name}" for name in ("layer 1 (1)", "layer 1 (2)", "output (1)", "output (2)", "output (3)")]

    curves = valid(figures.layer_curves(scalars, "gradient_norm", layers, smooth=0))
    assert [t["name"] for t in curves["data"] if t["mode"].startswith("lines")] == weights
    assert len(valid(figures.update_ratios(scalars, layers, smooth=0))["data"]) == len(curves["data"]) + 1

    profile = valid(figures.depth_profile(scalars, "gradient_norm", 10, layers, {"gradient_norm": [1.0] * 6}))
    axis = profile["layout"]["xaxis"]
    assert (axis["ticktext"][0], axis["ticktext"][3], axis["ticktext"][-1]) == (
        "maker 1",
        "critic 1 (1)",
        "critic out (3)",
    )
    assert axis["tickvals"] == list(range(1, 9))
    now = next(t for t in profile["data"] if t["name"] == "step 10")
    assert now["customdata"] == weights
    for site, value in zip(table_of(profile).query("step == 10")["site"], now["y"], strict=True):
        layer, mark, update = site.partition("#")
        found = scalars[(scalars["site"] == f"{layer}.weight{mark}{update}") & (scalars["step"] == 10)]
        found = found[found["quantity"] == "gradient_norm"]["value"]
        assert value == pytest.approx(found.item(), rel=1e-5), site

    bars = valid(figures.layer_bars(scalars, 10, layers))
    assert [text.split(": ")[0] for text in bars["data"][0]["customdata"]] == weights

    bands = valid(figures.percentile_bands(scalars, layers))
    assert [note["text"] for note in bands["layout"]["annotations"]] == [
        "maker, layer 1",
        "critic, layer 1 (real 2)",
        "critic, layer 1 (made)",
    ]
    dead = sample_records.scalars(
        *(("dead_fraction", f"{root}.activation1", [0], [0.5]) for root in ("critic", "maker"))
    )
    heatmap = valid(figures.dead_and_saturated(dead, layers))["data"][0]
    assert [row[0] for row in heatmap["text"]] == ["maker, layer 1", "critic, layer 1"]

    ridges = valid(figures.ridgelines(arrays(records, "activation_histogram", "critic#real#1"), layers))
    assert ridges["layout"]["yaxis"]["ticktext"] == ["critic 1"]
    sizes = valid(figures.log2_histograms(arrays(records, "gradient_histogram", "critic#2"), layers))
    assert sizes["layout"]["yaxis"]["ticktext"] == ["critic 1", "critic out"]
