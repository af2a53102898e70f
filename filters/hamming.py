"""Exact search for neighbours in Hamming space: every pair within a distance, none missed.

Rows are hashes: uint8 (n, bytes), where bytes is a multiple of 8 (64-bit pHash, 256-bit PDQ). `brute_force` is the
reference that every faster way is tested against. `HammingIndex` is multi-index hashing (Norouzi, Punjani and Fleet,
"Fast Exact Search in Hamming Space with Multi-Index Hashing", 2014): split the bits into m bands; by the pigeonhole
principle two rows within distance T agree in some band to within T // m bits, so looking up every such neighbour of
each band of a query in direct-address tables finds every candidate, and only candidates are compared in full.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint8]
_Words = NDArray[np.uint64]
_Ids = NDArray[np.int64]

SMALL = 4_096  # rows up to which comparing all is faster than looking up
MAX_PROBES = 20_000  # per query, above which comparing all is faster
_BLOCK = 1 << 20  # elements that one step holds at a time; bounds memory at some tens of MB
_MAX_WIDTH = 24  # bits of a band; its table has 2**24 entries, 64 MB


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows that lie within a distance of each other: three arrays of one length, ordered by query, then entry."""

    queries: _Ids
    entries: _Ids
    distances: _Ids  # bits

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.queries)


def brute_force(queries: Hashes, entries: Hashes, max_distance: int) -> Pairs:
    """Compare every query with every entry."""
    asked, known = as_words(queries), as_words(entries)
    found = []
    step = max(1, _BLOCK // max(1, len(known)))
    for start in range(0, len(asked) if len(known) else 0, step):
        block = asked[start : start + step]
        distances = np.zeros((len(block), len(known)), dtype=np.uint16)
        for word in range(known.shape[1]):
            distances += np.bitwise_count(block[:, word, None] ^ known[None, :, word])
        rows, columns = np.nonzero(distances <= max_distance)
        found.append((rows + start, columns, distances[rows, columns].astype(np.int64)))
    return _pairs(found)


@dataclass(frozen=True, slots=True)
class Tables:
    """Direct-address tables of every band, as they are kept on disk and mapped into memory.

    `starts` is uint32, one run of 2**width + 1 values per band; `ids` is uint32 (bands, n): the rows in the order of
    their band's value, so that `ids[b, starts[v] : starts[v + 1]]` are the rows whose band b has value v.
    """

    starts: NDArray[np.uint32]
    ids: NDArray[np.uint32]


def tables(entries: Hashes) -> Tables:
    """Return the tables of all bands; about 2 s and 200 MB for a million rows of 256 bits."""
    words = as_words(entries)
    starts, ids = [], []
    for offset, width in bands_of(len(words), words.shape[1] * 64):
        values = values_of(words, offset, width)
        counts = np.bincount(values, minlength=1 << width)
        starts.append(np.concatenate(([0], np.cumsum(counts))).astype(np.uint32))
        ids.append(np.argsort(values, kind="stable").astype(np.uint32))
    return Tables(np.concatenate(starts), np.stack(ids))


class HammingIndex:
    """Rows that can be searched many times, for any distance; safe to print."""

    def __init__(self, entries: Hashes, kept: Tables | None = None) -> None:
        """Index the rows; `kept` are their tables, when they were made before."""
        self._entries = entries
        self._words = as_words(entries)
        self._bands = bands_of(len(entries), self._words.shape[1] * 64)
        self._tables = kept if kept is not None or len(entries) <= SMALL else tables(entries)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._entries)

    def pairs(self, queries: Hashes, max_distance: int) -> Pairs:
        """Return what `brute_force` would."""
        radii = radii_of(max_distance, len(self._bands))
        probes = sum(probes_of(width, radius) for (_, width), radius in zip(self._bands, radii, strict=True))
        if self._tables is None or probes > MAX_PROBES:
            return brute_force(queries, self._entries, max_distance)
        words, found, base = as_words(queries), [], 0
        for band, ((offset, width), radius) in enumerate(zip(self._bands, radii, strict=True)):
            starts = self._tables.starts[base : base + (1 << width) + 1]
            base += (1 << width) + 1
            values = values_of(words, offset, width)
            for rows, candidates in _candidates(values, masks_of(width, radius), starts, self._tables.ids[band]):
                found.append(_within(rows, candidates, words, self._words, max_distance))
        return _pairs(found)


