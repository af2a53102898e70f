"""From the raw members of a sample to what filters see: images, texts, addresses, and the JSON read strictly."""

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from filters.sample import Sample

IMAGE_KINDS = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif"})
MAX_TEXT_BYTES = 1_048_576  # of one txt or json member; img2dataset writes a few kilobytes
NOT_UTF8 = "text: not UTF-8"
TEXT_TOO_LARGE = "text: too large"
JSON_TOO_LARGE = "json: too large"
JSON_NOT_UTF8 = "json: not UTF-8"
JSON_NOT_VALID = "json: not valid"
JSON_DUPLICATE_KEYS = "json: duplicate keys"
JSON_NUMBER = "json: number out of range"
JSON_TOO_DEEP = "json: nested too deeply"
JSON_NOT_OBJECT = "json: not an object"
JSON_SEVERAL = "json: more than one member"
UNKNOWN_KIND = "member: kind not known"

_ADDRESS_KEY = re.compile(r"(?:ur[li]s?|href|src|links?|(?:source_)?page|domain|hostname)\Z", re.IGNORECASE)
# A scheme of at most 32 characters keeps the search linear in hostile text.
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.\-]{0,31}://|www\.)[^\s<>\"\u3000-\u3002\uff0c]+", re.IGNORECASE)
_IGNORED = re.compile("[\t\r\n]")  # within an address, by the WHATWG URL Standard
_PRINTABLE_ASCII = re.compile(r"[!-~]+")
_HOST_CHARACTER = re.compile(r"[^\W_]")
_TRAILING = ".,;:!?'\"()[]*_~\u2026\u2019\u201d\u00bb"
# Under such a key, those of an object are words with a score, as taggers write them: {"tags": {"outdoors": 0.98}}.
# Elsewhere they name fields, and a field "nsfw" beside each picture says nothing of one.
_TAGS_KEY = re.compile(r"(?:\A|_)(?:hash)?(?:tags?|keywords?|concepts?)(?:\Z|_)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3}|[^\W\d_\x00-\x7f]")  # a sample's key that has one may be read as a caption
_DIGEST = re.compile(r"[0-9a-fA-F]{16,128}\Z")
_NUMBER = re.compile(r"[\s0-9.,:+\-%eE]*[0-9][\s0-9.,:+\-%eE]*\Z")


class _RefusedError(ValueError):
    """The JSON is not one that every reader reads alike; the argument is the fixed phrase that says why."""


def parse(shard: str, key: str, members: Sequence[tuple[str, bytes]], problems: Sequence[str] = ()) -> Sample:
    """Return the sample made of these (suffix, bytes) members; it never raises and a problem never quotes.

    Every member that cannot be read as what its suffix says adds a fixed phrase to the problems of the sample, and so
    does a member of an unknown kind: what nobody examined cannot be passed on. Texts are those of txt members, every
    string of the JSON, the words of tags, and the key where it has a word, as a file's name may serve as its caption.
    """
    images = [data for suffix, data in members if _kind(suffix) in IMAGE_KINDS]
    texts, objects, faults = _read(members)
    strings = [(name, value) for each in objects for name, value in _strings(each)]
    return Sample(
        shard=shard,
        key=key,
        images=tuple(images),
        texts=_distinct([*texts, *(value for _, value in strings), *([key] if _WORD.search(key) else [])]),
        urls=tuple(dict.fromkeys(_addresses(texts, strings))),
        meta=objects[0] if objects else {},
        problems=tuple(dict.fromkeys((*problems, *faults))),
    )


def record(shard: str, key: str, fields: Mapping[str, Any], problems: Sequence[str] = ()) -> Sample:
    """Return the sample that a row of a table is: no picture, and its fields read like those of a JSON member.

    `fields` holds every string of the row, at any depth and in the order of its columns.
    """
    strings = list(_strings(fields))
    large = any(len(value) > MAX_TEXT_BYTES for _, value in strings)
    return Sample(
        shard=shard,
        key=key,
        texts=() if large else _distinct([value for _, value in strings]),
        urls=() if large else tuple(dict.fromkeys(_addresses((), strings))),
        meta=fields,
        problems=(*problems, *((TEXT_TOO_LARGE,) if large else ())),
    )


