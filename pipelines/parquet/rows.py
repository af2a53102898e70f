"""From rows of a table to the samples that filters see.

A row is read like the JSON member of a shard: every string at any depth is a text or an address (`filters.members`).
Nearly all rows are made of strings of which one look at the whole column tells what `members.record` would say: those
skip it. Whatever is not plain goes through it, so there is one meaning, and the quick way only knows its easy cases.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.fingerprints import Fingerprint
from filters.members import NOT_UTF8, record
from filters.sample import Sample
from pipelines.parquet.columns import Columns
from pipelines.parquet.numbers import crowded
from pipelines.parquet.recorded import BAD_DIGEST, prints
from pipelines.parquet.strings import (
    ADDRESS,
    CLASSES,
    EMBEDDED,
    ENCODED_FROM,
    SLOW,
    TEXT,
    codes,
    sound,
    texts_of,
    values_of,
)

ENCODED = "text: may be an encoded picture"
ARRAY = "numbers: may be a picture"

_ENCODED = re.compile(rf"[A-Za-z0-9+/=_\-\r\n]{{{ENCODED_FROM},}}\Z")
_EMBEDDED = re.compile(EMBEDDED, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rows:
    """The samples of some rows, and what is recorded of their pictures."""

    samples: list[Sample] = field(repr=False)
    prints: list[tuple[Fingerprint, ...]] = field(repr=False)


def read(batch: pa.RecordBatch, shard: str, keys: Sequence[str], found: Columns) -> Rows:
    """Return the samples of a batch that has all the columns of its table."""
    texts = {place: texts_of(batch.column(place)) for place in found.flat}
    sound_ones = {place: sound(each) for place, each in texts.items()}
    values = [values_of(each, sound_ones[place]) for place, each in texts.items()]
    whole = _Whole(batch, shard, keys, found, values, crowded(batch, found))
    samples = list(_samples(whole, codes(texts, sound_ones, found, batch.num_rows)))
    recorded, bad = prints(found, dict(zip(found.flat, values, strict=True)), batch)
    for row in bad:
        samples[row] = replace(samples[row], problems=(*samples[row].problems, BAD_DIGEST))
    return Rows(samples, recorded)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A batch, and the strings of its flat columns: None where there is none, bytes where they are not UTF-8."""

    batch: pa.RecordBatch
    shard: str
    keys: Sequence[str] = field(repr=False)
    found: Columns
    values: list[list[Any]]
    crowded: NDArray[np.bool_]

    def slow(self, row: int) -> Sample:
        """Return the sample of a row, read field by field."""
        found, problems = self.found, []
        flat = dict(zip(found.flat, (each[row] for each in self.values), strict=True))
        fields: dict[str, Any] = {}
        for place in found.strings:
            value = flat[place] if place in flat else _nested(self.batch.column(place)[row])
            if _is_utf8(value):
                fields[found.names[place]] = value
            else:
                problems.append(NOT_UTF8)
        problems += _encoded(fields)
        problems += [ARRAY] if self.crowded[row] else []
        return record(self.shard, self.keys[row], fields, tuple(dict.fromkeys(problems)))


def _samples(whole: _Whole, classes: NDArray[np.int64]) -> Iterator[Sample]:
    """Yield the sample of each row; those of one combination of plain values are put together alike."""
    names = [whole.found.names[place] for place in whole.found.flat]
    ways: dict[int, tuple[Any, Any] | None] = {}
    shard, slow = whole.shard, whole.slow
    rows: Iterable[Any] = zip(*whole.values, strict=True) if whole.values else repeat((), len(classes))
    for row, (code, strings, key) in enumerate(zip(classes.tolist(), rows, whole.keys, strict=True)):
        way = ways[code] if code in ways else ways.setdefault(code, _way(code, len(names)))
        texts = way[0](strings) if way is not None else ()
        if way is None or whole.crowded[row] or len(set(texts)) < len(texts):
            yield slow(row)
        else:
            yield Sample(shard, key, (), texts, way[1](strings), dict(zip(names, strings, strict=True)))


def _way(code: int, count: int) -> tuple[Any, Any] | None:
    """Return what picks the texts and the addresses from the strings of a row, None where it must be read slowly."""
    kinds = [code // CLASSES**place % CLASSES for place in range(count)]
    if SLOW in kinds:
        return None
    texts = [place for place, kind in enumerate(kinds) if kind in (TEXT, ADDRESS)]
    return _picker(texts), _picker([place for place in texts if kinds[place] == ADDRESS])


def _picker(places: Sequence[int]) -> Any:
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda row, place=places[0]: (row[place],)) if places else (lambda row: ())


def _nested(value: pa.Scalar) -> Any:
    try:
        return _plain(value.as_py())
    except (ValueError, pa.ArrowException):  # not UTF-8, or two fields of a name
        return b""


def _plain(value: Any) -> Any:
    """Return a map, which Arrow gives as pairs, as a list of its keys and values; the rest as it is."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _is_utf8(value: Any) -> bool:
    return not isinstance(value, bytes)


def _encoded(fields: dict[str, Any]) -> list[str]:
    """Return a problem where a string may be a file in letters and digits, which nobody would look at."""
    waiting: list[Any] = list(fields.values())
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if _EMBEDDED.search(each) or _ENCODED.match(each):
                return [ENCODED]
        elif isinstance(each, (list, dict)):
            waiting.extend(each.values() if isinstance(each, dict) else each)
    return []
