"""A hash list in the form that is searched: sorted arrays, one table per algorithm."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.bands import Hashes
from filters.bandtables import Tables


@dataclass(frozen=True, slots=True, eq=False)
class HashTable:
    """The entries of one algorithm: uint8 (n, bytes), sorted, each with the numbers of its category and classification.

    `tables` serve the search for near values; they are made for long perceptual lists alone.
    """

    values: Hashes = field(repr=False)
    categories: NDArray[np.uint16] = field(repr=False)
    classifications: NDArray[np.uint32] = field(repr=False)
    tables: Tables | None = field(default=None, repr=False)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.values)

    def alike(self, entry: int) -> range:
        """Return the entries, from this one on, with its value and category: an authority may class one hash twice."""
        last = entry + 1
        while (
            last < len(self)
            and self.categories[last] == self.categories[entry]
            and bool((self.values[last] == self.values[entry]).all())
        ):
            last += 1
        return range(entry, last)


@dataclass(frozen=True, slots=True, eq=False)
class HashList:
    """A hash list by algorithm; its tables number `categories`, the labels, and `classifications`.

    A classification is what the authority says of an entry, word for word, and mostly empty. `sha256` is the hex digest
    of the text file as it was read, or of the list.json that pins the files of a folder.
    """

    name: str
    version: str
    date: str
    sha256: str = field(repr=False)
    categories: tuple[str, ...]
    classifications: tuple[str, ...] = field(repr=False)
    tables: Mapping[str, HashTable] = field(repr=False)

    @property
    def entries(self) -> tuple[tuple[str, int], ...]:
        """The number of entries of each algorithm."""
        return tuple((algorithm, len(table)) for algorithm, table in self.tables.items())


class Gathering:
    """The entries of one algorithm while a list is read, before they are sorted."""

    def __init__(self, size: int) -> None:
        """Begin without an entry; `size` is the bytes of a value."""
        self._size = size
        self._values = bytearray()
        self._categories = array("H")
        self._classifications = array("I")

    def add(self, value: bytes, category: int, classification: int) -> None:
        """Take an entry, with the numbers of its category and classification."""
        self._values += value
        self._categories.append(category)
        self._classifications.append(classification)

    def table(self, renumbered: NDArray[np.uint32]) -> HashTable:
        """Return the entries in the order of value, category and classification, each once.

        `renumbered` has the number of a classification at the place of the one it was added with.
        """
        rows = np.frombuffer(self._values, dtype=np.uint8).reshape(-1, self._size)
        categories = np.array(self._categories, dtype=np.uint16)
        classifications = renumbered[np.array(self._classifications, dtype=np.int64)]
        keys: list[NDArray[Any]] = [classifications, categories, *_numbers(rows)]
        order = np.lexsort(keys)
        rows, categories, classifications = rows[order], categories[order], classifications[order]
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
        new[1:] |= (categories[1:] != categories[:-1]) | (classifications[1:] != classifications[:-1])
        return HashTable(rows[new], categories[new], classifications[new])


def as_strings(rows: Hashes) -> NDArray[np.bytes_]:
    """Return the rows as fixed-width byte strings, which compare as the rows do; shape (n,)."""
    return np.ascontiguousarray(rows).view(f"S{rows.shape[1]}").ravel()


def _numbers(rows: Hashes) -> list[NDArray[np.uint32]]:
    """Return the rows as columns of numbers, the least significant first: they sort many times faster than strings."""
    whole = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    columns: NDArray[np.uint32] = np.ascontiguousarray(whole[:, ::-1]).view("<u4")
    return [columns[:, place] for place in range(columns.shape[1])]
