"""The widget of a file of the user's own: what is uploaded is kept in the store, and the job names its hash."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from nnviz.runs import RunError
from nnviz.spec.attachments import Attachment
from nnviz.ui import runtime, session
from nnviz.ui.messages import show_error

MOST = 2000
"""Files that are packed into one zip."""


@dataclass
class Uploaded:
    """What was made of the files in an upload widget."""

    files: list[str] = field(default_factory=list)
    """Streamlit's ids of them."""
    attachment: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def attachment(about: FieldInfo, value: Attachment, text: str, key: str, on: Any) -> dict[str, Any]:
    """The widget of a file; plain values of what is uploaded, and without that of `value`.

    A field may declare the `types` of its files by their endings. With "zip" among them, several files can be uploaded,
    and are packed into one.
    """
    upload = session.stored(Uploaded, key)
    if on is st:
        extra = about.json_schema_extra
        types = extra.get("types") if isinstance(extra, dict) else None
        found = st.file_uploader(
            text, types, accept_multiple_files="zip" in (types or ()), help=about.description, key=f"{key}.upload"
        )
        _store_files(upload, found if isinstance(found, list) else [found] if found else [])
        if upload.problem:
            show_error(upload.problem)
        elif not upload.files:
            st.caption(f"In use: {value.name or value.sha256[:12]}" if value.sha256 else "No file is chosen yet.")
    return dict(upload.attachment) or value.model_dump(mode="json")


def _store_files(upload: Uploaded, files: Sequence[Any]) -> None:
    """Keeps files that are new here in the store."""
    ids = [file.file_id for file in files]
    if ids == upload.files:
        return
    upload.files, upload.attachment, upload.problem = ids, {}, ""
    try:
        if files:
            name, content = _packed([(file.name, file.getvalue()) for file in files])
            upload.attachment = runtime.store().keep_file(name, content).model_dump(mode="json")
    except RunError as error:
        upload.problem = str(error)


def _packed(files: Sequence[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Name and content of one file: of a file alone its own, of several, or an image alone, that of a zip of them,
    whose bytes do not depend on the order or the time. Raises RunError."""
    is_zip = [content.startswith(b"PK") for _, content in files]
    if len(files) == 1 and (is_zip[0] or not files[0][0].lower().endswith((".png", ".jpg", ".jpeg"))):
        return _clean(files[0][0]), files[0][1]
    if any(is_zip):
        raise RunError("the files must be one zip, or several images, got a zip among several: upload it alone")
    if len(files) > MOST:
        raise RunError(f"at most {MOST:,} files can be uploaded one by one, got {len(files):,}: upload a zip of them")
    out, names = io.BytesIO(), set()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted(files):
            archive.writestr(zipfile.ZipInfo(_unused(_clean(name), names)), content)
    return f"{len(files)} file{'s' * (len(files) > 1)}.zip", out.getvalue()


def _clean(name: str) -> str:
    """The end of the name, of characters that any file system takes."""
    return re.sub(r'[/\\:*?"<>|]', "_", "".join(c if c.isprintable() else "_" for c in name))[-100:]


def _unused(name: str, names: set[str]) -> str:
    path, number, found = PurePosixPath(name), 1, name
    while found in names:
        number += 1
        found = f"{path.stem} ({number}){path.suffix}"
    names.add(found)
    return found
