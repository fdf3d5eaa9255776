"""python -m nnviz: train, list and export runs without the app.

Errors in a command are reported in one line on standard error, with exit status 2. If a run diverges or fails the exit
status is 1, if Ctrl-C stops it 130; in both cases its file and checkpoint remain.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from nnviz.spec.base import SpecError

if TYPE_CHECKING:
    from nnviz.runs import Store

MAX_ERROR_LENGTH = 500  # characters


class Parser(argparse.ArgumentParser):
    """Reports errors in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, _error_line(f"{message} (see {self.prog} --help)"))


def main(argv: Sequence[str] | None = None) -> int:
    """Execute the command line. Returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        code = arguments.command_function(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # the reader has closed the pipe; the interpreter's flush at exit must not fail either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except ValueError as error:
        from nnviz.runs import RunError

        if not isinstance(error, SpecError | RunError):
            raise
        problem = str(error)
    sys.stderr.write(_error_line(problem))
    return 2


def _parser() -> Parser:
    parser = Parser(prog="python -m nnviz", description="See how a neural network learns.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    home = Parser(add_help=False)
    home.add_argument("--home", metavar="DIR", help="folder of the runs (default: NNVIZ_HOME, else ./runs)")

    template = commands.add_parser("template", help="print a page's default job, or an example, as JSON")
    template.add_argument(
        "page", help="a page by the name of its file in pages/, such as playground; any other lists all"
    )
    template.add_argument("example", nargs="?", help="an example by its title, such as Spirals; any other lists all")
    template.set_defaults(command_function=_template)

    run = commands.add_parser("run", parents=[home], help="train a job in this process, or a set of jobs in lock-step")
    run.add_argument(
        "job", metavar="JOB.json", help="a job or a set of jobs as `template` prints one; - for standard input"
    )
    run.add_argument(
        "--set",
        dest="settings",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="change a field of each job, as often as needed: learner.optimizer.lr=0.3, learner.optimizer=adam, "
        "learner.model.hidden.0.width=16",
    )
    run.set_defaults(command_function=_run)

    resume = commands.add_parser("resume", parents=[home], help="resume runs from their last checkpoints")
    resume.add_argument(
        "runs", metavar="RUN", nargs="+", help="a run's id, as `list` shows it; several are resumed in lock-step"
    )
    resume.set_defaults(command_function=_resume)

    listing = commands.add_parser("list", parents=[home], help="list the runs, newest first")
    listing.set_defaults(command_function=_list)

    export = commands.add_parser(
        "export", parents=[home], help="write a run as JSON, CSV, Parquet and npz, and its images as PNG"
    )
    export.add_argument("run", metavar="RUN", help="a run's id, as `list` shows it")
    export.add_argument("--to", metavar="DIR", required=True, help="a new or empty folder")
    export.set_defaults(command_function=_export)
    for command in commands.choices.values():
        command.allow_abbrev = False
    return parser


def _template(arguments: argparse.Namespace) -> int:
    from nnviz.presets import PAGES
    from nnviz.spec.jobs import SpecError, dump_set

    if arguments.page not in PAGES:
        raise SpecError(f"page must be one of {', '.join(PAGES)}, got {arguments.page}")
    page, title = PAGES[arguments.page], arguments.example
    jobs = {None: (page.default,)} | {example.title: example.jobs for example in page.examples}
    if title not in jobs:
        raise SpecError(f"example must be one of {', '.join(e.title for e in page.examples)}, got {title}")
    print(dump_set(jobs[title]))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from nnviz.cli import job_files, train

    read, store = job_files.read(arguments.job, arguments.settings), _store(arguments.home, new=True)
    for job in read if arguments.job != "-" else ():
        store.import_files(job, Path(arguments.job).parent)
    return train.start(store, read)


def _resume(arguments: argparse.Namespace) -> int:
    from nnviz.cli import train

    return train.resume(_store(arguments.home), arguments.runs)


def _list(arguments: argparse.Namespace) -> int:
    from nnviz.cli.run_table import table

    store = _store(arguments.home)
    lines = table(store, shutil.get_terminal_size().columns if sys.stdout.isatty() else None)
    if not lines:
        print(f"no runs in {store.home}", file=sys.stderr)
    for line in lines:
        print(line)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from nnviz.figures import images_as_png
    from nnviz.runs import RunError, export

    run, to = _store(arguments.home).open(arguments.run), Path(arguments.to)
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"--to must be a folder that can be written, got {to}: {error.strerror}") from error
    if count := len(list(to.iterdir())):
        raise RunError(f"--to must be a new or empty folder, got {to}, which has {count} entries")
    for path in export([run], to, images_as_png):
        print(path)
    return 0


def _store(home: str | None, *, new: bool = False) -> "Store":
    from nnviz.runs import RunError, Store

    if home is not None and (not home or not (new or Path(home).expanduser().exists())):
        raise RunError(f"--home must be a folder that exists, got {home!r}")
    return Store(home)


def _error_line(problem: str) -> str:
    """`problem` as one printable line; a long one is cut in the middle, as the rule may come last."""
    text = "".join(c if c.isprintable() else "�" for c in " ".join(problem.split()))
    if len(text) > MAX_ERROR_LENGTH:
        text = f"{text[: MAX_ERROR_LENGTH // 2]}…{text[-MAX_ERROR_LENGTH // 2 :]}"
    return f"nnviz: {text}\n"


def _prepare_streams() -> None:
    """Replaces closed standard streams, and escapes characters that their encoding does not have."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # open for as long as the process
        getattr(sys, name).reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    _prepare_streams()
    sys.exit(main())