def is_prose(value: str) -> bool:
    """Tell whether a string is a text, and no address can be read in it."""
    return bool(_distinct([value])) and next(_addresses_in(value), None) is None


def is_address_name(name: str) -> bool:
    """Tell whether a field of this name holds an address."""
    return bool(_ADDRESS_KEY.search(name))


def _kind(suffix: str) -> str:
    return suffix.rpartition(".")[2].lower()


def _read(members: Sequence[tuple[str, bytes]]) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    """Return the texts and the JSON objects, and what was wrong with any member."""
    texts: list[str] = []
    objects: list[dict[str, Any]] = []
    faults: list[str] = []
    for suffix, data in members:
        try:
            match _kind(suffix):
                case "txt":
                    texts.append(_text(data))
                case "json":
                    objects.append(_json_object(data))
                case kind if kind not in IMAGE_KINDS:
                    faults.append(UNKNOWN_KIND)
        except _RefusedError as refusal:
            faults.append(str(refusal))
    if len(objects) > 1:
        faults.append(JSON_SEVERAL)
    return texts, objects, faults


def _text(data: bytes) -> str:
    if len(data) > MAX_TEXT_BYTES:
        raise _RefusedError(TEXT_TOO_LARGE)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _RefusedError(NOT_UTF8) from None


def _json_object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_TEXT_BYTES:
        raise _RefusedError(JSON_TOO_LARGE)
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite
        )
    except _RefusedError:
        raise
    except UnicodeDecodeError:
        raise _RefusedError(JSON_NOT_UTF8) from None
    except RecursionError:
        raise _RefusedError(JSON_TOO_DEEP) from None
    except ValueError:  # JSONDecodeError holds the whole text: it must not be chained
        raise _RefusedError(JSON_NOT_VALID) from None
    if not isinstance(value, dict):
        raise _RefusedError(JSON_NOT_OBJECT)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RefusedError(JSON_DUPLICATE_KEYS)
    return value


def _constant(_: str) -> float:
    raise _RefusedError(JSON_NOT_VALID)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _RefusedError(JSON_NUMBER)
    return value


def _strings(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (nearest key, string) for every string at any depth, in the order of the document; keys below tags too."""
    waiting: list[tuple[str, Any, bool]] = [("", value, False)]
    while waiting:
        name, each, tags = waiting.pop()
        tags = tags or _TAGS_KEY.search(name) is not None
        if isinstance(each, str):
            yield name, each
        elif isinstance(each, list):
            waiting.extend((name, item, tags) for item in reversed(each))
        elif isinstance(each, dict):
            for key, item in reversed(each.items()):
                waiting.extend(((key, item, tags), *([("", key, tags)] if tags else [])))


def _distinct(strings: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(each for each in strings if each.strip() and not _DIGEST.match(each) and not _NUMBER.match(each))
    )


def _addresses(texts: Sequence[str], strings: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, value in strings:
        if _is_address_field(name, value):
            yield value
        else:
            yield from _addresses_in(value)
    for text in texts:
        yield from _addresses_in(text)


def _is_address_field(name: str, value: str) -> bool:
    # Under such a key a host without scheme is an address, but a sentence or a number is not.
    tokens = _IGNORED.sub("", value).split(maxsplit=1) if _ADDRESS_KEY.search(name) else []
    if not tokens or _NUMBER.match(value) or not _HOST_CHARACTER.search(value):
        return False
    return len(tokens) == 1 or "://" in tokens[0]


def _addresses_in(text: str) -> Iterator[str]:
    """Yield the address-like runs of a text, and the same without what the prose around may have added."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text).replace("\u200b", "")
    for spelling in dict.fromkeys((text, plain)):
        if "://" not in spelling and "www." not in spelling.lower():  # the expression takes longer to find that out
            continue
        for match in _ADDRESS.finditer(spelling):
            run = match.group()
            ascii_run = _PRINTABLE_ASCII.match(run)
            for each in (run, run.rstrip(_TRAILING), ascii_run.group().rstrip(_TRAILING) if ascii_run else ""):
                if _HOST_CHARACTER.search(each.partition("://")[2] or each[4:]):
                    yield each
