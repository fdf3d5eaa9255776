"""What this machine can take: a job that is too large is refused before it starts, with the estimate."""

import os
import shutil
from pathlib import Path

import psutil

from nnviz.runs.errors import RunError
from nnviz.runs.storage import user_files
from nnviz.spec.jobs import Job

SHARE = 0.9  # of what is free


def check(job: Job, home: Path) -> None:
    """Raises RunError if training `job` needs more memory, or its run file in `home` more disk, than is free here, or a
    file of the user's own that is not in `home`."""
    user_files.check(home, job)
    need = job.estimate()
    memory = free_memory()
    if need.training_bytes > SHARE * memory:
        raise RunError(
            f"model has {need.parameters:,} parameters; training it needs about {_gb(need.training_bytes)},"
            f" this machine has {_gb(memory)} free; make layers narrower"
        )
    disk = free_disk(home)
    if need.snapshot_bytes > SHARE * disk:
        raise RunError(
            f"the run file would grow to about {_gb(need.snapshot_bytes)}, the disk of {home} has {_gb(disk)} free;"
            " evaluate and measure less often, or free some space"
        )


def free_memory() -> int:
    """Bytes of memory that a new process can have: what is free here, or what a container allows if that is less."""
    free = psutil.virtual_memory().available
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            free = min(free, max(0, int(limit) - used))
    except (OSError, ValueError):
        pass  # no container, or one that does not say
    return free


def free_disk(home: Path) -> int:
    """Bytes free on the disk that `home` is, or will be, on."""
    place = home.absolute()
    while not os.path.exists(place) and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError as error:
        raise RunError(f"the store of runs {home} cannot be used: {error.strerror or error}") from error


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
