"""Published counts add up for the owner and cannot be taken apart by a stranger."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.finding import Finding
from manifests.counts import Counts, count, public_counts, total
from manifests.evidence import Evidence
from manifests.manifest import decide
from tests.manifests.strategies import EVIDENCE, PARTITION, UNTIMED, evidence, tuples

CELLS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 14), max_size=4)


def published(**withheld: int) -> dict[str, str]:
    return dict(public_counts(Counts({}, withheld)).withheld)


def explanations(shown: dict[str, str], whole: int) -> list[tuple[int, ...]]:
    """Every way in which the hidden cells can add up to what the shown ones leave of the whole."""
    exact = [int(cell) for cell in shown.values() if cell.isdigit()]
    ceiling = min(exact, default=whole)  # a larger count is never hidden before a smaller one
    ranges = [
        range(1, 10) if cell == "<10" else range(10, ceiling + 1) for cell in shown.values() if not cell.isdigit()
    ]
    return [guess for guess in product(*ranges) if sum(guess) + sum(exact) == whole]


@UNTIMED
@given(CELLS)
def test_no_small_count_can_be_worked_out(cells: dict[str, int]) -> None:
    shown = published(**cells)
    if "withheld, whatever the reason" in shown:
        assert len(shown) == 1
        return
    hidden = [name for name, cell in shown.items() if not cell.isdigit()]
    for place, name in enumerate(hidden):
        guesses = {guess[place] for guess in explanations(shown, sum(cells.values()))}
        assert cells[name] in guesses
        assert cells[name] >= 10 or len(guesses) > 1


@UNTIMED
@given(CELLS)
def test_every_shown_count_is_true_and_none_is_small(cells: dict[str, int]) -> None:
    for name, cell in published(**cells).items():
        if cell.isdigit():
            assert int(cell) == cells[name] >= 10
        elif name in cells:
            assert (cell == "<10") == (cells[name] < 10)


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({}, {}),
        ({"a": 12, "b": 3400}, {"a": "12", "b": "3400"}),
        ({"a": 3, "b": 40, "c": 50}, {"a": "<10", "b": "10 or more", "c": "50"}),
        ({"a": 3, "b": 4, "c": 50}, {"a": "<10", "b": "<10", "c": "50"}),
        ({"a": 1, "b": 1, "c": 50}, {"a": "<10", "b": "<10", "c": "10 or more"}),  # 2 is 1 + 1 only
        ({"a": 3, "b": 10, "c": 10}, {"a": "<10", "b": "10 or more", "c": "10 or more"}),  # 10..10 is 10
        ({"a": 3}, {"withheld, whatever the reason": "<10"}),
        ({"a": 1, "b": 1}, {"withheld, whatever the reason": "<10"}),
        ({"a": 9, "b": 9}, {"withheld, whatever the reason": "10 or more"}),
    ],
)
def test_small_counts_take_others_with_them(cells: dict[str, int], shown: dict[str, str]) -> None:
    assert published(**cells) == shown


@UNTIMED
@given(tuples(EVIDENCE, 8))
def test_every_sample_is_counted_once(seen: tuple[Evidence, ...]) -> None:
    counts = count(decide(each, (), PARTITION) for each in seen)
    assert sum(counts.kept.values()) + sum(counts.withheld.values()) == len(seen)


@UNTIMED
@given(tuples(EVIDENCE, 8), st.integers(0, 8))
def test_shards_may_be_counted_apart_and_in_any_order(seen: tuple[Evidence, ...], cut: int) -> None:
    decisions = [decide(each, (), PARTITION) for each in seen]
    parts = [count(decisions[:cut]), count(decisions[cut:])]
    assert total(parts) == total(parts[::-1]) == count(decisions)


def test_samples_are_counted_by_partition_and_by_most_severe_reason() -> None:
    adult, minor = Finding("adult", "codeword-alpha", 0.9), Finding("captions", "codeword-beta")
    decisions = [decide(evidence(*findings), (), PARTITION) for findings in ((), (adult,), (adult, minor))]
    assert count(decisions) == Counts({"adult": 1, "general": 1}, {"adult and minor together": 1})


def test_kept_samples_are_published_exactly() -> None:
    assert public_counts(Counts({"general": 3}, {})).kept == {"general": 3}
