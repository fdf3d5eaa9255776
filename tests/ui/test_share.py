"""Sharing: the link, the job and the command on the page, and the zip of a run."""

import io
import zipfile

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from nnviz.presets import playground
from nnviz.records import Scalar, Snapshot
from nnviz.spec.jobs import Parent, load
from nnviz.ui.share import _packed

JOB = playground.DEFAULT


def _script(runs, job, default):
    from nnviz.ui import runtime, share
    from tests.ui import form_results

    request = form_results.form_result([default])
    request.state.remember(job, [])
    request.jobs.clear()
    request.jobs["a"] = job
    share.share(request, [runtime.store().view(run) for run in runs], [""] * len(runs))


def test_the_zip_of_a_run_holds_job_numbers_and_pictures(trained):
    file = trained(JOB, 20, "running")
    records = [Scalar(step, "loss", step / 3, "train") for step in range(5)]
    file.write([*records, Snapshot(0, "network", {"bias_1": np.arange(3.0)})])
    file.write(state="finished")
    with zipfile.ZipFile(io.BytesIO(_packed(file.id))) as packed:
        assert packed.testzip() is None
        assert {"job.json", "scalars.csv", "scalars.parquet"} <= set(packed.namelist())
        assert any(name.startswith("snapshots/") for name in packed.namelist())
        assert load(packed.read("job.json")) == JOB
        frame = pd.read_csv(io.BytesIO(packed.read("scalars.csv")), keep_default_na=False)
        assert frame["value"].tolist() == [record.value for record in records]


def test_the_menu_holds_link_job_and_command(trained):
    job = JOB.model_copy(update={"seed": 7})
    run = trained(job, 20, "finished")
    app = AppTest.from_function(
        _script, default_timeout=30, kwargs={"runs": [run.id], "job": job, "default": JOB}
    ).run()
    assert not app.exception
    link, text, command = (code.value for code in app.code)
    assert "seed=7" in link
    assert load(text) == job
    assert command == "python -m nnviz run job.json"


def test_of_a_run_that_went_on_the_menu_says_what_its_link_leaves_out(trained):
    alone = JOB.model_copy(update={"seed": 7})
    onward = alone.model_copy(update={"parent": Parent(run="20260101-0000-aaaaaa", step=3)})
    for job, said in ((alone, 0), (onward, 1)):
        options = {"runs": [trained(job, 20, "finished").id], "job": alone, "default": JOB}
        app = AppTest.from_function(_script, default_timeout=30, kwargs=options).run()
        assert not app.exception
        assert sum("was resumed from another one" in caption.value for caption in app.caption) == said
