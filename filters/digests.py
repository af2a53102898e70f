"""Exact match: is a file, or the original it was made from, byte for byte on a hash list?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from filters.finding import FINGERPRINTS, Examine, Finding, Material
from filters.fingerprints import DIGESTS, Fingerprint
from filters.hashlists import HashList, as_strings
from filters.lists import ListSource, hash_material, read_lists
from filters.rasters import NO_IMAGE
from filters.sample import Batch

NO_DIGEST = "no digest that the lists can match"


@dataclass(frozen=True, slots=True)
class DigestMatch:
    """Compare every MD5, SHA-1 and SHA-256 of a sample with hash lists.

    A match is certain, so it is conclusive. A sample that has no digest of a kind that some list holds (no file, no
    recorded original) was not examined.
    """

    name: Literal["digests"] = "digests"
    lists: tuple[ListSource, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories of the lists."""
        return tuple(dict.fromkeys(label for source in self.lists for label in source.labels))

    @property
    def conclusive(self) -> tuple[str, ...]:
        """Every label."""
        return self.labels

    @property
    def looks_at(self) -> str:
        """Fingerprints, which may be recorded where there is no picture."""
        return FINGERPRINTS

    def materials(self) -> tuple[Material, ...]:
        """Return the lists that hold digests; ListError when there are none, or one cannot be relied on."""
        return tuple(map(hash_material, read_lists(self.name, self.lists, DIGESTS)))

    def load(self) -> Examine:
        """Return the function that matches; ListError as for `materials`."""
        lists = read_lists(self.name, self.lists, DIGESTS, stamped=True)
        return lambda batch: _examine(self.name, batch, lists)


def _examine(name: str, batch: Batch, lists: Sequence[HashList]) -> list[tuple[Finding, ...]]:
    """Look up all digests of a batch at once; of rows without a listed one, those of the same kinds are found alike."""
    rows = [[each for each in batch.fingerprints(row) if each.kind in DIGESTS] for row in range(len(batch))]
    listed = {value for known in lists for kind in known.tables for value in _listed(rows, kind, known)}
    alike: dict[tuple[str, ...], tuple[Finding, ...]] = {}
    found = []
    for digests in rows:
        kinds = tuple([each.kind for each in digests])
        if listed and any(each.value in listed for each in digests):
            found.append(_findings(name, digests, lists))
        elif kinds in alike:
            found.append(alike[kinds])
        else:
            found.append(alike.setdefault(kinds, _findings(name, digests, lists)))
    return found


def _listed(rows: Sequence[Sequence[Fingerprint]], kind: str, known: HashList) -> set[bytes]:
    """Return the digests of this kind that a list holds."""
    wanted = [each.value for digests in rows for each in digests if each.kind == kind]
    values = known.tables[kind].values
    if kind not in DIGESTS or not wanted or not len(values):
        return set()
    asked = np.frombuffer(b"".join(wanted), np.uint8).reshape(-1, values.shape[1])
    entries, strings = as_strings(values), as_strings(asked)
    places = np.minimum(np.searchsorted(entries, strings), len(entries) - 1)
    return {wanted[place] for place in np.flatnonzero(entries[places] == strings).tolist()}


def _findings(name: str, digests: Sequence[Fingerprint], lists: Sequence[HashList]) -> tuple[Finding, ...]:
    """Return the findings of one sample."""
    kinds = {each.kind for each in digests}
    findings = [finding for known in lists for finding in _matches(name, digests, known)]
    if any(kinds.isdisjoint(known.tables) for known in lists):
        why = NO_DIGEST if digests else NO_IMAGE
        findings.append(Finding(name, "unexamined", unexamined=why))
    return tuple(findings)


def _matches(name: str, digests: Sequence[Fingerprint], known: HashList) -> Iterator[Finding]:
    for each in digests:
        if each.kind not in known.tables:
            continue
        table = known.tables[each.kind]
        values = as_strings(table.values)
        first, last = np.searchsorted(values, each.value, "left"), np.searchsorted(values, each.value, "right")
        for row in range(first, last):
            category, said = known.categories[table.categories[row]], known.classifications[table.classifications[row]]
            entry = f"{each.kind}:{each.value.hex()}"
            yield Finding(name, category, source=known.name, entry=entry, form=each.form, classification=said)
