"""Fetch StopNCII, version 1: every hash whose record changed since the last query.

Known from facebook/ThreatExchange (python-threatexchange, exchanges/clients/stopncii/api.py and
exchanges/impl/stop_ncii_api.py, read 2026-11): a page holds up to 800 records, a token leads to the next, and a
checkpoint older than 30 days cannot be continued. Then everything is fetched anew, and the old pages go once the new
ones are complete.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from filters.listsource import ListSource
from filters.listupdates import PageError
from filters.stopncii import Page, read_page
from pipelines.fetch_folder import Folder, unfetched
from pipelines.fetch_http import Ask, StatusError

PAGE_RECORDS = 800
BEGINNING = 10  # seconds since 1970; what the public client asks from the first time
STALE = timedelta(days=30)
LAG = 60  # seconds
TOKEN = timedelta(hours=1)  # how long a token is trusted; how long it is good is not documented
RESTARTS = 3
_EXPIRED = (400, 404, 410)


def fetch_stopncii(source: ListSource, folder: Folder, ask: Ask) -> None:
    """Bring the folder up to the present, or raise ListError; what came until then is kept."""
    note = folder.note
    if not _fresh(note.open.get("at", ""), TOKEN):
        note.open = _opened(folder)
    for _ in range(RESTARTS):
        try:
            _follow(source, folder, ask)
        except StatusError as error:
            if error.status not in _EXPIRED or not note.open["token"]:
                raise
            note.open["token"] = ""  # it is not taken any more: from the first page again
            continue
        _close(folder)
        return
    raise unfetched(source, f"its server gave up on its own paging {RESTARTS} times in a row; try again later")


def _opened(folder: Folder) -> dict[str, str]:
    """Begin a query: from where the last one ended, or from the beginning where that is too long ago."""
    note, present = folder.note, datetime.now(UTC)
    anew = not _fresh(note.complete, STALE)
    return {
        "from": str(BEGINNING) if anew else note.until,
        "first": str(folder.last + 1 if anew and note.complete else note.first),
        "token": "",
        "resume": str(int(present.timestamp()) - LAG),
        "begun": present.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "at": present.isoformat(),
    }


def _follow(source: ListSource, folder: Folder, ask: Ask) -> None:
    going, more = folder.note.open, True
    followed: set[str] = set()
    while more:
        if going["token"] in followed:
            raise unfetched(source, "its server's pages lead in a circle; tell the authority")
        followed.add(going["token"])
        body = ask(_link(going)).body
        page = _page(source, body, len(followed))
        if page.records:
            folder.save(body)
        more, going["token"] = page.more, page.token
        going["resume"] = str(min(int(going["resume"]), page.resume or int(going["resume"])))
        going["at"] = datetime.now(UTC).isoformat()
        folder.keep()


def _close(folder: Folder) -> None:
    """Note that the query was read to its end; the next one begins at the earliest time that anybody spoke of."""
    note, going = folder.note, folder.note.open
    note.until, note.complete, note.first, note.open = going["resume"], going["begun"], int(going["first"]), {}
    folder.keep()
    folder.drop(0, note.first - 1)


def _link(going: dict[str, str]) -> str:
    asked = {"startTimestamp": going["from"], "pageSize": str(PAGE_RECORDS)}
    return "/FetchHashes?" + urlencode(asked | ({"nextPageToken": going["token"]} if going["token"] else {}))


def _page(source: ListSource, body: bytes, number: int) -> Page:
    try:
        return read_page(body)
    except PageError:
        told = f"page {number} of its server's answer is not as documented; what came before it is kept"
        raise unfetched(source, f"{told}, so try again, and tell the authority if it stays") from None


def _fresh(moment: str, most: timedelta) -> bool:
    return bool(moment) and timedelta() <= datetime.now(UTC) - datetime.fromisoformat(moment) < most
