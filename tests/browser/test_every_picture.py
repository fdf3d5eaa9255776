"""What is exported of every figure: complete and readable pictures, tables that hold its data, numbers as it says."""

import io
import math
import random

import numpy as np
import pandas as pd
import pytest

from nnviz import figures
from nnviz.figures.kit import labels
from tests.browser.gallery import gallery
from tests.figures.exported_tables import table_of
from tests.figures.sample_records import scalars
from tests.figures.test_every_figure import EMPTY, FILLED

pytestmark = pytest.mark.browser

# In the page: exports a figure as SVG through the board's own code, puts it there, and tells what is wrong with its
# texts. Two of them overlap where their boxes, turned as the texts are, share more than a hair of line height.
LOOK = """
window.look = async (figure, width, height, dark) => {
  const store = { themes }, theme = { dark: false };
  const shown = { data: structuredClone(figure.data), layout: structuredClone(figure.layout) };
  const title = `${figure.layout.meta.title} · step 1,234`;
  const colors = board.pictureTheme({ theme, store, darkPictures: dark });
  const url = await board.picture(Plotly, shown, { title, theme: colors, format: "svg", width, height });
  return texts(decodeURIComponent(url.slice(url.indexOf(",") + 1)));
};
window.texts = (svg) => {
  const place = document.createElement("div");
  place.style.cssText = "position: absolute; left: 0; top: 0";
  place.innerHTML = svg;
  document.body.append(place);
  const root = place.firstChild, page = root.getBoundingClientRect(), wrong = [], boxes = [];
  for (const text of root.querySelectorAll("text")) {
    const { visibility, opacity } = getComputedStyle(text), words = text.textContent.trim(), box = text.getBBox();
    if (!words || !box.width || visibility === "hidden" || opacity === "0") continue;
    const { a, b, c, d, e, f } = text.getScreenCTM(), hair = Math.min(2.2, box.height / 5);
    const [left, right, top, bottom] = [box.x + 0.5, box.x + box.width - 0.5, box.y + hair, box.y + box.height - hair];
    const turned = ([x, y]) => [a * x + c * y + e, b * x + d * y + f];
    const corners = [[left, top], [right, top], [right, bottom], [left, bottom]].map(turned);
    const within = (value, low, high) => value >= low - 0.5 && value <= high + 0.5;
    const inside = ([x, y]) => within(x, page.left, page.right) && within(y, page.top, page.bottom);
    if (!corners.every(inside)) wrong.push(`"${words}" leaves the picture`);
    for (const other of boxes) if (meet(corners, other.corners)) wrong.push(`"${words}" lies on "${other.words}"`);
    boxes.push({ words, corners });
  }
  const cut = root.querySelectorAll(".legend [clip-path]").length;
  if (cut) wrong.push("the legend may be cut");
  place.remove();
  return { wrong, words: boxes.map((box) => box.words), background: root.querySelector("rect").getAttribute("fill") };
};
const meet = (one, other) => ![one, other].some((corners) => [0, 1].some((i) => {
  const along = [corners[i + 1][0] - corners[i][0], corners[i + 1][1] - corners[i][1]];
  const [a, b] = [one, other].map((box) => box.map(([x, y]) => x * along[0] + y * along[1]));
  return Math.max(...a) <= Math.min(...b) || Math.max(...b) <= Math.min(...a);
}));
"""


@pytest.fixture(scope="module")
def page(browser):
    drawn = {name: draw() for name, draw in FILLED.items()}
    frame = scalars(("loss", "train", [0, 1, 2, 3], [1.0, 0.0, np.inf, np.nan]), ("loss", "test", [0], [0.1]))
    drawn["not finite"] = figures.curves(frame, log=True)
    with gallery(browser, drawn | {f"empty {name}": draw() for name, draw in EMPTY.items()}) as page:
        page.evaluate("code => { (0, eval)(code); }", LOOK)
        yield page


