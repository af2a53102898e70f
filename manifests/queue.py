"""The reporting queue: every withheld sample that asks for a person, most pressing first, each with its deadline.

The queue is filled from decisions alone, so filling it again changes nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from filters.finding import keyed
from filters.policy import ADULT, APART, LISTED, MINOR, OPTED_OUT, UNEXAMINED, Deadlines, Policy
from manifests.evidence import ShardFault
from manifests.manifest import Decision
from manifests.quarantine import source_fields
from manifests.reasons import CLASSIFIER, FAULT, OTHER_LIST, TEXT, TIED, URL
from manifests.tables import column, escape, listed, read_rows, write_rows

KNOWN_MATERIAL = "known_material"
ADULT_AND_MINOR = "adult_and_minor"
CLASSIFIED = "classifier"
TEXTUAL = "text"
STRUCTURAL = "structure"
KINDS = (KNOWN_MATERIAL, ADULT_AND_MINOR, CLASSIFIED, TEXTUAL, STRUCTURAL)  # most pressing first
OPEN = "open"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One case for a person.

    `id` is a keyed id of the bytes it is about: the same shard under another name gives the same id. `priority` is 1
    (most pressing) to 5; `entries` are keyed ids of list entries; `deadline` is ISO 8601 in UTC, to the second.
    """

    id: str
    shard: str
    shard_sha256: str
    index: int | None
    key: str = field(repr=False)
    offset: int
    length: int
    kind: str
    priority: int
    reasons: tuple[str, ...]
    entries: tuple[str, ...]
    deadline: str
    state: str = OPEN


QUEUE_SCHEMA = pa.schema(
    [
        column("id", pa.string(), "keyed id of the case: the same for the same bytes"),
        *source_fields(),
        column("kind", pa.string(), f"what the case rests on: {', '.join(KINDS[:-1])} or {KINDS[-1]}"),
        column("priority", pa.int32(), "1 (most pressing) to 5, by kind"),
        column("reasons", listed(pa.string()), "why the bytes are withheld, most severe first"),
        column("entries", listed(pa.string()), "keyed ids of the list entries that matched"),
        column("deadline", pa.string(), "when a person should have looked, ISO 8601 in UTC"),
        column("state", pa.string(), f"how far the case is: {OPEN!r}"),
    ]
)


@dataclass(frozen=True, slots=True)
class Docket:
    """What the cases of one shard have in common: its SHA-256, the key of ids, when the clocks started, quiet marks."""

    shard_sha256: str
    key: bytes = field(repr=False)
    started: datetime
    deadlines: Deadlines = field(default_factory=Deadlines)
    quiet: frozenset[str] = frozenset({ADULT, MINOR, OPTED_OUT})

    def deadline(self, kind: str) -> str:
        """Return until when a person should have looked at a case of this kind, or raise ValueError without a zone."""
        if self.started.tzinfo is None:
            raise ValueError("the start of a run needs a time zone, or its deadlines depend on the machine")
        due = self.started.astimezone(UTC) + timedelta(hours=getattr(self.deadlines, kind))
        return due.strftime("%Y-%m-%dT%H:%M:%SZ")

    def id(self, *parts: str) -> str:
        """Return the keyed id of a case about a part of this shard."""
        return keyed(self.key, "queue", self.shard_sha256, *parts)


def quiet_marks(policy: Policy) -> frozenset[str]:
    """Return the marks that ask for nobody by themselves: one side of the wall, evidence of it, and opt-outs."""
    return frozenset({ADULT, MINOR, OPTED_OUT}.union(*(rule.beside for rule in policy.rules)))


def kind_of(decision: Decision, quiet: frozenset[str]) -> str:
    """Return the kind of case that a decision makes, empty when it asks for nobody.

    Nobody is asked about what is kept, or withheld only because the policy has no place for one side of the wall. A
    sample that only its ties withhold is a case of the kind of the marks it inherited.
    """
    marks, reasons = set(decision.marks), set(decision.reasons)
    if not decision.withheld:
        return ""
    if LISTED in marks:
        return KNOWN_MATERIAL
    if marks >= APART:
        return ADULT_AND_MINOR
    if marks <= quiet:
        return ""
    if marks <= quiet | {UNEXAMINED}:
        return STRUCTURAL
    return TEXTUAL if reasons & {TEXT, URL} and not reasons & {CLASSIFIER, OTHER_LIST, TIED} else CLASSIFIED


def items(decisions: Iterable[Decision], faults: Iterable[ShardFault], docket: Docket) -> Iterator[QueueItem]:
    """Yield the cases of a shard: its withheld samples in order, then the parts that could not be read."""
    for each in decisions:
        kind = kind_of(each, docket.quiet)
        if kind:
            yield QueueItem(
                docket.id(str(each.index)),
                each.shard,
                docket.shard_sha256,
                each.index,
                each.key,
                each.offset,
                each.length,
                kind,
                KINDS.index(kind) + 1,
                each.reasons,
                tuple(sorted({finding.entry for finding in each.findings if finding.entry})),
                docket.deadline(kind),
            )
    for fault in faults:
        yield _broken(fault, docket)


def write_queue(path: Path, rows: Iterable[QueueItem], metadata: Mapping[str, str]) -> None:
    """Write the cases of a shard, in the order given."""
    write_rows(path, QUEUE_SCHEMA, rows, metadata)


def read_queue(folder: Path) -> list[QueueItem]:
    """Return the cases of all shards, most pressing first and then by deadline, or raise SealError.

    Files whose name starts with a dot are not yet part of the queue.
    """
    files = [path for path in folder.glob("*.parquet") if not path.name.startswith(".")]
    found = [QueueItem(**row) for path in files for row in read_rows(path, QUEUE_SCHEMA)]
    return sorted(found, key=lambda item: (item.priority, item.deadline, item.id, item.shard))


def export(cases: Iterable[QueueItem]) -> Iterator[str]:
    """Yield one line of JSON per case, for a reviewer's tool: pointer, reasons and keyed ids, and no sample's key."""
    for each in cases:
        yield json.dumps(
            {
                "id": each.id,
                "kind": each.kind,
                "priority": each.priority,
                "deadline": each.deadline,
                "state": each.state,
                "reasons": each.reasons,
                "entries": each.entries,
                "pointer": {
                    "shard": escape(each.shard),
                    "shard_sha256": each.shard_sha256,
                    "index": each.index,
                    "offset": each.offset,
                    "length": each.length,
                },
            }
        )


def _broken(fault: ShardFault, docket: Docket) -> QueueItem:
    return QueueItem(
        docket.id("fault", str(fault.offset)),
        fault.shard,
        docket.shard_sha256,
        None,
        "",
        fault.offset,
        fault.length,
        STRUCTURAL,
        KINDS.index(STRUCTURAL) + 1,
        (FAULT,),
        (),
        docket.deadline(STRUCTURAL),
    )
