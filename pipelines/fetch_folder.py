"""The folder of a fetched list: its pages, and a note of how far fetching came. Only its owner can read it.

A page appears whole under the next free number and never changes. What is noted after each page is enough to go on
after a kill; a page that was written but not yet noted is fetched again, and said twice changes nothing.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filters.errors import ListError
from filters.listformats import FORMATS, RECORD
from filters.listsource import COMPILED, ListSource
from pipelines.commit import remove_leftovers, whole, write_json

PRIVATE = 0o700


@dataclass(slots=True)
class Note:
    """How far fetching came.

    `complete` is the moment (ISO 8601, UTC) of the last query that was read to its end, empty before the first.
    `until` is where the next query begins, in the service's own form. `first` is the number of the first page in use.
    `open` is what is needed to go on within a query that was not read to its end.
    """

    format: str
    url: str
    complete: str = ""
    until: str = ""
    first: int = 1
    open: dict[str, str] = field(default_factory=dict)


def unfetched(source: ListSource, why: str) -> ListError:
    """Return the error that names the list; `why` says what stands in the way and what to do."""
    return ListError(f"list {source.name!r} cannot be fetched: {why}.")


class Folder:
    """The pages of one list on disk."""

    def __init__(self, source: ListSource, url: str) -> None:
        """Look at what the folder of the list's `path` holds; ListError when that is something else."""
        self.path = Path(source.path)
        self._suffix = FORMATS[source.format].suffixes[0]
        if (self.path / COMPILED).exists():
            raise unfetched(source, "its folder holds a compiled list; let `path` name another one, for the pages")
        self.note = self._noted(source, url)
        self.saved = 0
        remove_leftovers(self.path)

    def save(self, content: bytes) -> int:
        """Write a page under the next free number, which is returned."""
        number = max((int(page.stem) for page in self._pages()), default=0) + 1
        with whole(self.path / f"{number:08d}{self._suffix}", 0o600) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_bytes(content)
        self.saved += 1
        return number

    def keep(self) -> None:
        """Write down how far fetching came."""
        write_json(self.path / RECORD, asdict(self.note), 0o600)

    def drop(self, first: int, last: int) -> None:
        """Remove the pages of these numbers, both included."""
        for page in self._pages():
            if first <= int(page.stem) <= last:
                page.unlink(missing_ok=True)

    @property
    def last(self) -> int:
        """The number of the last page; 0 when there is none."""
        return max((int(page.stem) for page in self._pages()), default=0)

    def _pages(self) -> list[Path]:
        return [each for each in self.path.glob(f"*{self._suffix}") if each.stem.isascii() and each.stem.isdigit()]

    def _noted(self, source: ListSource, url: str) -> Note:
        path = self.path / RECORD
        try:
            note = Note(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Note(source.format, url)
        except (OSError, ValueError, TypeError):
            raise unfetched(source, f"{path} is damaged; fetch anew into an empty folder") from None
        if (note.format, note.url) != (source.format, url):
            raise unfetched(source, f"its folder holds pages of {note.url}; give each service a folder of its own")
        return note


@contextmanager
def alone(source: ListSource) -> Iterator[None]:
    """Make the folder that the list's `path` names and hold it for one fetch at a time, or raise ListError."""
    folder = Path(source.path)
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        folder.chmod(PRIVATE)
        lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise unfetched(source, f"its folder cannot be made ({error.strerror}); correct `path`") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise unfetched(source, "another fetch works in its folder; wait for it to end") from None
    else:
        yield
    finally:
        os.close(lock)
