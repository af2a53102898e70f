"""Read the text file of a list line by line, strictly; what cannot be read is counted, never skipped in silence.

The file is UTF-8: CSV (TSV when its name ends in .tsv) with a header, or one value per line. Blank lines and lines that
start with "#" are comments; in a list of terms only "#" before a blank is, as "#word" is a term. A quoted CSV field
ends on its line: a stray quote would swallow the entries after it.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filters.fingerprints import DIGESTS, PERCEPTUAL
from filters.listsource import ListSource, refusal

ROLES = ("value", "algorithm", "category", "language", "id")
CONSTANT = "="  # before a text that holds for every row, where else the name of a column stands
LINES_TOLD = 5  # numbers of faulty lines that a message names

_BYTES = {**DIGESTS, **PERCEPTUAL}
_TOLD_BY_LENGTH = {32: "md5", 40: "sha1"}  # hex digits
_EMPTY_FILE = {hashlib.new(kind, b"", usedforsecurity=False).digest() for kind in DIGESTS}
# A random digest of 16 bytes has fewer than 5 different ones once in 5e20; "00...", "ff..." and "deadbeef..." have. The
# PDQ of 41 photographs and icons shipped with scikit-image, scikit-learn and matplotlib have 20 to 32, a chessboard 8.
_MIN_DIFFERENT_BYTES = 5
# PDQ and pHash cut at the median, so a picture sets half the bits: 128 of 256 in all 41, 17 (chessboard) to 32 of 64.
# An entry beyond these shares is a flat picture's or a placeholder, and near to every flat picture.
_SET_BITS = (0.25, 0.75)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list; a hash is in lower-case hex, its algorithm one of the fingerprint kinds."""

    line: int
    category: str
    value: str = field(repr=False)
    algorithm: str = ""
    language: str = ""
    id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some lines of a list: how many, and the numbers of the first few."""

    why: str
    count: int
    lines: tuple[int, ...]

    def __str__(self) -> str:
        """Return it in words: "2 with an unknown algorithm (lines 3, 8)"."""
        noun = "line" if self.count == 1 else "lines"
        more = ", ..." if self.count > len(self.lines) else ""
        return f"{self.count} {self.why} ({noun} {', '.join(map(str, self.lines))}{more})"


class Reading:
    """One pass over the file: iterate for the rows that can be used, then ask for what cannot.

    After the pass `sha256` is the hex digest of exactly the bytes that were read, and `entries` counts the rows by
    algorithm for hashes, by category otherwise.
    """

    def __init__(self, source: ListSource) -> None:
        """Check how the columns are mapped; ListError when they cannot be."""
        roles = dict(source.columns)
        if len(roles) != len(source.columns) or not set(roles) <= set(ROLES):
            raise refusal(source, f"`columns` has an unknown or repeated role; the roles are {', '.join(ROLES)}")
        self._constants = {role: name[1:] for role, name in roles.items() if name.startswith(CONSTANT)}
        self._columns = {role: name for role, name in roles.items() if role not in self._constants}
        if "value" in self._constants or (self._columns and "value" not in self._columns):
            raise refusal(source, '`columns` names columns, but none for "value"; begin a fixed text with "="')
        self.source = source
        self.entries: Counter[str] = Counter()
        self._faulty: dict[str, list[int]] = {}
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The hex digest of the bytes read so far."""
        return self._digest.hexdigest()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was wrong so far, by reason."""
        return tuple(Fault(why, len(lines), tuple(lines[:LINES_TOLD])) for why, lines in self._faulty.items())

    @property
    def problem(self) -> str:
        """Why, after the pass, the list cannot be relied on; empty when it can."""
        if self._faulty:
            return f"it has {'; '.join(map(str, self.faults))}. Correct or remove them, and tell the list's authority"
        return "" if self.entries else "it has no entry. Fetch it again"

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows that can be used; ListError when the file or its header cannot be read."""
        rows = self._table() if self._columns else ((line, {"value": text}) for line, text in self._lines())
        for line, cells in rows:
            said = {role: text.strip() for role, text in {**self._constants, **cells}.items()}
            if why := self._wrong(said):
                self._faulty.setdefault(why, []).append(line)
                continue
            row = self._row(line, said)
            self.entries[row.algorithm or row.category] += 1
            yield row

    def _wrong(self, said: dict[str, str]) -> str:
        if not said["value"]:
            return "without a value"
        if not said["value"].isprintable() and re.search(r"[\x00-\x1f\x7f-\x9f]", said["value"]):
            return "with control characters"
        if (said.get("category") or self.source.category) not in self.source.labels:
            return "with a category that `categories` does not declare"
        return _wrong_hash(_algorithm(said), said["value"]) if self.source.kind == "hashes" else ""

    def _row(self, line: int, said: dict[str, str]) -> Row:
        hashes = self.source.kind == "hashes"
        return Row(
            line=line,
            category=said.get("category") or self.source.category,
            value=said["value"].lower() if hashes else said["value"],
            algorithm=_algorithm(said) if hashes else "",
            language=said.get("language", ""),
            id=said.get("id", ""),
        )

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
        for role, name in self._columns.items():
            if names.count(name) != 1:
                raise refusal(self.source, f"its header has not exactly one column for {role!r}. Correct `columns`")
        return {role: names.index(name) for role, name in self._columns.items()}

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


def _algorithm(said: dict[str, str]) -> str:
    named = re.sub("[-_ ]", "", said.get("algorithm", "")).lower()
    return named or _TOLD_BY_LENGTH.get(len(said["value"]), "")


def _wrong_hash(algorithm: str, value: str) -> str:
    if not algorithm:
        return "whose length does not tell the algorithm: name it in `columns`"
    if algorithm not in _BYTES:
        return f"of an algorithm that is not one of {', '.join(_BYTES)}"
    if not re.fullmatch(f"[0-9A-Fa-f]{{{2 * _BYTES[algorithm]}}}", value):
        return f"that are not {2 * _BYTES[algorithm]} hex digits of {algorithm}"
    raw = bytes.fromhex(value)
    if raw in _EMPTY_FILE:
        return "with the digest of an empty file"
    low, high = (share * 8 * len(raw) for share in _SET_BITS)
    if algorithm in PERCEPTUAL and not low <= int.from_bytes(raw).bit_count() <= high:
        return "with the hash of a flat picture, or a placeholder"
    if algorithm != "phash" and len(set(raw)) < _MIN_DIFFERENT_BYTES:
        return "with a placeholder for a hash"
    return ""
