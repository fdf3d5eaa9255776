"""Where runs live and who runs them."""

from nnviz.runs.errors import RunError
from nnviz.runs.run_file import RunFile
from nnviz.runs.status import Status
from nnviz.runs.store import Store, Summary
from nnviz.runs.view import RunView

__all__ = ["RunError", "RunFile", "RunView", "Status", "Store", "Summary"]
