"""What this machine can take: what is too large is refused before it starts, what has to wait for others is queued."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import psutil

from nnviz.runs.errors import RunError
from nnviz.runs.storage import user_files
from nnviz.spec.jobs import Job

USABLE_FRACTION = 0.9  # of what is free


def check(jobs: Sequence[Job], home: Path, used: int = 0) -> None:
    """Raises RunError if training `jobs` together needs more memory than is free here with the `used` bytes of other
    runs, or their run files in `home` more disk, or a file of the user's own that is not in `home`."""
    for job in jobs:
        user_files.check(home, job)
    needs = [job.estimate() for job in jobs]
    memory, need = free_memory() + used, sum(n.training_bytes for n in needs)
    parameters = sum(n.parameters for n in needs)
    if need > USABLE_FRACTION * memory:
        has = f"model has {parameters:,} parameters; training it needs"
        if len(jobs) > 1:
            has = f"{len(jobs)} models have {parameters:,} parameters; training them side by side needs"
        raise RunError(f"{has} about {_gb(need)}, this machine has {_gb(memory)} free; make layers narrower")
    disk, size = free_disk(home), sum(n.snapshot_bytes for n in needs)
    if size > USABLE_FRACTION * disk:
        files = "the run file" if len(jobs) == 1 else f"the {len(jobs)} run files"
        raise RunError(
            f"{files} would grow to about {_gb(size)}, the disk of {home} has {_gb(disk)} free;"
            " evaluate and measure less often, or free some space"
        )


def waiting_reason(need: int, reserved: int, memory: int) -> str:
    """Why runs that need so many bytes have to wait beside others that may take `reserved` of the `memory`; empty if
    they need not. Alone they may try."""
    room = USABLE_FRACTION * memory
    if not reserved or need + reserved <= room:
        return ""
    return (
        f"it needs about {_gb(need)} of memory; other runs use {_gb(reserved)} of the {_gb(room)} available: it "
        "starts when enough "
        "of them have ended"
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
