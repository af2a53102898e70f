"""Bands of bits: how hashes are cut so that near ones agree in a part, and what must be looked up to find them.

The arithmetic of multi-index hashing (Norouzi, Punjani and Fleet, "Fast Exact Search in Hamming Space with Multi-Index
Hashing", 2014). By the pigeonhole principle two rows within distance T, cut into m bands, agree in one of the first
T % m + 1 bands to within T // m bits, or in one of the others to within one bit less.
"""

import math
from collections.abc import Iterator
from itertools import accumulate, combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Ids = NDArray[np.int64]

SMALL = 4_096  # rows up to which comparing all is faster than looking up
MAX_PROBES = 20_000  # per query, above which comparing all is faster
BLOCK = 1 << 20  # elements that one step holds at a time; bounds memory at some tens of MB
_WIDTHS = (12, 24)  # bits of a band, least and most; the cells of the widest take 4 MB and stay in the last cache


def as_words(rows: Hashes) -> Words:
    """Return the rows as little-endian uint64 (n, bytes // 8), aligned and in one piece."""
    words: Words = np.ascontiguousarray(rows).view("<u8")
    return np.require(words, requirements=("C", "A"))


def bands_of(entries: int, bits: int) -> tuple[tuple[int, int], ...]:
    """Return (first bit, width) of each band, widest first: about twice as many values per band as there are entries.

    Of a million entries of 256 bits that makes 12 bands, of ten million 11; a query meets 730 and 2,900 candidates.
    """
    least, most = _WIDTHS
    count = max(1, round(bits / min(most, max(least, round(math.log2(entries + 1)) + 1))))
    width, wider = divmod(bits, count)
    edges = accumulate((width + (band < wider) for band in range(count)), initial=0)
    return tuple((low, high - low) for low, high in pairwise(edges))


def radii_of(max_distance: int, bands: int) -> list[int]:
    """Return the radius of each band, -1 for none: if all bands differed by more, the sum would exceed the distance."""
    radius, wide = divmod(max_distance, bands)
    return [radius if band <= wide else radius - 1 for band in range(bands)]


def values_of(words: Words, offset: int, width: int) -> Ids:
    """Return the value of one band of every row."""
    word, shift = divmod(offset, 64)
    value = words[:, word] >> np.uint64(shift)
    if shift + width > 64:
        value = value | words[:, word + 1] << np.uint64(64 - shift)
    return (value & np.uint64((1 << width) - 1)).astype(np.int64)


def probes_of(width: int, radius: int) -> int:
    """Return how many masks that is."""
    return sum(math.comb(width, flipped) for flipped in range(radius + 1))


def masks_of(width: int, radius: int) -> Ids:
    """Return every change of up to `radius` bits of a band, as numbers to XOR with."""
    flips = (sum(1 << bit for bit in bits) for k in range(radius + 1) for bits in combinations(range(width), k))
    return np.fromiter(flips, dtype=np.int64)


def probed(values: Ids, masks: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield (query rows, values to look up), about a million at a time."""
    step = max(1, BLOCK // max(1, len(masks)))
    for begin in range(0, len(values) if len(masks) else 0, step):
        probes = (values[begin : begin + step, None] ^ masks[None, :]).ravel()
        yield begin + np.arange(len(probes)) // len(masks), probes


def listed(rows: Ids, low: Ids, sizes: Ids, ids: NDArray[np.uint32]) -> Iterator[tuple[Ids, Ids]]:
    """Yield (query rows, entry rows) of the runs of `ids` that begin at `low`, about a million at a time."""
    hits = np.flatnonzero(sizes)
    for part in _parts(sizes[hits]):
        chosen = hits[part]
        counts = sizes[chosen]
        ends = np.cumsum(counts)
        places = np.arange(ends[-1]) + np.repeat(low[chosen] - (ends - counts), counts)
        yield np.repeat(rows[chosen], counts), ids[places].astype(np.int64)


def _parts(sizes: Ids) -> Iterator[slice]:
    """Cut a run of sizes into slices of about BLOCK in sum: real lists cluster, and one table cell can be long."""
    block = np.cumsum(sizes) // BLOCK
    edges = np.flatnonzero(np.diff(block, prepend=-1, append=-1)) if len(sizes) else np.zeros(0, dtype=np.int64)
    for low, high in pairwise(edges):
        yield slice(int(low), int(high))
