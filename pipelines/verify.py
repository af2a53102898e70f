"""Prove from the files alone that an output is what its manifest says.

Everything is computed again from source, evidence and policy; nothing a run noted about itself is believed but the
digests that this compares.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from filters.config import policy_digest, restored
from filters.errors import ShardwallError
from filters.policy import APART, NEVER_ALLOWED, WITHHELD, Policy
from manifests.evidence import read_evidence
from manifests.manifest import Decision, decide, public_rows, read_manifest, read_public
from manifests.provenance import read_provenance
from pipelines.commit import sha256_of
from pipelines.finish import CHECKSUMS, expected_files
from pipelines.join import join_corpus, read_inherited
from pipelines.layout import Layout, read_run
from pipelines.loader import keys_as_loaded
from pipelines.shards import Row, rows, survey

LARGEST = 1 << 62  # bytes; a size limit is the business of the run, not of its proof


@dataclass(frozen=True, slots=True)
class Run:
    """An output under proof: its layout, its policy, and where each source shard lies."""

    layout: Layout
    policy: Policy
    sources: dict[str, Path]


def verify(output: Path) -> list[str]:
    """Return what is wrong with an output, a sentence each, empty when it is what its manifest says.

    Raises ShardwallError when it holds no run at all.
    """
    layout = Layout(output)
    record = read_run(layout)
    shards = record["shards"]
    policy = restored(json.loads((layout.audit / "policy.json").read_text()))
    run = Run(layout, policy, {name: Path(str(path)) for name, path in shards.items()})
    problems: list[str] = []
    if policy_digest(policy) != record["policy_sha256"]:
        problems.append("audit/policy.json is not the policy of the run")
    for name in run.sources:
        for check in (_digests, _decisions, _partitions):
            problems += _guarded(check, run, name)
    problems += _guarded(_joined, run, "the corpus")
    problems += _guarded(_folders, run, "the output")
    return problems


def _guarded(check: Callable[[Run, str], Iterator[str]], run: Run, name: str) -> list[str]:
    try:
        return list(check(run, name))
    except ShardwallError as error:
        return [str(error)]
    except (OSError, ValueError, KeyError) as error:
        return [f"{name}: a file is missing or damaged ({type(error).__name__})"]


def _digests(run: Run, name: str) -> Iterator[str]:
    """Inputs and outputs are what the markers of both steps bind together."""
    source = sha256_of(run.sources[name])
    for step in ("examined", "separated"):
        marker = json.loads(run.layout.marker(name, step).read_text())
        if marker["inputs"]["shard"] != source:
            yield f"{name}.tar is not the shard that was {step}"
        for output, digest in marker["outputs"].items():
            if sha256_of(run.layout.root / output) != digest:
                yield f"{output} changed after it was written"


def _decisions(run: Run, name: str) -> Iterator[str]:
    """Every sample of the source has one row, and each row follows from evidence and policy."""
    layout = run.layout
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
        if decide(seen, inherited.get(seen.index, ()), run.policy) != decision:
            yield f"{place}: the decision does not follow from its evidence and the policy"
        if decision.partition != WITHHELD and _forbidden(decision):
            yield f"{place}: is in {decision.partition} with marks that no partition may hold together"
    public = list(public_rows(read_manifest(layout.manifest(name))))
    if public != list(read_public(layout.published(name))):
        yield f"{name}: the published manifest is not that of the kept samples"
    if read_provenance(layout.manifest(name)).policy_digest != policy_digest(run.policy):
        yield f"{name}: the manifest was made under another policy"


def _forbidden(decision: Decision) -> bool:
    marks = set(decision.marks)
    return bool(marks & NEVER_ALLOWED) or marks >= APART


def _partitions(run: Run, name: str) -> Iterator[str]:
    """Each partition holds exactly the samples that the manifest puts there, byte for byte, as a trainer sees them."""
    source = run.sources[name]
    for partition in run.policy.partitions:
        shard = run.layout.partition(partition.name) / f"{name}.tar"
        found = survey(shard)
        if found.fault:
            yield f"{partition.name}/{name}.tar has a structural fault: {found.fault.kind} at {found.fault.offset}"
        placed = [d for d in read_manifest(run.layout.manifest(name)) if d.partition == partition.name]
        kept = list(rows(shard, found, LARGEST))
        if [row.key for row in kept] != [decision.key for decision in placed]:
            yield f"{partition.name}/{name}.tar does not hold the samples that the manifest puts there"
            continue
        differing = sum(
            not _same_bytes(source, decision, shard, row) for decision, row in zip(placed, kept, strict=True)
        )
        if differing:
            yield f"{partition.name}/{name}.tar: {differing} samples differ from their source"
        if keys_as_loaded(shard) != [decision.key for decision in placed]:
            yield f"{partition.name}/{name}.tar: webdataset reads other samples than the manifest names"


def _same_bytes(source: Path, decision: Decision, shard: Path, row: Row) -> bool:
    if row.end - row.start != decision.length:
        return False
    with source.open("rb") as original, shard.open("rb") as copy:
        original.seek(decision.offset)
        copy.seek(row.start)
        left = decision.length
        while left:
            piece = min(left, 1 << 20)
            if original.read(piece) != copy.read(piece):
                return False
            left -= piece
    return True


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
    listed = {}
    for line in (run.layout.audit / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        listed[path] = digest
    present = expected_files(run.layout)
    for name in sorted(present.keys() ^ listed.keys()):
        yield f"{name} {'is listed but missing' if name in listed else 'does not belong to the run'}"
    for name in sorted(present.keys() & listed.keys()):
        if sha256_of(present[name]) != listed[name]:
            yield f"{name} is not as {CHECKSUMS} lists it"
    for partition in run.policy.partitions:
        folder = run.layout.partition(partition.name)
        sizes = json.loads((folder / "sizes.json").read_text())
        counted = {f"{name}.tar": survey(folder / f"{name}.tar").rows for name in run.sources}
        if sizes != counted:
            yield f"{partition.name}/sizes.json does not count its samples"
