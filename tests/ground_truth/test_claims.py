"""What the examples say is measured, sentence by sentence; the full measurement is `python -m benchmarks.claims`."""

import re

import pytest

from benchmarks import claims
from nnviz.presets import PAGES

TEXTS = {(page.title, preset.title): preset.look_at for page in PAGES.values() for preset in page.examples}


def test_each_claim_quotes_the_text_of_its_example():
    for claim in claims.CLAIMS:
        assert claim.quote in TEXTS[claim.page, claim.title], claim.quote
        assert claim.low > float("-inf") or claim.high < float("inf"), claim.quote


def test_each_sentence_of_each_example_is_claimed_or_declared_to_claim_nothing():
    for (page, title), text in TEXTS.items():
        quotes = [claim.quote for claim in claims.CLAIMS if (claim.page, claim.title) == (page, title)]
        assert quotes, title
        declared = claims.WITHOUT_CLAIM[page].get(title, ())
        sentences = re.split(r"(?<=[.?]) (?=\S)", text)
        for sentence in sentences:
            is_claimed = any(quote in sentence or sentence in quote for quote in quotes)
            assert is_claimed != (sentence in declared), (title, sentence)
        assert set(declared) <= set(sentences), title
    for page, declared in claims.WITHOUT_CLAIM.items():
        assert {(page, title) for title in declared} <= set(TEXTS)


QUICK = {
    "XOR, one layer": 1,
    "Why momentum": 1,
    "Why Adam corrects its bias": 1,
    "Saddle point": 1,
    "Twelve on Rosenbrock": 1,
    "Clipping at a cliff": 1,
    "Exploding": 2,
    "Training trajectory": 1,
}
"""Examples that are measured in a few seconds, and for how many seeds."""


@pytest.mark.slow
def test_quick_examples_do_what_they_say():
    for claim in claims.CLAIMS:
        if seeds := QUICK.get(claim.title):
            values = claims.measured(claim, seeds)
            assert claims.is_confirmed(claim, values), claims.row(claim, values)


def test_a_sentence_that_does_not_hold_is_counted_and_reported():
    claim = claims.Claim("Page", "Title", "it falls", "last over first", lambda seed: 0.5 + seed, high=1.0, seeds=4)
    values = claims.measured(claim, 3)
    assert values == [0.5, 1.5, 2.5]
    assert not claims.is_confirmed(claim, values)
    assert claims.row(claim, values) == "| Page, Title | it falls | last over first: 1.5 (0.5 to 2.5) | 1 of 3 |"
    assert claims.summary({"Page": [(claim, values)]}).endswith("| Page | 1 | 1 | 3 | 1 |")
