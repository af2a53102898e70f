"""The files of a list that is no plain table: which they are, how each is read, and what fetching noted beside them."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from filters import hashbank, ncmec, stopncii, threatexchange
from filters.listsource import ListSource, refusal
from filters.listupdates import Update, standing

RECORD = "fetch.json"  # what `shardwall list fetch` notes in the folder of a list
MAX_PAGE_BYTES = 256 << 20
_FETCH = "Run `shardwall list fetch` until it says that the list is complete"


@dataclass(frozen=True, slots=True)
class Format:
    """How the files of an authority are told from others in their folder, and read."""

    suffixes: tuple[str, ...]
    updates: Callable[[bytes, str], Iterator[Update]]


FORMATS = {
    "ncmec-v2": Format((".xml",), ncmec.updates),
    "stopncii-v1": Format((".json",), stopncii.updates),
    "threatexchange": Format((".json", ".csv"), threatexchange.updates),
    "hash-bank": Format((".jsonl",), hashbank.updates),
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What fetching noted: when the list was last complete (ISO 8601, UTC), its first page in use, and its address."""

    complete: str
    first: int
    url: str


def as_fetched(source: ListSource) -> ListSource:
    """Return the list with the day and the version of its last complete fetch where the policy names none."""
    record = fetched(source)
    if record is None:
        return source
    return replace(source, date=source.date or record.complete[:10], version=source.version or record.complete)


def fetched(source: ListSource) -> Fetched | None:
    """Return what fetching noted of a list; None when it was never fetched, ListError when no fetch came to its end."""
    if source.format not in FORMATS or source.compiled:
        return None
    try:
        noted = json.loads((Path(source.path) / RECORD).read_bytes())
        complete, first, url = noted["complete"], noted["first"], noted["url"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise refusal(source, f"its {RECORD} cannot be read. Fetch it anew into an empty folder") from None
    if not complete:
        raise refusal(source, f"it was not fetched to its end. {_FETCH}")
    return Fetched(str(complete), int(first), str(url))


def pages(source: ListSource) -> list[Path]:
    """Return the files of the list by name: all of a folder that have the suffix of its format, or the one file."""
    place = Path(source.path)
    if not place.is_dir():
        return [place]
    record = fetched(source)
    found = [each for each in place.iterdir() if each.suffix in FORMATS[source.format].suffixes and each.is_file()]
    wanted = (each for each in found if each.name != RECORD and not each.name.startswith("."))
    return sorted(each for each in wanted if record is None or _number(each) >= record.first)


class Pages:
    """The pages of a list, read twice: once to learn which updates count, once for those.

    `digest` takes in the bytes of all pages; ListError when one cannot be read, or changes between the two times.
    """

    def __init__(self, source: ListSource) -> None:
        self._source = source
        self._read = FORMATS[source.format].updates
        self._environment = environment(source)
        self._seen: dict[Path, bytes] = {}
        self.digest = hashlib.sha256()
        self.withdrawn = 0

    def __iter__(self) -> Iterator[tuple[str, Update]]:
        """Yield every update that counts, withdrawn entries left out, with the name of its page."""
        try:
            found = pages(self._source)
            counts = standing(update for page in found for update in self._updates(page))
            number = 0
            for page in found:
                for update in self._updates(page):
                    if counts[number] and not update.gone:
                        yield page.name, update
                    self.withdrawn += bool(counts[number] and update.gone)
                    number += 1
        except OSError as error:
            raise refusal(self._source, f"its files cannot be read ({type(error).__name__}). Correct `path`") from None

    def _updates(self, page: Path) -> Iterator[Update]:
        with page.open("rb") as file:
            content = file.read(MAX_PAGE_BYTES + 1)
        if len(content) > MAX_PAGE_BYTES:
            raise refusal(self._source, f"a page of it is larger than {MAX_PAGE_BYTES >> 20} MiB. Split it")
        digest = hashlib.sha256(content).digest()
        if page not in self._seen:
            self._seen[page] = digest
            self.digest.update(digest)
        if self._seen[page] != digest:
            raise refusal(self._source, "a page of it changed while it was read. Try again")
        return self._read(content, self._environment)


def environment(source: ListSource) -> str:
    """Return the part of NCMEC's service that a list comes from, as its address ends: "generative-ai-csam"."""
    if source.format != "ncmec-v2":
        return ""
    record = fetched(source)
    return urlsplit(record.url if record else source.url).path.strip("/").rpartition("/")[2]


def _number(page: Path) -> int:
    return int(page.stem) if page.stem.isascii() and page.stem.isdigit() else 0
