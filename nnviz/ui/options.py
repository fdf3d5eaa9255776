"""How pictures are drawn: choices that change no run."""

from collections.abc import Mapping

import streamlit as st

from nnviz.ui import session


def choice(text: str, options: Mapping[str, str], *, key: str, help: str = "") -> str:
    """A small switch under the form; `options` are values and the words for them, the first one the default."""
    session.memory("choices")[key] = True
    with st.sidebar:
        return st.segmented_control(
            text,
            list(options),
            default=next(iter(options)),
            required=True,
            format_func=options.__getitem__,
            help=help or None,
            key=key,
        )
