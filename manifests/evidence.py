"""What was seen of each sample, and where its bytes lie: restricted, and never the bytes themselves.

One file per shard. It is the complete record of an examination, so a corpus is decided again without being read again.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from filters.errors import SealError
from filters.finding import Finding
from filters.fingerprints import Fingerprint
from manifests.tables import RowWriter, column, escape, listed, read_metadata, read_rows, unescape

FAULTS = "shardwall.faults"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one sample.

    `index` counts the samples of the shard from 0; `offset` and `length` are the bytes of its members in the shard.
    `groups` are keyed ids of what ties it to others, such as its page; `examined` names the filters that were shown it,
    `not_applicable` those that had nothing to look at because the corpus is one of addresses, without a picture.
    """

    shard: str
    index: int
    key: str = field(repr=False)
    offset: int
    length: int
    groups: tuple[str, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    findings: tuple[Finding, ...] = ()
    examined: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShardFault:
    """The part of a shard that a structural fault hides: `length` bytes from `offset`, withheld as a whole."""

    shard: str
    kind: str
    offset: int
    length: int


def finding_fields(entry: bool) -> list[pa.Field]:
    """Return the columns of a finding; only a restricted table tells of the entry."""
    text = pa.string()
    keyed = [column("entry", text, "keyed id of the list entry that matched; empty when none did")]
    said = [column("classification", text, "what the list's authority says of that entry, word for word; else empty")]
    return [
        column("filter", text, "the filter that made the statement; 'structure' is the reader of the shard itself"),
        column("label", text, "what it found, in the vocabulary of the filter"),
        column(
            "value", pa.float64(), "bits, years or a score in 0..1, as the filter says; null when it has none", True
        ),
        column("source", text, "the list or model that the statement rests on; empty when there is none"),
        *(keyed if entry else ()),
        column("form", text, "which raster, and which form of it, the statement is about; empty for the whole sample"),
        column("unexamined", text, "why the filter could not look; empty when it did"),
        *(said if entry else ()),
    ]


def pointer_fields() -> list[pa.Field]:
    """Return the columns that say where the members of a sample lie."""
    return [
        column("offset", pa.int64(), "first byte of the sample's members in the shard; in a table the row, from 0"),
        column("length", pa.int64(), "bytes from there to the end of its last member; of a row 1"),
    ]


FINGERPRINT_FIELDS = [
    column("kind", pa.string(), "md5, sha1, sha256, pdq, phash or pdq-part"),
    column("form", pa.string(), "what it was taken of: a file, the recorded original, a raster and how it was turned"),
    column("value", pa.binary(), "the digest or perceptual hash, as bytes"),
    column("quality", pa.int32(), "quality of a PDQ hash, 0..100; null for every other kind", True),
]

EVIDENCE_SCHEMA = pa.schema(
    [
        column("shard", pa.string(), "name of the shard in the source store"),
        column("index", pa.int64(), "position of the sample in the shard, from 0"),
        column("key", pa.string(), "key of the sample: the stem that its members share"),
        *pointer_fields(),
        column("groups", listed(pa.string()), "keyed ids of what ties the sample to others, such as its page"),
        column("fingerprints", listed(pa.struct(FINGERPRINT_FIELDS)), "digests and perceptual hashes of the sample"),
        column("findings", listed(pa.struct(finding_fields(entry=True))), "what the filters found, in their order"),
        column("examined", listed(pa.string()), "filters that were shown the sample; one that is missing never looked"),
        column(
            "not_applicable",
            listed(pa.string()),
            "filters of pictures for which a row of a table had nothing, as the corpus has no picture; else empty",
        ),
    ]
)


class EvidenceWriter:
    """Writes the evidence of one shard; a context manager that removes the file when its block raises."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._rows = RowWriter(path, EVIDENCE_SCHEMA, metadata)
        self._faults: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, or remove it when the block raised."""
        if kind is None:
            self._rows.note(FAULTS, json.dumps(self._faults))
        self._rows.__exit__(kind, error, trace)

    def write(self, evidence: Evidence) -> None:
        """Add the evidence of one sample, or raise SealError when a value does not fit its column."""
        self._rows.write(evidence)

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Add the evidence of many samples, as columns, in a row group of their own."""
        self._rows.write_batch(batch)

    def fault(self, fault: ShardFault) -> None:
        """Record a part of the shard that could not be read as samples."""
        self._faults.append(asdict(replace(fault, shard=escape(fault.shard), kind=escape(fault.kind))))


def read_evidence(path: Path) -> Iterator[Evidence]:
    """Yield the evidence of a shard in order, one row group in memory at a time, or raise SealError."""
    return (_evidence(row) for row in read_rows(path, EVIDENCE_SCHEMA))


def read_faults(path: Path) -> tuple[ShardFault, ...]:
    """Return the structural faults recorded beside the evidence of a shard, or raise SealError."""
    try:
        found = [ShardFault(**fault) for fault in json.loads(read_metadata(path)[FAULTS])]
        return tuple(replace(each, shard=unescape(each.shard), kind=unescape(each.kind)) for each in found)
    except (KeyError, TypeError, ValueError):
        raise SealError(f"{path.name}: does not say which parts of the shard were unreadable; run again") from None


def _evidence(row: dict[str, Any]) -> Evidence:
    prints = tuple(Fingerprint(**each) for each in row["fingerprints"])
    return Evidence(**{**row, "fingerprints": prints, "findings": tuple(Finding(**each) for each in row["findings"])})
