"""A script that draws a job's form and its variants, and keeps them as a page does."""


def script(first, kept, made, most=8, usual=(), groups=None, lists=None):
    import streamlit as st

    from nnviz.spec.base import replace_many
    from nnviz.spec.variants import Variant
    from nnviz.ui.form import spec_widgets
    from nnviz.ui.form.variant_form import variants

    state = st.session_state.setdefault("tested", {})
    state.setdefault("kept", [[v.id, v.differences] for v in kept])

    def change(new):
        state["kept"] = [[v.id, v.differences] for v in new]

    with st.sidebar:
        job = replace_many(first, spec_widgets.choose(first, groups or {"Training": ["learner.optimizer"]}, key="a"))
        now = [Variant(*v) for v in state["kept"]]
        found = variants(job, now, offered_first=usual, max_jobs=most, key="v", change=change, lists=lists or {})
    change(found)
    made[:] = [job, found]
