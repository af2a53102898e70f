"""Many rows at once, where nothing tells them apart: what is decided of one is decided of all that were found alike.

For corpora of addresses, where most rows have no finding and there are very many of them. Each distinct statement goes
through `decide`, once; rows are columns before and after. What comes out is what `decide` gives row by row.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.finding import Finding
from filters.policy import WITHHELD, Policy
from manifests.counts import Counts
from manifests.evidence import EVIDENCE_SCHEMA, Evidence
from manifests.manifest import MANIFEST_SCHEMA, PUBLIC_SCHEMA, Decision, decide, decision_of, public_rows
from manifests.measures import Measures, measure, total_measures
from manifests.tables import RowWriter, plain, read_groups, restored

_SAME = ("shard", "index", "key", "offset", "length")  # a decision has them from its evidence
_DECIDED = ("partition", "marks", "rules", "inherited", "reasons", "findings")


@dataclass(frozen=True, slots=True)
class Statement:
    """What was found of a row, and by whom: the same for most rows of a table."""

    findings: tuple[Finding, ...]
    examined: tuple[str, ...]
    not_applicable: tuple[str, ...] = ()

    @property
    def evidence(self) -> Evidence:
        """Evidence that says this and nothing else."""
        return Evidence("", 0, "", 0, 0, (), (), self.findings, self.examined, self.not_applicable)


def statements(table: pa.Table) -> list[Statement]:
    """Return the statement of each row of evidence; rows without any finding that are alike share one object."""
    numbers, firsts = _alike(table, ("examined", "not_applicable"))
    known = [restored(each) for each in table.select(["examined", "not_applicable"]).take(firsts).to_pylist()]
    plainly = [Statement((), each["examined"], each["not_applicable"]) for each in known]
    found = [plainly[number] for number in numbers.tolist()]
    for row in np.flatnonzero(pc.list_value_length(table["findings"]).to_numpy()).tolist():
        told = restored(table["findings"][row].as_py())
        found[row] = replace(found[row], findings=tuple(Finding(**each) for each in told))
    return found


def _alike(table: pa.Table, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the number of its kind, where rows with the same lists are of one kind; and a row of each."""
    parts = []
    for name in names:
        lists = table[name].combine_chunks()
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        values = np.full((len(lengths), max(lengths, default=0) + 1), -1, np.int32)  # never without a column
        inside = np.arange(values.shape[1]) < lengths[:, None]
        values[inside] = pc.dictionary_encode(lists.flatten()).indices.to_numpy()
        parts.append(values)
    rows = np.concatenate(parts, axis=1)
    if (rows == rows[:1]).all():
        return np.zeros(len(rows), np.int64), np.zeros(min(len(rows), 1), np.int64)
    _, firsts, numbers = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return numbers.reshape(-1), firsts


def stated(path: Path) -> Iterator[list[Statement]]:
    """Yield the statements of a file of evidence, row group by row group, or raise SealError."""
    return map(statements, read_groups(path, EVIDENCE_SCHEMA, ["findings", "examined", "not_applicable"]))


def decided(path: Path, inherited: Mapping[int, tuple[str, ...]], policy: Policy) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the restricted manifest that follow from a file of evidence, or raise SealError."""
    columns = [*_SAME, "findings", "examined", "not_applicable"]
    for table in read_groups(path, EVIDENCE_SCHEMA, columns):
        told = statements(table)
        first = table["index"][0].as_py() if table.num_rows else 0
        marks = [inherited.get(index, ()) for index in range(first, first + len(told))]
        kinds = {(id(each), shared): each for each, shared in zip(told, marks, strict=True)}
        places = {kind: place for place, kind in enumerate(kinds)}
        found = [plain(decide(each.evidence, kind[1], policy), MANIFEST_SCHEMA) for kind, each in kinds.items()]
        rows = pa.array([places[id(each), shared] for each, shared in zip(told, marks, strict=True)], pa.int64())
        yield _batch(table, found, rows)


def published(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the kept rows of a batch of the restricted manifest, as the public may see them."""
    kept = batch.filter(pc.not_equal(batch["partition"], WITHHELD))
    shown = {each.name: kept[each.name] for each in PUBLIC_SCHEMA if each.name != "findings"}
    findings: list[Any] = [[]] * kept.num_rows
    for row, length in enumerate(pc.list_value_length(kept["findings"]).to_pylist()):
        if length:
            findings[row] = plain(next(public_rows(decisions(kept.slice(row, 1)))), PUBLIC_SCHEMA)["findings"]
    arrays = {**shown, "findings": pa.array(findings, PUBLIC_SCHEMA.field("findings").type)}
    return pa.RecordBatch.from_arrays([arrays[each.name] for each in PUBLIC_SCHEMA], schema=PUBLIC_SCHEMA)


