"""The frame around every page."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st

from nnviz.ui import runtime, session

_STYLE = """
<style>
[data-testid="stHeader"] { height: 3.1rem; min-height: 3.1rem; }
[data-testid="stMainBlockContainer"] { padding: 3.1rem 1.6rem 2rem; }
h1.nnviz-title { font-size: 1.3rem; line-height: 1.7rem; padding: 0; margin: 0; }
p.nnviz-question { font-size: .92rem; line-height: 1.3rem; opacity: .75; margin: .1rem 0 0; }
[class*="st-key-look-"] p { font-size: .88rem; line-height: 1.35; }
[data-testid="stMain"] [data-testid="stVerticalBlock"] { gap: .35rem; }
[data-testid="stSidebar"] [data-testid="stExpander"] details { border-color: rgba(128, 128, 128, .25); }
[data-testid="stSidebarHeader"] { height: 2.5rem; }
[data-testid="stSidebar"] label p, [data-testid="stSidebar"] summary p { font-size: .85rem; }
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: .6rem; }
[class*="st-key-examples-"] { flex-wrap: nowrap !important; overflow-x: auto; scrollbar-width: none; }
[class*="st-key-examples-"] > * { flex: none !important; }
[class*="st-key-examples-"] button { padding: .05rem .6rem; min-height: 1.7rem; border-radius: 1rem; }
[class*="st-key-examples-"] button p { font-size: .84rem; white-space: nowrap; }
.st-key-status p { font-size: .82rem; line-height: 1.05; }
.st-key-status p span { line-height: 1; }
[data-testid="stMain"] [data-testid="stAlertContainer"] { padding: .45rem .8rem; min-height: 0; }
[data-testid="stMain"] [data-testid="stAlertContainer"] p { font-size: .9rem; }
[class*="st-key-turns-"] > :nth-child(n+2) { display: none; }
[class*="st-key-transport-"] button { min-height: 1.95rem; padding: .1rem .65rem; }
[class*="st-key-transport-"] [data-testid="stPageLink-NavLink"] {
  height: 1.95rem; padding: 0 .65rem; margin: 0; border-radius: .5rem; box-sizing: border-box;
  border: 1px solid var(--st-border-color, rgba(128, 128, 128, .35));
}
[class*="st-key-transport-"] [data-testid="stMarkdown"] p { font-size: .88rem; }
</style>
"""


def start() -> None:
    """Once in each run of the app, before any page: the page's settings, and the shared processes warmed up."""
    st.set_page_config(page_title="nnviz", layout="wide", initial_sidebar_state="auto")
    st.html(_STYLE)
    runtime.pool()
    session.app_state().is_framed = True


def run(pages: Sequence[st.Page]) -> None:
    """Runs the page that the viewer is on, under links to all of them."""
    page = st.navigation(pages, position="top")
    session.arrive(page)
    page.run()


def _nothing() -> None:
    """Stands for a page."""


def framed(title: str) -> None:
    """Draws the app instead where it is not around the page."""
    # The first script that a fresh server runs for a link to a page is the page itself, without app.py around it:
    # Streamlit takes the folder `pages` for its older kind of pages until an app has called st.navigation once.
    app = session.app_state()
    is_framed, app.is_framed = app.is_framed, False
    if not is_framed:
        name = urlsplit(st.context.url or "").path.rsplit("/", 1)[-1]
        places = [st.Page(_nothing, url_path="start", default=True), st.Page(_nothing, title=title, url_path=name)]
        st.navigation(places, position="hidden")
        st.rerun()
