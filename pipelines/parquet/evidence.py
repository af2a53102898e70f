"""From what the examining process says of some rows to their evidence, as columns; it is taken strictly."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np
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
_STATED = ("findings", "examined", "not_applicable")  # columns that most rows have alike

Shape = tuple[tuple[str, int, int | None], ...]
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of some consecutive rows.

    `shapes` has kind, bytes and quality of the fingerprints of each row, one after the other in its `values`. Rows that
    are alike share what is said of them: a few thousand objects for each question are looked at by Python's collector.
    """

    keys: list[str] | None = field(repr=False)
    statements: list[Statement]
    shapes: list[Shape] = field(repr=False)
    values: list[bytes] = field(repr=False)
    groups: list[Sequence[str]]

    def __add__(self, other: "Told") -> "Told":
        """Return what is known of these rows and of those that follow."""
        keys = None if self.keys is None and other.keys is None else [*(self.keys or ()), *(other.keys or ())]
        prints = self.shapes + other.shapes, self.values + other.values
        return Told(keys, self.statements + other.statements, *prints, self.groups + other.groups)


def died() -> Told:
    """Return what is known of one row over which the examining process died."""
    return Told(None, [Statement((DIED,), ())], [()], [b""], [()])


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
        return Told(keys, _all_at(statements, of), *_prints(answer, count), ties)

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
    numbers = np.arange(first, first + count)
    distinct = {id(each): each for each in told.statements}
    places = {number: place for place, number in enumerate(distinct)}
    stored, rows = [_stored(each) for each in distinct.values()], pa.array([places[id(e)] for e in told.statements])
    keys = pa.array(numbers).cast(pa.string()) if told.keys is None else pa.array(list(map(escape, told.keys)))
    columns: dict[str, Any] = {
        "shard": pa.repeat(escape(shard), count),
        "index": pa.array(np.arange(index, index + count)),
        "key": keys,
        "offset": pa.array(numbers),
        "length": pa.repeat(pa.scalar(1, pa.int64()), count),
        "groups": pa.array(told.groups, _type("groups")),
        "fingerprints": _fingerprints(told),
        **{name: pa.array([each[name] for each in stored], _type(name)).take(rows) for name in _STATED},
    }
    return pa.RecordBatch.from_arrays([columns[each.name] for each in EVIDENCE_SCHEMA], schema=EVIDENCE_SCHEMA)


def _type(name: str) -> pa.DataType:
    return EVIDENCE_SCHEMA.field(name).type


def _stored(statement: Statement) -> dict[str, Any]:
    found = [{k: escape(v) if isinstance(v, str) else v for k, v in asdict(f).items()} for f in statement.findings]
    texts = {name: list(map(escape, getattr(statement, name))) for name in ("examined", "not_applicable")}
    return {"findings": found, **texts}


def _fingerprints(told: Told) -> pa.Array:
    """Return the fingerprints of each row as a column of evidence."""
    kind = _type("fingerprints")
    flat = [each for shape in told.shapes for each in shape]
    fields = {
        "kind": [each[0] for each in flat],
        "form": [IN_TABLE] * len(flat),
        "value": list(_parts(told)),
        "quality": [each[2] for each in flat],
    }
    arrays = [pa.array(fields[each.name], each.type) for each in kind.value_type]
    ends = np.cumsum([0, *map(len, told.shapes)], dtype=np.int32)
    structs = pa.StructArray.from_arrays(arrays, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(ends), structs, type=kind)


def _parts(told: Told) -> Iterator[bytes]:
    for shape, value in zip(told.shapes, told.values, strict=True):
        start = 0
        for _, size, _ in shape:
            yield value[start : start + size]
            start += size


def _prints(answer: Mapping[str, Any], count: int) -> tuple[list[Shape], list[bytes]]:
    """Return the shape and the value of the fingerprints of each row."""
    shapes, values = [_shape(each) for each in answer["shapes"]], answer["values"]
    if values is None:
        if any(shapes):
            raise ValueError
        return [()] * count, [b""] * count
    rows = _all_at(shapes, answer["shape"])
    sizes = {shape: 2 * sum(size for _, size, _ in shape) for shape in shapes}
    if not len(rows) == len(values) == count or [len(each) for each in values] != [sizes[row] for row in rows]:
        raise ValueError
    if not _HEX.fullmatch("".join(values)):
        raise ValueError
    return rows, list(map(bytes.fromhex, values))


def _shape(told: Any) -> Shape:
    """Return (kind, bytes, quality) of each fingerprint of a row."""
    shape = tuple([(kind, BYTES[kind], quality) for kind, quality in told])
    if any(kind not in KINDS or quality not in (None, *range(101)) for kind, _, quality in shape):
        raise ValueError
    return shape


def _keys(told: Any, count: int) -> list[str]:
    if len(told) != count or not all(isinstance(each, str) and 0 < len(each) <= LONGEST_KEY for each in told):
        raise ValueError
    return list(told)


def _group(value: Any) -> str:
    if not isinstance(value, str) or not _GROUP.fullmatch(value):
        raise ValueError
    return value


def _all_at(found: list[_Found], places: Any) -> list[_Found]:
    """Return what is at each of these places, or raise ValueError where one is none."""
    if not isinstance(places, list) or not {type(each) for each in places} <= {int}:
        raise ValueError
    if places and not 0 <= min(places) <= max(places) < len(found):
        raise ValueError
    return [found[place] for place in places]
