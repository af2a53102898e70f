"""From the evidence of one shard to its place: decisions on record, kept samples copied, withheld ones pointed at."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from filters.errors import ShardError
from filters.policy import WITHHELD
from manifests.counts import count
from manifests.evidence import read_evidence, read_faults
from manifests.manifest import Decision, decide, read_manifest, write_manifest, write_public
from manifests.measures import measure
from manifests.provenance import read_provenance
from manifests.quarantine import pointers, write_ledger
from manifests.queue import items, write_queue
from manifests.reasons import FAULT
from pipelines.commit import done, mark_done, sha256_of, whole, write_json
from pipelines.docket import docket
from pipelines.inputs import Shard
from pipelines.job import Job
from pipelines.join import read_inherited
from pipelines.parquet.separate import copy_table, inputs_of, record_table, table_facts
from pipelines.progress import ShardProgress
from pipelines.shards import Survey, copy_kept, survey
from pipelines.sidecar import UnusableSidecarError, filter_rows, rewrite_stats, sidecars

SEPARATED = "separated"


@dataclass(slots=True)
class Kept:
    """What a partition takes from one shard, in shard order: byte ranges of the source, and keys."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list, repr=False)


def separate_shard(job: Job, shard: Shard) -> dict[str, Any]:
    """Return facts about the shard, and leave its records, partitions and a marker; skip what a marker says is done."""
    layout = job.layout
    seen = None if shard.table else survey(Path(shard.path))
    inputs = inputs_of(job, shard) if seen is None else _inputs(job, shard, seen)
    marker = layout.marker(shard.name, SEPARATED)
    facts = done(marker, inputs, layout.root)
    if facts is None or "measures" not in facts:
        if seen is None:
            outputs, facts = _table(job, shard, inputs["shard"])
        else:
            outputs, facts = _tar(job, shard, seen)
        mark_done(marker, inputs, outputs, layout.root, facts)
    kept = sum(facts["kept"].values())
    withheld = sum(facts["withheld"].values())
    ShardProgress(layout.progress / f"{shard.name}.separated.json").finish(kept=kept, withheld=withheld)
    return facts


def _inputs(job: Job, shard: Shard, seen: Survey) -> dict[str, str]:
    beside = {name: sha256_of(path) for name, path in sidecars(Path(shard.path)).items()}
    return {
        "shard": seen.sha256,
        "evidence": sha256_of(job.layout.evidence(shard.name)),
        "inherited": sha256_of(job.layout.inherited(shard.name)),
        "decision": job.decision,
        **beside,
    }


def _tar(job: Job, shard: Shard, seen: Survey) -> tuple[list[Path], dict[str, Any]]:
    _refuse_changed(job, shard, seen)
    records = _record(job, shard, seen)
    outputs, left_out = _partitions(job, shard, seen)
    return [*records, *outputs], _facts(job, shard, left_out)


def _table(job: Job, shard: Shard, sha256: str) -> tuple[list[Path], dict[str, Any]]:
    records = record_table(job, shard, sha256)
    outputs = copy_table(job, shard)
    return [*records, *outputs], table_facts(job, shard.name)


def _refuse_changed(job: Job, shard: Shard, seen: Survey) -> None:
    examined = job.layout.evidence(shard.name)
    if read_provenance(examined).source_sha256 != seen.sha256:
        raise ShardError(
            f"{shard.name}.tar cannot be separated: it changed after it was examined. Start the run again."
        )


def _record(job: Job, shard: Shard, seen: Survey) -> list[Path]:
    """Write what is restricted and what may be published about every sample, before any byte is copied."""
    layout, name = job.layout, shard.name
    metadata = job.provenance(seen.sha256).metadata()
    about = docket(job, seen.sha256)
    faults = read_faults(layout.evidence(name))
    with whole(layout.manifest(name), 0o600) as temporary:
        write_manifest(temporary, _decisions(job, name), metadata)
    decided = layout.manifest(name)
    with whole(layout.published(name)) as temporary:
        write_public(temporary, read_manifest(decided), job.published_provenance(seen.sha256, about.key).metadata())
    with whole(layout.quarantine(name), 0o600) as temporary:
        write_ledger(temporary, pointers(read_manifest(decided), faults, seen.sha256), metadata)
    with whole(layout.queue(name), 0o600) as temporary:
        write_queue(temporary, items(read_manifest(decided), faults, about), metadata)
    return [decided, layout.published(name), layout.quarantine(name), layout.queue(name)]


def _decisions(job: Job, name: str) -> Iterator[Decision]:
    inherited = read_inherited(job.layout.inherited(name))
    for evidence in read_evidence(job.layout.evidence(name)):
        yield decide(evidence, inherited.get(evidence.index, ()), job.policy)


def _partitions(job: Job, shard: Shard, seen: Survey) -> tuple[list[Path], bool]:
    """Copy what each partition takes; tell which files that made, and whether a sidecar had to be left out."""
    taken = {partition.name: Kept() for partition in job.policy.partitions}
    for decision in read_manifest(job.layout.manifest(shard.name)):
        if decision.partition != WITHHELD:
            taken[decision.partition].ranges.append((decision.offset, decision.offset + decision.length))
            taken[decision.partition].keys.append(decision.key)
    outputs: list[Path] = []
    left_out = False
    for name, kept in taken.items():
        folder = job.layout.partition(name)
        with whole(folder / f"{shard.name}.tar") as temporary, temporary.open("wb") as target:
            copy_kept(Path(shard.path), seen, kept.ranges, target)
        written, whole_sidecar = _sidecars(Path(shard.path), folder, kept)
        outputs += [folder / f"{shard.name}.tar", *written]
        left_out |= not whole_sidecar
    return outputs, left_out


def _sidecars(source: Path, folder: Path, kept: Kept) -> tuple[list[Path], bool]:
    """Write the sidecars that the source has; a Parquet file that cannot be cut down is left out and told."""
    found = sidecars(source)
    for old in sidecars(folder / source.name).values():  # what an earlier run took from sidecars that are no more
        old.unlink()
    written = []
    if "stats" in found:
        target = folder / found["stats"].name
        write_json(target, rewrite_stats(found["stats"], len(kept.keys)), mode=0o644)
        written.append(target)
    if "parquet" not in found:
        return written, True
    target = folder / found["parquet"].name
    try:
        with whole(target) as temporary:
            filter_rows(found["parquet"], kept.keys, temporary)
    except UnusableSidecarError:
        return written, False
    return [*written, target], True


def _facts(job: Job, shard: Shard, sidecar_left_out: bool) -> dict[str, Any]:
    layout = job.layout
    counts = count(read_manifest(layout.manifest(shard.name)))
    malformed = sum(FAULT in decision.reasons for decision in read_manifest(layout.manifest(shard.name)))
    queued = pq.read_metadata(layout.queue(shard.name)).num_rows
    return {
        "kept": dict(counts.kept),
        "withheld": dict(counts.withheld),
        "malformed": malformed,
        "queued": queued,
        "sidecar_left_out": sidecar_left_out,
        "measures": asdict(measure(job.policy, read_manifest(layout.manifest(shard.name)))),
    }
