"""Puts what the browser loads by itself into the folder `static` next to the app, where Streamlit serves it.

That is plotly.js, which Streamlit does not offer to components, and the board's own modules. Names carry a version
or a hash, so a browser never takes an outdated copy out of its cache. The folder holds copies only and tells git to
ignore it.
"""

import hashlib
import os
import re
import shutil
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

_MODULES = Path(__file__).parent


@cache
def names() -> dict[str, str]:
    """Where the parts lie below `static`: "plotly" is a file, "board" a folder with the board's modules and style."""
    with _plotly().open("rb") as source:
        version = re.search(rb"plotly\.js v([\d.]+)", source.read(200))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in _board())).hexdigest()[:12]
    return {"plotly": f"plotly-{version[1].decode() if version else 'unknown'}.min.js", "board": f"board-{digest}"}


@cache
def publish(static: Path) -> None:
    """Copy what is missing in `static`: 10 ms the first time, nothing after. Several servers may do it at once.

    Raises OSError where the folder cannot be written.
    """
    static.mkdir(parents=True, exist_ok=True)
    ignore = static / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    _copy(_plotly(), static / names()["plotly"])
    for path in _board():
        _copy(path, static / names()["board"] / path.name)


def _plotly() -> Path:
    return Path(str(files("plotly") / "package_data" / "plotly.min.js"))


def _board() -> list[Path]:
    return sorted(
        path for path in _MODULES.iterdir() if path.name.startswith("board") and path.suffix in (".js", ".css")
    )


def _copy(source: Path, target: Path) -> None:
    """Under another name first, then renamed: a half-written file is never served."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=target.parent)
    os.close(handle)
    shutil.copyfile(source, part)
    os.chmod(part, 0o644)
    os.replace(part, target)
