"""Files of ThreatExchange: indicators with type, tags and status, as JSON of its API or as a CSV table.

Shape: developers.facebook.com/docs/threat-exchange/reference/apis/threat-updates and facebook/ThreatExchange,
python-threatexchange, exchanges/clients/fb_threatexchange, read 2026-11. The columns of a CSV have the names of the
JSON fields; what the website writes when it exports was not read.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from filters.listupdates import NO_TIME, PageError, Update, instant

HARMLESS = "NON_MALICIOUS"  # the status by which an owner says that an indicator is no match
_ALGORITHMS = {
    "HASH_MD5": "md5",
    "HASH_VIDEO_MD5": "md5",
    "HASH_SHA1": "sha1",
    "HASH_SHA256": "sha256",
    "HASH_PDQ": "pdq",
}
_TRUE = frozenset({"true", "1"})


def updates(content: bytes, _: str) -> Iterator[Update]:
    """Yield what a file says of each indicator; lines of JSON are counted in records."""
    try:
        for number, record in _records(content):
            yield _update(number, record)
    except PageError as error:
        yield Update(1, wrong=str(error))


def _records(content: bytes) -> Iterator[tuple[int, Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PageError("in a file that is not UTF-8") from None
    if text.lstrip()[:1] in ("{", "["):
        yield from enumerate(_json(text), 1)
    elif text.strip():
        yield from _table(text)


def _json(text: str) -> list[Any]:
    try:
        page = json.loads(text)
    except (ValueError, RecursionError):
        raise PageError("in a file that is not JSON") from None
    records = page.get("data") if isinstance(page, dict) else page
    if not isinstance(records, list):
        raise PageError("in a file without data")
    return records


def _table(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            if not header:
                header = [name.strip() for name in cells]
                if not {"indicator", "type"} <= set(header) or len(set(header)) != len(header):
                    raise PageError("in a table without the columns indicator and type")
            elif cells:
                yield reader.line_num, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
    except csv.Error:
        raise PageError("where the table stops being CSV") from None


def _update(number: int, record: Any) -> Update:
    if not isinstance(record, dict):
        return Update(number, wrong="that are no record")
    value, kind = record.get("indicator") or record.get("raw_indicator"), record.get("type")
    if not all(isinstance(each, str) and each.strip() for each in (value, kind)):
        return Update(number, wrong="without indicator or type")
    told = record.get("last_updated") or record.get("added_on")
    when = instant(int(told) if isinstance(told, str) and re.fullmatch("[0-9]{1,12}", told) else told)
    if told and when is None:
        return Update(number, wrong=NO_TIME)
    owners = _owners(record)
    statuses = [str(each.get("status") or "").strip() for each in owners]
    gone = _true(record.get("should_delete")) or bool(statuses and set(statuses) == {HARMLESS})
    value, kind = str(value).strip(), str(kind).strip()
    return Update(
        line=number,
        entry=str(record.get("id") or "").strip() or f"{kind} {value.lower()}",
        when=when or 0,
        gone=gone,
        hashes=() if gone else ((_ALGORITHMS.get(kind, kind), value),),
        classification="; ".join(dict.fromkeys(filter(None, map(_opinion, owners)))),
        id=str(record.get("id") or "").strip(),
    )


def _owners(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what each owner says of an indicator; a record that tells no owners speaks for itself."""
    descriptors = record.get("descriptors")
    each = descriptors.get("data") if isinstance(descriptors, dict) else None
    return [one for one in each if isinstance(one, dict)] if isinstance(each, list) and each else [record]


def _opinion(owner: Mapping[str, Any]) -> str:
    """Return status and tags in the owner's words: "MALICIOUS (tag, tag)"."""
    status, tags = str(owner.get("status") or "").strip(), owner.get("tags")
    if isinstance(tags, dict):
        tags = tags.get("data")
    if isinstance(tags, list):
        told = ", ".join(str(tag.get("text", "")) if isinstance(tag, dict) else str(tag) for tag in tags)
    else:
        told = str(tags or "").strip()
    return f"{status} ({told})".lstrip() if told else status


def _true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in _TRUE)
