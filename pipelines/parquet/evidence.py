"""From what the examining process says of some rows to their evidence, as columns; it is taken strictly."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from filters.digests import NO_DIGEST
from filters.finding import FINGERPRINTS, PIXELS, Finding, looks_at
from filters.fingerprints import BYTES, IN_TABLE
from filters.policy import Policy
from filters.rasters import NO_IMAGE
from manifests.alike import Statement
from manifests.evidence import EVIDENCE_SCHEMA
from manifests.tables import escape
from pipelines.answers import stated
from pipelines.examine import DIED

KINDS = ("md5", "sha1", "sha256", "pdq")  # what a table may record
LONGEST_KEY = 256
_GROUP = re.compile("[0-9a-f]{32}")
_HEX = re.compile("[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of some consecutive rows; `prints` are, for each row, (kind, value, quality)."""

    keys: list[str] | None = field(repr=False)
    statements: list[Statement]
    prints: list[Sequence[tuple[str, bytes, int | None]]] = field(repr=False)
    groups: list[Sequence[str]]

    def __add__(self, other: "Told") -> "Told":
        """Return what is known of these rows and of those that follow."""
        keys = None if self.keys is None and other.keys is None else [*(self.keys or ()), *(other.keys or ())]
        return Told(keys, self.statements + other.statements, self.prints + other.prints, self.groups + other.groups)


def died() -> Told:
    """Return what is known of one row over which the examining process died."""
    return Told(None, [Statement((DIED,), ())], [()], [()])


class Reading:
    """How answers of the examining process are taken, under one policy.

    A filter of pictures has nothing to look at in such a corpus; one of fingerprints says for itself where a row had
    none. Both are said here and not by the examining process, and so of no tar.
    """

    def __init__(self, policy: Policy) -> None:
        self._pixels = tuple(each.name for each in policy.filters if looks_at(each) == PIXELS)
        self._prints = frozenset(each.name for each in policy.filters if looks_at(each) == FINGERPRINTS)
        self._order = {each.name: number for number, each in enumerate(policy.filters)}

    def taken(self, answer: Mapping[str, Any], count: int, keyed: bool) -> Told:
        """Return an answer about `count` rows; KeyError, TypeError or ValueError where no honest process gives it."""
        statements = [self._statement(each) for each in answer["patterns"]]
        of, groups = answer["of"], answer["groups"]
        if len(of) != count or any(not 0 <= int(row) < count for row in groups):
            raise ValueError
        ties: list[Sequence[str]] = [()] * count
        for row, ids in groups.items():
            ties[int(row)] = [_group(each) for each in ids]
        keys = _keys(answer["keys"], count) if keyed else None
        return Told(keys, [_at(statements, each) for each in of], _prints(answer, count), ties)

    def _statement(self, told: Mapping[str, Any]) -> Statement:
        found, examined = stated(told)
        without = {each.filter for each in found if self._had_nothing(each)}
        names = sorted({*self._pixels, *without}, key=lambda name: self._order[name])
        return Statement(tuple(each for each in found if not self._had_nothing(each)), examined, tuple(names))

    def _had_nothing(self, found: Finding) -> bool:
        return found.filter in self._prints and found.unexamined in (NO_IMAGE, NO_DIGEST)


def as_columns(shard: str, index: int, first: int, told: Told) -> pa.RecordBatch:
    """Return the evidence of rows, of which the first has this `index` and lies in row `first` of its file."""
    count = len(told.statements)
    numbers = range(first, first + count)
    keys = list(map(escape, told.keys)) if told.keys is not None else list(map(str, numbers))
    distinct = {id(each): each for each in told.statements}
    stated_by = {number: _stored(each) for number, each in distinct.items()}
    stored = [stated_by[id(each)] for each in told.statements]
    values: dict[str, Any] = {
        "shard": [escape(shard)] * count,
        "index": range(index, index + count),
        "key": keys,
        "offset": numbers,
        "length": [1] * count,
        "groups": told.groups,
        "fingerprints": [_fingerprints(each) for each in told.prints] if any(told.prints) else [[]] * count,
        **{name: [each[name] for each in stored] for name in ("findings", "examined", "not_applicable")},
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(values[each.name], each.type) for each in EVIDENCE_SCHEMA], schema=EVIDENCE_SCHEMA
    )


def _stored(statement: Statement) -> dict[str, Any]:
    found = [{k: escape(v) if isinstance(v, str) else v for k, v in asdict(f).items()} for f in statement.findings]
    texts = {name: list(map(escape, getattr(statement, name))) for name in ("examined", "not_applicable")}
    return {"findings": found, **texts}


def _fingerprints(prints: Sequence[tuple[str, bytes, int | None]]) -> list[dict[str, Any]]:
    return [{"kind": kind, "form": IN_TABLE, "value": value, "quality": quality} for kind, value, quality in prints]


def _prints(answer: Mapping[str, Any], count: int) -> list[Sequence[tuple[str, bytes, int | None]]]:
    shapes = [_shape(each) for each in answer["shapes"]]
    if answer["values"] is None:
        if any(shapes):
            raise ValueError
        return [()] * count
    if not len(answer["shape"]) == len(answer["values"]) == count:
        raise ValueError
    return [_split(_at(shapes, each), value) for each, value in zip(answer["shape"], answer["values"], strict=True)]


def _shape(told: Any) -> list[tuple[str, int, int | None]]:
    """Return (kind, bytes, quality) of each fingerprint of a row."""
    shape = [(kind, BYTES[kind], quality) for kind, quality in told]
    if any(kind not in KINDS or quality not in (None, *range(101)) for kind, _, quality in shape):
        raise ValueError
    return shape


def _split(shape: list[tuple[str, int, int | None]], value: Any) -> list[tuple[str, bytes, int | None]]:
    if not _HEX.fullmatch(value) or len(value) != 2 * sum(size for _, size, _ in shape):
        raise ValueError
    data, found, start = bytes.fromhex(value), [], 0
    for kind, size, quality in shape:
        found.append((kind, data[start : start + size], quality))
        start += size
    return found


def _keys(told: Any, count: int) -> list[str]:
    if len(told) != count or not all(isinstance(each, str) and 0 < len(each) <= LONGEST_KEY for each in told):
        raise ValueError
    return list(told)


def _group(value: Any) -> str:
    if not isinstance(value, str) or not _GROUP.fullmatch(value):
        raise ValueError
    return value


def _at(found: list[Any], place: Any) -> Any:
    if not isinstance(place, int) or not 0 <= place < len(found):
        raise ValueError
    return found[place]
