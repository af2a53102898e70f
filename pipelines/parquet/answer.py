"""What the examining process answers about a table: plain numbers and strings, and never Arrow.

Most rows of a table are found alike, so what was found is told once for all of them, as a pattern.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
import pyarrow as pa

from filters.finding import Examination, Finding, examine
from filters.members import record
from filters.policy import APART, Policy, earn
from filters.sample import Batch, Sample
from pipelines.names import key_mark
from pipelines.parquet.columns import is_text
from pipelines.parquet.reader import ROWS, Table, TableError, opened, refusal, scan
from pipelines.parquet.rows import read

LONGEST_KEY = 256  # characters
SCANNED = 64  # batches in one answer, so that each has a deadline of its own
KEY_UNREADABLE = "its keys cannot be read"
MARKED_METADATA = "its metadata has what a rule of the policy marks"

Chain = Sequence[tuple[Any, Any]]
Groups = Callable[[Sample, Policy, bytes], list[str]]


class Tables:
    """The open table of an examining process, and what is asked about it."""

    def __init__(self, policy: Policy, chain: Chain, key: bytes, groups: Groups) -> None:
        pa.set_cpu_count(1)
        self._policy, self._chain, self._key, self._groups = policy, chain, key, groups
        self._table: Table | None = None
        self._scans: dict[int, Iterator[int]] = {}
        self._marks: dict[int, Any] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request; what cannot be read is an answer, and what nobody foresaw ends the process."""
        try:
            if request["table"] == "open" or self._table is None or self._table.path != request["path"]:
                self._table, self._scans, self._marks = opened(request["path"]), {}, {}
            return {**getattr(self, f"_{request['table']}")(self._table, request)}
        except TableError as fault:
            return {"fault": str(fault)}

    def _open(self, table: Table, request: dict[str, Any]) -> dict[str, Any]:
        if why := refusal(table):
            return {"refused": why}
        if self._marked(table, request["shard"]):
            raise TableError(MARKED_METADATA)
        groups = [(each.rows, each.start, each.length) for each in table.groups]
        return {"groups": groups, "keyed": table.columns.key is not None}

    def _scan(self, table: Table, request: dict[str, Any]) -> dict[str, Any]:
        """Read on in a row group; `done` when it was read whole."""
        group = request["group"]
        going = self._scans.setdefault(group, scan(table, group))
        for _ in range(SCANNED):
            if next(going, None) is None:
                del self._scans[group]
                return {"done": True}
        return {"done": False}

    def _keys(self, table: Table, request: dict[str, Any]) -> dict[str, Any]:
        """Note the keys of a row group; `usable` is false where one is missing or no key."""
        place, group = table.columns.key, request["group"]
        if place is None or not table.groups[group].rows:
            return {"usable": place is not None}
        try:
            marks = [_marks(each) for each in _column(table, group, table.columns.names[place])]
        except ValueError:
            return {"usable": False}
        self._marks[group] = np.concatenate(marks)
        return {"usable": True}

    def _unique(self, _: Table, __: dict[str, Any]) -> dict[str, Any]:
        """Tell whether no key that was noted came twice."""
        marks = np.concatenate([np.empty(0, np.uint64), *self._marks.values()])
        self._marks = {}
        marks.sort()
        return {"unique": not bool((marks[1:] == marks[:-1]).any())}

    def _examine(self, table: Table, request: dict[str, Any]) -> dict[str, Any]:
        batch = table.rows(request["group"], request["start"], request["count"])
        names = _keys_of(batch, table.columns.key) if request["keyed"] else None
        first = request["first"]
        rows = read(batch, request["shard"], names or [str(first + n) for n in range(batch.num_rows)], table.columns)
        results = examine(Batch.recorded(rows.samples, rows.prints), self._chain, self._key)
        return {"keys": names, **_told(results), "groups": self._tied(rows.samples, table)}

    def _tied(self, samples: Sequence[Sample], table: Table) -> dict[str, list[str]]:
        if not {table.columns.names[place] for place in table.columns.strings} & set(self._policy.ties.page_fields):
            return {}
        found = ((row, self._groups(each, self._policy, self._key)) for row, each in enumerate(samples))
        return {str(row): ids for row, ids in found if ids}

    def _marked(self, table: Table, shard: str) -> bool:
        """Tell whether the words beside the columns, which go along into every output, earn a mark.

        Evidence of one side of the wall is about a picture, and here is none: LAION has a column of the name "NSFW".
        """
        schema = table.file.schema_arrow
        parts = [schema.metadata or {}, *(each.metadata or {} for each in schema)]
        words = [word.decode() for part in parts for pair in part.items() for word in pair]
        sample = record(shard, "", {"metadata": [*words, *schema.names]})
        found = examine(Batch.recorded([sample], [()]), self._chain, self._key)[0].findings
        evidence = APART.union(*(rule.beside for rule in self._policy.rules))
        return bool(earn(self._policy, [each for each in found if not each.unexamined]).marks - evidence)


def _told(results: Sequence[Examination]) -> dict[str, Any]:
    """Return the answer for some rows: patterns, which row has which, and fingerprints row by row."""
    patterns: dict[tuple[tuple[Finding, ...], tuple[str, ...]], int] = {}
    of = [patterns.setdefault((each.findings, each.examined), len(patterns)) for each in results]
    told = [{"findings": [astuple(each) for each in findings], "examined": seen} for findings, seen in patterns]
    shapes: dict[tuple[tuple[str, int | None], ...], int] = {}
    shape = [
        shapes.setdefault(tuple([(p.kind, p.quality) for p in each.fingerprints]), len(shapes)) for each in results
    ]
    values = ["".join([p.value.hex() for p in each.fingerprints]) for each in results] if any(shapes) else None
    return {"patterns": told, "of": of, "shapes": list(shapes), "shape": shape, "values": values}


def _column(table: Table, group: int, name: str) -> Iterator[pa.Array]:
    try:
        for batch in table.file.iter_batches(ROWS, row_groups=[group], columns=[name], use_threads=False):
            yield batch.column(batch.schema.get_field_index(name))  # "id" brings a column "id.x" along
    except Exception:  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise TableError(KEY_UNREADABLE) from None


def _marks(keys: pa.Array) -> Any:
    """Return 64 bits for each key, or raise ValueError where one cannot be used."""
    if keys.null_count:
        raise ValueError
    if not is_text(keys.type):
        return keys.cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64)
    texts = keys.to_pylist()  # UnicodeDecodeError is a ValueError
    if not all(0 < len(each) <= LONGEST_KEY for each in texts):
        raise ValueError
    return np.fromiter(map(key_mark, texts), np.uint64, len(texts))


def _keys_of(batch: pa.RecordBatch, place: int | None) -> list[str]:
    return [str(each) for each in batch.column(place).to_pylist()]
