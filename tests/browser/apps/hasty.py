"""The Playground with a part that refreshes as often as it can, so that every click meets a refresh under way."""

from pathlib import Path

import streamlit as st

from nnviz import ui
from nnviz.ui import show

show.RATES.update(dict.fromkeys(show.RATES, 0.05))
show._links = lambda *_: None  # there is no other page
ui.start()
ui.run([st.Page(Path(__file__).parents[3] / "pages" / "playground.py", default=True)])
