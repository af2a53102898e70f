"""The first reading of a table: which of its row groups can be read, and whether its rows have keys.

The parent asks and counts; what parses is the examining process. A row group over which that process dies twice, or
that it cannot read, is a structural fault: none of its rows is used, and the run names it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filters.errors import ShardError
from pipelines.commit import sha256_of
from pipelines.examine import ChildDiedError, Examiner
from pipelines.inputs import Shard

GROUP = "row group"  # the first words of a fault that leaves the rest of the file readable
DIED = "kills its reader"
FOOTER_DIED = "the footer kills its reader"
MOST_DEATHS = 16  # of readers over one file; beyond, all of it is given up
MOST_ROWS = 1 << 48


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one readable row group: `first` counts from the start of the file, unreadable groups included."""

    group: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class TableFault:
    """A part of a table that cannot be read: `length` bytes from `offset`."""

    kind: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class TableSurvey:
    """What the first reading of a table found out; `keyed` says whether a column of unique keys names the rows."""

    sha256: str  # of the whole file, hex
    size: int
    groups: tuple[Rows, ...] = ()
    faults: tuple[TableFault, ...] = ()
    keyed: bool = False

    @property
    def rows(self) -> int:
        """How many rows can be read."""
        return sum(each.count for each in self.groups)


class _Unreadable(Exception):
    """The file as a whole cannot be read; the argument says why."""


def refuse_other_corpora(shards: list[Shard], examiner: Examiner) -> None:
    """Raise ShardError for a table that can be read and is no corpus of addresses; before a run, from footers alone."""
    for shard in shards:
        try:
            _opened(shard, examiner)
        except _Unreadable:  # withheld and counted, when its turn comes
            continue


def survey_table(shard: Shard, examiner: Examiner) -> TableSurvey:
    """Read a table once from its first byte to its last, or raise ShardError where it is none of addresses."""
    path = Path(shard.path)
    sha256, size = sha256_of(path), path.stat().st_size
    try:
        opened = _opened(shard, examiner)
        groups, faults = _scanned(shard, examiner, _groups(opened, size))
        keyed = bool(opened["keyed"]) and _keyed(shard, examiner, groups)
        return TableSurvey(sha256, size, groups, faults, keyed)
    except _Unreadable as why:
        return TableSurvey(sha256, size, faults=(TableFault(str(why), 0, size),))


def _opened(shard: Shard, examiner: Examiner) -> dict[str, Any]:
    answer = _twice(examiner, {"table": "open", "path": shard.path, "shard": shard.name})
    if answer is None:
        raise _Unreadable(FOOTER_DIED)
    if "refused" in answer:
        raise ShardError(f"{Path(shard.path).name} cannot be cleaned: {answer['refused']}")
    if "fault" in answer:
        raise _Unreadable(str(answer["fault"]))
    return answer


def _groups(opened: Mapping[str, Any], size: int) -> list[tuple[Rows, TableFault]]:
    """Return every row group with what is told of it where it turns out unreadable."""
    found, first = [], 0
    try:
        told = [(int(rows), int(start), int(length)) for rows, start, length in opened["groups"]]
    except (KeyError, TypeError, ValueError, OverflowError):  # no honest process says so
        raise _Unreadable(FOOTER_DIED) from None
    for number, (rows, start, length) in enumerate(told):
        start = min(max(start, 0), size)
        fault = TableFault(f"{GROUP} {number} ", start, min(max(length, 0), size - start))
        found.append((Rows(number, first, rows), fault))
        first += max(rows, 0)
    if first > MOST_ROWS:
        raise _Unreadable("the footer counts more rows than any file holds")
    return found


def _scanned(
    shard: Shard, examiner: Examiner, groups: list[tuple[Rows, TableFault]]
) -> tuple[tuple[Rows, ...], tuple[TableFault, ...]]:
    sound, faults, deaths = [], [], 0
    for rows, place in groups:
        why = _scan(shard, examiner, rows)
        deaths += why == DIED
        if deaths > MOST_DEATHS:
            raise _Unreadable("too many row groups kill their reader")
        if why:
            faults.append(TableFault(place.kind + why, place.offset, place.length))
        else:
            sound.append(rows)
    return tuple(sound), tuple(faults)


def _scan(shard: Shard, examiner: Examiner, rows: Rows) -> str:
    """Return what is wrong with a row group, empty when it can be read; a death may have had another reason once."""
    request = {"table": "scan", "path": shard.path, "shard": shard.name, "group": rows.group}
    for _ in range(2):
        with suppress(ChildDiedError):
            for _ in range(max(rows.count, 0) + 2):  # an honest process is done long before
                answer = examiner.ask(request)
                if "fault" in answer:
                    return str(answer["fault"])
                if answer.get("done") is True:
                    return ""
    return DIED


def _keyed(shard: Shard, examiner: Examiner, groups: tuple[Rows, ...]) -> bool:
    """Tell whether the column of keys names every row, each otherwise; ShardError where no answer can be had."""
    about = {"path": shard.path, "shard": shard.name}
    for _ in range(2):
        with suppress(ChildDiedError):
            for each in groups:
                if not examiner.ask({"table": "keys", "group": each.group, **about}).get("usable"):
                    return False
            return bool(examiner.ask({"table": "unique", **about}).get("unique"))
    raise ShardError(f"{Path(shard.path).name} cannot be examined: its keys end the reader. Give it more memory.")


def _twice(examiner: Examiner, request: dict[str, Any]) -> dict[str, Any] | None:
    """Return the answer, or None when the process died over it a second time."""
    for _ in range(2):
        with suppress(ChildDiedError):
            return examiner.ask(request)
    return None
