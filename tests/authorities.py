"""Pages as authorities write them, of planted hashes: digests of coded words, that no real list has.

The shapes are those of the documentation and clients that filters/ncmec.py, filters/stopncii.py and
filters/threatexchange.py name.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr

from pipelines.fetch_http import Answer, StatusError

NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
DAY = "2026-03-01T12:00:00Z"


def planted(word: str, kind: str = "md5") -> str:
    """Return the digest of a coded word; as "pdq" one of its length."""
    return hashlib.new("sha256" if kind == "pdq" else kind, f"codeword {word}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of NCMEC's list, as a page tells it; `prints` are pairs of a kind and a value."""

    id: str
    when: str = DAY
    gone: bool = False
    prints: tuple[tuple[str, str], ...] = ()
    classification: str = ""
    kind: str = "image"
    member: str = "42"

    @property
    def xml(self) -> str:
        """The element of this entry."""
        element = f"deleted{self.kind.capitalize()}" if self.gone else self.kind
        head = f"<member id={quoteattr(self.member)}>Example Member</member>"
        body = f"<timestamp>{self.when}</timestamp><id>{escape(self.id)}</id>"
        if self.classification:
            body += f"<classification>{escape(self.classification)}</classification>"
        prints = "".join(f"<{kind}>{escape(value)}</{kind}>" for kind, value in self.prints)
        return f"<{element}>{head}{body}{'' if self.gone else f'<fingerprints>{prints}</fingerprints>'}</{element}>"


def image(word: str, when: str = DAY, classification: str = "A1", gone: bool = False) -> Entry:
    """Return an image with the MD5 and the SHA-1 of a coded word."""
    prints = (("md5", planted(word)), ("sha1", planted(word, "sha1")))
    return Entry(word, when, gone, () if gone else prints, "" if gone else classification)


def ncmec_page(entries: Iterable[Entry], following: str = "") -> bytes:
    """Return a page of these entries with a link to the next one."""
    found = list(entries)
    paging = f"<paging><next>{escape(following)}</next></paging>" if following else ""
    parts = []
    for name, kind in (("images", "image"), ("videos", "video")):
        if some := [each.xml for each in found if each.kind == kind]:
            parts.append(f'<{name} count="{len(some)}" maxTimestamp="{DAY}">\n' + "\n".join(some) + f"\n</{name}>")
    return f'<?xml version="1.0"?>\n<queryResult xmlns="{NAMESPACE}">{"".join(parts)}{paging}</queryResult>'.encode()


def stopncii_record(word: str, status: str = "Active", when: int = 1_700_000_000, **more: Any) -> dict[str, Any]:
    """Return a record of StopNCII with the PDQ of a coded word."""
    record = {"lastModtimestamp": when, "signalType": "ImagePDQ", "hashValue": planted(word, "pdq")}
    return {**record, "hashStatus": status, "caseNumbers": {"codeword-case": status}, **more}


def stopncii_page(records: Sequence[Any], token: str = "", more: bool = False, resume: int = 0) -> bytes:
    """Return a page of these records."""
    page = {"count": len(records), "nextPageToken": token, "nextSetTimestamp": resume, "hasMoreRecords": more}
    return json.dumps({**page, "hashRecords": list(records)}).encode()


class HashSharing:
    """NCMEC's service in memory: answers queries from its entries, cut into small pages by position.

    Entries come in the order of their digests, so not in that of time. `date` is its clock.
    """

    def __init__(self, entries: Iterable[Entry] = (), size: int = 3, date: str = "2026-06-01T00:00:00Z") -> None:
        self.entries = {each.id: each for each in entries}
        self.size = size
        self.date = date
        self.asked: list[str] = []

    def ask(self, path: str) -> Answer:
        """Answer one request."""
        self.asked.append(path)
        moment = datetime.fromisoformat(self.date).astimezone(UTC)
        if path == "/v2/status":
            return Answer(b"<status/>", moment)
        parts = urlsplit(path)
        if parts.path != "/v2/entries":
            raise StatusError(404)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = [each for each in self.entries.values() if asked["from"] < each.when <= asked["to"]]
        found.sort(key=lambda each: hashlib.sha256(each.id.encode()).digest())
        start = int(asked.get("start", "1"))
        rest = start + self.size
        query = {"from": asked["from"], "to": asked["to"], "start": rest, "size": self.size, "max": len(found)}
        following = f"/v2/entries?{urlencode(query)}" if rest <= len(found) else ""
        return Answer(ncmec_page(found[start - 1 : rest - 1], following), moment)
