"""Fetch NCMEC's hash sharing, version 2: everything that changed since the last query, in windows of time.

Documented (report.cybertip.org/ws-hashsharing/v2/documentation/usage-recommendations.html and the service's own
documentation, read 2026-11): `from` is exclusive and `to` inclusive, entries come in no order, the time to keep is that
of the query, and a link to the next page is good for 12 hours.

Pages are cut by position, so a window that changes while it is read can hide an entry between two pages: then fewer
come than the links promise. Such a window is read again in halves; so is one that is very large, whose links expire, or
in which a page cannot be read. One second that still has a page which cannot be read is kept with it: the page counts
as a fault of the list, and nothing behind it waits.
"""

import html
import re
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qs, urlsplit

from filters.listsource import ListSource
from filters.listupdates import EPOCH, PageError, Update
from filters.ncmec import read_page
from pipelines.fetch_folder import Folder, unfetched
from pipelines.fetch_http import Answer, Ask, StatusError
from pipelines.fetch_window import SECOND, Window, clock, iso, moment

LAG = timedelta(seconds=60)  # what is newer may still be on its way into the service
LINK_HOURS = 12
LARGEST = 200_000  # entries of a window
READINGS = 5  # of one second
MOST_UNREADABLE = 64  # pages; 31 halvings lead from half a century to one second
_EXPIRED = (400, 404, 410)


class _UnsteadyError(Exception):
    """A window cannot be read as one."""


def fetch_ncmec(source: ListSource, folder: Folder, ask: Ask) -> None:
    """Bring the folder up to the present, or raise ListError; what came until then is kept."""
    waiting = _windows(folder, _now(ask("/v2/status")) - LAG)
    unreadable = 0
    while waiting:
        window = waiting.pop()
        if window.begin >= window.end:
            continue
        try:
            _read(source, folder, ask, window)
        except (_UnsteadyError, PageError) as error:
            unreadable += isinstance(error, PageError)
            if unreadable > MOST_UNREADABLE:
                raise unfetched(source, f"{unreadable} of its server's pages are not as documented") from None
            waiting.extend(window.halves())
            continue
        folder.note.until, folder.note.open = iso(window.end), {}
        folder.keep()
    folder.note.complete = folder.note.until
    folder.keep()


def _read(source: ListSource, folder: Folder, ask: Ask, window: Window) -> None:
    """Save the pages of a window; one second, which has no halves, is read until two readings agree."""
    before: int | None = None
    for _ in range(READINGS):
        walk = _Walk(source, folder, window)
        walk.follow(ask)
        if walk.steady or walk.seen == before:
            return
        walk.forget()
        if window.divisible:
            raise _UnsteadyError
        before = walk.seen
    raise unfetched(source, "its entries change faster than they can be read; try again later")


class _Walk:
    """From page to page through one window.

    `seen` is a sum over the entries that came, the same in any order; `_total` is how many the links promise.
    """

    def __init__(self, source: ListSource, folder: Folder, window: Window) -> None:
        """Begin at the first page, or where a killed reading of this window left off."""
        self._source, self._folder, self._window = source, folder, window
        going = folder.note.open
        self._link = going.get("link", window.link)
        self._first = int(going.get("first", folder.last + 1))
        self._count = int(going.get("count", 0))
        self._total = int(going.get("total", 0))
        self._changed = False
        self._followed: set[str] = set()
        self.seen = int(going.get("seen", 0))

    @property
    def steady(self) -> bool:
        """Whether the window held the same entries from the first page to the last; one page is always steady."""
        return not self._changed and self._total in (0, self._count)

    def follow(self, ask: Ask) -> None:
        """Save every page, or none and raise _UnsteadyError or PageError where the window is better read in halves."""
        try:
            while self._link:
                self._step(ask)
        except (_UnsteadyError, PageError):
            self.forget()
            raise

    def forget(self) -> None:
        """Remove the pages of this window."""
        self._folder.drop(self._first, self._folder.last)
        self._folder.note.open = {}

    def _body(self, ask: Ask) -> bytes:
        if self._link in self._followed:
            raise unfetched(self._source, "its server's pages lead in a circle; tell the authority")
        self._followed.add(self._link)
        try:
            return ask(self._link).body
        except StatusError as error:
            if error.status in _EXPIRED and self._link != self._window.link and self._window.divisible:
                raise _UnsteadyError from None
            raise

    def _step(self, ask: Ask) -> None:
        body = self._body(ask)
        try:
            page = read_page(body)
        except PageError:
            if self._window.divisible:
                raise
            self._refuse_if_none_can_be_read(ask)
            self._folder.save(body)
            self._link, self._changed, self._total = "", False, 0
            return
        if page.entries:
            self._folder.save(body)
        self._count += len(page.entries)
        self.seen = (self.seen + sum(map(_number, page.entries))) % 2**64
        self._go_on(page.next)

    def _refuse_if_none_can_be_read(self, ask: Ask) -> None:
        """Raise ListError when a query for nothing brings no page either: then it is not for one entry's sake."""
        try:
            read_page(ask(Window(EPOCH, EPOCH + SECOND).link).body)
        except PageError:
            raise unfetched(self._source, "its server's pages are not as documented; try again later") from None

    def _go_on(self, link: str) -> None:
        """Turn to the next page, and note enough to do so after a kill."""
        self._link = html.unescape(link)
        if self._link and not self._link.startswith("/v2/entries?"):  # elsewhere it would take the credentials along
            raise unfetched(self._source, "its server's link to the next page is not as documented; tell the authority")
        total = _total(self._link) or self._total
        self._changed |= self._total not in (0, total)
        self._total = total
        if self._window.divisible and (self._changed or total > LARGEST):
            raise _UnsteadyError
        window = {"begin": iso(self._window.begin), "end": iso(self._window.end), "first": self._first}
        so_far = {"count": self._count, "total": total, "seen": self.seen, "link": self._link, "at": iso(clock())}
        self._folder.note.open = {name: str(said) for name, said in (window | so_far).items()} if self._link else {}
        self._folder.keep()


def _windows(folder: Folder, target: datetime) -> list[Window]:
    """Return what is to be read, the last first: the rest of a window that was left open, and all that is newer."""
    note = folder.note
    begin = moment(note.until) if note.until else EPOCH
    if note.open and not timedelta() <= clock() - moment(note.open["at"]) < timedelta(hours=LINK_HOURS):
        folder.drop(int(note.open["first"]), folder.last)
        note.open = {}
    end = moment(note.open["end"]) if note.open else target
    return [Window(end, target), Window(begin, end)]


def _total(link: str) -> int:
    """Return how many entries a window has, by the link to its next page; 0 when there is none, or it does not say."""
    said = parse_qs(urlsplit(link).query).get("max", [""])[0]
    return int(said) if re.fullmatch("[0-9]{1,15}", said) else 0


def _number(entry: Update) -> int:
    return int.from_bytes(blake2b(f"{entry.entry} {entry.when} {entry.wrong}".encode(), digest_size=8).digest())


def _now(answer: Answer) -> datetime:
    """Return the present, to the second, by the clock that is behind: ours or the server's."""
    present = clock()
    return min(present, answer.date or present).replace(microsecond=0)
