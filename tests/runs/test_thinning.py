import random

import numpy as np
import pytest

from nnviz.runs.storage.thinning import MAX_BY_HAND, MAX_SNAPSHOTS, thin


@pytest.mark.parametrize("every", [1, 7, 10, 1000])
def test_at_most_three_hundred_stay_the_first_and_the_newest_among_them(every):
    steps = list(range(0, every * 3000, every))
    retained = thin([], steps)
    assert len(retained) == MAX_SNAPSHOTS
    assert retained[0] == 0
    assert retained[-1] == steps[-1]
    assert set(retained) <= set(steps)


def test_a_short_run_keeps_all():
    assert thin([], range(MAX_SNAPSHOTS)) == list(range(MAX_SNAPSHOTS))


def test_early_pictures_are_dense_and_later_gaps_grow_with_the_step():
    retained = np.array(thin([], range(0, 100_000, 10)))
    gaps = np.diff(retained)
    assert (gaps[:20] <= 20).all()
    late = retained[:-1] > 1000
    fraction = gaps[late] / retained[:-1][late]
    assert fraction.max() < 0.06
    assert np.median(gaps[retained[:-1] > 50_000]) > 20 * np.median(gaps[retained[:-1] < 1000])


def test_the_answer_does_not_depend_on_how_the_steps_are_cut_into_calls():
    steps = list(range(0, 20_000, 10))
    whole = thin([], steps)
    chance = random.Random(1)
    retained: list[int] = []
    place = 0
    while place < len(steps):
        size = chance.randint(1, 50)
        retained = thin(retained, steps[place : place + size])
        place += size
    assert retained == whole


def test_large_snapshots_are_bounded_by_their_bytes_however_they_come():
    sizes = {step: 1000 + step % 7 for step in range(0, 2000, 10)}
    whole = thin([], list(sizes), sizes=sizes, max_bytes=20_000)
    assert 18_000 < sum(sizes[step] for step in whole) <= 20_000
    assert (whole[0], whole[-1]) == (0, 1990)
    retained: list[int] = []
    for step in sizes:
        retained = thin(retained, [step], sizes=sizes, max_bytes=20_000)
    assert retained == whole
    # Two that are too large by themselves stay all the same: the first and the newest.
    assert thin([], [0, 1, 2], sizes=dict.fromkeys(range(3), 50), max_bytes=60) == [0, 2]


def test_steps_chosen_by_hand_stay_and_the_bound_holds():
    by_hand = {15, 3337, 12_345}
    steps = sorted({*range(0, 50_000, 10), *by_hand})
    retained = thin([], steps, by_hand)
    assert by_hand <= set(retained)
    assert len(retained) == MAX_SNAPSHOTS


def test_of_very_many_steps_by_hand_the_last_hundred_stay():
    steps = list(range(2000))
    retained = thin([], steps, set(steps))
    assert len(retained) == MAX_SNAPSHOTS
    assert set(steps[-MAX_BY_HAND:]) <= set(retained)


def test_a_step_written_again_counts_once():
    assert thin([0, 10], [10, 20]) == [0, 10, 20]
    assert thin([0, 10, 20], [10]) == [0, 10, 20]
