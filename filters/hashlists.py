"""Hash lists, as an authority gave them or compiled: read, and built into the form that is mapped."""

import os
import shutil
from dataclasses import replace
from datetime import date as day
from pathlib import Path

import numpy as np

from filters.hashfolder import read_folder, write_folder
from filters.hashtables import Gathering, HashList, HashTable, as_strings
from filters.listfile import Reading
from filters.listformats import as_fetched
from filters.listsource import ListSource, age_days, refusal, staleness

__all__ = ["HashList", "HashTable", "as_strings", "build", "read_hashes"]


def read_hashes(source: ListSource, today: day | None = None, stamped: bool = False) -> HashList:
    """Read a hash list, text or compiled; ListError when it is missing, empty, stale, malformed or not of hashes.

    With `stamped`, a compiled list that did not change since it was last read in full is not read in full again: for
    workers, after the run has looked at it.
    """
    if source.kind != "hashes":
        raise refusal(source, f'it is a list of {source.kind}, and hashes are wanted. Set kind = "hashes"')
    source = as_fetched(source)
    found = read_folder(source, stamped) if source.compiled else _from_text(source)
    if why := staleness(source, age_days(source, found.date, today)):
        raise refusal(source, why)
    return found


def build(source: ListSource, folder: str) -> HashList:
    """Compile the text of a hash list into a new folder, which only its owner can read; return what it holds.

    The folder appears under its name when it is complete. ListError when the list is faulty or the folder exists. The
    age of the list is no matter here: it is checked when the folder is used.
    """
    target, partial = Path(folder), Path(f"{folder.rstrip('/')}.partial-{os.getpid()}")
    source = as_fetched(source)
    if source.kind != "hashes" or source.compiled:
        raise refusal(source, "only the text of a hash list is compiled; other lists are used as they are")
    if target.exists():
        raise refusal(source, "the folder to build it in exists already. Name a new one")
    found = _from_text(source)
    try:
        partial.mkdir(mode=0o700, parents=True)
        write_folder(partial, found, source.authority)
        partial.rename(target)
    except OSError as error:
        raise refusal(source, f"its folder cannot be written ({type(error).__name__}). Name another one") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return read_folder(replace(source, path=str(target)))


def _from_text(source: ListSource) -> HashList:
    reading = Reading(source)
    gathered: dict[str, Gathering] = {}
    labels = {label: number for number, label in enumerate(source.labels)}
    said: dict[str, int] = {}
    for row in reading:
        number = said.setdefault(row.classification, len(said))
        value = bytes.fromhex(row.value)
        if row.algorithm not in gathered:
            gathered[row.algorithm] = Gathering(len(value))
        gathered[row.algorithm].add(value, labels[row.category], number)
    if reading.problem:
        raise refusal(source, reading.problem)
    classifications = sorted(said)  # so that the order of lines does not matter
    renumbered = np.empty(len(said), dtype=np.uint32)
    renumbered[[said[each] for each in classifications]] = np.arange(len(said), dtype=np.uint32)
    found = {kind: gathered[kind].table(renumbered) for kind in sorted(gathered)}
    return HashList(
        source.name, source.version, source.date, reading.sha256, source.labels, tuple(classifications), found
    )
