"""What a page shows of its runs, where all is not well."""

from nnviz.runs import RunError
from nnviz.ui import runtime
from tests.each import each
from tests.ui import landscaping
from tests.ui.paging import at, entries, fine, opened, shown

store = landscaping.store


@each("page, field, value", [("playground", ":seed", 5), ("optimizers", ":x", 1.5)])
def test_what_cannot_be_started_is_answered_with_one_line_and_comes_when_it_can(store, monkeypatch, page, field, value):
    def refuse(*_: object, **__: object) -> None:
        raise RunError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(runtime.pool(), "submit", refuse)
        app = opened(f"pages/{page}.py")
        assert [e.value for e in app.error] == ["the disk is full"]
        assert entries(app) == []
        at(app.number_input, field).set_value(value)
        assert [e.value for e in fine(app.run()).error] == ["the disk is full"]
    fine(app.run())
    assert not app.error
    assert [store.open(run).status().state for run in shown(app)] == ["queued"]
