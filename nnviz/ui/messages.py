"""Errors in one line."""

import re
from collections.abc import Callable

import streamlit as st

_MARKDOWN = re.compile(r"[*`$~<]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown would take for its own; an underscore only where no letter is on one side."""


def show_error(text: object, show: Callable[..., object] = st.error, icon: str = ":material/error:") -> None:
    """Shows a line as it is: the ** of a formula is not bold type."""
    show(_MARKDOWN.sub(r"\\\g<0>", str(text)), icon=icon)
