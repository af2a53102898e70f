"""Hash lists, URL blocklists and term lists, read strictly: a list that cannot be relied on stops the run.

No message and no repr here holds an entry: faults are told by the list's name and by line numbers.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as day

import numpy as np

from filters.canaries import Canaries
from filters.errors import ListError
from filters.finding import Material
from filters.hashlists import HashList, HashTable, as_strings, read_hashes
from filters.hashlists import build as build_hashes
from filters.listfile import Reading
from filters.listformats import as_fetched
from filters.listrows import Fault, Row
from filters.listsource import ListSource, age_days, refusal, staleness
from filters.urlfolder import UrlList
from filters.urllists import build_urls, look_over

__all__ = [
    "Fault",
    "HashList",
    "HashTable",
    "ListHealth",
    "ListSource",
    "Row",
    "build",
    "check",
    "hash_material",
    "material",
    "no_list",
    "read_hashes",
    "read_lists",
    "read_rows",
    "url_material",
]


@dataclass(frozen=True, slots=True)
class ListHealth:
    """What can be said of a list without showing it.

    `entries` counts by algorithm for hashes, by category otherwise; `age_days` is None for a list without a date;
    `problem` says why a run would refuse the list, and is empty when none would. `withdrawn` counts entries that left
    it; `unmatched` those hashes, by algorithm, that nothing here can match, and as "none" entries without a hash;
    `remarks` what no run minds, and somebody may not have meant.
    `left_out` lines of a URL list whose form cannot be honoured, such as exceptions. Neither is a fault.
    """

    name: str
    entries: tuple[tuple[str, int], ...]
    faults: tuple[Fault, ...]
    age_days: int | None
    problem: str
    sha256: str = field(repr=False)
    withdrawn: int = 0
    unmatched: tuple[tuple[str, int], ...] = ()
    remarks: tuple[Fault, ...] = ()
    left_out: tuple[Fault, ...] = ()


def read_rows(source: ListSource, today: day | None = None) -> Iterator[Row]:
    """Yield the entries of a text list; use none before the iteration has ended without ListError.

    ListError comes before the first row for a missing or stale list, and after the last for an empty one or one with
    faulty lines, so that all of them are told at once.
    """
    if why := staleness(source, age_days(source, source.date, today)):
        raise refusal(source, why)
    reading = Reading(source)
    yield from reading
    if reading.problem:
        raise refusal(source, reading.problem)


def check(source: ListSource, today: day | None = None) -> ListHealth:
    """Read the whole list and tell how it is; ListError only when it cannot be read at all."""
    if source.kind == "urls":
        seen = look_over(source, today)
        found = seen.found
        return ListHealth(
            source.name, found.entries, seen.faults, seen.age_days, seen.problem, found.sha256, left_out=seen.left_out
        )
    source = as_fetched(source)
    if source.compiled:
        known = read_hashes(replace(source, max_age_days=None))
        age = age_days(source, known.date, today)
        problem = ". ".join(filter(None, (_canary_problem(source, known), staleness(source, age))))
        return ListHealth(source.name, known.entries, (), age, problem, known.sha256)
    reading = Reading(source)
    for _ in reading:
        pass
    age = age_days(source, source.date, today)
    problem = ". ".join(filter(None, (reading.problem, staleness(source, age))))
    return ListHealth(
        source.name,
        tuple(sorted(reading.entries.items())),
        reading.faults,
        age,
        problem,
        reading.sha256,
        reading.withdrawn,
        tuple(sorted(reading.unmatched.items())),
        reading.remarks,
    )


def material(source: ListSource, today: day | None = None) -> Material:
    """Return a text list of terms as a manifest records it; ListError when a run would refuse it."""
    health = check(source, today)
    if health.problem:
        raise refusal(source, health.problem)
    return Material("list", source.name, source.version, health.sha256, sum(count for _, count in health.entries))


def hash_material(found: HashList) -> Material:
    """Return a hash list as a manifest records it, with the entries that its filter can match."""
    return Material("list", found.name, found.version, found.sha256, sum(map(len, found.tables.values())))


def url_material(found: UrlList) -> Material:
    """Return a URL list as a manifest records it."""
    return Material("list", found.name, found.version, found.sha256, sum(count for _, count in found.entries))


def build(source: ListSource, folder: str) -> HashList | UrlList:
    """Compile the text of a list of hashes or URLs into a new folder; ListError when it cannot be."""
    return build_urls(source, folder) if source.kind == "urls" else build_hashes(source, folder)


def read_lists(
    name: str, sources: Sequence[ListSource], kinds: Collection[str], stamped: bool = False
) -> tuple[HashList, ...]:
    """Return what the filter of this name can match: the tables of these kinds, of every list that has one.

    ListError when a list cannot be relied on, and when none has such a table: a search of nothing looks like a clean
    corpus. With `stamped` as for `read_hashes`.
    """
    if not sources:
        raise no_list(name)
    found = []
    for source in sources:
        each = read_hashes(source, stamped=stamped)
        if problem := _canary_problem(source, each):
            raise refusal(source, problem)
        usable = {kind: table for kind, table in each.tables.items() if kind in kinds}
        if usable:
            found.append(replace(each, tables=usable))
    if not found:
        raise ListError(f"filter {name!r}: none of its lists has a hash of {', '.join(kinds)}. Add one, or drop it.")
    return tuple(found)


def _canary_problem(source: ListSource, found: HashList) -> str:
    """Return why a hash list that was read, from text or compiled, is not the list it should be; else nothing."""
    canaries = Canaries(source)
    for value in canaries.values:
        kind, _, digits = value.rpartition(":")
        for algorithm, table in found.tables.items():
            if kind in ("", algorithm) and _holds(table, digits):
                canaries.see(algorithm, digits)
    return canaries.problem


def _holds(table: HashTable, digits: str) -> bool:
    """Tell whether a sorted table has this value, written in hex."""
    try:
        wanted = bytes.fromhex(digits)
    except ValueError:
        return False
    values = as_strings(table.values)
    place = int(np.searchsorted(values, wanted))
    return place < len(values) and table.values[place].tobytes() == wanted


def no_list(name: str) -> ListError:
    """Return the error of a filter without a list."""
    return ListError(f"filter {name!r} has no list to match. Add a [[lists]] table for it, or drop the filter.")
