"""Examine one shard: evidence of every sample, committed as a whole."""

from collections import Counter
from pathlib import Path
from typing import Any

from filters.rulecheck import lists_of
from manifests.evidence import EvidenceWriter, ShardFault
from pipelines.commit import done, mark_done, whole
from pipelines.examine import Examiner, batches
from pipelines.inputs import Shard
from pipelines.job import Job
from pipelines.parquet.examine import facts_of, write_evidence
from pipelines.parquet.survey import TableSurvey, survey_table
from pipelines.progress import ShardProgress
from pipelines.shards import Survey, rows, survey

EXAMINED = "examined"


def examine_shard(job: Job, shard: Shard, examiner: Examiner) -> dict[str, Any]:
    """Return facts about the shard, and leave its evidence and a marker; skip what a marker says is done."""
    layout = job.layout
    seen = survey_table(shard, examiner) if shard.table else survey(Path(shard.path))
    marker = layout.marker(shard.name, EXAMINED)
    inputs = {"shard": seen.sha256, "examination": job.examination}
    facts = done(marker, inputs, layout.root)
    if facts is None or "matched" not in facts:
        facts = _examined(job, shard, seen, examiner)
        mark_done(marker, inputs, [layout.evidence(shard.name)], layout.root, facts)
    ShardProgress(layout.progress / f"{shard.name}.examined.json").finish(
        samples=int(facts["samples"]), of=int(facts["samples"])
    )
    return facts


def _examined(job: Job, shard: Shard, seen: Survey | TableSurvey, examiner: Examiner) -> dict[str, Any]:
    if isinstance(seen, TableSurvey):
        return {**facts_of(seen), "matched": write_evidence(job, shard, seen, examiner)}
    return {**_facts(seen), "matched": _examine(job, shard, seen, examiner)}


def _examine(job: Job, shard: Shard, seen: Survey, examiner: Examiner) -> dict[str, int]:
    """Write the evidence of a shard; return how many of its samples each list matched, by the list's name."""
    lists = {source.name for each in job.policy.filters for source in lists_of(each)}
    matched: Counter[str] = Counter()
    progress = ShardProgress(job.layout.progress / f"{shard.name}.examined.json")
    examined = 0
    with (
        whole(job.layout.evidence(shard.name), 0o600) as temporary,
        EvidenceWriter(temporary, job.provenance(seen.sha256).metadata()) as writer,
    ):
        for batch in batches(rows(Path(shard.path), seen, job.policy.limits.max_member_bytes)):
            for evidence in examiner.examine(Path(shard.path), shard.name, batch):
                writer.write(evidence)
                matched.update({each.source for each in evidence.findings if not each.unexamined} & lists)
            examined += len(batch)
            progress.tell(samples=examined, of=seen.rows)
        if seen.fault:
            writer.fault(ShardFault(shard.name, seen.fault.kind, seen.fault.offset, seen.size - seen.end))
    return dict(sorted(matched.items()))


def _facts(seen: Survey) -> dict[str, Any]:
    rest = seen.size - seen.end
    faults = [{"kind": seen.fault.kind, "offset": seen.fault.offset, "bytes": rest}] if seen.fault else []
    return {"samples": seen.rows, "sha256": seen.sha256, "bytes": seen.size, "faults": faults}
