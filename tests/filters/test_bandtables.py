"""The tables of the extension are those of numpy, and tell of each value exactly the rows that have it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filters import bandtables
from filters.bands import as_words, bands_of, values_of
from filters.bandtables import Tables, candidates, fitting, layout, tables

Rows = NDArray[np.uint8]


def some(count: int, size: int, kinds: int, seed: int) -> Rows:
    """Return rows of few kinds, half of them changed in one byte, so that cells hold none, one and many."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (kinds, size), dtype=np.uint8)[rng.integers(0, kinds, count)]
    rows[::2, rng.integers(size)] = rng.integers(0, 256, len(rows[::2]))
    return rows


def by_numpy(rows: Rows) -> Tables:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bandtables, "_COMPILED", None)
        return tables(rows)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500), st.sampled_from([8, 32]), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_both_ways_make_the_same_tables(count: int, size: int, kinds: int, seed: int) -> None:
    rows = some(count, size, kinds, seed)
    one, other = tables(rows), by_numpy(rows)
    assert np.array_equal(one.cells, other.cells)
    assert np.array_equal(one.slots, other.slots)
    assert np.array_equal(one.more, other.more)
    assert [one.cells.dtype, one.slots.dtype, one.more.dtype] == [np.uint64, np.uint32, np.uint32]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 300), st.sampled_from([8, 32]), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_look_up_tells_the_rows_of_a_value_and_no_other(count: int, size: int, kinds: int, seed: int) -> None:
    rows = some(count, size, kinds, seed)
    made = tables(rows)
    for band in layout(count, size * 8):
        values = values_of(as_words(rows), band.offset, band.width)
        asked = np.unique(np.concatenate((values, values ^ 1)))
        told = {
            pair
            for pairs in candidates(made, band, asked, np.zeros(1, dtype=np.int64))
            for pair in zip(*pairs, strict=True)
        }
        assert told == {(place, row) for place, value in enumerate(asked) for row in np.flatnonzero(values == value)}


@pytest.mark.parametrize("bits", [64, 256])
@pytest.mark.parametrize("entries", [0, 1, 4_097, 10**5, 10**6, 10**7, 10**9])
def test_bands_cover_every_bit_once_and_the_widest_come_first(entries: int, bits: int) -> None:
    found = bands_of(entries, bits)
    assert [bit for offset, width in found for bit in range(offset, offset + width)] == list(range(bits))
    widths = [width for _, width in found]
    assert widths == sorted(widths, reverse=True)
    assert len(bands_of(10**6, 256)) == 12
    assert len(bands_of(10**7, 256)) == 11


def test_tables_of_other_rows_do_not_fit() -> None:
    rows = some(500, 32, 400, 1)
    made = tables(rows)
    assert fitting(made, rows) is made
    with pytest.raises(ValueError, match="do not find themselves"):
        fitting(made, rows[::-1].copy())
    with pytest.raises(ValueError, match="other bands"):
        fitting(tables(some(9_000, 32, 5_000, 1)), rows)


def test_tables_take_less_than_four_times_the_rows() -> None:
    rows = np.random.default_rng(1).integers(0, 256, (2**16, 32), dtype=np.uint8)
    made = tables(rows)
    assert made.cells.nbytes + made.slots.nbytes + made.more.nbytes < 4 * rows.nbytes
