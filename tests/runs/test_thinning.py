import random

import numpy as np
import pytest

from nnviz.runs.storage.thinning import KEEP, KEEP_BY_HAND, thin


@pytest.mark.parametrize("every", [1, 7, 10, 1000])
def test_at_most_three_hundred_stay_the_first_and_the_newest_among_them(every):
    steps = list(range(0, every * 3000, every))
    kept = thin([], steps)
    assert len(kept) == KEEP
    assert kept[0] == 0
    assert kept[-1] == steps[-1]
    assert set(kept) <= set(steps)


def test_a_short_run_keeps_all():
    assert thin([], range(KEEP)) == list(range(KEEP))


def test_early_pictures_are_dense_and_later_gaps_grow_with_the_step():
    kept = np.array(thin([], range(0, 100_000, 10)))
    gaps = np.diff(kept)
    assert (gaps[:20] <= 20).all()
    late = kept[:-1] > 1000
    fraction = gaps[late] / kept[:-1][late]
    assert fraction.max() < 0.06
    assert np.median(gaps[kept[:-1] > 50_000]) > 20 * np.median(gaps[kept[:-1] < 1000])


def test_the_answer_does_not_depend_on_how_the_steps_are_cut_into_calls():
    steps = list(range(0, 20_000, 10))
    whole = thin([], steps)
    chance = random.Random(1)
    kept: list[int] = []
    place = 0
    while place < len(steps):
        size = chance.randint(1, 50)
        kept = thin(kept, steps[place : place + size])
        place += size
    assert kept == whole


def test_large_snapshots_are_bounded_by_their_bytes_however_they_come():
    sizes = {step: 1000 + step % 7 for step in range(0, 2000, 10)}
    whole = thin([], list(sizes), sizes=sizes, most_bytes=20_000)
    assert 18_000 < sum(sizes[step] for step in whole) <= 20_000
    assert (whole[0], whole[-1]) == (0, 1990)
    kept: list[int] = []
    for step in sizes:
        kept = thin(kept, [step], sizes=sizes, most_bytes=20_000)
    assert kept == whole
    # Two that are too large by themselves stay all the same: the first and the newest.
    assert thin([], [0, 1, 2], sizes=dict.fromkeys(range(3), 50), most_bytes=60) == [0, 2]


def test_steps_chosen_by_hand_stay_and_the_bound_holds():
    by_hand = {15, 3337, 12_345}
    steps = sorted({*range(0, 50_000, 10), *by_hand})
    kept = thin([], steps, by_hand)
    assert by_hand <= set(kept)
    assert len(kept) == KEEP


def test_of_very_many_steps_by_hand_the_last_hundred_stay():
    steps = list(range(2000))
    kept = thin([], steps, set(steps))
    assert len(kept) == KEEP
    assert set(steps[-KEEP_BY_HAND:]) <= set(kept)


def test_a_step_written_again_counts_once():
    assert thin([0, 10], [10, 20]) == [0, 10, 20]
    assert thin([0, 10, 20], [10]) == [0, 10, 20]
