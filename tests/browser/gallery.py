"""Every figure in one page with the board's own modules, without an app: to export them as the board's menu does."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from nnviz.figures.kit import theme
from nnviz.ui.board.wire_format import encode
from tests.browser.conftest import COARSE_SCENES, ROOT

MODULES = ROOT / "nnviz" / "ui" / "board"
PLOTLY = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
PAGE = '<!doctype html><meta charset="utf-8"><body></body><script src="/plotly.js"></script>'


@contextmanager
def gallery(browser, figures: dict[str, dict]) -> Iterator:
    """A page whose window has `figures` by name, as they come out of the board's wire, `themes`, and `board`: what the
    modules `board_*.js` export."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", _serve)
    page.add_init_script(COARSE_SCENES)
    page.goto("http://gallery.test/")
    themes = {"light": theme.template(dark=False), "dark": theme.template(dark=True)}
    page.evaluate(
        """async text => {
          const names = ["export", "follow", "picture", "store"];
          const modules = await Promise.all(names.map(name => import(`/board_${name}.js`)));
          window.board = Object.assign({}, ...modules);
          Object.assign(window, board.decode(JSON.parse(text)));
        }""",
        encode({"figures": figures, "themes": themes}),
    )
    yield page
    context.close()
    assert not errors, errors


def _serve(route) -> None:
    """The page, plotly.js and the modules, straight from their files."""
    name = route.request.url.rsplit("/", 1)[1]
    path = PLOTLY if name == "plotly.js" else MODULES / name
    if not name:
        route.fulfill(body=PAGE, content_type="text/html")
    elif path.exists():
        route.fulfill(path=path, content_type="text/javascript")
    else:  # who imports it is told, and does not wait
        route.fulfill(status=404)
