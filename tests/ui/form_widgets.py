"""A form in a Streamlit script without a server: what it shows, and what it returns."""

from collections.abc import Mapping, Sequence
from typing import Any

from streamlit.testing.v1 import AppTest

from nnviz.spec.base import Spec


def whole(job: Any) -> dict[str, list[str]]:
    """Every field that pages offer: all of a training but its probes and its parent."""
    fields = [f"learner.{name}" for name in type(job.learner).model_fields if name != "kind"]
    return {"all": [*fields, "steps", "evaluate_every", "seed", "device"]}


def _script(job, groups, made, key):
    from nnviz.spec.base import SpecError, replace_many
    from nnviz.ui.form import spec_widgets

    try:
        made.append(replace_many(job, spec_widgets.choose(job, groups, key=key)))
    except SpecError as error:
        made.append(error)


class Form:
    """A drawn form. `job` is what it returned last, or the SpecError that it raised."""

    def __init__(self, job: Spec, groups: Mapping[str, Sequence[str]] | None = None, key: str = "k") -> None:
        self.made: list[Any] = []
        options = {"job": job, "groups": groups or whole(job), "made": self.made, "key": key}
        self.app = AppTest.from_function(_script, default_timeout=60, kwargs=options)
        self.run()

    @property
    def job(self) -> Any:
        return self.made[-1]

    def run(self) -> Any:
        """Draws it again with what the widgets hold; what it returns. Fails if the script threw."""
        before = len(self.made)
        self.app.run()
        assert not self.app.exception, self.app.exception
        assert len(self.made) == before + 1
        return self.job

    def widgets(self) -> list:
        """All widgets, whatever their type."""
        app = self.app
        return [
            *app.selectbox,
            *app.slider,
            *app.select_slider,
            *app.number_input,
            *app.toggle,
            *app.text_input,
        ]

    def at(self, key: str) -> Any:
        """The widget whose key ends so."""
        found = [w for w in self.widgets() if w.key.endswith(key)]
        assert len(found) == 1, [w.key for w in self.widgets()]
        return found[0]

    def set(self, key: str, value: Any) -> Any:
        """Sets the widget and draws again."""
        self.at(key).set_value(value)
        return self.run()
