"""The quarantine: a ledger of pointers to withheld bytes, which stay where they lay in the source store.

Copying the bytes is the risk that a quarantine is meant to end, so this one never holds any.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from filters.policy import UNEXAMINED
from manifests.evidence import ShardFault, pointer_fields
from manifests.manifest import Decision
from manifests.tables import column, listed, read_rows, write_rows


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where withheld bytes lie: `length` bytes from `offset` of the shard with this SHA-256.

    The part of a shard behind a structural fault belongs to no sample: its `index` is None and its `key` empty.
    """

    shard: str
    shard_sha256: str
    index: int | None
    key: str = field(repr=False)
    offset: int
    length: int
    marks: tuple[str, ...] = ()


def source_fields() -> list[pa.Field]:
    """Return the columns that name withheld bytes, whether they are a sample or the rest of a broken shard."""
    return [
        column("shard", pa.string(), "name of the shard in the source store"),
        column("shard_sha256", pa.string(), "SHA-256 of that shard, hex"),
        column(
            "index", pa.int64(), "position of the sample in the shard, from 0; null behind a structural fault", True
        ),
        column("key", pa.string(), "key of the sample; empty behind a structural fault"),
        *pointer_fields(),
    ]


QUARANTINE_SCHEMA = pa.schema(
    [
        *source_fields(),
        column("marks", listed(pa.string()), "what is held against the bytes, in alphabetical order"),
    ]
)


def pointers(decisions: Iterable[Decision], faults: Iterable[ShardFault], shard_sha256: str) -> Iterator[Pointer]:
    """Yield a pointer to each withheld sample of a shard, then to each part of it that could not be read."""
    for each in decisions:
        if each.withheld:
            yield Pointer(each.shard, shard_sha256, each.index, each.key, each.offset, each.length, each.marks)
    for fault in faults:
        yield Pointer(fault.shard, shard_sha256, None, "", fault.offset, fault.length, (UNEXAMINED,))


def write_ledger(path: Path, rows: Iterable[Pointer], metadata: Mapping[str, str]) -> None:
    """Write the ledger of a shard, in the order given."""
    write_rows(path, QUARANTINE_SCHEMA, rows, metadata)


def read_ledger(path: Path) -> Iterator[Pointer]:
    """Yield the pointers of a shard, one row group in memory at a time, or raise SealError."""
    return (Pointer(**row) for row in read_rows(path, QUARANTINE_SCHEMA))
