"""The frame around every page."""

import streamlit as st

from nnviz.ui import runtime

_STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding: 3.9rem 1.6rem 2rem; }
[data-testid="stMain"] h1 { font-size: 1.45rem; padding: 0 0 .1rem 0; }
[data-testid="stMain"] [data-testid="stVerticalBlock"] { gap: .55rem; }
[data-testid="stSidebar"] [data-testid="stExpander"] details { border-color: var(--st-border-color); }
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: .6rem; }
[class*="st-key-examples-"] button { padding: .1rem .6rem; min-height: 1.9rem; border-radius: 1rem; }
[class*="st-key-examples-"] button p { font-size: .84rem; }
[class*="st-key-transport-"] button { min-height: 2.1rem; padding: .15rem .7rem; }
</style>
"""


def start() -> None:
    """Once in each run of the app, before any page: the page's settings, and the shared processes warmed up."""
    st.set_page_config(page_title="nnviz", layout="wide", initial_sidebar_state="expanded")
    st.html(_STYLE)
    runtime.pool()


def heading(title: str, sentence: str) -> None:
    """A page's title and, beside it, what it shows."""
    st.markdown(f"# {title} <small style='font-weight:400;opacity:.7;font-size:.95rem'>{sentence}</small>", True)