def withheld(batch: pa.RecordBatch) -> Iterator[Decision]:
    """Yield the decisions of a batch that went to no partition."""
    return decisions(batch.filter(pc.equal(batch["partition"], WITHHELD)))


def decisions(batch: pa.RecordBatch) -> Iterator[Decision]:
    """Yield the rows of a batch of the restricted manifest one by one."""
    return map(decision_of, map(restored, batch.to_pylist()))


def manifest_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a restricted manifest as columns, one row group at a time, or raise SealError."""
    for table in read_groups(path, MANIFEST_SCHEMA, MANIFEST_SCHEMA.names):
        yield _one(table)


def public_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a public manifest as columns, one row group at a time, or raise SealError."""
    for table in read_groups(path, PUBLIC_SCHEMA, PUBLIC_SCHEMA.names):
        yield _one(table)


def count_batches(batches: Iterable[pa.RecordBatch]) -> Counts:
    """Count as `counts.count` does, over batches of the restricted manifest."""
    kept: Counter[str] = Counter()
    out: Counter[str] = Counter()
    for batch in batches:
        for each in batch["partition"].value_counts().to_pylist():
            if each["values"] != WITHHELD:
                kept[each["values"]] += each["counts"]
        reasons = batch.filter(pc.equal(batch["partition"], WITHHELD))["reasons"]
        out.update(restored(each[0]) if each else "" for each in reasons.to_pylist())
    return Counts(dict(sorted(kept.items())), dict(sorted(out.items())))


def measure_batches(policy: Policy, batches: Iterable[pa.RecordBatch]) -> Measures:
    """Measure as `measures.measure` does, over batches of the restricted manifest."""
    parts = [measure(policy, ())]
    for batch in batches:
        bare = pc.not_equal(batch["partition"], WITHHELD)
        for name in ("marks", "rules", "findings"):
            bare = pc.and_(bare, pc.equal(pc.list_value_length(batch[name]), 0))
        kept = {each["values"]: each["counts"] for each in batch.filter(bare)["partition"].value_counts().to_pylist()}
        parts += [replace(parts[0], kept=kept), measure(policy, decisions(batch.filter(pc.invert(bare))))]
    return total_measures(parts)


def write_batches(path: Path, schema: pa.Schema, rows: Iterable[pa.RecordBatch], metadata: Mapping[str, str]) -> None:
    """Write rows that are columns, a row group for each batch, in the order given."""
    with RowWriter(path, schema, metadata) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _batch(table: pa.Table, decided_kinds: list[dict[str, Any]], rows: pa.Array) -> pa.RecordBatch:
    """Return rows of the manifest: what is decided of each kind of row, for the rows of that kind."""
    same = {name: table[name].combine_chunks() for name in _SAME}
    for name in _DECIDED:
        same[name] = pa.array([each[name] for each in decided_kinds], MANIFEST_SCHEMA.field(name).type).take(rows)
    return pa.RecordBatch.from_arrays([same[each.name] for each in MANIFEST_SCHEMA], schema=MANIFEST_SCHEMA)


def _one(table: pa.Table) -> pa.RecordBatch:
    found = table.combine_chunks().to_batches()
    return found[0] if found else pa.RecordBatch.from_pylist([], schema=table.schema)
