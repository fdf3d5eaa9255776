import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nnviz.figures import images_as_png
from nnviz.records import Scalar, Snapshot
from nnviz.runs import RunError, export, export_zip
from nnviz.spec.jobs import Training, load
from tests.scalar_frames import frame

CHANCE = np.random.default_rng(0)
VALUES = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 0.0, float("inf"), float("-inf"), float("nan"), 2.0]
RECORDS = [Scalar(i, "loss", v, "train") for i, v in enumerate(VALUES)] + [
    Scalar(int(i), "accuracy", float(v), 'a "site", with\nall', int(i) % 3)
    for i, v in enumerate(CHANCE.normal(size=500) * 10.0 ** CHANCE.integers(-300, 300, 500))
]
README = {"README.txt", "job.json", "scalars.csv", "scalars.parquet"}


@pytest.fixture
def written(running):
    pictures = [Snapshot(s, "network", {"weight_1": np.full((2, 3), s, np.float32)}) for s in (0, 10, 20)]
    shapes = [Snapshot(s, "worst", {"loss": np.arange(s), "true": np.array([s])}) for s in (1, 2)]
    running.write([*RECORDS, *pictures, *shapes], step=20, state="finished")
    running.close()
    return running


def test_images_are_written_as_png_a_file_a_quantity_and_step(running, tmp_path):
    grids = [Snapshot(s, "sample_grid", {"images": np.full((20, 8, 8, 1), s, np.uint8)}) for s in (0, 30)]
    pair = {"generated": np.zeros((10, 8, 8, 3), np.uint8), "nearest": np.full((10, 8, 8, 3), 9, np.uint8)}
    rows = {"images": np.zeros((4, 5, 8, 8, 1), np.uint8)}
    others = [Snapshot(30, "nearest_real", pair), Snapshot(30, "interpolation", rows), Snapshot(0, "network", {})]
    running.write([*grids, *others], step=30, state="finished")
    running.close()
    export([running], tmp_path / "out", images_as_png)
    files = {path.name: Image.open(io.BytesIO(path.read_bytes())) for path in (tmp_path / "out/images").iterdir()}
    assert set(files) == {
        *("sample_grid-000000.png", "sample_grid-000030.png", "nearest_real-000030.png", "interpolation-000030.png")
    }
    assert files["sample_grid-000030.png"].size == (667, 131)
    assert files["sample_grid-000030.png"].getpixel((70, 70)) == 30
    assert files["nearest_real-000030.png"].size == (667, 131)
    assert files["nearest_real-000030.png"].getpixel((0, 130)) == (9, 9, 9)
    assert files["interpolation-000030.png"].size == (332, 265)
    assert "images/ " in (tmp_path / "out/README.txt").read_text()
    assert (
        "images/sample_grid-000030.png"
        in zipfile.ZipFile(export_zip([running], tmp_path / "run.zip", images_as_png)).namelist()
    )
    export([running], tmp_path / "without")
    assert not (tmp_path / "without/images").exists()
    assert "images/" not in (tmp_path / "without/README.txt").read_text()


def read_csv(path: Path) -> pd.DataFrame:
    """As the exported README says."""
    return pd.read_csv(path, keep_default_na=False, converters={"value": float})


def test_csv_and_parquet_read_back_are_the_records_to_the_bit(written, tmp_path):
    export([written], tmp_path / "out")
    for back in (read_csv(tmp_path / "out/scalars.csv"), pd.read_parquet(tmp_path / "out/scalars.parquet")):
        back = back.astype({"quantity": object, "site": object})
        pd.testing.assert_frame_equal(back, frame(RECORDS), check_exact=True)


def test_the_job_read_back_is_the_job(written, tmp_path):
    export([written], tmp_path)
    assert load((tmp_path / "job.json").read_text()) == written.job


def test_snapshots_are_stacked_along_their_steps_or_apart_where_shapes_differ(written, tmp_path):
    export([written], tmp_path)
    with np.load(tmp_path / "snapshots/network.npz") as network:
        assert network["steps"].tolist() == [0, 10, 20]
        assert network["weight_1"].shape == (3, 2, 3)
        assert network["weight_1"].dtype == np.float32
        assert network["weight_1"][1, 0, 0] == 10
    with np.load(tmp_path / "snapshots/worst.npz") as worst:
        assert set(worst.files) == {"steps", "loss@1", "loss@2", "true"}
        assert worst["loss@2"].tolist() == [0, 1]


def test_each_site_of_a_quantity_has_a_file_of_its_own(store, tmp_path):
    run = store.create(Training())
    run.write([Snapshot(0, "layers", {"width": np.array([n])}, site) for n, site in enumerate(("a.b", "a.b#real"))])
    run.close()
    export([run], tmp_path)
    for n, site in enumerate(("a.b", "a.b#real")):
        with np.load(tmp_path / f"snapshots/layers@{site}.npz") as layers:
            assert layers["width"].tolist() == [[n]]


def test_one_run_lies_in_the_folder_itself_and_several_in_folders_of_their_own(written, store, tmp_path):
    files = export([written], tmp_path / "one")
    assert {p.name for p in (tmp_path / "one").iterdir()} == {*README, "snapshots"}
    assert all(file.is_file() for file in files)
    other = store.create(Training())
    export([written, other], tmp_path / "two")
    assert {p.name for p in (tmp_path / "two").iterdir()} == {written.id, other.id}
    assert len(read_csv(tmp_path / "two" / other.id / "scalars.csv")) == 0


def test_a_zip_holds_the_same_files(written, tmp_path):
    path = export_zip([written], tmp_path / "x" / "run.zip")
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        names = set(packed.namelist())
        assert names == {*README, "snapshots/network.npz", "snapshots/worst.npz"}
        assert json.loads(packed.read("job.json"))["steps"] == 100
        assert written.id in packed.read("README.txt").decode()


def test_weights_lie_beside_the_rest_and_the_readme_says_of_which_step_or_why_there_are_none(running, tmp_path):
    export([running], tmp_path / "before")
    assert not (tmp_path / "before/weights.pt").exists()
    assert "no weights.pt: they are written when a run pauses or ends" in (tmp_path / "before/README.txt").read_text()
    running.write(weights=(7, b"first"), state="paused", step=7)
    running.write(weights=(20, b"state dict"), state="finished", step=20)
    assert tmp_path / "out/weights.pt" in export([running], tmp_path / "out")
    assert (tmp_path / "out/weights.pt").read_bytes() == b"state dict"
    assert "network at step 20" in (tmp_path / "out/README.txt").read_text()
    with zipfile.ZipFile(export_zip([running], tmp_path / "run.zip")) as packed:
        assert packed.read("weights.pt") == b"state dict"


def test_a_place_that_cannot_be_written_is_one_clear_line(written, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be used"):
        export([written], tmp_path / "file")
    with pytest.raises(RunError, match="cannot be used"):
        export_zip([written], tmp_path / "file" / "x.zip")
