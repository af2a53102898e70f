"""Near match: does a picture look like one on a hash list, whatever was done to its file?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from filters.finding import Examine, Finding, Material
from filters.fingerprints import PERCEPTUAL, Fingerprint
from filters.hamming import HammingIndex, Hashes
from filters.hashlists import HashList, HashTable
from filters.lists import ListSource, hash_material, read_lists
from filters.sample import Batch

LOW_QUALITY = "low-quality"


@dataclass(frozen=True, slots=True)
class PerceptualMatch:
    """Compare the PDQ of every raster, turned, mirrored and inverted, and its pHash, each with lists of its own kind.

    A finding's value is the distance in bits, of 256 for PDQ and of 64 where its form ends in "pHash". Of all matches
    with a category of a list the nearest of each kind is told. "low-quality" says that no raster has a PDQ that can be
    relied on, with the best quality as value: flat, blank or tiny pictures match nothing and anything.

    Distance and quality are those of the PDQ reference (facebook/ThreatExchange, pdq/README.md, read 2026-11): up to
    31 bits is a confident match, quality 49 and less is discarded. A random pHash lies within 6 bits of an entry of a
    list of ten million once in 2e4 pictures; real ones cluster, so no wider.
    """

    name: Literal["perceptual"] = "perceptual"
    lists: tuple[ListSource, ...] = ()
    max_pdq_bits: int = 31  # of 256
    min_quality: int = 50  # of 100
    max_phash_bits: int = 6  # of 64

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories of the lists, and "low-quality"."""
        return (*self.conclusive, LOW_QUALITY)

    @property
    def conclusive(self) -> tuple[str, ...]:
        """The categories of the lists."""
        return tuple(dict.fromkeys(label for source in self.lists for label in source.labels))

    def materials(self) -> tuple[Material, ...]:
        """Return the lists that hold PDQ or pHash; ListError when there are none, or one cannot be relied on."""
        return tuple(map(hash_material, read_lists(self.name, self.lists, PERCEPTUAL)))

    def load(self) -> Examine:
        """Return the function that matches; ListError as for `materials`."""
        lists = read_lists(self.name, self.lists, PERCEPTUAL)
        searches = [_Search(known, kind, table) for known in lists for kind, table in known.tables.items()]
        return lambda batch: [_examine(self, batch, row, searches) for row in range(len(batch))]


class _Search:
    """One table of one list, indexed."""

    def __init__(self, known: HashList, kind: str, table: HashTable) -> None:
        self.known = known
        self.kind = kind
        self.table = table
        self._index = HammingIndex(table.values, table.tables)

    def nearest(self, queries: Hashes, max_distance: int) -> Iterator[tuple[str, int, int, str]]:
        """Yield (category, query row, distance, entry in hex) of the nearest match of each category."""
        pairs = self._index.pairs(queries, max_distance)
        numbers = self.table.categories[pairs.entries]
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            best = rows[np.argmin(pairs.distances[rows])]
            entry = self.table.values[pairs.entries[best]].tobytes().hex()
            yield self.known.categories[number], int(pairs.queries[best]), int(pairs.distances[best]), entry


def _examine(wanted: PerceptualMatch, batch: Batch, row: int, searches: Sequence[_Search]) -> tuple[Finding, ...]:
    prints = batch.fingerprints(row)
    queries = {"pdq": _pdq_queries(prints, wanted.min_quality), "phash": _phash_queries(prints)}
    reach = {"pdq": wanted.max_pdq_bits, "phash": wanted.max_phash_bits}
    findings = []
    for search in searches:
        hashes, forms = queries[search.kind]
        for category, query, distance, entry in search.nearest(hashes, reach[search.kind]):
            entry = f"{search.kind}:{entry}"
            findings.append(Finding(wanted.name, category, distance, search.known.name, entry, forms[query]))
    return (*findings, *_doubts(wanted, batch, row))


def _pdq_queries(prints: Sequence[Fingerprint], min_quality: int) -> tuple[Hashes, list[str]]:
    """Return the PDQ hashes that can be relied on, then their complements: the hashes of the inverted pictures."""
    usable = [each for each in prints if each.kind == "pdq" and (each.quality or 0) >= min_quality]
    rows = _rows([each.value for each in usable], PERCEPTUAL["pdq"])
    forms = [each.form for each in usable]
    return np.concatenate((rows, ~rows)), [*forms, *(f"{form}, inverted" for form in forms)]


def _phash_queries(prints: Sequence[Fingerprint]) -> tuple[Hashes, list[str]]:
    usable = [each for each in prints if each.kind == "phash"]
    return _rows([each.value for each in usable], PERCEPTUAL["phash"]), [f"{each.form}, pHash" for each in usable]


def _rows(values: Sequence[bytes], size: int) -> Hashes:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, size)


def _doubts(wanted: PerceptualMatch, batch: Batch, row: int) -> Iterator[Finding]:
    pictures = batch.rasters(row)
    if pictures.unexamined or not pictures.rasters:
        yield Finding(wanted.name, "unexamined", unexamined=pictures.unexamined or "no image")
    best = max((each.quality or 0 for each in batch.fingerprints(row) if each.kind == "pdq"), default=0)
    if pictures.rasters and best < wanted.min_quality:
        yield Finding(wanted.name, LOW_QUALITY, best)
