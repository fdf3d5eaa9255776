"""Which snapshots of a growing run to keep: dense early, log-spaced later, a bounded number and size in all."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence

import numpy as np

MAX_SNAPSHOTS = 300
MAX_BY_HAND = 100
BYTES = 64 * 2**20  # of all snapshots of one quantity at one site
OFFSET = 50.0  # steps: before this the spacing is even, after it each gap is a fixed fraction of the step


def thin(
    retained: Sequence[int],
    new: Sequence[int],
    by_hand: Collection[int] = (),
    *,
    limit: int = MAX_SNAPSHOTS,
    sizes: Mapping[int, int] | None = None,
    max_bytes: int = BYTES,
) -> list[int]:
    """The steps to hold, in order, once the steps `new` have come after the steps `retained`.

    Steps come one at a time; when there are more than `limit`, or their `sizes` (bytes by step) sum to more than
    `max_bytes`, the one goes whose going leaves the smallest gap, measured against its distance from the start:
    (next − previous) / (step + OFFSET). The first and the newest stay, and so do the last KEEP_BY_HAND of `by_hand`,
    the steps where the user stopped to look, as long as others can go. The answer depends on steps and sizes alone,
    and is the same however the steps are cut into calls.
    """
    steps = list(retained)
    total = sum(sizes[step] for step in steps) if sizes else 0
    protected = sorted(by_hand)[-MAX_BY_HAND:]
    for step in new:
        place = bisect_left(steps, step)
        if place < len(steps) and steps[place] == step:
            continue
        steps.insert(place, step)
        total += sizes[step] if sizes else 0
        while len(steps) > 2 and (len(steps) > limit or total > max_bytes):
            dropped = steps.pop(_least_needed(steps, protected))
            total -= sizes[dropped] if sizes else 0
    return steps


def _least_needed(steps: Sequence[int], protected: Sequence[int]) -> int:
    """Index of the inner step that is missed least."""
    at = np.array(steps, dtype=np.float64)
    gaps = (at[2:] - at[:-2]) / (at[1:-1] + OFFSET)
    for step in protected:
        place = bisect_left(steps, step)
        if 0 < place < len(steps) - 1 and steps[place] == step:
            gaps[place - 1] = np.inf
    return 1 + int(np.argmin(gaps))
