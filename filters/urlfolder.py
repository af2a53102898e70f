"""The compiled form of a URL list: a folder of arrays that all processes of a machine map and share.

It holds list.json, which pins every other file by its digest, and hashes.npy, owners.npy, starts.npy and hosts.npy
(filters.urltables). No entry is in it, not even hashed without the key, which lies elsewhere (filters.urlkeys).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from filters.compiledfolder import write_arrays, write_record
from filters.listsource import COMPILED, ListSource, refusal
from filters.pins import refuse_changed
from filters.urlkeys import fingerprint
from filters.urltables import UrlTable, starts_of

_FORMAT = "urls-1"  # raise it with every change of a file, of a name or of a hash
_REBUILD = "Build it again with `shardwall list build`"
_COLUMNS = {"hashes": np.uint64, "owners": np.uint32, "starts": np.uint32, "hosts": np.uint64}
_LONGEST_NETWORK = 128


@dataclass(frozen=True, slots=True, eq=False)
class UrlList:
    """A URL list; its table numbers `said`, pairs of the category and the authority's classification, word for word.

    `entries` counts by category. `networks` are the (IP version, prefix length) that some entry has, and `digests` says
    whether some came hashed. `sha256` is the hex digest of the text as it was read, or of the list.json.
    """

    name: str
    version: str
    date: str
    sha256: str = field(repr=False)
    key: bytes = field(repr=False)
    said: tuple[tuple[str, str], ...] = field(repr=False)
    entries: tuple[tuple[str, int], ...]
    networks: tuple[tuple[int, int], ...]
    digests: bool
    table: UrlTable = field(repr=False)


def write_folder(folder: Path, found: UrlList, authority: str) -> None:
    """Write the list into an empty folder, for its owner's eyes only; OSError when that fails."""
    files = write_arrays(folder, {part: getattr(found.table, part) for part in _COLUMNS})
    record = {
        "format": _FORMAT,
        "name": found.name,
        "authority": authority,
        "version": found.version,
        "date": found.date,
        "source_sha256": found.sha256,
        "key": fingerprint(found.key),
        "said": found.said,
        "entries": dict(found.entries),
        "networks": found.networks,
        "digests": found.digests,
        "files": files,
    }
    write_record(folder, record)


def read_folder(source: ListSource, key: bytes, stamped: bool = False) -> UrlList:
    """Map the folder; ListError when it is incomplete, changed, of another version or key, or none of ours.

    With `stamped`, files that did not change since they were last read in full (filters.pins) are not read again.
    """
    folder = Path(source.path)
    try:
        text = (folder / COMPILED).read_bytes()
        record = json.loads(text)
        if record["format"] != _FORMAT:
            raise ValueError("another format")
        if set(record["files"]) != {f"{part}.npy" for part in _COLUMNS}:
            raise ValueError("other files")
        refuse_changed(folder, record["files"], stamped)
        found = _found(source, record, hashlib.sha256(text).hexdigest(), _mapped(folder), key)
        other_key = record["key"] != fingerprint(key)
        if not stamped:
            _refuse_unfit(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, IndexError, RecursionError) as error:
        raise refusal(source, f"its folder is incomplete or changed ({type(error).__name__}). {_REBUILD}") from None
    if other_key:
        raise refusal(source, f"its `key` is not the one that it was built with. Bring that one. {_REBUILD} otherwise")
    if not {category for category, _ in found.said} <= set(source.labels):
        raise refusal(source, "its folder has a category that `categories` does not declare")
    if not len(found.table) or not found.entries:
        raise refusal(source, f"it has no entry. {_REBUILD}")
    return found


def _found(source: ListSource, record: Mapping[str, Any], sha256: str, table: UrlTable, key: bytes) -> UrlList:
    return UrlList(
        name=source.name,
        version=_agreed(source, "version", record),
        date=_agreed(source, "date", record),
        sha256=sha256,
        key=key,
        said=tuple((str(category), str(classification)) for category, classification in record["said"]),
        entries=tuple(sorted((str(category), int(count)) for category, count in record["entries"].items())),
        networks=tuple((int(version), int(length)) for version, length in record["networks"]),
        digests=bool(record["digests"]),
        table=table,
    )


def _agreed(source: ListSource, name: str, record: Mapping[str, Any]) -> str:
    """Return the version or date of the folder; the policy may repeat it, but not say otherwise."""
    said, built = str(getattr(source, name)), str(record[name])
    if said and built and said != built:
        raise refusal(source, f"its folder was built of another {name} than the policy says. {_REBUILD}")
    return said or built


def _mapped(folder: Path) -> UrlTable:
    columns: dict[str, NDArray[Any]] = {}
    for part, kind in _COLUMNS.items():
        columns[part] = open_memmap(folder / f"{part}.npy", mode="r")
        if columns[part].dtype != kind or not columns[part].flags.c_contiguous or columns[part].ndim != 1:
            raise ValueError("another kind of array")
    return UrlTable(**columns)


def _refuse_unfit(found: UrlList) -> None:
    table = found.table
    if len(table.owners) != len(table) or (len(table) and table.owners.max() >= len(found.said)):
        raise ValueError("a number that stands for nothing")
    if (table.hashes[:-1] > table.hashes[1:]).any() or not np.array_equal(table.starts, starts_of(table.hashes)):
        raise ValueError("hashes in no order")
    if not len(table.hosts) or len(table.hosts) & len(table.hosts) - 1 or len(table.hosts) % 8:
        raise ValueError("hosts of another size")
    if not all(version in (4, 6) and 0 <= length <= _LONGEST_NETWORK for version, length in found.networks):
        raise ValueError("no networks")
