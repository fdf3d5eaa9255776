"""Share and export: link, JSON, command, and the data of a run as a file."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from nnviz.figures import images_as_png
from nnviz.runs import RunView, export_zip
from nnviz.spec.jobs import dump_set
from nnviz.ui import runtime
from nnviz.ui.form.page_form import FormResult
from nnviz.ui.session import app_state


def share(request: FormResult, views: Sequence[RunView], names: Sequence[str]) -> None:
    """A menu: the link, the jobs as JSON and as a command, and downloads of the runs shown by their names."""
    state = request.state
    with st.popover("Share", icon=":material/ios_share:"):
        if any(view.job.parent for view in views):
            st.caption(
                ":material/info: This run was resumed from another one. Link, job and command have its latest settings "
                "only and train from step 0; the zip below and *Show loss landscape* include the whole history."
            )
        st.caption(
            "Link with the differences from the page's default settings. It opens this page with these settings in "
            "any installation of nnviz."
        )
        st.code(state.link, language=None, wrap_lines=True, height="content")
        if request.jobs:
            text = dump_set(list(request.jobs.values()))
            st.download_button(
                "Download job.json",
                text,
                "job.json",
                "application/json",
                icon=":material/data_object:",
                key=f"json:{state.key}",
                on_click="ignore",
                help="All settings, for the command line and for *Open a job from JSON*; independent of the page's "
                "defaults.",
            )
            st.code(text, language="json", height=140)
        st.caption("Command")
        st.code("python -m nnviz run job.json", language="bash")
        # Equal networks may be looked at in the same run.
        named = {view.id: (name, view) for name, view in zip(names, views, strict=True)}
        for name, view in named.values():
            _download(name, view)


def drawing() -> None:
    """How often pictures are drawn while a run is live."""
    options = ("calm", "default", "smooth")
    app_state().rate = st.segmented_control(
        "Updates per second",
        options,
        default=app_state().rate,
        required=True,
        format_func={"calm": "1", "default": "2", "smooth": "4"}.__getitem__,
        help="How often figures are redrawn while a run is live. Training does not wait for them.",
        key="drawing-rate",
    )


def _download(name: str, view: RunView) -> None:
    st.download_button(
        f"{name}: Data of run {view.id}" if name else f"Data of run {view.id}",
        lambda: _packed(view.id),
        f"{view.id}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        key=f"zip:{view.id}",
        on_click="ignore",
        help="A zip of job.json, scalars as CSV and Parquet, snapshots as .npz, images as PNG and, once the run has "
        "paused or ended, the whole network as weights.pt. Single figures: see each figure's menu.",
    )


def _packed(run: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return export_zip([runtime.store().open(run)], Path(folder) / "run.zip", images_as_png).read_bytes()
