"""Tables that tell which rows have a given value in a band: made once, kept in files, mapped by every process.

A band of w bits has 2**w cells, most of them empty or with one row. `cells` has a word for every 32 of them: the lower
half says which have rows, the upper half where the slots of those begin. A slot is a row, or SEVERAL plus a place in
`more`, where the number of rows stands before the rows. A look-up reads one word of a small array for 32 neighbouring
values, and only for what is there one slot: a million hashes of 256 bits take 71 bytes each besides themselves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filters.bands import Hashes, Ids, Words, as_words, bands_of, listed, probed, values_of


def _built() -> Callable[..., tuple[int, int]] | None:
    try:
        from filters._hamming import table
    except ImportError:  # setup.py goes on without a compiler
        return None
    return table


_COMPILED = _built()
SEVERAL = 1 << 31
_LOW = 5  # bits of a value that choose the bit within a word of cells
_SAMPLE = 64  # rows that are looked up to see whether tables belong to them


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables of all bands, one after the other: `cells` uint64, `slots` and `more` uint32."""

    cells: NDArray[np.uint64] = field(repr=False)
    slots: NDArray[np.uint32] = field(repr=False)
    more: NDArray[np.uint32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Band:
    """One band, and where its cells begin in the tables."""

    offset: int
    width: int
    first_cell: int


def layout(entries: int, bits: int) -> tuple[Band, ...]:
    """Return the bands of so many entries, as `tables` lays them out."""
    found, first = [], 0
    for offset, width in bands_of(entries, bits):
        found.append(Band(offset, width, first))
        first += 1 << (width - _LOW)
    return tuple(found)


def tables(entries: Hashes) -> Tables:
    """Return the tables of all bands; ValueError where there are too many rows for 31 bits."""
    words = as_words(entries)
    make = _by_numpy if _COMPILED is None else _by_extension(_COMPILED)
    if len(words) >= SEVERAL:
        raise ValueError(f"{len(words)} rows are too many")
    cells, slots, more = [], [], []
    first_slot = first_more = 0
    for band in layout(len(words), words.shape[1] * 64):
        made = make(words, band, first_slot, first_more)
        cells.append(made.cells)
        slots.append(made.slots)
        more.append(made.more)
        first_slot += len(made.slots)
        first_more += len(made.more)
    return Tables(np.concatenate(cells), np.concatenate(slots), np.concatenate(more))


def fitting(made: Tables, entries: Hashes) -> Tables:
    """Return the tables, or raise ValueError when they are not those of these rows: a sample must find itself."""
    words = as_words(entries)
    bands = layout(len(words), words.shape[1] * 64)
    if len(made.cells) != sum(1 << (band.width - _LOW) for band in bands):
        raise ValueError("cells of other bands")
    sample = np.unique(np.linspace(0, len(words) - 1, _SAMPLE).astype(np.int64))
    for band in bands:
        values = values_of(words[sample], band.offset, band.width)
        here = candidates(made, band, values, np.zeros(1, dtype=np.int64))
        if sum(int((sample[rows] == found).sum()) for rows, found in here) != len(sample):
            raise ValueError("rows that do not find themselves")
    return made


def candidates(made: Tables, band: Band, values: Ids, masks: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield (query rows, entry rows) whose values of the band agree up to a mask, about a million at a time."""
    for rows, probes in probed(values, masks):
        cells = made.cells[band.first_cell + (probes >> _LOW)]
        bits = np.uint64(1) << (probes & ((1 << _LOW) - 1)).astype(np.uint64)
        hits = np.flatnonzero(cells & bits)
        rows, cells, bits = rows[hits], cells[hits], bits[hits]
        slots = made.slots[(cells >> np.uint64(32)) + np.bitwise_count(cells & (bits - np.uint64(1)))]
        alone = slots < SEVERAL
        yield rows[alone], slots[alone].astype(np.int64)
        places = (slots[~alone] & np.uint32(SEVERAL - 1)).astype(np.int64)
        counts = made.more[places].astype(np.int64)
        if (places + counts >= len(made.more)).any():
            raise ValueError("the tables do not fit their rows")
        yield from listed(rows[~alone], places + 1, counts, made.more)


def _by_extension(table: Callable[..., tuple[int, int]]) -> Callable[[Words, Band, int, int], Tables]:
    def make(words: Words, band: Band, first_slot: int, first_more: int) -> Tables:
        cells = np.empty(1 << (band.width - _LOW), dtype=np.uint64)
        slots = np.empty(min(len(words), 1 << band.width), dtype=np.uint32)
        more = np.empty(len(words) + len(words) // 2, dtype=np.uint32)
        where = band.offset, band.width
        took, lists = table(words, words.shape[1], where, cells, slots, more, first_slot, first_more)
        return Tables(cells, slots[:took].copy(), more[:lists].copy())

    return make


def _by_numpy(words: Words, band: Band, first_slot: int, first_more: int) -> Tables:
    values = values_of(words, band.offset, band.width)
    order = np.argsort(values, kind="stable")
    firsts = np.flatnonzero(np.diff(values[order], prepend=-1))
    counts = np.diff(firsts, append=len(order))
    filled = np.zeros(1 << band.width, dtype=bool)
    filled[values[order[firsts]]] = True
    bits = np.packbits(filled, bitorder="little").view("<u4")
    sizes = np.bitwise_count(bits).astype(np.uint64)
    begins = np.cumsum(sizes) - sizes + np.uint64(first_slot)
    slots = order[firsts].astype(np.uint32)
    lists = np.flatnonzero(counts > 1)
    ends = np.cumsum(counts[lists] + 1)
    places = ends - counts[lists] - 1
    if first_more + int(ends[-1] if len(ends) else 0) >= SEVERAL:
        raise ValueError("the rows do not fit a table")
    slots[lists] = SEVERAL + first_more + places
    more = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint32)
    more[places] = counts[lists]
    shared = np.repeat(counts > 1, counts)
    mine = np.ones(len(more), dtype=bool)
    mine[places] = False
    more[mine] = order[shared]
    return Tables(begins << np.uint64(32) | bits, slots, more)
