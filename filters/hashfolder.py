"""The compiled form of a hash list: a folder of arrays that all processes of a machine map and share.

It holds list.json, which pins every other file by its digest, and per algorithm <algorithm>.values.npy, .categories.npy
and .classifications.npy, and for long perceptual lists .cells.npy, .slots.npy and .more.npy (filters.bandtables).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from filters.bands import SMALL
from filters.bandtables import Tables, fitting, tables
from filters.compiledfolder import write_arrays, write_record
from filters.fingerprints import PERCEPTUAL
from filters.hashtables import HashList, HashTable, as_strings
from filters.hashvalues import Lengths
from filters.listsource import COMPILED, ListSource, refusal
from filters.pins import refuse_changed

_FORMAT = 2  # raise it with every change of a file, or of what filters.bands makes of a number of entries
_REBUILD = "Build it again with `shardwall list build`"
_COLUMNS = {"values": np.uint8, "categories": np.uint16, "classifications": np.uint32}
_TABLES = {"cells": np.uint64, "slots": np.uint32, "more": np.uint32}


def write_folder(folder: Path, found: HashList, authority: str) -> None:
    """Write the list into an empty folder, for its owner's eyes only; OSError when that fails."""
    files: dict[str, str] = {}
    for kind, table in found.tables.items():
        arrays: dict[str, NDArray[Any]] = {part: getattr(table, part) for part in _COLUMNS}
        if kind in PERCEPTUAL and len(table) > SMALL:
            made = table.tables or tables(table.values)
            arrays |= {part: getattr(made, part) for part in _TABLES}
        files |= write_arrays(folder, {f"{kind}.{part}": content for part, content in arrays.items()})
    record = {
        "format": _FORMAT,
        "name": found.name,
        "authority": authority,
        "version": found.version,
        "date": found.date,
        "source_sha256": found.sha256,
        "categories": found.categories,
        "classifications": found.classifications,
        "entries": dict(found.entries),
        "files": files,
    }
    write_record(folder, record)


def read_folder(source: ListSource, stamped: bool = False) -> HashList:
    """Map the folder; ListError when it is incomplete, changed, of another version or none of ours.

    With `stamped`, files that did not change since they were last read in full (filters.pins) are not read again.
    """
    folder = Path(source.path)
    try:
        text = (folder / COMPILED).read_bytes()
        record = json.loads(text)
        if record["format"] != _FORMAT:
            raise ValueError("another format")
        refuse_changed(folder, record["files"], stamped)
        found = HashList(
            name=source.name,
            version=_agreed(source, "version", record),
            date=_agreed(source, "date", record),
            sha256=hashlib.sha256(text).hexdigest(),
            categories=_strings(record["categories"]),
            classifications=_strings(record["classifications"]),
            tables=_tables(folder, record, stamped),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, IndexError, RecursionError) as error:
        raise refusal(source, f"its folder is incomplete or changed ({type(error).__name__}). {_REBUILD}") from None
    if not set(found.categories) <= set(source.labels):
        raise refusal(source, "its folder has a category that `categories` does not declare")
    if not found.tables:
        raise refusal(source, f"it has no entry of a kind that is matched here. {_REBUILD}")
    return found


def _agreed(source: ListSource, name: str, record: Mapping[str, Any]) -> str:
    """Return the version or date of the folder; the policy may repeat it, but not say otherwise."""
    said, built = str(getattr(source, name)), str(record[name])
    if said and built and said != built:
        raise refusal(source, f"its folder was built of another {name} than the policy says. {_REBUILD}")
    return said or built


def _strings(told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise ValueError("not a list of strings")
    return tuple(told)


def _tables(folder: Path, record: Mapping[str, Any], stamped: bool) -> dict[str, HashTable]:
    """Map the arrays of every algorithm that can be matched; the hash of another may be plugged in some day."""
    lengths = Lengths()
    mapped = {kind: _mapped(folder, kind, record, stamped) for kind in record["entries"]}
    if any(table.values.shape[1] != lengths.get(kind, table.values.shape[1]) for kind, table in mapped.items()):
        raise ValueError("values of another length")
    return {kind: table for kind, table in mapped.items() if kind in lengths}


def _mapped(folder: Path, kind: str, record: Mapping[str, Any], stamped: bool) -> HashTable:
    """Map the arrays of one algorithm; where they were just read in full, look into them as well."""
    count = record["entries"][kind]
    columns = {part: _array(folder, kind, part, record) for part in _COLUMNS}
    shapes = {"values": (count, *columns["values"].shape[1:2]), "categories": (count,), "classifications": (count,)}
    if not count or columns["values"].ndim != 2 or any(columns[part].shape != shape for part, shape in shapes.items()):
        raise ValueError("another number of entries")
    made = None
    if f"{kind}.cells.npy" in record["files"]:
        made = Tables(**{part: _array(folder, kind, part, record) for part in _TABLES})
    elif kind in PERCEPTUAL and count > SMALL:
        raise ValueError("no tables")
    if not stamped:
        values = as_strings(columns["values"])
        if (values[:-1] > values[1:]).any():
            raise ValueError("values in no order")
        if made:
            fitting(made, columns["values"])
        for part in ("categories", "classifications"):
            if columns[part].max() >= len(record[part]):
                raise ValueError("a number that stands for nothing")
    return HashTable(**columns, tables=made)


def _array(folder: Path, kind: str, part: str, record: Mapping[str, Any]) -> NDArray[Any]:
    name = f"{kind}.{part}.npy"
    if name not in record["files"]:
        raise ValueError("a file that nothing pins")
    found: NDArray[Any] = open_memmap(folder / name, mode="r")
    if found.dtype != (_COLUMNS | _TABLES)[part] or not found.flags.c_contiguous:
        raise ValueError("another kind of array")
    return found
