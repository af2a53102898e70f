"""Exact search for neighbours in Hamming space: every pair within a distance, none missed.

Rows are hashes: uint8 (n, bytes), where bytes is a multiple of 8 (64-bit pHash, 256-bit PDQ). `brute_force` is the
reference that every faster way is tested against. `HammingIndex` looks up what agrees with a query in some band
(filters.bands, filters.bandtables) and compares only that in full; the compiled loops of filters/_hamming.c do it where
they were built, numpy does elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.bands import (
    BLOCK,
    MAX_PROBES,
    SMALL,
    Hashes,
    Ids,
    Words,
    as_words,
    masks_of,
    probes_of,
    radii_of,
    values_of,
)
from filters.bandtables import Band, Tables, candidates, layout, tables

Labels = NDArray[np.uint16]
_Found = tuple[Ids, Ids, Ids]  # queries, entries, distances
_Plan = list[tuple[Band, int]]  # bands with their radius; none where every row is to be compared

_NOTHING = np.uint64(2**64 - 1)
_NO_TABLES = Tables(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.uint32))
_NO_LABELS = np.zeros(0, dtype=np.uint16)


def _built() -> Callable[..., bytes] | None:
    try:
        from filters._hamming import search
    except ImportError:  # setup.py goes on without a compiler
        return None
    return search


_COMPILED = _built()
EXTENSION = _COMPILED is not None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows that lie within a distance of each other: three arrays of one length, ordered by query, then entry."""

    queries: Ids
    entries: Ids
    distances: Ids  # bits

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.queries)


def brute_force(queries: Hashes, entries: Hashes, max_distance: int) -> Pairs:
    """Compare every query with every entry."""
    return _pairs(list(_compared(as_words(queries), as_words(entries), max_distance)))


class HammingIndex:
    """Rows that can be searched many times, for any distance; safe to print."""

    def __init__(self, entries: Hashes, kept: Tables | None = None) -> None:
        """Index the rows; `kept` are their tables, when they were made before."""
        self._words = as_words(entries)
        self._bands = layout(len(entries), self._words.shape[1] * 64)
        self._tables = kept if kept is not None or len(entries) <= SMALL else tables(entries)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._words)

    def pairs(self, queries: Hashes, max_distance: int) -> Pairs:
        """Return what `brute_force` would."""
        words = as_words(queries)
        if _COMPILED is None:
            return _pairs(list(self._by_numpy(words, max_distance)))
        told = self._by_extension(_COMPILED, words, max_distance, _NO_LABELS, np.zeros((0, 0), dtype=np.uint64))
        found = np.frombuffer(told, dtype=np.uint32).reshape(-1, 3).astype(np.int64)
        return _pairs([(found[:, 0], found[:, 1], found[:, 2])])

    def nearest(self, queries: Hashes, max_distance: int, labels: Labels, count: int) -> Pairs:
        """Return, of those pairs, the nearest of each query and label, ordered so; of equally near ones the first.

        `labels` are numbers below `count`, one for each row. However many rows lie within the distance (a list may hold
        a million copies of one picture) the answer has at most one pair per query and label, and needs no more memory.
        """
        words = as_words(queries)
        best = np.full((len(words), count), _NOTHING)
        if _COMPILED is None:
            for rows, entries, distances in self._by_numpy(words, max_distance):
                found = distances.astype(np.uint64) << np.uint64(32) | entries.astype(np.uint64)
                np.minimum.at(best, (rows, labels[entries]), found)
        elif count:
            self._by_extension(_COMPILED, words, max_distance, labels, best)
        asked, told = np.nonzero(best != _NOTHING)
        found = best[asked, told]
        return Pairs(asked, (found & np.uint64(2**32 - 1)).astype(np.int64), (found >> np.uint64(32)).astype(np.int64))

    def _plan(self, max_distance: int) -> _Plan:
        """Return where to look; nowhere, when comparing every row is faster."""
        if max_distance < 0:
            raise ValueError("a distance is never negative")
        radii = radii_of(max_distance, len(self._bands))
        probes = sum(probes_of(band.width, radius) for band, radius in zip(self._bands, radii, strict=True))
        if self._tables is None or probes > MAX_PROBES:
            return []
        return [(band, radius) for band, radius in zip(self._bands, radii, strict=True) if radius >= 0]

    def _by_extension(
        self, search: Callable[..., bytes], words: Words, max_distance: int, labels: Labels, best: Words
    ) -> bytes:
        bands = [(band.offset, band.width, radius, band.first_cell) for band, radius in self._plan(max_distance)]
        kept = self._tables or _NO_TABLES
        return search(
            words,
            self._words,
            kept.cells,
            kept.slots,
            kept.more,
            np.array(bands, dtype=np.int64),
            np.ascontiguousarray(labels),
            best,
            self._words.shape[1],
            max_distance,
            best.shape[1],
        )

    def _by_numpy(self, words: Words, max_distance: int) -> Iterator[_Found]:
        plan = self._plan(max_distance)
        if self._tables is None or not plan:
            yield from _compared(words, self._words, max_distance)
            return
        for band, radius in plan:
            values = values_of(words, band.offset, band.width)
            for rows, entries in candidates(self._tables, band, values, masks_of(band.width, radius)):
                yield _within(rows, entries, words, self._words, max_distance)


def _compared(asked: Words, known: Words, max_distance: int) -> Iterator[_Found]:
    step = max(1, BLOCK // max(1, len(known)))
    for start in range(0, len(asked) if len(known) else 0, step):
        block = asked[start : start + step]
        distances = np.zeros((len(block), len(known)), dtype=np.uint16)
        for word in range(known.shape[1]):
            distances += np.bitwise_count(block[:, word, None] ^ known[None, :, word])
        rows, columns = np.nonzero(distances <= max_distance)
        yield rows + start, columns, distances[rows, columns].astype(np.int64)


def _within(rows: Ids, entries: Ids, asked: Words, known: Words, max_distance: int) -> _Found:
    distances = np.bitwise_count(asked[rows] ^ known[entries]).sum(axis=1, dtype=np.int64)
    near = distances <= max_distance
    return rows[near], entries[near], distances[near]


def _pairs(found: list[_Found]) -> Pairs:
    """Join blocks into one ordered set; a pair that several bands found is kept once."""
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, none)
    queries, entries, distances = (np.concatenate(column) for column in zip(*found, strict=True))
    key = queries * (int(entries.max(initial=0)) + 1) + entries
    _, kept = np.unique(key, return_index=True)
    return Pairs(queries[kept], entries[kept], distances[kept])
