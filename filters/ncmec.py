"""Pages of NCMEC's hash sharing, version 2: images, videos and their tombstones, in no order.

Shape: hashsharing.ncmec.org/npo/v2/documentation (large-fingerprints, categorization) and
report.cybertip.org/ws-hashsharing/v2/documentation/usage-recommendations.html, read 2026-11; where an entry carries
categorizations is not shown there, so one is taken wherever it lies inside the entry.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from filters.listupdates import NO_TIME, PageError, Update, instant

ROOT = "queryResult"
_KINDS = {"image": False, "deletedImage": True, "video": False, "deletedVideo": True}  # element -> withdrawn
_DEEPEST = 32  # elements within each other; the documented pages have 7
_OPINIONS = "feedback"  # of other members; nothing of the entry itself lies below it


@dataclass(slots=True)
class Page:
    """What a page holds: its entries, and the link to the next page, empty on the last."""

    entries: list[Update] = field(default_factory=list)
    next: str = ""


def updates(content: bytes, environment: str) -> Iterator[Update]:
    """Yield what a page says of each entry; a page that breaks off is told behind the entries before the break.

    `environment` is the part of NCMEC's service that it came from, and becomes the last word of each classification.
    """
    reader = _Reader(environment)
    try:
        reader.read(content)
    except PageError as error:
        reader.page.entries.append(Update(reader.line, wrong=str(error)))
    yield from reader.page.entries


def read_page(content: bytes) -> Page:
    """Return what a page holds, or raise PageError."""
    reader = _Reader("")
    reader.read(content)
    return reader.page


class _Reader:
    """Reads one page element by element; `_path` is where it stands, `_said` what the entry has said so far.

    A document type is refused, so no entity of a page expands.
    """

    def __init__(self, environment: str) -> None:
        self.page = Page()
        self._environment = environment
        self._path: list[str] = []
        self._said: dict[str, str] = {}
        self._prints: dict[str, str] = {}
        self._tags: list[str] = []
        self._begun = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._text

    @property
    def line(self) -> int:
        """The line that was read last."""
        return self._parser.CurrentLineNumber

    def read(self, content: bytes) -> None:
        """Read the whole page, or raise PageError where it breaks off."""
        try:
            self._parser.Parse(content, True)
        except (expat.ExpatError, LookupError, ValueError):  # an encoding that nobody knows is a LookupError
            raise PageError("where the page stops being XML") from None

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2])
        depth = len(self._path)
        if depth > _DEEPEST or self._path[0] != ROOT:
            raise PageError(f"in a page that is no {ROOT}")
        if depth == 3 and self._path[1] in ("images", "videos"):
            self._begun = self.line
            self._said, self._prints, self._tags = {}, {}, []
        if depth > 3 and _OPINIONS not in self._path:
            if depth == 4 and self._path[3] == "member":
                self._said["member"] = attributes.get("id", "")
            if self._path[-1] == "categorization" and attributes.get("name"):
                self._tags.append(attributes["name"])
            if depth == 5 and self._path[3] == "fingerprints":
                self._prints.setdefault(self._path[4], "")

    def _text(self, text: str) -> None:
        match self._path:
            case [_, "images" | "videos", _, "id" | "timestamp" | "classification" as name]:
                self._said[name] = self._said.get(name, "") + text
            case [_, "images" | "videos", _, "fingerprints", kind]:
                self._prints[kind] += text
            case [_, "paging", "next"]:
                self.page.next += text.strip()

    def _close(self, _: str) -> None:
        if len(self._path) == 3 and self._path[1] in ("images", "videos"):
            self.page.entries.append(self._entry(self._path[2]))
        self._path.pop()

    def _entry(self, element: str) -> Update:
        said = {name: text.strip() for name, text in self._said.items()}
        when = instant(said.get("timestamp"))
        if element not in _KINDS:
            return Update(self._begun, wrong="of a kind that is not documented")
        if not said.get("id") or not said.get("member"):
            return Update(self._begun, wrong="without an id")
        if when is None:
            return Update(self._begun, wrong=NO_TIME)
        gone = _KINDS[element]
        kind = re.sub("^deleted", "", element).lower()
        return Update(
            line=self._begun,
            entry=f"{kind} {said['member']} {said['id']}",
            when=when,
            gone=gone,
            hashes=() if gone else tuple((name, text.strip()) for name, text in self._prints.items()),
            classification="; ".join(filter(None, (said.get("classification"), *self._tags, self._environment))),
            id=f"{said['member']}/{said['id']}",
        )


def _refuse_doctype(*_: object) -> None:
    raise PageError("where the page declares a document type, which no page of this service does")
