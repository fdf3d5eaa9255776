"""The table of contents: page settings, sections and pages in order."""

import streamlit as st

from nnviz import ui

ui.start()
ui.run(
    [
        st.Page("pages/playground.py", title="Playground", default=True),
        st.Page("pages/gradient_flow.py", title="Gradient flow"),
        st.Page("pages/normalization.py", title="Normalization"),
        st.Page("pages/optimizers.py", title="Optimizers"),
        st.Page("pages/loss_landscape.py", title="Loss landscape"),
        st.Page("pages/dropout.py", title="Dropout & overfitting"),
        st.Page("pages/gans.py", title="GANs"),
        st.Page("pages/gans_images.py", title="GAN images"),
    ]
)
