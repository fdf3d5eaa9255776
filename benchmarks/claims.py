"""Checks every sentence of every example by measurements over several seeds.

    python -m benchmarks.claims [--only WORD] [--seeds N]

Prints a Markdown table: the sentence, what is measured for it, the median and the range over the seeds, and for how
many of them the sentence holds; and a short one with the count for each page. Seed 0 is the example as it is shown.
`--only` takes examples whose page or title contains WORD. Ends with 1 where a sentence does not hold.
"""

import argparse
import datetime
import statistics
import sys
from collections.abc import Mapping, Sequence

import torch

from benchmarks.claimed import (
    dropout,
    gans,
    gans_images,
    gradient_flow,
    loss_landscape,
    normalization,
    optimizers,
    playground,
)
from benchmarks.claimed.claim import Claim

PAGES = (playground, gradient_flow, normalization, optimizers, loss_landscape, dropout, gans, gans_images)
CLAIMS: tuple[Claim, ...] = tuple(claim for page in PAGES for claim in page.CLAIMS)
WITHOUT_CLAIM: dict[str, dict[str, tuple[str, ...]]] = {page.CLAIMS[0].page: page.WITHOUT_CLAIM for page in PAGES}
"""By page and title: sentences about settings or what to do, which no measurement could contradict."""

BAR = "\\|"
"""A vertical bar inside a table cell."""


def measured(claim: Claim, seeds: int) -> list[float]:
    """The claim's number for each seed."""
    return [claim.measure(seed) for seed in range(min(seeds, claim.seeds) if seeds else claim.seeds)]


def is_confirmed(claim: Claim, values: Sequence[float]) -> bool:
    """Whether it holds for enough seeds."""
    return sum(map(claim.holds, values)) >= claim.min_fraction * len(values)


def row(claim: Claim, values: Sequence[float]) -> str:
    """The claim as a row of the table."""
    spread = _number(statistics.median(values))
    if len(values) > 1 and min(values) < max(values):
        spread += f" ({_number(min(values))} to {_number(max(values))})"
    k = sum(map(claim.holds, values))
    cells = (f"{claim.page}, {claim.title}", claim.quote, f"{claim.what}: {spread}", f"{k} of {len(values)}")
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def summary(found: Mapping[str, Sequence[tuple[Claim, Sequence[float]]]]) -> str:
    """By page, how many examples, sentences and measurements there are, and in how many the sentence holds."""
    lines = ["| page | examples | sentences | measured | held |", "|---|---|---|---|---|"]
    for page, pairs in found.items():
        titles = {claim.title for claim, _ in pairs}
        held = sum(claim.holds(value) for claim, values in pairs for value in values)
        measured = sum(len(values) for _, values in pairs)
        lines.append(f"| {page} | {len(titles)} | {len(pairs)} | {measured} | {held} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="examples whose page or title contains this")
    parser.add_argument("--seeds", type=int, default=0, help="at most this many; 0: the number of each claim")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"Measured on {datetime.date.today()}.\n")
    print("| example | sentence | measured: median (range) | holds |\n|---|---|---|---|")
    found: dict[str, list[tuple[Claim, list[float]]]] = {}
    for claim in CLAIMS:
        if args.only.lower() in f"{claim.page} {claim.title}".lower():
            values = measured(claim, args.seeds)
            found.setdefault(claim.page, []).append((claim, values))
            print(row(claim, values), flush=True)
    print(f"\n{summary(found)}")
    return int(not all(is_confirmed(*one) for pairs in found.values() for one in pairs))


if __name__ == "__main__":
    sys.exit(main())
