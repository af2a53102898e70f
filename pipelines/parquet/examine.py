"""From one table of addresses to its evidence, a few thousand rows at a time, by way of a process that may die."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from filters.errors import ShardError
from filters.rulecheck import lists_of
from manifests.evidence import EvidenceWriter, ShardFault
from pipelines.commit import whole
from pipelines.examine import ChildDiedError, Examiner
from pipelines.inputs import Shard
from pipelines.job import Job
from pipelines.parquet.evidence import Reading, Told, as_columns, died
from pipelines.parquet.survey import Rows, TableSurvey
from pipelines.progress import ShardProgress

CHUNK = 4096  # rows
PARTS = 64  # that a chunk is cut into when the process dies over it


@dataclass(frozen=True, slots=True)
class Asking:
    """One table that is being examined."""

    shard: Shard
    keyed: bool
    examiner: Examiner
    reading: Reading

    def told(self, rows: Rows, start: int, count: int) -> Told:
        """Return what is known of `count` rows of a row group from `start` on, whatever happens to the process.

        When it dies, the rows are asked for in smaller and smaller parts; the row over which it dies alone, twice, is
        unexamined.
        """
        for _ in range(2 if count == 1 else 1):
            with suppress(ChildDiedError):
                return self._ask(rows, start, count)
        if count == 1:
            return died() if not self.keyed else replace(died(), keys=[str(rows.first + start)])
        step = -(-count // PARTS)
        parts = [self.told(rows, at, min(step, start + count - at)) for at in range(start, start + count, step)]
        return _joined(parts)

    def _ask(self, rows: Rows, start: int, count: int) -> Told:
        about = {"path": self.shard.path, "shard": self.shard.name, "keyed": self.keyed}
        place = {"group": rows.group, "start": start, "count": count, "first": rows.first + start}
        answer = self.examiner.ask({"table": "examine", **about, **place})
        if "fault" in answer:
            raise ShardError(
                f"{self.shard.file} cannot be examined: it changed while it was read. Make sure that nothing writes to "
                "it, then run again."
            )
        try:
            return self.reading.taken(answer, count, self.keyed)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
            self.examiner.close()
            raise ChildDiedError from None


def write_evidence(job: Job, shard: Shard, seen: TableSurvey, examiner: Examiner) -> dict[str, int]:
    """Write the evidence of a table; return how many of its rows each list matched, by the list's name."""
    lists = frozenset(source.name for each in job.policy.filters for source in lists_of(each))
    matched: Counter[str] = Counter()
    progress = ShardProgress(job.layout.progress / f"{shard.name}.examined.json")
    asking = Asking(shard, seen.keyed, examiner, Reading(job.policy))
    index = 0
    with (
        whole(job.layout.evidence(shard.name), 0o600) as temporary,
        EvidenceWriter(temporary, job.provenance(seen.sha256).metadata()) as writer,
    ):
        for rows in seen.groups:
            for start in range(0, rows.count, CHUNK):
                told = asking.told(rows, start, min(CHUNK, rows.count - start))
                writer.write_batch(as_columns(shard.name, index, rows.first + start, told))
                index += len(told.statements)
                matched.update(_matched(told, lists))
                progress.tell(samples=index, of=seen.rows)
        for fault in seen.faults:
            writer.fault(ShardFault(shard.name, fault.kind, fault.offset, fault.length))
    return dict(sorted(matched.items()))


def facts_of(seen: TableSurvey) -> dict[str, Any]:
    """Return the facts of a survey, as the marker of a table records them."""
    faults = [{"kind": each.kind, "offset": each.offset, "bytes": each.length} for each in seen.faults]
    return {"samples": seen.rows, "sha256": seen.sha256, "bytes": seen.size, "faults": faults}


def _matched(told: Told, lists: frozenset[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in told.statements:
        if each.findings:
            found.update({finding.source for finding in each.findings if not finding.unexamined} & lists)
    return found


def _joined(parts: list[Told]) -> Told:
    whole_told = parts[0]
    for part in parts[1:]:
        whole_told += part
    return whole_told
