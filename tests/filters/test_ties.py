"""Rows are tied together exactly as all pairs within the distance tie them, however many copies there are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filters import bands, ties
from filters.hamming import brute_force
from filters.ties import tied

Rows = NDArray[np.uint8]


def flipped(rows: Rows, count: int, seed: int) -> Rows:
    """Return the rows with up to `count` bits of each changed."""
    rng = np.random.default_rng(seed)
    bits = np.unpackbits(rows, axis=1)
    for _ in range(count):
        bits[np.arange(len(bits)), rng.integers(0, bits.shape[1], len(bits))] ^= 1
    return np.packbits(bits, axis=1)


def clustered(count: int, size: int, changes: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 256, (max(1, count // 8), size), dtype=np.uint8)
    return flipped(centres[rng.integers(0, len(centres), count)], changes, seed + 1)


def ways() -> list[Callable[..., None] | None]:
    """Return the compiled loop where it was built, and None, which is numpy."""
    return [None, ties._COMPILED] if ties.EXTENSION else [None]


def by_all_pairs(rows: Rows, limit: int) -> list[int]:
    """The reference: join every pair, one at a time."""
    part = {row: frozenset({row}) for row in range(len(rows))}
    near = brute_force(rows, rows, limit)
    for left, right in zip(near.queries.tolist(), near.entries.tolist(), strict=True):
        if right not in part[left]:
            joined = part[left] | part[right]
            part.update(dict.fromkeys(joined, joined))
    return [min(part[row]) for row in range(len(rows))]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 31), st.sampled_from([8, 32]), st.integers(1, 30), st.integers(1, 150))
def test_groups_are_those_of_all_pairs(seed: int, limit: int, size: int, changes: int, count: int) -> None:
    rows = clustered(count, size, changes, seed)
    rows = np.concatenate((rows, rows[: count // 3]))
    wanted = by_all_pairs(rows, limit)
    assert tied(rows, limit).tolist() == wanted
    near = limit if size == 32 else min(limit, 10)
    wanted = wanted if near == limit else by_all_pairs(rows, near)
    for way in ways():
        with pytest.MonkeyPatch.context() as patch:  # the same by way of tables, in small blocks, stepping over runs
            patch.setattr(ties, "SMALL", 0)
            patch.setattr(ties, "_COMPILED", way)
            patch.setattr(ties, "_LONG", 1)
            patch.setattr(bands, "BLOCK", 512)
            assert tied(rows, near).tolist() == wanted


@pytest.mark.parametrize(("changes", "limit"), [(8, 31), (16, 31), (24, 31), (16, 5), (24, 36)])
def test_groups_of_many_rows_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch, changes: int, limit: int) -> None:
    rows = clustered(bands.SMALL + 400, 32, changes, 5)
    wanted = by_all_pairs(rows, limit)
    for way in ways():
        monkeypatch.setattr(ties, "_COMPILED", way)
        assert tied(rows, limit).tolist() == wanted


@pytest.mark.skipif(not ties.EXTENSION, reason="no compiler")
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(12, 24), st.integers(0, 3), st.integers(0, 40))
def test_the_compiled_loop_joins_what_numpy_joins(seed: int, width: int, radius: int, limit: int) -> None:
    """One band alone, so that no other makes good what this one misses; rows agree in it but for some bits."""
    rng = np.random.default_rng(seed)
    rows = clustered(600, 32, 12, seed % 1000)
    rows = np.unique(np.concatenate((rows, flipped(rows, 6, seed % 999))), axis=0)
    groups = ties._joined(np.arange(len(rows)), *(rng.integers(0, len(rows), 40) for _ in range(2)))
    words, band = bands.as_words(rows), (int(rng.integers(0, 257 - width)), width, radius)
    expected = ties._by_numpy(words, band, groups, limit)
    assert ties._COMPILED
    assert ties._by_extension(ties._COMPILED)(words, band, groups, limit).tolist() == expected.tolist()


@pytest.mark.skipif(not ties.EXTENSION, reason="no compiler")
def test_the_compiled_loop_follows_no_number_that_leads_nowhere() -> None:
    from filters._ties import join

    words = bands.as_words(np.random.default_rng(1).integers(0, 256, (50, 32), dtype=np.uint8))
    some = np.arange(50, dtype=np.uint32)
    starts = np.full((1 << 12) + 1, 50, dtype=np.uint32)
    starts[0] = 0
    join(words, some, starts, some.copy(), 4, 12, 2, 31)
    falling, late, far = starts.copy(), starts.copy(), starts.copy()
    falling[7], late[0], far[-1] = 60, 1, 51
    wrong: list[tuple[Any, ...]] = [
        *((words, some, each, some.copy(), 4, 12, 2, 31) for each in (falling, late, far, starts[:-1])),
        (words, some + np.uint32(1), starts, some.copy(), 4, 12, 2, 31),
        (words, some, starts, some[::-1].copy(), 4, 12, 2, 31),
        (words, some[:-1], starts, some.copy(), 4, 12, 2, 31),
        (words, some, starts, some[:-1].copy(), 4, 12, 2, 31),
        *((words, some, starts, some.copy(), *rest) for rest in ((3, 12, 2, 31), (0, 12, 2, 31), (-4, 12, 2, 31))),
        *((words, some, starts, some.copy(), *rest) for rest in ((4, 5, 2, 31), (4, 40, 2, 31), (4, 12, -1, 31))),
        (words, some, starts, some.copy(), 4, 12, 2, -1),
    ]
    for each in wrong:
        with pytest.raises(ValueError, match="do not fit"):
            join(*each)


def test_near_rows_that_meet_only_in_long_cells_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ties, "SMALL", 0)
    monkeypatch.setattr(ties, "_LONG", 3)
    bits = np.random.default_rng(1).integers(0, 2, (60, 256), dtype=np.uint8)
    bits[1::2] = bits[::2]
    offsets = np.array([offset for offset, _ in bands.bands_of(60, 256)])
    bits[:, offsets[16] :] = 0  # all rows lie in one cell of each of these bands,
    for offset in offsets[:15]:
        bits[1::2, [offset, offset + 1]] ^= 1  # and the rows of a pair are out of reach in all others
    rows = np.packbits(bits, axis=1, bitorder="little")
    for way in ways():
        monkeypatch.setattr(ties, "_COMPILED", way)
        assert tied(rows, 31).tolist() == by_all_pairs(rows, 31) == [row - row % 2 for row in range(60)]


def test_a_chain_of_steps_is_one_group_and_a_wider_step_ends_it() -> None:
    bits = np.zeros((5, 256), dtype=np.uint8)
    for row, ones in enumerate((0, 31, 62, 94, 125)):
        bits[row, :ones] = 1
    assert tied(np.packbits(bits, axis=1), 31).tolist() == [0, 0, 0, 3, 3]


def test_twenty_thousand_near_copies_of_a_picture_are_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    one = np.random.default_rng(1).integers(0, 256, (1, 32), dtype=np.uint8)
    rows = flipped(np.repeat(one, 20_000, axis=0), 10, 2)
    for way in ways():
        monkeypatch.setattr(ties, "_COMPILED", way)
        assert not tied(rows, 31).any()


def test_the_first_row_of_a_group_names_it_wherever_it_sorts() -> None:
    rows = np.array([[255] * 8, [1] * 8, [255] * 8, [0] * 8, [1] * 8], dtype=np.uint8)
    assert tied(rows, 0).tolist() == [0, 1, 0, 3, 1]


def test_no_rows_have_no_groups() -> None:
    assert tied(np.zeros((0, 32), dtype=np.uint8), 31).tolist() == []
