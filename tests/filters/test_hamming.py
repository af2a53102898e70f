"""The index finds what comparing everything finds, on even and on clustered rows, at and around the limit.

Every test runs by the extension, where one was built, and by numpy.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filters import bands, bandtables, hamming
from filters.bands import SMALL
from filters.bandtables import tables
from filters.hamming import HammingIndex, Pairs, brute_force

Rows = NDArray[np.uint8]
Make = Callable[[int, int, int], Rows]


@pytest.fixture(params=["extension", "numpy"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Search by the extension, or as if none had been built."""
    if request.param == "extension" and not hamming.EXTENSION:
        pytest.skip("the extension was not built")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(hamming, "_COMPILED", None)
            patch.setattr(bandtables, "_COMPILED", None)
        yield request.param


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


def one_cluster(count: int, size: int, seed: int) -> Rows:
    """Return rows of which all lie near to one: most cells of the tables are empty, and a few are long."""
    return near(even(1, size, seed), np.random.default_rng(seed).integers(0, 12, count).tolist(), seed + 1)


def labelled(rows: Rows, count: int) -> NDArray[np.uint16]:
    return np.random.default_rng(7).integers(0, count, len(rows)).astype(np.uint16)


def nearest_of(found: Pairs, labels: NDArray[np.uint16]) -> list[tuple[int, int, int]]:
    """The reference: the nearest pair of each query and label, the first of equals, one pair at a time."""
    best: dict[tuple[int, int], tuple[int, int]] = {}
    for query, entry, distance in zip(found.queries, found.entries, found.distances, strict=True):
        key, told = (int(query), int(labels[entry])), (int(distance), int(entry))
        best[key] = min(best.get(key, told), told)
    return [(query, entry, distance) for (query, _), (distance, entry) in sorted(best.items())]


@pytest.mark.parametrize("make", [even, clustered, one_cluster])
@pytest.mark.parametrize(("size", "limit"), [(32, 31), (32, 0), (32, 40), (8, 6), (8, 0), (8, 10)])
def test_the_index_equals_brute_force_around_the_limit(make: Make, size: int, limit: int) -> None:
    entries = make(SMALL + 1_500, size, 3)
    around = [d for d in range(max(0, limit - 3), limit + 4) for _ in range(8)]
    queries = np.concatenate((near(entries, around, 4), even(20, size, 5)))
    found = HammingIndex(entries).pairs(queries, limit)
    assert len(found) >= 8
    assert_same(found, brute_force(queries, entries, limit))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    make=st.sampled_from([even, clustered, one_cluster]),
    distances=st.lists(st.integers(29, 33), min_size=1, max_size=12),
    limit=st.integers(29, 33),
)
def test_the_index_equals_brute_force_between_29_and_33_bits(
    seed: int, make: Make, distances: list[int], limit: int
) -> None:
    entries = make(600, 32, seed)
    queries = near(entries, distances, seed)
    index = HammingIndex(entries, tables(entries))  # with tables, although the rows are few
    wanted = brute_force(queries, entries, limit)
    assert len(wanted) >= sum(each <= limit for each in distances)
    assert_same(index.pairs(queries, limit), wanted)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1), limit=st.integers(0, 12), size=st.sampled_from([8, 32]), count=st.integers(1, 400)
)
def test_the_index_equals_brute_force_on_any_rows(seed: int, limit: int, size: int, count: int) -> None:
    entries = clustered(count, size, seed)
    queries = near(entries, [limit, limit + 1, max(0, limit - 1)], seed)
    index = HammingIndex(entries, tables(entries))
    assert_same(index.pairs(queries, limit), brute_force(queries, entries, limit))


