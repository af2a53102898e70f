"""One bad entry that matches everything stops the run; a few true matches in a small run do not."""

import pytest

from filters.errors import ListError
from filters.flood import LEAST_MATCHES, refuse_floods
from filters.listsource import ListSource

HASHES = ListSource("hashes", "x", "hashes", "csam")


def test_a_list_that_matches_more_than_its_share_is_named() -> None:
    with pytest.raises(ListError, match=r"list 'hashes'.*600 of 10000 samples, which is 6.0%.*allows 5.0%"):
        refuse_floods([HASHES], {"hashes": 600}, 10_000)


@pytest.mark.parametrize("samples", [1, 99, 10_000])
def test_few_matches_are_no_flood_whatever_share_they_are(samples: int) -> None:
    refuse_floods([HASHES], {"hashes": min(samples, LEAST_MATCHES - 1)}, samples)


def test_a_share_that_is_just_reached_is_allowed() -> None:
    refuse_floods([HASHES], {"hashes": 500}, 10_000)


@pytest.mark.parametrize(
    ("share", "allowed"), [(0.5, True), (0.01, False), (0.0, False), (1.0, True), (float("nan"), False)]
)
def test_the_policy_says_how_large_a_share_is_allowed(share: float, allowed: bool) -> None:
    source = ListSource("sites", "x", "urls", "csam", flood_share=share)
    if allowed:
        refuse_floods([source], {"sites": 400}, 1000)
    else:
        with pytest.raises(ListError, match="'sites'"):
            refuse_floods([source], {"sites": 400}, 1000)


def test_ordinary_words_may_match_ordinary_captions() -> None:
    terms = ListSource("terms", "x", "terms", "minor")
    refuse_floods([terms], {"terms": 1000}, 1000)
    with pytest.raises(ListError):
        refuse_floods([ListSource("terms", "x", "terms", "minor", flood_share=0.2)], {"terms": 1000}, 1000)


def test_a_list_that_matched_nothing_and_a_run_of_nothing_are_no_flood() -> None:
    refuse_floods([HASHES], {}, 0)