def test_no_text_of_a_picture_lies_on_another_one_or_leaves_the_picture(page):
    for name, draw in FILLED.items():
        looks = [(340, 180, False), (640, 320, True)]
        if "scene" in draw()["layout"]:  # drawn by WebGL, which takes long here; of its texts only the legend is SVG
            looks = looks[:1] if name in ("space", "path space") else []
        for width, height, dark in looks:
            found = page.evaluate("([name, ...how]) => look(figures[name], ...how)", [name, width, height, dark])
            assert not found["wrong"], (name, width, found["wrong"])
            assert "· step 1,234" in " ".join(found["words"]), name
            assert found["background"] == ("#0e1117" if dark else "#ffffff"), name


def test_a_figure_that_waits_has_a_picture_too(page):
    for name in ("loss map", "curves", "network"):
        found = page.evaluate("name => look(figures[`empty ${name}`], 340, 230, false)", name)
        assert not found["wrong"], (name, found["wrong"])
        assert any("waiting" in words for words in found["words"]), name


def test_all_entries_of_a_long_legend_are_in_the_picture(page):
    found = page.evaluate("look(figures['many optimizers'], 340, 440, false)")
    names = {trace["name"] for trace in FILLED["many optimizers"]()["data"] if trace.get("showlegend")}
    assert len(names) == 12
    assert names <= set(found["words"])


def test_csv_of_every_figure_reads_back_as_the_table_that_it_states(page):
    written = page.evaluate("Object.fromEntries(Object.entries(figures).map(([name, f]) => [name, board.csv(f)]))")
    for name, draw in FILLED.items():
        expected, found = table_of(draw()), pd.read_csv(io.StringIO(written[name]))
        assert list(found.columns) == list(expected.columns), name
        assert len(found) == len(expected), name
        for column in expected.columns:
            if expected[column].dtype.kind in "biuf":
                one, other = (np.asarray(frame[column], np.float64) for frame in (found, expected))
                np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-300, err_msg=f"{name}: {column}")
            else:
                texts = [["" if value != value else str(value) for value in f[column]] for f in (found, expected)]
                assert texts[0] == texts[1], (name, column)


def test_csv_writes_zeros_and_what_is_not_finite_and_leaves_out_what_is_not_there(page):
    assert page.evaluate("board.csv(figures['not finite'])").splitlines() == [
        "site,step,loss",
        "train,0,1",
        "train,1,0",
        "train,2,inf",
        "train,3,nan",
        "test,0,0.1",
    ]


def test_texts_that_lie_on_each_other_or_outside_are_found(page):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><rect fill="#fff"/>{}</svg>'
    for texts, wrong in [
        ('<text x="5" y="20">one</text><text x="5" y="50">two</text>', []),
        ('<text x="5" y="20">one</text><text x="12" y="24">two</text>', ['"two" lies on "one"']),
        ('<text x="70" y="20">too long</text>', ['"too long" leaves the picture']),
    ]:
        assert page.evaluate("svg => texts(svg).wrong", svg.format(texts)) == wrong


def test_eight_runs_have_a_legend_that_is_read_beside_their_curves(page):
    for name in (name for name in FILLED if name.startswith("overlay of eight")):
        found = page.evaluate("name => look(figures[name], 500, 400, false)", name)
        assert not found["wrong"], (name, found["wrong"])
        told = {trace["name"] for trace in FILLED[name]()["data"] if trace.get("showlegend", True)}
        assert told <= set(found["words"]), name


def test_numbers_in_legends_are_those_of_the_figures(page):
    chance = random.Random(0)
    shares = [n / 80 for n in range(81)] + [chance.random() for _ in range(200)]
    values = [chance.choice([1, -1]) * 10 ** chance.uniform(-9, 9) for _ in range(500)]
    values += [0.0, 0.3125, 1.125, -2.5, 99995.0, 99999.0, 0.00009995, 9.995, 1234.5, 1e-300]
    code = "([values, shares]) => [values.map(v => board.number(v)), shares.map(v => board.percent(v))]"
    numbers, percents = page.evaluate(code, [values, shares])
    odd = page.evaluate("[NaN, Infinity, -Infinity].map(v => board.number(v))")
    assert numbers == [labels.number(value) for value in values]
    assert percents == [labels.percent(share) for share in shares]
    assert odd == [labels.number(value) for value in (math.nan, math.inf, -math.inf)]