@pytest.mark.parametrize("make", [even, clustered, one_cluster])
@pytest.mark.parametrize("count", [SMALL - 1, SMALL + 1])  # without tables, and with
def test_the_nearest_of_each_label_are_those_of_all_pairs(make: Make, count: int) -> None:
    entries = make(count, 32, 3)
    entries[count // 2 :] = entries[: count - count // 2]  # so that several are equally near
    labels = labelled(entries, 3)
    queries = np.concatenate((near(entries, [0, 3, 30, 31, 32], 4), even(5, 32, 5)))
    found = HammingIndex(entries).nearest(queries, 31, labels, 4)
    told = list(zip(found.queries.tolist(), found.entries.tolist(), found.distances.tolist(), strict=True))
    assert told == nearest_of(brute_force(queries, entries, 31), labels)
    assert told


def test_rows_that_share_all_bands_but_one_are_found_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "BLOCK", 64)
    monkeypatch.setattr(hamming, "BLOCK", 64)
    entries = np.concatenate((np.repeat(even(1, 32, 1), 300, axis=0), even(200, 32, 2)))
    queries = near(entries[:1], [0, 5, 31, 32], 3)
    found = HammingIndex(entries, tables(entries)).pairs(queries, 31)
    assert len(found) == 900
    assert_same(found, brute_force(queries, entries, 31))


def test_a_distance_with_too_many_probes_is_answered_by_comparing_everything() -> None:
    entries = clustered(SMALL + 10, 32, 1)
    queries = near(entries, [89, 90, 91, 92], 2)
    assert_same(HammingIndex(entries).pairs(queries, 90), brute_force(queries, entries, 90))


def test_a_negative_distance_is_an_error_and_never_everything() -> None:
    entries = even(10, 32, 1)
    with pytest.raises(ValueError, match="never negative"):
        HammingIndex(entries).pairs(entries, -1)


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_is_near_to_nothing(rows: int) -> None:
    none = np.zeros((0, 32), dtype=np.uint8)
    some = even(rows, 32, 1)
    assert len(HammingIndex(none).pairs(some, 31)) == 0
    assert len(HammingIndex(some).pairs(none, 31)) == 0
    assert len(HammingIndex(none).nearest(some, 31, labelled(none, 1), 2)) == 0
    assert len(HammingIndex(some).nearest(none, 31, labelled(some, 1), 2)) == 0
    assert len(brute_force(none, none, 31)) == 0


def test_tables_made_before_give_the_same_answer() -> None:
    entries = clustered(SMALL + 10, 32, 1)
    queries = near(entries, [30, 31, 32], 2)
    assert_same(HammingIndex(entries, tables(entries)).pairs(queries, 31), HammingIndex(entries).pairs(queries, 31))


@pytest.mark.parametrize("part", ["cells", "slots", "more"])
@pytest.mark.parametrize("harm", ["cut", "raised"])
def test_tables_that_do_not_fit_are_an_error_and_never_read_beyond(part: str, harm: str) -> None:
    entries = clustered(3_000, 32, 1)
    made = tables(entries)
    content = getattr(made, part)
    harmed = content[: len(content) // 4] if harm == "cut" else content | np.array(2**30, dtype=content.dtype)
    if part == "cells" and harm == "raised":
        harmed = content | np.uint64(2**62)
    with pytest.raises((ValueError, IndexError)):
        HammingIndex(entries, replace(made, **{part: harmed})).pairs(entries, 31)


def test_a_label_without_a_place_is_an_error() -> None:
    entries = even(10, 32, 1)
    with pytest.raises((ValueError, IndexError)):
        HammingIndex(entries).nearest(entries, 31, np.full(10, 5, dtype=np.uint16), 5)


def test_rows_out_of_step_with_memory_are_read_as_they_stand() -> None:
    padded = np.zeros((100, 33), dtype=np.uint8)
    padded[:, 1:] = even(100, 32, 1)
    assert_same(HammingIndex(padded[:, 1:]).pairs(padded[::2, 1:], 31), brute_force(padded[::2, 1:], padded[:, 1:], 31))


def test_no_row_shows_in_a_repr() -> None:
    entries = np.frombuffer(b"codeword-alpha--codeword-alpha--", dtype=np.uint8).reshape(1, 32)
    assert "99, 111" not in repr(HammingIndex(entries))
    assert "99, 111" not in repr(tables(entries))
