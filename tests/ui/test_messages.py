"""What is wrong is shown as it is."""

import pytest
from streamlit.testing.v1 import AppTest


def _script(text: str) -> None:
    from nnviz.ui.messages import show_error

    show_error(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as in x**2 + y**2", r"as in x\*\*2 + y\*\*2"),
        ("unknown name __import__", r"unknown name \_\_import\_\_"),
        ("costs $5 and `that`, <b>", r"costs \$5 and \`that\`, \<b>"),
        ("learner.batch_size must be in [1, 10], got 0", "learner.batch_size must be in [1, 10], got 0"),
    ],
)
def test_what_markdown_would_take_for_its_own_is_kept(text, shown):
    app = AppTest.from_function(_script, kwargs={"text": text}).run()
    assert not app.exception
    assert app.error[0].value == shown
