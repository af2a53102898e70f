"""Pages of StopNCII's FetchHashes, version 1: records of hashes, each with the status of its case.

Shape: facebook/ThreatExchange, python-threatexchange, exchanges/clients/stopncii/api.py, read 2026-11. A record is the
whole present state of its hash, and replaces every earlier one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filters.listupdates import NO_TIME, PageError, Update, instant

GONE = frozenset({"Withdrawn", "Deleted"})  # of hashStatus; any other status, known or not, still matches
_ALGORITHMS = {"ImagePDQ": "pdq", "VideoMD5": "md5"}  # signalType -> kind of fingerprint; others stay as they are


@dataclass(frozen=True, slots=True)
class Page:
    """How a page goes on: whether more follow, by which token, and the time that the server would ask from next."""

    records: int
    more: bool
    token: str
    resume: int  # seconds since 1970; 0 when the server does not say


def updates(content: bytes, _: str) -> Iterator[Update]:
    """Yield what a page says of each hash; lines are counted in records."""
    try:
        records = _records(_document(content))
    except PageError as error:
        yield Update(1, wrong=str(error))
        return
    for number, record in enumerate(records, 1):
        yield _update(number, record)


def read_page(content: bytes) -> Page:
    """Return how a page goes on, or raise PageError."""
    page = _document(content)
    records, more, token = _records(page), page.get("hasMoreRecords"), page.get("nextPageToken") or ""
    if not isinstance(more, bool) or not isinstance(token, str) or (more and not token):
        raise PageError("that does not say how to go on")
    resume = instant(page.get("nextSetTimestamp"))
    return Page(len(records), more, token, 0 if resume is None else resume // 1_000_000)


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        page = json.loads(content)
    except (ValueError, RecursionError):
        raise PageError("in a page that is not JSON") from None
    if not isinstance(page, dict):
        raise PageError("in a page without hashRecords")
    return page


def _records(page: Mapping[str, Any]) -> list[Any]:
    records = page.get("hashRecords")
    if not isinstance(records, list):
        raise PageError("in a page without hashRecords")
    return records


def _update(number: int, record: Any) -> Update:
    if not isinstance(record, dict):
        return Update(number, wrong="that are no record")
    kind, value, status = (record.get(name) for name in ("signalType", "hashValue", "hashStatus"))
    when = instant(record.get("lastModtimestamp"))
    if not all(isinstance(each, str) and each for each in (kind, value, status)):
        return Update(number, wrong="without type, value or status")
    if when is None:
        return Update(number, wrong=NO_TIME)
    gone = status in GONE
    return Update(
        line=number,
        entry=f"{kind} {str(value).strip().lower()}",
        when=when,
        gone=gone,
        hashes=() if gone else ((_ALGORITHMS.get(str(kind), str(kind)), str(value).strip()),),
        classification="; ".join((str(status), *_opinions(record.get("CSPFeedbacks")))),
    )


def _opinions(feedbacks: Any) -> Iterator[str]:
    """Yield what companies said of a hash, in their words: "Company: Blocked (tag, tag)"."""
    for each in feedbacks if isinstance(feedbacks, list) else ():
        if isinstance(each, dict):
            tags = each.get("tags")
            told = ", ".join(str(tag) for tag in tags) if isinstance(tags, list) else ""
            yield f"{each.get('source', '')}: {each.get('feedbackValue', '')}" + (f" ({told})" if told else "")
