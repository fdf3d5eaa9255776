"""Runs: storage, reading, and the processes that train them."""

from nnviz.runs.errors import RunError
from nnviz.runs.export import export, export_zip
from nnviz.runs.reading.run_view import RunView
from nnviz.runs.storage.run_file import RunFile
from nnviz.runs.storage.status import Status
from nnviz.runs.storage.store import Store
from nnviz.runs.storage.summaries import Summary
from nnviz.runs.workers.machine_limits import check
from nnviz.runs.workers.pool import Pool

__all__ = ["Pool", "RunError", "RunFile", "RunView", "Status", "Store", "Summary", "check", "export", "export_zip"]
