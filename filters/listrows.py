"""One entry of a list, and what is told of the lines that are none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LINES_TOLD = 5  # places of faulty lines that a message names


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list; a hash is in lower-case hex, its algorithm one of the fingerprint kinds.

    `classification` is what the authority says of it, word for word; `match` how an entry of a URL list is meant.
    """

    line: int
    category: str
    value: str = field(repr=False)
    algorithm: str = ""
    language: str = ""
    id: str = field(default="", repr=False)
    classification: str = ""
    match: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some lines of a list: how many, and the places of the first few, "page:line" in pages."""

    why: str
    count: int
    lines: tuple[int | str, ...]

    def __str__(self) -> str:
        """Return it in words: "2 with an unknown algorithm (lines 3, 8)"."""
        noun = "line" if self.count == 1 else "lines"
        more = ", ..." if self.count > len(self.lines) else ""
        return f"{self.count} {self.why} ({noun} {', '.join(map(str, self.lines))}{more})"


def faults(places: Mapping[str, Sequence[int | str]]) -> tuple[Fault, ...]:
    """Return what is wrong, or worth telling, given the places of the lines by reason."""
    return tuple(Fault(why, len(lines), tuple(lines[:LINES_TOLD])) for why, lines in places.items())
