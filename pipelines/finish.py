"""Close a run: what a loader and an outsider need beside the shards, made from the markers alone."""

import glob
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filters.calibrated import notice
from filters.config import resolved
from filters.errors import ShardError
from filters.finding import PIXELS, looks_at
from manifests.counts import Counts, public_counts, total
from manifests.measures import Measures, measures_of
from manifests.provenance import NO_PICTURE
from manifests.statements import published_statements, statements
from pipelines import VERSION
from pipelines.commit import sha256_of, whole, write_json
from pipelines.inputs import TABLE, TAR, Shard
from pipelines.job import Job
from pipelines.layout import Layout, read_run
from pipelines.parquet.card import NOT_EXAMINED, table_card

Facts = dict[str, Any]
CHECKSUMS = "sha256sums.txt"
AUDITED = ("policy.json", "summary.json")  # what `close` writes into the audit folder, beside the checksums
BESIDE = ("sizes.json", "README.md")  # and into each partition
PUBLISHED = ("notice", "not_applicable", "version", "policy", "shards", "samples")


def close(job: Job) -> Facts:
    """Write the files that belong to the run as a whole, and return its summary."""
    layout = job.layout
    refuse_strangers(job)
    shards = sorted(read_run(layout)["shards"])
    facts = {shard: marker_facts(layout, shard) for shard in shards}
    for partition in job.policy.partitions:
        _partition(job, partition.name, facts)
    summary = _summary(job, facts)
    write_json(layout.restricted / "summary.json", summary)
    write_json(layout.audit / "policy.json", resolved(job.policy), mode=0o644)
    write_json(layout.audit / "summary.json", _published(job, summary, _measures(facts)), mode=0o644)
    _checksums(layout)
    return summary


def marker_facts(layout: Layout, shard: str) -> Facts:
    """Return what the two markers of a shard say about it, in one."""
    examined, separated = (json.loads(layout.marker(shard, step).read_text()) for step in ("examined", "separated"))
    return {**examined["facts"], **separated["facts"]}


def _summary(job: Job, facts: dict[str, Facts]) -> Facts:
    every = list(facts.values())
    faults = [{"shard": name, **fault} for name, each in facts.items() for fault in each["faults"]]
    counts = total(Counts(each["kept"], each["withheld"]) for each in every)
    return {
        "notice": notice(job.policy),
        "not_applicable": _not_applicable(job),
        "version": VERSION,
        "policy": job.policy.name,
        "shards": len(every),
        "samples": sum(each["samples"] for each in every),
        "kept": {p.name: counts.kept.get(p.name, 0) for p in job.policy.partitions},
        "withheld": dict(counts.withheld),
        "faults": faults,
        "malformed": sum(each["malformed"] for each in every),
        "queued": sum(each["queued"] for each in every),
        "sidecars_left_out": [name for name, each in facts.items() if each["sidecar_left_out"]],
        **statements(job.policy, _measures(facts)),
    }


def _not_applicable(job: Job) -> dict[str, Any]:
    """Return which filters had nothing to look at, and why; nothing where the corpus has pictures."""
    if not job.tables:
        return {}
    names = [each.name for each in job.policy.filters if looks_at(each) == PIXELS]
    return {"why": f"not applicable: {NO_PICTURE}", "filters": names, "notice": NOT_EXAMINED}


def _measures(facts: dict[str, Facts]) -> dict[str, Measures]:
    return {shard: measures_of(each) for shard, each in facts.items()}


def _published(job: Job, summary: Facts, measures: dict[str, Measures]) -> Facts:
    """Return the summary without small counts."""
    key = bytes.fromhex(read_run(job.layout)["key"])
    counts = public_counts(Counts(summary["kept"], summary["withheld"]))
    return {name: summary[name] for name in PUBLISHED} | {
        **asdict(counts),
        **published_statements(job.policy, measures),
        "materials": [asdict(material) for material in job.published_provenance("", key).materials],
    }


def _partition(job: Job, partition: str, facts: dict[str, Facts]) -> None:
    layout, folder = job.layout, job.layout.partition(partition)
    paths = read_run(layout)["shards"]
    files = {shard: Shard(shard, paths[shard]).file for shard in facts}
    written = {shard: file for shard, file in files.items() if (folder / file).exists()}
    sizes = {file: int(facts[shard]["kept"].get(partition, 0)) for shard, file in written.items()}
    write_json(folder / "sizes.json", sizes, mode=0o644)
    card, contents = table_card if job.tables else _card, _contents(layout, partition, written)
    with whole(folder / "README.md") as temporary:
        temporary.write_text(card(partition, sizes, contents, notice(job.policy)), encoding="utf-8")


