"""One pass over the text of a URL list, strictly: what cannot be read or honoured is counted by line."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from filters.listfile import Reading
from filters.listrows import LINES_TOLD, Fault
from filters.listsource import ListSource, refusal
from filters.urlentries import EntryError, entry_names
from filters.urlfolder import UrlList
from filters.urlformats import LINES, UNDECLARED, URL_FORMATS, Said, looks_like, ut1, ut1_files
from filters.urlnames import network_of
from filters.urltables import UrlGathering

_LINES_LOOKED_AT = 200

_Places = dict[str, list[int | str]]


@dataclass(frozen=True, slots=True)
class _Entry:
    place: int | str
    said: Said
    category: str
    classification: str = ""


class UrlReading:
    """Read the list, then ask for what is wrong with it."""

    def __init__(self, source: ListSource) -> None:
        """Check how the list is to be read; ListError when it cannot be."""
        if source.format in URL_FORMATS and source.columns:
            raise refusal(source, f'a list of format "{source.format}" has no `columns`')
        self._source = source
        self._rows = None if source.format in URL_FORMATS else Reading(replace(source, canary=""))
        self._digest = hashlib.sha256()
        self._faulty: _Places = {}
        self._left_out: _Places = {}
        self._entries: Counter[str] = Counter()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was wrong, by reason."""
        return (*(self._rows.faults if self._rows else ()), *_told(self._faulty))

    @property
    def left_out(self) -> tuple[Fault, ...]:
        """What cannot be honoured, by reason."""
        return _told(self._left_out)

    @property
    def problem(self) -> str:
        """Why the list cannot be relied on; empty when it can."""
        if sum(fault.count for fault in self.faults) > self._source.max_faults:
            told = f"it has {'; '.join(map(str, self.faults))}"
        elif not self._entries:
            told = "it has no entry"
        else:
            return ""
        form = self._other_format()
        hint = f'It reads like a list of format "{form}": set `format`, if it is. ' if form else ""
        return f"{told}. {hint}Correct or remove them, and tell the list's authority"

    def read(self, key: bytes) -> UrlList:
        """Return what can be used, hashed with the key; ListError when a file cannot be read."""
        gathered = UrlGathering(key)
        numbers: dict[tuple[str, str], int] = {}
        networks: set[tuple[int, int]] = set()
        digests = False
        for each in self._usable():
            owner = numbers.setdefault((each[1].category, each[1].classification), len(numbers))
            for name in each[0]:
                gathered.add(name, owner)
                if isinstance(name, bytes):
                    digests = True
                elif around := network_of(name):
                    networks.add(around)
        order = sorted(numbers)  # so that the order of lines does not matter
        renumbered = np.empty(len(numbers), dtype=np.uint32)
        renumbered[[numbers[each] for each in order]] = np.arange(len(numbers), dtype=np.uint32)
        return UrlList(
            name=self._source.name,
            version=self._source.version,
            date=self._source.date,
            sha256=self._rows.sha256 if self._rows else self._digest.hexdigest(),
            key=key,
            said=tuple(order),
            entries=tuple(sorted(self._entries.items())),
            networks=tuple(sorted(networks)),
            digests=digests,
            table=gathered.table(renumbered),
        )

    def _usable(self) -> Iterator[tuple[tuple[str | bytes, ...], _Entry]]:
        for entry in self._from_rows(self._rows) if self._rows else self._from_lines():
            if entry.said.left_out:
                self._left_out.setdefault(entry.said.left_out, []).append(entry.place)
                continue
            try:
                if entry.said.wrong:
                    raise EntryError(entry.said.wrong)
                names = entry_names(entry.said.value, entry.said.match)
            except EntryError as why:
                self._faulty.setdefault(str(why), []).append(entry.place)
                continue
            self._entries[entry.category] += 1
            yield names, entry

    def _from_rows(self, rows: Reading) -> Iterator[_Entry]:
        for row in rows:
            yield _Entry(row.line, Said(row.value, row.match), row.category, row.classification)

    def _from_lines(self) -> Iterator[_Entry]:
        source = self._source
        if source.format != "ut1":
            yield from self._of(Path(source.path), "", LINES[source.format])
            return
        for folder, path in ut1_files(Path(source.path)):
            if folder and folder not in source.labels:
                self._left_out.setdefault(UNDECLARED, []).append(f"{folder}/{path.name}")
            else:
                yield from self._of(path, folder, lambda line, name=path.name: ut1(name, line))  # type: ignore[misc]

    def _of(self, path: Path, folder: str, said: Callable[[str], Iterator[Said]]) -> Iterator[_Entry]:
        head = f"{folder}/{path.name}:" if folder else f"{path.name}:" if self._source.format == "ut1" else ""
        for line, text in self._lines(path):
            place = f"{head}{line}" if head else line
            if text is None:
                self._faulty.setdefault("not in UTF-8", []).append(place)
                continue
            for each in said(text):
                yield _Entry(place, each, folder or self._source.category)

    def _lines(self, path: Path) -> Iterator[tuple[int, str | None]]:
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                for line, raw in enumerate(file, 1):
                    digest.update(raw)
                    try:
                        yield line, raw.decode("utf-8-sig" if line == 1 else "utf-8").rstrip("\r\n")
                    except UnicodeDecodeError:
                        yield line, None
        except OSError as error:
            raise refusal(self._source, f"its file cannot be read ({type(error).__name__}). Correct `path`") from None
        self._digest.update(digest.digest())

    def _other_format(self) -> str:
        """Return the format that the file seems to have, where it is not the one that the policy says."""
        if Path(self._source.path).is_dir():
            return ""
        try:
            with Path(self._source.path).open(encoding="utf-8", errors="replace") as file:
                form = looks_like(islice(file, _LINES_LOOKED_AT))
        except OSError:
            return ""
        return "" if form in (self._source.format, "domains") else form


def _told(places: _Places) -> tuple[Fault, ...]:
    return tuple(Fault(why, len(lines), tuple(lines[:LINES_TOLD])) for why, lines in places.items())
