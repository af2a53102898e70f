"""URL lists, as an authority gave them or compiled: read, looked over, and built into the form that is mapped."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date as day
from pathlib import Path

from filters.canaries import Canaries
from filters.listrows import Fault
from filters.listsource import COMPILED, ListSource, age_days, refusal, staleness
from filters.urlentries import MATCHES, EntryError, Names, entry_names
from filters.urlfolder import UrlList, read_folder, write_folder
from filters.urlkeys import list_key, made_key
from filters.urlreading import UrlReading
from filters.urltables import KEY_BYTES, hashes_of

_OF_THIS_PROCESS = secrets.token_bytes(KEY_BYTES)  # keys what is read from text, and is never written anywhere


@dataclass(frozen=True, slots=True)
class UrlHealth:
    """A URL list with all that can be said of it without showing it.

    `problem` says why a run would refuse it, and is empty when none would; `left_out` are lines whose form cannot be
    honoured, which is no fault.
    """

    found: UrlList
    faults: tuple[Fault, ...]
    left_out: tuple[Fault, ...]
    age_days: int | None
    problem: str


def read_urls(source: ListSource, today: day | None = None, stamped: bool = False) -> UrlList:
    """Read a URL list, text or compiled; ListError when a run cannot rely on it.

    With `stamped`, a compiled list that did not change since it was last read in full is not read in full again.
    """
    health = look_over(source, today, stamped)
    if health.problem:
        raise refusal(source, health.problem)
    return health.found


def look_over(source: ListSource, today: day | None = None, stamped: bool = False) -> UrlHealth:
    """Read the whole list and tell how it is; ListError only when it cannot be read at all."""
    if source.kind != "urls":
        raise refusal(source, f'it is a list of {source.kind}, and URLs are wanted. Set kind = "urls"')
    faults: tuple[Fault, ...] = ()
    left_out: tuple[Fault, ...] = ()
    problem = ""
    if _is_compiled(source):
        found = read_folder(source, list_key(source), stamped)
    else:
        reading = UrlReading(source)
        found = reading.read(_OF_THIS_PROCESS)
        faults, left_out, problem = reading.faults, reading.left_out, reading.problem
    age = age_days(source, found.date, today)
    problems = (problem, _canary_problem(source, found), staleness(source, age))
    return UrlHealth(found, faults, left_out, age, ". ".join(filter(None, problems)))


def build_urls(source: ListSource, folder: str) -> UrlList:
    """Compile the text of a URL list into a new folder, which only its owner can read; return what it holds.

    The key is the one that the list names; its file is made where there is none. The folder appears under its name
    when it is complete. ListError when the list is faulty or the folder exists.
    """
    target, partial = Path(folder), Path(f"{folder.rstrip('/')}.partial-{os.getpid()}")
    if _is_compiled(source):
        raise refusal(source, "it is compiled already, and only text is compiled. Name the text as its `path`")
    if target.exists():
        raise refusal(source, "the folder to build it in exists already. Name a new one")
    reading = UrlReading(source)
    found = reading.read(made_key(replace(source, path=str(target.absolute()))))
    if problem := reading.problem or _canary_problem(source, found):
        raise refusal(source, problem)
    try:
        partial.mkdir(mode=0o700, parents=True)
        write_folder(partial, found, source.authority)
        partial.rename(target)
    except OSError as error:
        raise refusal(source, f"its folder cannot be written ({type(error).__name__}). Name another one") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return read_folder(replace(source, path=str(target)), found.key)


def _is_compiled(source: ListSource) -> bool:
    compiled = (Path(source.path) / COMPILED).exists()
    if Path(source.path).is_dir() and source.format != "ut1" and not compiled:
        raise refusal(source, 'it is a folder, and no list was built in it. Name a file, or set format = "ut1"')
    return compiled


def _canary_problem(source: ListSource, found: UrlList) -> str:
    """Return why a list that was read is not the one it should be; else nothing."""
    canaries = Canaries(source)
    for value in canaries.values:
        if any(_holds(found, names) for names in _ways(value)):
            canaries.see("", value)
    return canaries.problem


def _ways(value: str) -> Iterator[Names]:
    """Yield the names of a canary, for each way in which an entry may be meant."""
    for match in ("", *MATCHES):
        with suppress(EntryError):
            yield entry_names(value, match)


def _holds(found: UrlList, names: Names) -> bool:
    places = [place for place, _ in found.table.find(hashes_of(found.key, names))]
    return len(places) == len(names)
