"""What the board sends: JSON that browsers read, and differences that give the figure back."""

import base64
import json

import numpy as np
import pytest

from nnviz.ui.board.wire_format import diff, encode, sketch
from tests.each import each
from tests.ui.messages_sent import figure, patched


def decoded(value):
    """What the browser makes of JSON: typed arrays as (dtype, shape, list)."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        shape = [int(n) for n in value["shape"].split(",")] if "shape" in value else [-1]
        return array.reshape(shape).tolist()
    if isinstance(value, dict):
        return {key: decoded(part) for key, part in value.items()}
    return value


def test_every_plotly_dtype_comes_back_bit_for_bit():
    for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"):
        array = np.array([[1, 2, 3], [4, 5, 120]], dtype)
        sent = json.loads(encode(array))
        assert sent["dtype"] == dtype
        assert sent["shape"] == "2,3"
        assert base64.b64decode(sent["bdata"]) == array.tobytes()


def test_other_dtypes_are_sent_as_the_nearest_that_plotly_has():
    assert json.loads(encode(np.arange(3)))["dtype"] == "i4"
    assert json.loads(encode(np.array([0, 1, 2**40])))["dtype"] == "f8"
    assert json.loads(encode(np.zeros(3, np.float16)))["dtype"] == "f4"
    assert json.loads(encode(np.arange(6.0)[::2])) == {
        "dtype": "f8",
        "bdata": base64.b64encode(np.array([0.0, 2, 4])).decode(),
    }
    assert json.loads(encode(np.array([True, False, True]))) == [True, False, True]
    assert json.loads(encode(np.array(["가", "b", "c"]))) == ["가", "b", "c"]
    assert json.loads(encode(np.array(["2026-01-02"] * 3, "M8[D]"))) == ["2026-01-02"] * 3
    assert json.loads(encode(np.array([0.0, 1.0]))) == [0.0, 1.0]


def test_big_endian_arrays_are_sent_little_endian():
    assert decoded(json.loads(encode(np.arange(3, dtype=">f4")))) == [0.0, 1.0, 2.0]


def test_scalars_that_are_not_finite_become_null_and_nan_in_arrays_stays():
    value = {"a": float("nan"), "b": [1.0, float("inf")], "c": np.float32("nan"), "d": np.array([1.0, np.nan, 3.0])}
    sent = json.loads(encode(value), parse_constant=lambda name: pytest.fail(name))
    assert (sent["a"], sent["b"], sent["c"]) == (None, [1.0, None], None)
    assert np.isnan(decoded(sent["d"])[1])
    assert json.loads(encode({"z": np.array([np.nan, 1.0])})) == {"z": [None, 1.0]}


def test_what_json_cannot_hold_is_named():
    with pytest.raises(TypeError, match="got set"):
        encode({"data": {1, 2}})


@each(
    "new",
    [
        figure(3),
        figure(1, extra={"a": [1, {"b": None}]}),
        figure(1, shapes=[]),
        figure(1, shapes=[{"x0": 1}, {"x0": 2}]),
        {"data": figure(1)["data"][:1], "layout": {}},
        {"data": [{"type": "heatmap", "z": np.eye(3)}, {"type": "bar", "y": None}], "layout": {"shapes": None}},
        {"layout": {"meta": []}},
        figure(1, meta="text", width=float("nan")),
    ],
)
def test_base_and_differences_give_the_figure_back(new):
    base = figure(1)
    changes = json.loads(encode(diff(sketch(base), new)))
    assert patched(json.loads(encode(base)), changes) == json.loads(encode(new))


def test_equal_figures_have_no_differences_and_arrays_are_compared_by_value():
    assert diff(sketch(figure(2)), figure(2)) == []
    one, other = figure(2), figure(2)
    other["data"][0]["x"] = other["data"][0]["x"].astype(np.float64)
    assert [path for path, _ in diff(sketch(one), other)] == [["data", 0, "x"]]


def test_true_is_not_taken_for_one():
    assert diff(sketch({"visible": 1}), {"visible": True}) == [[["visible"], True]]


def test_only_what_changed_is_sent():
    assert [path for path, _ in diff(sketch(figure(1)), figure(2))] == [
        ["data", 0, "y"],
        ["data", 1, "y"],
        ["layout", "shapes", 0, "x0"],
    ]


def test_a_sketch_holds_no_arrays():
    big = {"z": np.zeros((500, 500)), "text": "x" * 1000, "list": list(range(1000))}
    assert len(repr(sketch(big))) < 300
