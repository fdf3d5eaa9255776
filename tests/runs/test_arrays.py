import io

import numpy as np
import pytest

from nnviz.runs.storage.arrays import pack, unpack

ARRAYS = {
    "float16": np.linspace(-1, 1, 12, dtype=np.float16).reshape(3, 2, 2),
    "float32": np.array([np.nan, np.inf, -np.inf, -0.0], np.float32),
    "int64": np.arange(5),
    "flags": np.array([[True], [False]]),
    "names": np.array(["model.linear1", "손실"]),
    "nothing": np.zeros((0, 3), np.float32),
    "no names": np.array([], dtype="<U1"),
    "one number": np.array(3.5),
    "every other": np.arange(10)[::2],
    "transposed": np.arange(6).reshape(2, 3).T,
}


def test_arrays_come_back_with_type_shape_and_every_bit():
    back = unpack(pack(ARRAYS))
    assert list(back) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


def test_the_bytes_are_an_npz_that_numpy_reads():
    with np.load(io.BytesIO(pack(ARRAYS))) as theirs:
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(theirs[name], array)


def test_the_same_arrays_give_the_same_bytes():
    assert pack(ARRAYS) == pack(dict(ARRAYS))


def test_no_arrays_are_an_empty_npz():
    assert unpack(pack({})) == {}


def test_objects_are_refused():
    with pytest.raises(ValueError, match="got objects"):
        pack({"x": np.array([object()])})


def test_damaged_bytes_are_a_value_error():
    data = pack(ARRAYS)
    for broken in (b"", data[:50], data[:-30], b"x" * 100):
        with pytest.raises(ValueError, match="damaged"):
            unpack(broken)


def test_what_is_read_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        unpack(pack({"x": np.zeros(3)}))["x"][0] = 1
