"""Prove from the files alone that an output is what its manifest says.

Everything is computed again from source, evidence and policy; nothing a run noted about itself is believed but the
digests that this compares.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from filters.config import policy_digest, restored
from filters.errors import ShardwallError
from filters.policy import APART, NEVER_ALLOWED, WITHHELD
from manifests.alike import count_batches, manifest_batches, measure_batches
from manifests.counts import Counts, public_counts, total
from manifests.evidence import read_evidence
from manifests.manifest import Decision, decide, public_rows, read_manifest, read_public
from manifests.provenance import read_provenance
from manifests.statements import published_statements
from pipelines import verify_partition
from pipelines.commit import sha256_of
from pipelines.finish import CHECKSUMS, listed_files, strangers
from pipelines.join import join_corpus, read_inherited
from pipelines.layout import Layout, read_run
from pipelines.parquet import prove
from pipelines.parquet.separate import unreadable
from pipelines.shards import rows, survey
from pipelines.sidecar import sidecars
from pipelines.verify_partition import LARGEST
from pipelines.verify_run import Run, bound, read_object


def verify(output: Path) -> list[str]:
    """Return what is wrong with an output, a sentence each, empty when it is what its manifest says.

    Raises ShardwallError when it holds no run at all.
    """
    layout = Layout(output)
    record = read_run(layout)
    try:
        policy = restored(json.loads((layout.audit / "policy.json").read_text(encoding="utf-8")))
    except Exception:  # noqa: BLE001 - whatever was made of it, it is no policy
        return ["audit/policy.json is missing or damaged, and without the policy nothing else can be proved"]
    run = Run(layout, policy, {name: Path(str(path)) for name, path in record["shards"].items()})
    problems: list[str] = []
    if policy_digest(policy) != record["policy_sha256"]:
        problems.append("audit/policy.json is not the policy of the run")
    for name in run.sources:
        for check in (_digests, _decisions, _partitions):
            problems += _guarded(check, run, name)
    for of_all in (_joined, _folders, _sizes, _summary):
        problems += _guarded(of_all, run, "the output")
    return problems


def _guarded(check: Callable[[Run, str], Iterator[str]], run: Run, name: str) -> Iterator[str]:
    try:
        yield from check(run, name)
    except ShardwallError as error:
        yield str(error)
    except OSError as error:
        yield f"{name}: {error.filename or 'a file'} cannot be read: {error.strerror or type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - a file that was tampered with may raise anything, and quote itself
        yield f"{name}: a file is damaged ({type(error).__name__})"


def _digests(run: Run, name: str) -> Iterator[str]:
    """Inputs and outputs are what the markers of both steps bind together."""
    layout, source = run.layout, run.sources[name]
    if not source.is_file():
        yield f"{run.shard(name).file} is no longer at {source}"
        return
    taken = {"shard": source}
    records = (layout.manifest(name), layout.published(name), layout.quarantine(name), layout.queue(name))
    shards = [layout.partition(partition) / run.shard(name).file for partition in run.partitions]
    if run.shard(name).table and unreadable(layout, name):
        shards = []
    yield from bound(run, name, "examined", taken, [layout.evidence(name)])
    beside = {} if run.shard(name).table else sidecars(source)
    taken |= {"evidence": layout.evidence(name), "inherited": layout.inherited(name), **beside}
    yield from bound(run, name, "separated", taken, [*records, *shards])


def _decisions(run: Run, name: str) -> Iterator[str]:
    """Every sample of the source has one row, and each row follows from evidence and policy."""
    layout = run.layout
    if read_provenance(layout.manifest(name)).policy_digest != policy_digest(run.policy):
        yield f"{name}: the manifest was made under another policy"
    if run.shard(name).table:
        yield from prove.decisions(run.proof(name))
        return
    source = rows(run.sources[name], survey(run.sources[name]), LARGEST)
    inherited = read_inherited(layout.inherited(name))
    evidence = read_evidence(layout.evidence(name))
    for row, seen, decision in zip_longest(source, evidence, read_manifest(layout.manifest(name))):
        if row is None or seen is None or decision is None:
            yield f"{name}: source, evidence and manifest do not have the same number of samples"
            return
        place = f"{name} sample {row.index}"
        if (row.index, row.start, row.end - row.start) != (decision.index, decision.offset, decision.length):
            yield f"{place}: the manifest points at other bytes"
        if seen.not_applicable:
            yield f"{place}: its evidence says that filters of pictures do not apply, which is so of no tar"
        if decide(seen, inherited.get(seen.index, ()), run.policy) != decision:
            yield f"{place}: the decision does not follow from its evidence and the policy"
        if decision.partition != WITHHELD and _forbidden(decision):
            yield f"{place}: is in {decision.partition} with marks that no partition may hold together"
    public = list(public_rows(read_manifest(layout.manifest(name))))
    if public != list(read_public(layout.published(name))):
        yield f"{name}: the published manifest is not that of the kept samples"


def _forbidden(decision: Decision) -> bool:
    marks = set(decision.marks)
    return bool(marks & NEVER_ALLOWED) or marks >= APART


def _partitions(run: Run, name: str) -> Iterator[str]:
    """Each partition holds exactly the samples that the manifest puts there, and sidecars cut down to them."""
    source = run.sources[name]
    if run.shard(name).table:
        yield from prove.partitions(run.proof(name))
        return
    for partition in run.partitions:
        where, shard = f"{partition}/{name}", run.layout.partition(partition) / f"{name}.tar"
        placed = [each for each in read_manifest(run.layout.manifest(name)) if each.partition == partition]
        yield from verify_partition.samples(where, source, shard, placed)
        yield from verify_partition.beside(where, source, shard, [each.key for each in placed])


def _joined(run: Run, _corpus: str) -> Iterator[str]:
    """What samples inherit is what their ties pass on."""
    with TemporaryDirectory() as folder:
        names = sorted(run.sources)
        again = [(run.layout.evidence(name), Path(folder) / f"{name}.parquet") for name in names]
        join_corpus(run.policy, again)
        for name, (_, computed) in zip(names, again, strict=True):
            if read_inherited(computed) != read_inherited(run.layout.inherited(name)):
                yield f"{name}: inherited marks are not those that its ties pass on"


def _folders(run: Run, _: str) -> Iterator[str]:
    """The publishable folders hold what the run wrote and nothing else."""
    alien = strangers(run.layout, run.partitions)
    yield from (f"{name} does not belong to the run" for name in alien)
    listed = {}
    for line in (run.layout.audit / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        listed[path] = digest
    present = listed_files(run.layout)
    for name in sorted((present.keys() ^ listed.keys()) - set(alien)):
        yield f"{name} {f'is in {CHECKSUMS} but missing' if name in listed else f'is not in {CHECKSUMS}'}"
    for name, found in sorted(present.items()):
        if name in listed and (not found.is_file() or sha256_of(found) != listed[name]):
            yield f"{name} is not as {CHECKSUMS} lists it"


def _sizes(run: Run, _: str) -> Iterator[str]:
    """Loaders take the number of samples from `sizes.json`."""
    for partition in run.partitions:
        folder = run.layout.partition(partition)
        counted = {
            run.shard(name).file: _held(run, name, partition)
            for name in run.sources
            if not (run.shard(name).table and unreadable(run.layout, name))
        }
        if read_object(run, folder / "sizes.json") != counted:
            yield f"{partition}/sizes.json does not count its samples"


def _held(run: Run, name: str, partition: str) -> int:
    """Return how many samples a partition holds of a shard; for a table as the manifest says, which was compared."""
    if run.shard(name).table:
        return int(count_batches(manifest_batches(run.layout.manifest(name))).kept.get(partition, 0))
    return survey(run.layout.partition(partition) / f"{name}.tar").rows


def _summary(run: Run, _: str) -> Iterator[str]:
    """The published numbers are those of the manifest."""
    counts = total(count_batches(manifest_batches(run.layout.manifest(name))) for name in run.sources)
    kept = {partition: counts.kept.get(partition, 0) for partition in run.partitions}
    measures = {name: measure_batches(run.policy, manifest_batches(run.layout.manifest(name))) for name in run.sources}
    said = json.loads(json.dumps(published_statements(run.policy, measures)))  # as JSON has it
    said |= {"shards": len(run.sources), **asdict(public_counts(Counts(kept, counts.withheld)))}
    told = read_object(run, run.layout.audit / "summary.json")
    if bool(told.get("not_applicable")) != all(run.shard(name).table for name in run.sources):
        yield "audit/summary.json: not_applicable is not what the source says"
    for name, value in said.items():
        if told.get(name) != value:
            yield f"audit/summary.json: {name} is not what the manifest says"
