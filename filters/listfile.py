"""Read a list entry by entry, strictly; what cannot be read is counted, never skipped in silence.

A table is UTF-8: CSV (TSV when its name ends in .tsv) with a header, or one value per line. Blank lines and lines that
start with "#" are comments; in a list of terms only "#" before a blank is, as "#word" is a term. A quoted CSV field
ends on its line: a stray quote would swallow the entries after it. Pages of an authority are filters.listformats.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from filters.canaries import Canaries
from filters.hashvalues import LICENSED, Lengths, algorithm, as_hex, wrong_hash
from filters.listformats import FORMATS, Pages
from filters.listroles import roles_of
from filters.listrows import Fault, Row, faults
from filters.listsource import ListSource, refusal
from filters.termvalues import Remarks, wrong_term

_Said = dict[str, str]  # what an entry says, by role


class Reading:
    """One pass over the list: iterate for the rows that can be used, then ask for what cannot.

    After the pass `sha256` is the hex digest of exactly the bytes that were read, `entries` counts the rows by
    algorithm for hashes, by category otherwise, and `unmatched` the hashes of kinds that nothing here can match.
    """

    def __init__(self, source: ListSource) -> None:
        """Check how the list is to be read; ListError when it cannot be."""
        self._lengths = Lengths()
        self._roles = roles_of(source, self._lengths)
        self.source = source
        self.entries: Counter[str] = Counter()
        self.unmatched: Counter[str] = Counter()
        self._faulty: dict[str, list[int | str]] = {}
        self._remarks = Remarks()
        self._canaries = Canaries(source)
        self._pages = Pages(source) if source.format in FORMATS else None
        self._digest = self._pages.digest if self._pages else hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The hex digest of what was read so far: of the file's bytes, or of the digests of its pages."""
        return self._digest.hexdigest()

    @property
    def withdrawn(self) -> int:
        """How many entries were on the list once and are no more."""
        return self._pages.withdrawn if self._pages else 0

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was wrong so far, by reason."""
        return faults(self._faulty)

    @property
    def remarks(self) -> tuple[Fault, ...]:
        """What is worth telling so far of entries that are used, by reason."""
        return faults(self._remarks.places)

    @property
    def problem(self) -> str:
        """Why, after the pass, the list cannot be relied on; empty when it can."""
        if sum(map(len, self._faulty.values())) > self.source.max_faults:
            return f"it has {'; '.join(map(str, self.faults))}. Correct or remove them, and tell the list's authority"
        if not self.entries:
            count = self.unmatched.total()
            others = f" of a kind that is matched here, and {count} of others" if count else ""
            return f"it has no entry{others}. Fetch it again"
        return self._canaries.problem

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows that can be used; ListError when a file or its header cannot be read."""
        for line, place, said in self._from_pages(self._pages) if self._pages else self._from_table():
            if self._passed(said):
                continue
            if why := self._wrong(said):
                self._faulty.setdefault(why, []).append(place)
                continue
            row = self._row(line, said)
            self._canaries.see(row.algorithm, row.value)
            self.entries[row.algorithm or row.category] += 1
            if self.source.kind == "terms":
                self._remarks.see(place, row)
            yield row

    def _passed(self, said: _Said) -> bool:
        """Count a hash that nothing here can match; spell others in hex."""
        if self.source.kind != "hashes":
            return False
        kind = _algorithm(said)
        if kind in LICENSED and kind not in self._lengths:
            self.unmatched[kind] += 1
            return True
        if kind in self._lengths:
            said["value"] = as_hex(kind, said["value"], self._lengths[kind])
        return False

    def _wrong(self, said: _Said) -> str:
        if not said["value"]:
            return "without a value"
        if not said["value"].isprintable() and re.search(r"[\x00-\x1f\x7f-\x9f]", said["value"]):
            return "with control characters"
        if (said.get("category") or self.source.category) not in self.source.labels:
            return "with a category that `categories` does not declare"
        if self.source.kind == "terms":
            return wrong_term(said["value"])
        return wrong_hash(_algorithm(said), said["value"], self._lengths) if self.source.kind == "hashes" else ""

    def _row(self, line: int, said: _Said) -> Row:
        hashes = self.source.kind == "hashes"
        return Row(
            line=line,
            category=said.get("category") or self.source.category,
            value=said["value"].lower() if hashes else said["value"],
            algorithm=_algorithm(said) if hashes else "",
            language=said.get("language", ""),
            id=said.get("id", ""),
            classification=said.get("classification", ""),
            match=said.get("match", "").lower(),
        )

    def _from_pages(self, pages: Pages) -> Iterator[tuple[int, str, _Said]]:
        for page, update in pages:
            place = f"{page}:{update.line}"
            if update.wrong:
                self._faulty.setdefault(update.wrong, []).append(place)
            elif not update.hashes:
                self.unmatched["none"] += 1
            about = {"category": update.category, "classification": update.classification, "id": update.id}
            for kind, value in update.hashes:
                if algorithm(kind, "") in self._lengths:
                    yield update.line, place, {**about, "algorithm": kind, "value": value}
                else:
                    self.unmatched[kind] += 1

    def _from_table(self) -> Iterator[tuple[int, int, _Said]]:
        roles = self._roles
        if not roles.columns:
            for line, text in self._lines():
                yield line, line, {**roles.constants, "value": text.strip()}
            return
        for line, cells in self._table():
            said = {role: text.strip() for role, text in {**roles.constants, **cells}.items()}
            about = roles.about(said)
            hashes = [{**about, "algorithm": kind, "value": said[kind]} for kind in roles.hashes if said.get(kind)]
            if "value" in said and (said["value"] or not hashes):
                hashes.append({**about, "value": said["value"]})
            for each in hashes or [{**about, "value": ""}]:
                yield line, line, each

    def _table(self) -> Iterator[tuple[int, dict[str, str]]]:
        places: dict[str, int] = {}
        width = 0
        for line, text in self._lines():
            cells = self._cells(text)
            if not places:
                places, width = self._places(cells), len(cells)
            elif len(cells) != width:
                self._faulty.setdefault("without as many fields as the header", []).append(line)
            else:
                yield line, {role: cells[place] for role, place in places.items()}

    def _places(self, header: list[str]) -> dict[str, int]:
        names = [name.strip() for name in header]
        for role, name in self._roles.columns.items():
            if names.count(name) != 1:
                raise refusal(self.source, f"its header has not exactly one column for {role!r}. Correct `columns`")
        return {role: names.index(name) for role, name in self._roles.columns.items()}

    def _cells(self, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter="\t" if self.source.path.endswith(".tsv") else ",", strict=True))
        except csv.Error:
            return []

    def _lines(self) -> Iterator[tuple[int, str]]:
        comment = ("# ", "#\t") if self.source.kind == "terms" else ("#",)
        try:
            with Path(self.source.path).open("rb") as file:
                for line, raw in enumerate(file, 1):
                    self._digest.update(raw)
                    try:
                        text = raw.decode("utf-8-sig" if line == 1 else "utf-8").rstrip("\r\n")
                    except UnicodeDecodeError:
                        self._faulty.setdefault("not in UTF-8", []).append(line)
                        continue
                    if text.strip().strip("#") and not text.startswith(comment):
                        yield line, text
        except OSError as error:
            raise refusal(self.source, f"its file cannot be read ({type(error).__name__}). Correct `path`") from None


def _algorithm(said: _Said) -> str:
    return algorithm(said.get("algorithm", ""), said["value"])
