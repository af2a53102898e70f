"""Which rows of one set of hashes are tied together, directly or through others: the groups of near-duplicates."""

from collections.abc import Callable, Iterator

import numpy as np

from filters.bands import (
    MAX_PROBES,
    SMALL,
    Hashes,
    Ids,
    Words,
    as_words,
    bands_of,
    listed,
    masks_of,
    probed,
    probes_of,
    radii_of,
    values_of,
)
from filters.hamming import brute_force

_Band = tuple[int, int, int]  # first bit, width, radius


def _built() -> Callable[..., None] | None:
    try:
        from filters._ties import join
    except ImportError:  # setup.py goes on without a compiler
        return None
    return join


_COMPILED = _built()
EXTENSION = _COMPILED is not None
_COMPARED = 1 << 16  # rows at once
_LONG = 16  # rows of a table cell, sorted by group, above which a query looks only at the groups before its own


def tied(entries: Hashes, max_distance: int) -> Ids:
    """Return for each row the first row of its group, where steps of up to `max_distance` bits join a group.

    The groups are those of all pairs within the distance, but rows that are known to be in one group are not compared
    again: a million near copies of one picture cost little more than a million comparisons. Memory is bounded by the
    rows, some two hundred bytes each. Leave out PDQ hashes of low quality, or blank pictures tie everything together.
    """
    if not len(entries):
        return np.zeros(0, dtype=np.int64)
    words = as_words(entries)
    order = np.lexsort(words.T)  # stable: of equal rows the first comes first
    new = np.ones(len(order), dtype=bool)
    for start in range(1, len(order), _COMPARED):  # copies of all rows would take more memory than they do
        these = words[order[start - 1 : start + _COMPARED]]
        new[start : start + _COMPARED] = (these[1:] != these[:-1]).any(axis=1)
    first = order[new]
    heads = first
    if max_distance > 0:
        groups = _groups(np.ascontiguousarray(entries[first]), max_distance)
        heads = np.full(len(first), len(entries), dtype=np.int64)
        np.minimum.at(heads, groups, first)
        heads = heads[groups]
    found = np.empty(len(order), dtype=np.int64)
    found[order] = heads[np.cumsum(new) - 1]
    return found


def _groups(rows: Hashes, max_distance: int) -> Ids:
    """Return the group of each of these different rows, numbered by its first member."""
    words = as_words(rows)
    bands = bands_of(len(rows), words.shape[1] * 64)
    reach = [(*band, radius) for band, radius in zip(bands, radii_of(max_distance, len(bands)), strict=True)]
    groups = np.arange(len(rows))
    if len(rows) <= SMALL or sum(probes_of(width, radius) for _, width, radius in reach) > MAX_PROBES:
        for start in range(0, len(rows), SMALL):
            near = brute_force(rows[start : start + SMALL], rows, max_distance)
            groups = _joined(groups, near.queries + start, near.entries)
        return groups
    for offset, width, _ in reach:  # cheap, and joins nearly all that is dense
        leaders, followers = _leaders(values_of(words, offset, width))
        apart = groups[leaders] != groups[followers]
        groups = _joined(groups, *_near(leaders[apart], followers[apart], words, max_distance))
    meet = _by_numpy if _COMPILED is None else _by_extension(_COMPILED)
    for band in reach:
        if band[-1] >= 0:
            groups = meet(words, band, groups, max_distance)
    return groups


def _by_numpy(words: Words, band: _Band, groups: Ids, max_distance: int) -> Ids:
    """Return the groups after all rows met that agree in a band but for its radius."""
    offset, width, radius = band
    before = groups
    for left, right in _strangers(values_of(words, offset, width), width, masks_of(width, radius), before):
        groups = _joined(groups, *_near(left, right, words, max_distance))
    return groups


def _by_extension(join: Callable[..., None]) -> Callable[[Words, _Band, Ids, int], Ids]:
    def meet(words: Words, band: _Band, groups: Ids, max_distance: int) -> Ids:
        offset, width, radius = band
        values = values_of(words, offset, width)
        order = np.argsort(values * len(words) + groups)
        starts = np.zeros((1 << width) + 1, dtype=np.uint32)
        np.cumsum(np.bincount(values, minlength=1 << width), out=starts[1:], dtype=np.uint32)
        parents = np.arange(len(words), dtype=np.uint32)
        ordered = groups[order].astype(np.uint32)
        join(words[order], ordered, starts, parents, words.shape[1], width, radius, max_distance)
        return _settled(parents.astype(np.int64))[groups]

    return meet


def _settled(groups: Ids) -> Ids:
    """Return for each row the end of the chain that begins at it."""
    while not np.array_equal(groups, after := groups[groups]):
        groups = after
    return groups


def _leaders(values: Ids) -> tuple[Ids, Ids]:
    """Return pairs of rows that share a band's value: every row with the first row of that value."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    firsts = np.searchsorted(ordered, ordered)
    return order[firsts], order


def _strangers(values: Ids, width: int, masks: Ids, groups: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield pairs of rows of different groups whose band values agree up to a mask; each at least one way round."""
    count = len(values)
    order = np.lexsort((groups, values))
    keys = values[order] * count + groups[order]
    starts = np.concatenate(([0], np.cumsum(np.bincount(values, minlength=1 << width))))
    ids = order.astype(np.uint32)
    for rows, probes in probed(values, masks):
        low, high = starts[probes], starts[probes + 1]
        kept = np.flatnonzero(high > low)
        rows, probes, low, high = rows[kept], probes[kept], low[kept], high[kept]
        long = np.flatnonzero(high - low > _LONG)
        high[long] = np.searchsorted(keys, probes[long] * count + groups[rows[long]])
        for left, right in listed(rows, low, high - low, ids):
            apart = groups[left] != groups[right]
            yield left[apart], right[apart]


def _near(left: Ids, right: Ids, words: Words, max_distance: int) -> tuple[Ids, Ids]:
    near = np.bitwise_count(words[left] ^ words[right]).sum(axis=1, dtype=np.int64) <= max_distance
    return left[near], right[near]


def _joined(groups: Ids, left: Ids, right: Ids) -> Ids:
    """Return the groups after these pairs were joined; each group is numbered by its lowest member."""
    while len(left):
        one, other = groups[left], groups[right]
        apart = one != other
        left, right, one, other = left[apart], right[apart], one[apart], other[apart]
        groups = groups.copy()
        np.minimum.at(groups, np.maximum(one, other), np.minimum(one, other))
        groups = _settled(groups)
    return groups
