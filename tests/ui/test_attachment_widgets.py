"""Files of the user's own in a form: what is uploaded is kept in the store and named by its hash."""

import hashlib
import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.spec.attachments import Attachment
from nnviz.spec.data.images import ImageFolder
from tests.each import each

pytestmark = pytest.mark.usefixtures("store")
PNG = b"\x89PNG not really"


def _script(base, made):
    import streamlit as st

    from nnviz.ui.form import spec_widgets

    chosen = spec_widgets.field(base, "file", key="k")
    assert spec_widgets.field(base, "file", key="k", on=spec_widgets.WidgetReader()) == chosen
    made.append(chosen)
    st.text("drawn")


def drawn(base: ImageFolder) -> tuple[AppTest, list]:
    made: list = []
    app = AppTest.from_function(_script, default_timeout=60, kwargs={"base": base, "made": made}).run()
    assert not app.exception
    return app, made


def uploaded(app: AppTest, *files: tuple[str, bytes]) -> None:
    app.file_uploader[0].set_value([(name, content, "") for name, content in files]).run()
    assert not app.exception, app.exception


def test_nothing_uploaded_leaves_what_the_job_names():
    app, made = drawn(ImageFolder())
    assert made == [Attachment().model_dump()]
    assert app.caption[0].value == "No file is chosen yet."
    file = Attachment(sha256="1" * 64, name="mine.zip")
    app, made = drawn(ImageFolder(file=file))
    assert made == [file.model_dump()]
    assert app.caption[0].value == "In use: mine.zip"
    assert set(app.file_uploader[0].proto.type) == {".zip", ".png", ".jpg", ".jpeg"}


def test_a_zip_is_kept_as_it_is_and_taking_it_out_again_leaves_the_job_as_it_was(store):
    app, made = drawn(ImageFolder())
    content = zipped({"a.png": PNG})
    uploaded(app, ("my: photos?.zip", content))
    assert made[-1] == {"sha256": hashlib.sha256(content).hexdigest(), "name": "my_ photos_.zip"}
    assert (store.home / "files" / made[-1]["sha256"]).read_bytes() == content
    app.run()
    assert made[-1] == made[-2]
    uploaded(app)
    assert made[-1] == Attachment().model_dump()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_images_are_packed_into_one_zip_whose_hash_does_not_depend_on_their_order(store):
    app, made = drawn(ImageFolder())
    files = ("b.png", PNG + b"b"), ("a.png", PNG + b"a"), ("a.png", PNG + b"c")
    uploaded(app, *files)
    assert made[-1]["name"] == "3 files.zip"
    with zipfile.ZipFile(store.home / "files" / made[-1]["sha256"]) as archive:
        inside = {name: archive.read(name)[-1:] for name in archive.namelist()}
    assert inside == {"a.png": b"a", "a (2).png": b"c", "b.png": b"b"}
    uploaded(app, *reversed(files))
    assert made[-1] == made[-2]
    uploaded(app, files[0])
    assert made[-1]["name"] == "1 file.zip"


@each(
    "files, rule",
    [
        ([("a.zip", zipped({})), ("a.png", PNG)], "the files must be one zip, or several images, got a zip among"),
        ([("a.zip", b"PK" + bytes(50_000_000))], "must have at most 50,000,000 bytes, got 50,000,002"),
        ([(f"{i}.png", PNG) for i in range(2001)], "at most 2,000 files can be uploaded one by one, got 2,001"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_line(files, rule):
    app, made = drawn(ImageFolder())
    uploaded(app, *files)
    assert rule in app.error[0].value
    assert made[-1] == Attachment().model_dump()
