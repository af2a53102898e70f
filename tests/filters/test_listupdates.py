"""Which update of an entry counts: the same whatever order they came in, and however often."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.listupdates import Update, instant, standing

UPDATES = st.lists(
    st.builds(
        Update,
        line=st.just(1),
        entry=st.sampled_from("abc"),
        when=st.integers(0, 3),
        gone=st.booleans(),
        hashes=st.sampled_from([(("md5", "x"),), (("md5", "y"),)]),
        classification=st.sampled_from(["", "A1"]),
    ),
    max_size=12,
)


def standing_of(updates: list[Update]) -> set[Update]:
    return {each for each, counts in zip(updates, standing(updates), strict=True) if counts}


@given(UPDATES, st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_updates_changes_nothing(updates: list[Update], chance: random.Random) -> None:
    again = [*updates, *(each for each in updates if chance.random() < 0.5)]
    chance.shuffle(again)
    assert standing_of(again) == standing_of(updates)


@given(UPDATES)
def test_of_each_entry_the_latest_counts_and_at_one_time_the_withdrawal(updates: list[Update]) -> None:
    found = standing_of(updates)
    assert {each.entry for each in found} == {each.entry for each in updates}
    assert len(found) == len({each.entry for each in found})
    for each in found:
        rank = (each.when, each.gone)
        assert rank == max((other.when, other.gone) for other in updates if other.entry == each.entry)


def test_what_could_not_be_read_always_counts() -> None:
    updates = [Update(1, wrong="x"), Update(1, wrong="x"), Update(1, "a", 5)]
    assert standing(updates).tolist() == [True, True, True]


def test_nothing_said_is_nothing_standing() -> None:
    assert standing([]).tolist() == []


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (1_700_000_000, 1_700_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20.000Z", 1_700_000_000),
        ("2023-11-14T23:13:20+0100", 1_700_000_000),
        (" 2023-11-14T22:13:20 ", 1_700_000_000),
    ],
)
def test_a_time_is_epoch_seconds_or_iso_in_utc(told: object, seconds: int) -> None:
    assert instant(told) == seconds * 1_000_000


@pytest.mark.parametrize(
    "told", [None, True, 1.5, "", "soon", -1, "1969-12-31T23:59:59Z", 10**20, "0001-01-01T00:00:00+14"]
)
def test_what_is_no_time_is_none(told: object) -> None:
    assert instant(told) is None
