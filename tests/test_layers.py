"""Arrows point one way: who may import whom, read from the source of every module."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.each import each

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "nnviz/spec": {"pydantic", "nnviz.spec"},
    "nnviz/presets": {"nnviz.presets", "nnviz.spec"},
    "nnviz/records.py": {"numpy"},
    "nnviz/frames.py": {"numpy", "pandas", "nnviz.records"},
    "nnviz/engine": {"torch", "numpy", "sklearn", "PIL", "nnviz.engine", "nnviz.spec", "nnviz.records"},
    "nnviz/figures": {"plotly", "numpy", "pandas", "nnviz.figures", "nnviz.records", "nnviz.frames"},
    "nnviz/runs": {"numpy", "pandas", "psutil", "nnviz.runs", "nnviz.spec", "nnviz.records"},
    "nnviz/runs/workers/worker.py": {"psutil", "nnviz.runs", "nnviz.spec", "nnviz.records", "nnviz.engine"},
    "nnviz/runs/distributed.py": {"dask", "distributed", "nnviz.runs", "nnviz.spec", "nnviz.records"},
    "nnviz/ui": {
        *("streamlit", "numpy", "pandas", "pydantic"),
        *("nnviz.ui", "nnviz.spec", "nnviz.records", "nnviz.frames", "nnviz.figures", "nnviz.runs"),
    },
    "nnviz/cli": {"tqdm", "nnviz.cli", "nnviz.spec", "nnviz.records", "nnviz.frames", "nnviz.runs", "nnviz.engine"},
    "nnviz/__main__.py": {"nnviz.cli", "nnviz.spec", "nnviz.presets", "nnviz.runs", "nnviz.figures"},
    "nnviz/recorder.py": {"torch", "numpy", "nnviz.engine", "nnviz.spec", "nnviz.records", "nnviz.runs"},
    "nnviz/__init__.py": set(),
    "pages": {"streamlit", "nnviz.ui", "nnviz.figures", "nnviz.presets", "nnviz.spec"},
    "app.py": {"streamlit", "nnviz.ui", "nnviz.figures", "nnviz.spec"},
}
"""Room -> what its modules may import beside the standard library; the longest matching room counts."""

FILES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("nnviz/**/*.py"), *ROOT.glob("pages/**/*.py"), *ROOT.glob("app.py")]
)
by_file = each("file", FILES)


def room(file: str) -> str:
    """The row of the table that a file falls under."""
    rooms = [name for name in ALLOWED if file == name or file.startswith(f"{name}/")]
    assert rooms, f"{file} stands in no room of the table"
    return max(rooms, key=len)


def imported(file: str) -> Iterator[str]:
    """What a file imports, wherever in it: "torch", "nnviz.spec"; standard library left out."""
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            whole = node.module == "nnviz"
            names = [f"nnviz.{alias.name}" for alias in node.names] if whole else [node.module or ""]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names:
                yield ".".join(name.split(".")[:2]) if top == "nnviz" else top


@by_file
def test_a_module_imports_only_what_its_room_may(file):
    assert set(imported(file)) <= ALLOWED[room(file)]


@each("file", [f for f in FILES if f.endswith("__init__.py")])
def test_a_package_init_holds_no_code(file):
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    body = ast.parse((ROOT / file).read_text()).body
    assert all(isinstance(node, allowed) for node in body)
    assert [t.id for n in body if isinstance(n, ast.Assign) for t in n.targets] in ([], ["__all__"])


@by_file
def test_only_one_file_touches_the_session_and_the_address_bar(file):
    names = {n.attr for n in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(n, ast.Attribute)}
    assert file == "nnviz/ui/session.py" or not names & {"session_state", "query_params"}


@by_file
def test_a_file_has_at_most_400_lines(file):
    assert len((ROOT / file).read_text().splitlines()) <= 400


def test_two_files_have_one_name_only_where_one_is_the_others_spec_or_preset():
    rooms: dict[str, list[str]] = {}
    for file in FILES:
        name = file.rpartition("/")[2]
        if name != "__init__.py":
            rooms.setdefault(name, []).append("/".join(file.split("/")[: 2 if file.startswith("nnviz/") else 1]))
    twins = [{"nnviz/spec", "nnviz/engine"}, {"nnviz/presets", "pages"}]
    for name, found in rooms.items():
        paired = {room for pair in twins if pair <= {*found} for room in pair}
        assert len(found) == 1 or (len({*found}) == len(found) and {*found} == paired), f"{name} stands in {found}"


@by_file
def test_a_module_says_what_it_is(file):
    text = (ROOT / file).read_text()
    assert not text or ast.get_docstring(ast.parse(text))


NEVER_TORCH = ["spec", "presets", "records", "frames", "figures", "runs", "ui"]
ONE_BY_ONE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert not {"torch", "nnviz.engine"} & set(sys.modules), name
"""


def test_the_side_of_the_user_interface_does_not_load_torch():
    modules = []
    for name in NEVER_TORCH:
        found = [
            file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for file in FILES
            if room(file).startswith((f"nnviz/{name}/", f"nnviz/{name}.py")) or room(file) == f"nnviz/{name}"
            if not file.endswith(("/worker.py", "/distributed.py"))
        ]
        assert found, name
        modules += found
    command = [sys.executable, "-c", ONE_BY_ONE, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
