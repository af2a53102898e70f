"""Answers from the restricted store about one sample or one case; never content."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filters.errors import PolicyError, ShardError
from filters.policy import WITHHELD
from manifests.evidence import read_evidence
from manifests.manifest import Decision, read_manifest
from manifests.queue import KINDS, QueueItem, read_queue
from pipelines.inputs import Shard
from pipelines.layout import Layout, read_run


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, the filters that were shown the sample, and the shard that it lies in."""

    decision: Decision
    examined: tuple[str, ...]
    source: str
    not_applicable: tuple[str, ...] = ()

    @property
    def table(self) -> bool:
        """Whether the sample is a row of a Parquet file of addresses."""
        return Shard(self.decision.shard, self.source).table


def explain(output: Path, shard: str, key: str) -> list[Explanation]:
    """Return why each sample with this key is where it is; a key may occur twice in a broken shard.

    "#17" is sample 17 of the shard, counted from 0, unless a key is that. Raises ShardError when there is none; the
    message does not repeat the key.
    """
    layout = Layout(output)
    shards = read_run(layout)["shards"]
    if shard not in shards:
        raise ShardError(
            f"{output} cannot tell about {shard}: it holds no shard of that name. Leave out .tar or .parquet."
        )
    path = layout.manifest(shard)
    decisions = [each for each in read_manifest(path) if each.key == key]
    decisions = decisions or [each for each in read_manifest(path) if f"#{each.index}" == key]
    if not decisions:
        raise ShardError(
            f"{shard} holds no complete sample of that key. Keys are the member names up to the first dot; in a table "
            "the unique key, uid or id of a row, else its number from 0."
        )
    wanted = {each.index for each in decisions}
    seen = {e.index: e for e in read_evidence(layout.evidence(shard)) if e.index in wanted}
    source = str(shards[shard])
    return [Explanation(e, seen[e.index].examined, source, seen[e.index].not_applicable) for e in decisions]


def cases_of(output: Path, kind: str | None) -> Iterator[QueueItem]:
    """Yield the cases of a kind, or all, most pressing first."""
    if kind is not None and kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise PolicyError(f"The queue has no kind {kind!r}.{hint} It has {', '.join(KINDS)}.")
    layout = Layout(output)
    read_run(layout)
    yield from (case for case in read_queue(layout.restricted / "queue") if kind in (None, case.kind))


def find_case(output: Path, start: str) -> QueueItem:
    """Return the one case whose id begins with `start`, or raise ShardError."""
    found = [case for case in cases_of(output, None) if case.id.startswith(start)]
    if len(found) != 1:
        raise ShardError(f"{len(found)} cases have an id that begins so. Give more of the id; `queue list` shows them.")
    return found[0]


def ends(output: Path) -> Iterator[Decision]:
    """Yield every decision of a run, shard by shard."""
    layout = Layout(output)
    shards = read_run(layout)["shards"]
    for shard in sorted(shards):
        yield from read_manifest(layout.manifest(shard))


def reasons_given(decision: Decision) -> set[str]:
    """Return all that led to a decision: partition, marks, rules, and the filters that found or missed something."""
    filters = {finding.filter for finding in decision.findings}
    tied = {"ties"} if decision.inherited and decision.partition == WITHHELD else set()
    return {*decision.marks, *decision.rules, *filters, *tied}
