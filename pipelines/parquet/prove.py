"""Whether a table and its outputs are what the records say, computed again from the source."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.finding import FINGERPRINTS, PIXELS, looks_at
from filters.policy import APART, NEVER_ALLOWED, WITHHELD, Policy
from manifests import alike
from manifests.evidence import EVIDENCE_SCHEMA, read_faults
from manifests.tables import read_groups
from pipelines.examine import Examiner
from pipelines.inputs import Shard
from pipelines.join import read_inherited
from pipelines.layout import Layout
from pipelines.parquet.answer import MARKED_METADATA
from pipelines.parquet.evidence import Reading, as_columns
from pipelines.parquet.examine import CHUNK, Asking
from pipelines.parquet.separate import places_of, run, unreadable
from pipelines.parquet.survey import TableSurvey, survey_table

_FROM_SOURCE = ("shard", "index", "key", "offset", "length", "fingerprints")


@dataclass(frozen=True, slots=True)
class Proof:
    """One table under proof."""

    layout: Layout
    policy: Policy
    shard: Shard

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.shard.name

    @property
    def partitions(self) -> list[str]:
        """The names of the partitions of the policy."""
        return [partition.name for partition in self.policy.partitions]


def decisions(proof: Proof) -> Iterator[str]:
    """Say where evidence is not about the rows of the source, or a decision does not follow from it."""
    layout, name = proof.layout, proof.name
    yield from _evidence(proof)
    inherited = read_inherited(layout.inherited(name))
    follows = alike.decided(layout.evidence(name), inherited, proof.policy)
    manifest = layout.manifest(name)
    if not _equal(follows, alike.manifest_batches(manifest)):
        yield f"{name}: the decisions do not follow from the evidence and the policy"
    if any(_forbidden(batch) for batch in alike.manifest_batches(manifest)):
        yield f"{name}: a partition has rows with marks that no partition may hold together"
    public = (batch for batch in map(alike.published, alike.manifest_batches(manifest)) if batch.num_rows)
    if not _equal(public, alike.public_batches(layout.published(name))):
        yield f"{name}: the published manifest is not that of the kept rows"


def partitions(proof: Proof) -> Iterator[str]:
    """Say which partition does not hold exactly the rows that the manifest puts there."""
    if unreadable(proof.layout, proof.name):
        return
    outputs = [str(proof.layout.partition(name) / proof.shard.file) for name in proof.partitions]
    limits = {"memory": proof.policy.limits.memory_bytes, "seconds": proof.policy.limits.seconds_per_sample}
    request = {"do": "compare", "path": proof.shard.path, "outputs": outputs, **limits}
    answer = run(request, places_of(proof.layout, proof.name, proof.partitions), [])
    if "fault" in answer or len(answer.get("wrong", ())) != len(outputs):
        yield f"{proof.name}: source and outputs cannot be compared"
        return
    for partition, wrong in zip(proof.partitions, answer["wrong"], strict=True):
        if wrong is not None:
            yield f"{partition}/{proof.shard.file} {wrong}"


def _evidence(proof: Proof) -> Iterator[str]:
    name, path = proof.name, proof.layout.evidence(proof.name)
    if [each.kind for each in read_faults(path)] == [MARKED_METADATA]:  # only who has the lists can tell
        return
    bare = replace(proof.policy, filters=())
    with closing(Examiner(bare, b"any", tables=True)) as examiner:
        seen = survey_table(proof.shard, examiner)
        if [(each.kind, each.offset, each.length) for each in seen.faults] != _faults(path):
            yield f"{name}: the evidence tells of other structural faults than the source has"
            return
        asking = Asking(proof.shard, seen.keyed, examiner, Reading(bare))
        if not _about_source(asking, seen, path):
            yield f"{name}: the evidence is not about the rows of the source"
    if not all(_applies(group, proof.policy) for group in alike.stated(path)):
        yield f"{name}: the evidence says of a filter that it does not apply, and it does"


def _faults(path: Path) -> list[tuple[str, int, int]]:
    return [(each.kind, each.offset, each.length) for each in read_faults(path)]


def _about_source(asking: Asking, seen: TableSurvey, path: Path) -> bool:
    """Tell whether key, place and recorded digests of each row are those of the source, but where nobody could look."""
    groups = read_groups(path, EVIDENCE_SCHEMA, [*_FROM_SOURCE, "examined"])
    return all(
        again is not None and stored is not None and _same_rows(again, stored)
        for again, stored in zip_longest(_again(asking, seen), groups)
    )


def _again(asking: Asking, seen: TableSurvey) -> Iterator[pa.Table]:
    index = 0
    for rows in seen.groups:
        for start in range(0, rows.count, CHUNK):
            told = asking.told(rows, start, min(CHUNK, rows.count - start))
            batch = as_columns(asking.shard.name, index, rows.first + start, told)
            index += batch.num_rows
            yield pa.Table.from_batches([batch])


def _same_rows(again: pa.Table, stored: pa.Table) -> bool:
    one, other = (table.select(_FROM_SOURCE) for table in (again, stored))
    if one.equals(other):
        return True
    looked = pc.greater(pc.list_value_length(stored["examined"]), 0)
    return one.num_rows == other.num_rows and bool(one.filter(looked).equals(other.filter(looked)))


def _applies(group: list[alike.Statement], policy: Policy) -> bool:
    """Tell whether every statement leaves out exactly what it may: filters of pictures, and maybe of fingerprints."""
    pixels = {each.name for each in policy.filters if looks_at(each) == PIXELS}
    prints = {each.name for each in policy.filters if looks_at(each) == FINGERPRINTS}
    distinct = {id(each): each for each in group}.values()
    return all(
        pixels <= set(each.not_applicable) <= pixels | prints if each.examined else not each.not_applicable
        for each in distinct
    )


def _forbidden(batch: pa.RecordBatch) -> bool:
    kept = batch.filter(pc.not_equal(batch["partition"], WITHHELD))
    found = map(set, kept["marks"].to_pylist())
    return any(marks & NEVER_ALLOWED or marks >= APART for marks in found if marks)


def _equal(one: Iterator[Any], other: Iterator[Any]) -> bool:
    return all(left is not None and right is not None and left.equals(right) for left, right in zip_longest(one, other))