def _contents(layout: Layout, partition: str, files: Mapping[str, str]) -> str:
    """Return one digest over the shards of a partition: the SHA-256 of what `sha256sum` says of them in order."""
    lines = []
    for shard, file in sorted(files.items()):
        outputs = json.loads(layout.marker(shard, "separated").read_text())["outputs"]
        path = layout.partition(partition) / file
        lines.append(f"{outputs[str(path.relative_to(layout.root))]}  {path.name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _card(partition: str, sizes: dict[str, int], contents: str, said: str) -> str:
    """Return a README whose header makes `datasets` load the shards and nothing else; a notice stands first below it.

    `datasets` 5.2 cannot begin with a shard without samples, so the others are named where the first has none. It keeps
    what it loaded under the name of the folder and this header alone: without a digest of the shards in it, another
    output, or the same one after another run, would be answered with the samples of the first (2026-11-21).
    """
    filled = [glob.escape(name) for name, count in sizes.items() if count]
    files = ["*.tar"] if sizes and sizes[min(sizes)] else filled
    listing = "\n".join(f"      - {json.dumps(name, ensure_ascii=False)}" for name in files) if files else "      []"
    total = sum(sizes.values())
    first = f"**{said}**\n\n" if said else ""
    return f"""---
configs:
  - config_name: default
    description: "{total} samples in shards of SHA-256 {contents}"
    data_files:
{listing}
---

{first}# Partition `{partition}`

{total} samples in {len(sizes)} shards, kept by Shardwall {VERSION}. Every member stands byte for byte as in the source.

- `sizes.json`: samples per shard, as open_clip and DataComp read it. A shard without samples is an empty tar, so that
  brace ranges stay without gaps. `datasets` cannot begin with one: load this folder, not a glob. open_clip waits for
  ever when one of its workers is dealt nothing else: name the other shards, or give it `--dataset-resampled`.
- `*.parquet`, `*_stats.json`: the sidecars of img2dataset, cut down to what was kept.

What was withheld, and why, is counted in the audit folder beside this one. "Kept" means that the filters of the policy
found nothing that this partition forbids; it is no proof that nothing is there.
"""


def refuse_strangers(job: Job) -> None:
    """Raise ShardError where the publishable folders hold what no run over these shards writes."""
    found = strangers(job.layout, [partition.name for partition in job.policy.partitions])
    if found:
        raise ShardError(
            f"{job.layout.root} cannot be used: {len(found)} file(s) in it were not written by this run, such as "
            f"{found[0]}. A trainer would read them unexamined: move them away, or choose a new folder."
        )


def strangers(layout: Layout, partitions: Iterable[str]) -> list[str]:
    """Return by its path from the root what lies in the publishable folders and does not belong to the run there."""
    shards = read_run(layout)["shards"]
    own = {*(layout.audit / name for name in (*AUDITED, CHECKSUMS)), *map(layout.published, shards)}
    for folder in map(layout.partition, partitions):
        own |= {folder / name for name in BESIDE}
        for shard, path in shards.items():
            ends = (TABLE,) if Shard(shard, path).table else (TAR, TABLE, "_stats.json")
            own |= {folder / f"{shard}{end}" for end in ends}
    files = _files(layout)
    return sorted(name for name, path in files.items() if path not in own or path.is_symlink())


def listed_files(layout: Layout) -> dict[str, Path]:
    """Return every file of the publishable folders by its path from the root, but for the list of checksums itself."""
    return {name: path for name, path in _files(layout).items() if path != layout.audit / CHECKSUMS}


def _files(layout: Layout) -> dict[str, Path]:
    """Return all that lies in the publishable folders and is no folder: links, pipes and sockets too."""
    found = (path for folder in (layout.clean, layout.audit) for path in folder.rglob("*"))
    return {str(path.relative_to(layout.root)): path for path in found if path.is_symlink() or not path.is_dir()}


def _checksums(layout: Layout) -> None:
    """Write the list of checksums, as `sha256sum --check` reads it from the root of the output."""
    lines = [f"{sha256_of(path)}  {name}\n" for name, path in sorted(listed_files(layout).items())]
    with whole(layout.audit / CHECKSUMS) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