def as_words(rows: Hashes) -> _Words:
    """Return the rows as uint64 (n, bytes // 8)."""
    return np.ascontiguousarray(rows).view(np.uint64)


def bands_of(entries: int, bits: int) -> tuple[tuple[int, int], ...]:
    """Return (first bit, width) of each band: about as many values per band as there are entries."""
    width = min(_MAX_WIDTH, max(12, round(math.log2(entries + 1)) + 1))
    count = max(1, round(bits / width))
    edges = [bits * band // count for band in range(count + 1)]
    return tuple((low, high - low) for low, high in pairwise(edges))


def radii_of(max_distance: int, bands: int) -> list[int]:
    """Return the radius of each band, -1 for none: if all bands differed by more, the sum would exceed the distance."""
    radius, wide = divmod(max_distance, bands)
    return [radius if band <= wide else radius - 1 for band in range(bands)]


def values_of(words: _Words, offset: int, width: int) -> _Ids:
    """Return the value of one band of every row."""
    word, shift = divmod(offset, 64)
    value = words[:, word] >> np.uint64(shift)
    if shift + width > 64:
        value = value | words[:, word + 1] << np.uint64(64 - shift)
    return (value & np.uint64((1 << width) - 1)).astype(np.int64)


def probes_of(width: int, radius: int) -> int:
    """Return how many masks that is."""
    return sum(math.comb(width, flipped) for flipped in range(radius + 1))


def masks_of(width: int, radius: int) -> _Ids:
    """Return every change of up to `radius` bits of a band, as numbers to XOR with."""
    flips = (sum(1 << bit for bit in bits) for k in range(radius + 1) for bits in combinations(range(width), k))
    return np.fromiter(flips, dtype=np.int64)


def _candidates(
    values: _Ids, masks: _Ids, starts: NDArray[np.uint32], ids: NDArray[np.uint32]
) -> Iterator[tuple[_Ids, _Ids]]:
    """Yield (query rows, entry rows) that agree in one band up to a mask."""
    for rows, probes in probed(values, masks):
        low = starts[probes].astype(np.int64)
        yield from listed(rows, low, starts[probes + 1] - low, ids)


def probed(values: _Ids, masks: _Ids) -> Iterator[tuple[_Ids, _Ids]]:
    """Yield (query rows, values to look up), about a million at a time."""
    step = max(1, _BLOCK // max(1, len(masks)))
    for begin in range(0, len(values) if len(masks) else 0, step):
        probes = (values[begin : begin + step, None] ^ masks[None, :]).ravel()
        yield begin + np.arange(len(probes)) // len(masks), probes


def listed(rows: _Ids, low: _Ids, sizes: _Ids, ids: NDArray[np.uint32]) -> Iterator[tuple[_Ids, _Ids]]:
    """Yield (query rows, entry rows) of the runs of `ids` that begin at `low`, about a million at a time."""
    hits = np.flatnonzero(sizes)
    for part in _parts(sizes[hits]):
        chosen = hits[part]
        counts = sizes[chosen]
        ends = np.cumsum(counts)
        places = np.arange(ends[-1]) + np.repeat(low[chosen] - (ends - counts), counts)
        yield np.repeat(rows[chosen], counts), ids[places].astype(np.int64)


def _parts(sizes: _Ids) -> Iterator[slice]:
    """Cut a run of sizes into slices of about _BLOCK in sum: real lists cluster, and one table cell can be long."""
    block = np.cumsum(sizes) // _BLOCK
    edges = np.flatnonzero(np.diff(block, prepend=-1, append=-1)) if len(sizes) else np.zeros(0, dtype=np.int64)
    for low, high in pairwise(edges):
        yield slice(int(low), int(high))


def _within(rows: _Ids, candidates: _Ids, asked: _Words, known: _Words, max_distance: int) -> tuple[_Ids, _Ids, _Ids]:
    distances = np.bitwise_count(asked[rows] ^ known[candidates]).sum(axis=1, dtype=np.int64)
    near = distances <= max_distance
    return rows[near], candidates[near], distances[near]


def _pairs(found: Sequence[tuple[_Ids, _Ids, _Ids]]) -> Pairs:
    """Join blocks into one ordered set; a pair that several bands found is kept once."""
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, none)
    queries, entries, distances = (np.concatenate(column) for column in zip(*found, strict=True))
    key = queries * (int(entries.max(initial=0)) + 1) + entries
    _, kept = np.unique(key, return_index=True)
    return Pairs(queries[kept], entries[kept], distances[kept])
