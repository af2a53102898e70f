"""The index finds what comparing everything finds, on even and on clustered rows, at and around the limit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filters import hamming
from filters.hamming import HammingIndex, Pairs, brute_force, tables

Rows = NDArray[np.uint8]


def near(rows: Rows, distances: list[int], seed: int) -> Rows:
    """Return one row per distance, that many bits from some row."""
    rng = np.random.default_rng(seed)
    bits = np.unpackbits(rows[rng.integers(len(rows), size=len(distances))], axis=1)
    for row, distance in zip(bits, distances, strict=True):
        row[rng.choice(bits.shape[1], distance, replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def even(count: int, size: int, seed: int) -> Rows:
    return np.random.default_rng(seed).integers(0, 256, (count, size), dtype=np.uint8)


def clustered(count: int, size: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    return near(even(max(1, count // 50), size, seed), rng.integers(0, 20, count).tolist(), seed + 1)


def as_sets(found: Pairs) -> set[tuple[int, int, int]]:
    return set(zip(found.queries.tolist(), found.entries.tolist(), found.distances.tolist(), strict=True))


def assert_same(found: Pairs, wanted: Pairs) -> None:
    for column in ("queries", "entries", "distances"):
        assert np.array_equal(getattr(found, column), getattr(wanted, column))


def test_brute_force_agrees_with_counting_bits_one_pair_at_a_time() -> None:
    queries, entries = clustered(20, 32, 1), clustered(30, 32, 1)
    wanted = {
        (q, e, d)
        for q, query in enumerate(queries)
        for e, entry in enumerate(entries)
        if (d := int((np.unpackbits(query) != np.unpackbits(entry)).sum())) <= 31
    }
    assert wanted
    assert as_sets(brute_force(queries, entries, 31)) == wanted


@pytest.mark.parametrize("make", [even, clustered])
@pytest.mark.parametrize(("size", "limit"), [(32, 31), (32, 0), (32, 40), (8, 6), (8, 0), (8, 10)])
def test_the_index_equals_brute_force_around_the_limit(make: object, size: int, limit: int) -> None:
    assert callable(make)
    entries = make(hamming.SMALL + 1_500, size, 3)
    around = [d for d in range(max(0, limit - 3), limit + 4) for _ in range(8)]
    queries = np.concatenate((near(entries, around, 4), even(20, size, 5)))
    found = HammingIndex(entries).pairs(queries, limit)
    assert len(found) >= 8
    assert_same(found, brute_force(queries, entries, limit))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), limit=st.integers(0, 12), size=st.sampled_from([8, 32]), count=st.integers(1, 400)
)
def test_the_index_equals_brute_force_on_any_rows(seed: int, limit: int, size: int, count: int) -> None:
    entries = clustered(count, size, seed)
    queries = near(entries, [limit, limit + 1, max(0, limit - 1)], seed)
    index = HammingIndex(entries, tables(entries))  # with tables, although the rows are few
    assert_same(index.pairs(queries, limit), brute_force(queries, entries, limit))


def test_rows_that_share_all_bands_but_one_are_found_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "_BLOCK", 64)
    entries = np.concatenate((np.repeat(even(1, 32, 1), 300, axis=0), even(200, 32, 2)))
    queries = near(entries[:1], [0, 5, 31, 32], 3)
    found = HammingIndex(entries, tables(entries)).pairs(queries, 31)
    assert len(found) == 900
    assert_same(found, brute_force(queries, entries, 31))


def test_a_distance_with_too_many_probes_is_answered_by_comparing_everything() -> None:
    entries = clustered(hamming.SMALL + 10, 32, 1)
    queries = near(entries, [89, 90, 91, 92], 2)
    assert_same(HammingIndex(entries).pairs(queries, 90), brute_force(queries, entries, 90))


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_is_near_to_nothing(rows: int) -> None:
    none = np.zeros((0, 32), dtype=np.uint8)
    assert len(HammingIndex(none).pairs(even(rows, 32, 1), 31)) == 0
    assert len(HammingIndex(even(rows, 32, 1)).pairs(none, 31)) == 0
    assert len(brute_force(none, none, 31)) == 0


def test_tables_made_before_give_the_same_answer() -> None:
    entries = clustered(hamming.SMALL + 10, 32, 1)
    queries = near(entries, [30, 31, 32], 2)
    assert_same(HammingIndex(entries, tables(entries)).pairs(queries, 31), HammingIndex(entries).pairs(queries, 31))


def test_no_row_shows_in_a_repr() -> None:
    entries = np.frombuffer(b"codeword-alpha--codeword-alpha--", dtype=np.uint8).reshape(1, 32)
    assert "99" not in repr(HammingIndex(entries))
