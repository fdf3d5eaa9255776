"""Where runs live and who runs them."""

from nnviz.runs.errors import RunError
from nnviz.runs.export import export, export_zip
from nnviz.runs.limits import check
from nnviz.runs.pool import Pool
from nnviz.runs.run_file import RunFile
from nnviz.runs.status import Status
from nnviz.runs.store import Store, Summary
from nnviz.runs.view import RunView

__all__ = ["Pool", "RunError", "RunFile", "RunView", "Status", "Store", "Summary", "check", "export", "export_zip"]
