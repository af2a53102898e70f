"""Hash lists in the form that is searched: sorted arrays, read from text or mapped from a compiled folder.

A folder holds list.json and, per algorithm, <algorithm>.values.npy and .categories.npy, and for long perceptual lists
.starts.npy and .ids.npy (filters.hamming.Tables). All processes of a machine share its pages.
"""

import hashlib
import json
import os
import shutil
from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date as day
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.fingerprints import DIGESTS, PERCEPTUAL
from filters.hamming import SMALL, Hashes, Tables, tables
from filters.listfile import Reading
from filters.listsource import ListSource, age_days, refusal, staleness

RECORD = "list.json"
_FORMAT = 1
_BYTES = {**DIGESTS, **PERCEPTUAL}
_REBUILD = "Build it again with `shardwall list build`"


@dataclass(frozen=True, slots=True, eq=False)
class HashTable:
    """The entries of one algorithm: uint8 (n, bytes), sorted, and for each the number of its category."""

    values: Hashes = field(repr=False)
    categories: NDArray[np.uint16] = field(repr=False)
    tables: Tables | None = field(default=None, repr=False)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class HashList:
    """A hash list by algorithm; `categories` are the labels that its tables number.

    `sha256` is the hex digest of the text file as it was read, or of the list.json that pins the files of a folder.
    """

    name: str
    version: str
    date: str
    sha256: str = field(repr=False)
    categories: tuple[str, ...]
    tables: Mapping[str, HashTable] = field(repr=False)

    @property
    def entries(self) -> tuple[tuple[str, int], ...]:
        """The number of entries of each algorithm."""
        return tuple((algorithm, len(table)) for algorithm, table in self.tables.items())


def read_hashes(source: ListSource, today: day | None = None) -> HashList:
    """Read a hash list, text or compiled; ListError when it is missing, empty, stale, malformed or not of hashes."""
    if source.kind != "hashes":
        raise refusal(source, f'it is a list of {source.kind}, and hashes are wanted. Set kind = "hashes"')
    found = _read_folder(source) if Path(source.path).is_dir() else _from_text(source)
    if why := staleness(source, age_days(source, found.date, today)):
        raise refusal(source, why)
    return found


def build(source: ListSource, folder: str) -> HashList:
    """Compile the text of a hash list into a new folder, which only its owner can read; return what it holds.

    The folder appears under its name when it is complete. ListError when the list is faulty or the folder exists. The
    age of the list is no matter here: it is checked when the folder is used.
    """
    target, partial = Path(folder), Path(f"{folder.rstrip('/')}.partial-{os.getpid()}")
    if source.kind != "hashes" or Path(source.path).is_dir():
        raise refusal(source, "only the text of a hash list is compiled; other lists are used as they are")
    if target.exists():
        raise refusal(source, "the folder to build it in exists already. Name a new one")
    found = _from_text(source)
    try:
        partial.mkdir(mode=0o700, parents=True)
        _write_folder(partial, found, source.authority)
        partial.rename(target)
    except OSError as error:
        raise refusal(source, f"its folder cannot be written ({type(error).__name__}). Name another one") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return _read_folder(replace(source, path=str(target)))


def _from_text(source: ListSource) -> HashList:
    reading = Reading(source)
    values: defaultdict[str, bytearray] = defaultdict(bytearray)
    numbers: defaultdict[str, array[int]] = defaultdict(lambda: array("H"))
    labels = {label: number for number, label in enumerate(source.labels)}
    for row in reading:
        values[row.algorithm] += bytes.fromhex(row.value)
        numbers[row.algorithm].append(labels[row.category])
    if reading.problem:
        raise refusal(source, reading.problem)
    found = {kind: _table(values[kind], numbers[kind], _BYTES[kind]) for kind in _BYTES if kind in values}
    return HashList(source.name, source.version, source.date, reading.sha256, source.labels, found)


def _table(values: bytearray, numbers: "array[int]", size: int) -> HashTable:
    """Sort the entries by value and category, and keep each once."""
    rows = np.frombuffer(bytes(values), dtype=np.uint8).reshape(-1, size)
    categories = np.array(numbers, dtype=np.uint16)
    order = np.lexsort((categories, as_strings(rows)))
    rows, categories = rows[order], categories[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1) | (categories[1:] != categories[:-1])
    return HashTable(rows[new], categories[new])


def as_strings(rows: Hashes) -> NDArray[np.bytes_]:
    """Return the rows as fixed-width byte strings, which compare as the rows do; shape (n,)."""
    return np.ascontiguousarray(rows).view(f"S{rows.shape[1]}").ravel()


def _write_folder(folder: Path, found: HashList, authority: str) -> None:
    files = {}
    for kind, table in found.tables.items():
        arrays: dict[str, NDArray[Any]] = {"values": table.values, "categories": table.categories}
        if kind in PERCEPTUAL and len(table) > SMALL:
            made = tables(table.values)
            arrays |= {"starts": made.starts, "ids": made.ids}
        for part, content in arrays.items():
            path = folder / f"{kind}.{part}.npy"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                np.save(file, content, allow_pickle=False)
            files[path.name] = _digest(path)
    record = {
        "format": _FORMAT,
        "name": found.name,
        "authority": authority,
        "version": found.version,
        "date": found.date,
        "source_sha256": found.sha256,
        "categories": found.categories,
        "entries": dict(found.entries),
        "files": files,
    }
    with os.fdopen(os.open(folder / RECORD, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(record, file, indent=1, sort_keys=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_folder(source: ListSource) -> HashList:
    folder = Path(source.path)
    try:
        text = (folder / RECORD).read_bytes()
        record = json.loads(text)
        if record["format"] != _FORMAT or any(_digest(folder / name) != sha for name, sha in record["files"].items()):
            raise ValueError
        found = HashList(
            name=source.name,
            version=_agreed(source, "version", record),
            date=_agreed(source, "date", record),
            sha256=hashlib.sha256(text).hexdigest(),
            categories=tuple(record["categories"]),
            tables={kind: _mapped(folder, kind, record) for kind in record["entries"]},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise refusal(source, f"its folder is incomplete or changed ({type(error).__name__}). {_REBUILD}") from None
    if not set(found.categories) <= set(source.labels):
        raise refusal(source, "its folder has a category that `categories` does not declare")
    if not found.tables:
        raise refusal(source, f"it has no entry. {_REBUILD}")
    return found


def _agreed(source: ListSource, name: str, record: Mapping[str, Any]) -> str:
    """Return the version or date of the folder; the policy may repeat it, but not say otherwise."""
    said, built = str(getattr(source, name)), str(record[name])
    if said and built and said != built:
        raise refusal(source, f"its folder was built of another {name} than the policy says. {_REBUILD}")
    return said or built


def _mapped(folder: Path, kind: str, record: Mapping[str, Any]) -> HashTable:
    arrays = {
        part: np.load(folder / f"{kind}.{part}.npy", mmap_mode="r", allow_pickle=False)
        for part in ("values", "categories", "starts", "ids")
        if f"{kind}.{part}.npy" in record["files"]
    }
    values, categories = arrays["values"], arrays["categories"]
    if values.shape != (record["entries"][kind], _BYTES[kind]) or categories.shape != values.shape[:1]:
        raise ValueError
    return HashTable(values, categories, Tables(arrays["starts"], arrays["ids"]) if "ids" in arrays else None)
