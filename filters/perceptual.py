"""Near match: does a picture look like one on a hash list, whatever was done to its file?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from filters.bands import Hashes
from filters.crops import kept
from filters.finding import FINGERPRINTS, NOT_EFFECTIVE, PARTIAL, Examine, Finding, Material
from filters.fingerprints import DIHEDRAL, PART, PERCEPTUAL, SIZED, Fingerprint
from filters.hamming import HammingIndex
from filters.hashlists import HashList, HashTable
from filters.letterbox import UNPADDED
from filters.lists import ListSource, hash_material, read_lists
from filters.pdq import turned
from filters.rasters import AS_STORED, Raster
from filters.sample import Batch

_LEFT_TO_MATCH = 98.0  # percent of a picture: of those that lost 1 % at either end four in five still match


@dataclass(frozen=True, slots=True)
class PerceptualMatch:
    """Compare the PDQ of every raster, turned, mirrored and inverted, and its pHash, each with lists of its own kind.

    A finding's value is the distance in bits, of 256 for PDQ and of 64 where its form ends in "pHash". Of all matches
    with a category of a list the nearest of each kind is told, once for each classification of that entry.

    "partial" says, where nothing matches whole, that the picture seems to be cut out of a listed one, or to have one as
    a part: for a person to review, and never conclusive. "not-effective" says why no match means little here, with a
    value of 100: no raster has a PDQ of more than this quality (flat, blank or tiny pictures match nothing and
    anything), or no more than this percentage of the recorded original is left after a centre crop.

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
        """The categories of the lists, "partial" and "not-effective"."""
        return (*self.conclusive, PARTIAL, NOT_EFFECTIVE)

    @property
    def conclusive(self) -> tuple[str, ...]:
        """The categories of the lists."""
        return tuple(dict.fromkeys(label for source in self.lists for label in source.labels))

    @property
    def looks_at(self) -> str:
        """Fingerprints, which may be recorded where there is no picture."""
        return FINGERPRINTS

    def materials(self) -> tuple[Material, ...]:
        """Return the lists that hold PDQ or pHash; ListError when there are none, or one cannot be relied on."""
        return tuple(map(hash_material, read_lists(self.name, self.lists, PERCEPTUAL)))

    def load(self) -> Examine:
        """Return the function that matches; ListError as for `materials`."""
        lists = read_lists(self.name, self.lists, PERCEPTUAL, stamped=True)
        searches = [_Search(known, kind, table) for known in lists for kind, table in known.tables.items()]
        return lambda batch: _examined(self, batch, searches)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The hashes of one kind of all pictures of a batch, each with its sample and what it was taken of."""

    hashes: Hashes = field(repr=False)
    samples: NDArray[np.int64]
    forms: tuple[str, ...]
    reach: int  # bits
    label: str = ""  # of a match; empty for the category of the entry


class _Search:
    """One table of one list, indexed."""

    def __init__(self, known: HashList, kind: str, table: HashTable) -> None:
        self.kind = kind
        self._known = known
        self._table = table
        self._index = HammingIndex(table.values, table.tables)

    def found(self, name: str, asked: _Asked) -> Iterator[tuple[int, Finding]]:
        """Yield (sample, finding) of the nearest match of each sample and category."""
        pairs = self._index.nearest(asked.hashes, asked.reach, self._table.categories, len(self._known.categories))
        samples, categories = asked.samples[pairs.queries], self._table.categories[pairs.entries]
        order = np.lexsort((pairs.queries, pairs.distances, categories, samples))
        first = np.ones(len(order), dtype=bool)
        first[1:] = (np.diff(samples[order]) != 0) | (np.diff(categories[order].astype(np.int64)) != 0)
        for row in order[first]:
            form, distance = asked.forms[pairs.queries[row]], int(pairs.distances[row])
            for entry in self._table.alike(int(pairs.entries[row])):
                finding = self._finding(name, entry, distance, form)
                yield int(samples[row]), replace(finding, label=asked.label) if asked.label else finding

    def _finding(self, name: str, entry: int, distance: int, form: str) -> Finding:
        category = self._known.categories[self._table.categories[entry]]
        value = f"{self.kind}:{self._table.values[entry].tobytes().hex()}"
        said = self._known.classifications[self._table.classifications[entry]]
        return Finding(name, category, distance, self._known.name, value, form, classification=said)


def _examined(wanted: PerceptualMatch, batch: Batch, searches: Sequence[_Search]) -> list[tuple[Finding, ...]]:
    """Search for all samples at once: what several of them look up is fetched from memory once."""
    prints = [batch.fingerprints(row) for row in range(len(batch))]
    asked = {"pdq": _pdq_asked(prints, wanted), "phash": _phash_asked(prints, wanted)}
    findings: list[list[Finding]] = [[] for _ in range(len(batch))]
    for search in searches:
        for sample, finding in search.found(wanted.name, asked[search.kind]):
            findings[sample].append(finding)
    parts = _parts_asked([() if matched else some for matched, some in zip(findings, prints, strict=True)], wanted)
    for search in searches:
        for sample, finding in search.found(wanted.name, parts) if search.kind == "pdq" else ():
            findings[sample].append(finding)
    return [(*findings[row], *_doubts(wanted, batch, row)) for row in range(len(batch))]


def _pdq_asked(prints: Sequence[Sequence[Fingerprint]], wanted: PerceptualMatch) -> _Asked:
    """Return the PDQ hashes that can be relied on, turned, and their complements: the hashes of the inverted pictures.

    Those of another size are kept upright only, and turned here.
    """
    usable = _of_kind(prints, "pdq", wanted.min_quality)
    stored = _asked([each for each in usable if SIZED not in each[1].form], PERCEPTUAL["pdq"], wanted.max_pdq_bits)
    sized = _asked([each for each in usable if SIZED in each[1].form], PERCEPTUAL["pdq"], wanted.max_pdq_bits)
    hashes = np.concatenate((stored.hashes, turned(sized.hashes).reshape(-1, PERCEPTUAL["pdq"])))
    samples = np.concatenate((stored.samples, np.repeat(sized.samples, len(DIHEDRAL))))
    forms = (*stored.forms, *(f"{form}, {turn}" if turn else form for form in sized.forms for turn in DIHEDRAL))
    return _Asked(
        np.concatenate((hashes, ~hashes)),
        np.concatenate((samples, samples)),
        (*forms, *(f"{form}, inverted" for form in forms)),
        wanted.max_pdq_bits,
    )


def _phash_asked(prints: Sequence[Sequence[Fingerprint]], wanted: PerceptualMatch) -> _Asked:
    usable = [(row, replace(each, form=f"{each.form}, pHash")) for row, each in _of_kind(prints, "phash", 0)]
    return _asked(usable, PERCEPTUAL["phash"], wanted.max_phash_bits)


def _parts_asked(prints: Sequence[Sequence[Fingerprint]], wanted: PerceptualMatch) -> _Asked:
    usable = _of_kind(prints, PART, wanted.min_quality)
    return replace(_asked(usable, PERCEPTUAL["pdq"], wanted.max_pdq_bits), label=PARTIAL)


def _of_kind(prints: Sequence[Sequence[Fingerprint]], kind: str, least: int) -> list[tuple[int, Fingerprint]]:
    return [
        (row, each)
        for row, some in enumerate(prints)
        for each in some
        if each.kind == kind and (each.quality or 0) >= least
    ]


def _asked(usable: Sequence[tuple[int, Fingerprint]], size: int, reach: int) -> _Asked:
    hashes = np.frombuffer(b"".join(each.value for _, each in usable), dtype=np.uint8).reshape(-1, size)
    samples = np.array([row for row, _ in usable], dtype=np.int64)
    return _Asked(hashes, samples, tuple(each.form for _, each in usable), reach)


def _doubts(wanted: PerceptualMatch, batch: Batch, row: int) -> Iterator[Finding]:
    pictures = batch.rasters(row)
    if pictures.unexamined or not pictures.rasters:
        yield Finding(wanted.name, "unexamined", unexamined=pictures.unexamined or "no image")
    best = max((each.quality or 0 for each in batch.fingerprints(row) if each.kind == "pdq"), default=0)
    if pictures.rasters and best < wanted.min_quality:
        yield Finding(wanted.name, NOT_EFFECTIVE, best, form="low quality")
    left = _left(pictures.rasters, batch.samples[row].meta)
    if left <= _LEFT_TO_MATCH:
        yield Finding(wanted.name, NOT_EFFECTIVE, left, form="cropped")


def _left(rasters: Sequence[Raster], meta: Mapping[str, Any]) -> float:
    """Return the percentage of the recorded original that the stored picture shows, of 100."""
    stored = [raster for raster in rasters if raster.form.endswith(AS_STORED)]
    if len(stored) != 1 or any(raster.form.endswith(UNPADDED) for raster in rasters):
        return 100.0
    height, width = stored[0].pixels.shape[:2]
    return round(100 * kept((width, height), meta), 1)
