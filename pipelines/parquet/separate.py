"""From the evidence of one table to its place: decisions on record, kept rows copied, withheld ones pointed at."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.errors import ShardError
from manifests import alike
from manifests.evidence import read_faults
from manifests.manifest import MANIFEST_SCHEMA, PUBLIC_SCHEMA, Decision
from manifests.provenance import read_provenance
from manifests.quarantine import pointers, write_ledger
from manifests.queue import items, write_queue
from manifests.reasons import FAULT
from pipelines.commit import sha256_of, whole
from pipelines.docket import docket
from pipelines.examine import environment
from pipelines.inputs import Shard
from pipelines.job import Job
from pipelines.join import read_inherited
from pipelines.layout import Layout
from pipelines.parquet.rewrite import END, FRAME, NOWHERE, Places
from pipelines.parquet.survey import GROUP, MOST_ROWS


def record_table(job: Job, shard: Shard, sha256: str) -> list[Path]:
    """Write what is restricted and what may be published about every row, before any row is copied."""
    layout, name = job.layout, shard.name
    if read_provenance(layout.evidence(name)).source_sha256 != sha256:
        raise ShardError(f"{shard.file} cannot be separated: it changed after it was examined. Start the run again.")
    about = docket(job, sha256)
    metadata = job.provenance(sha256).metadata()
    faults = read_faults(layout.evidence(name))
    decided = layout.manifest(name)
    with whole(decided, 0o600) as temporary:
        rows = alike.decided(layout.evidence(name), read_inherited(layout.inherited(name)), job.policy)
        alike.write_batches(temporary, MANIFEST_SCHEMA, rows, metadata)
    with whole(layout.published(name)) as temporary:
        kept = map(alike.published, alike.manifest_batches(decided))
        public = job.published_provenance(sha256, about.key).metadata()
        alike.write_batches(temporary, PUBLIC_SCHEMA, kept, public)
    with whole(layout.quarantine(name), 0o600) as temporary:
        write_ledger(temporary, pointers(_withheld(decided), faults, sha256), metadata)
    with whole(layout.queue(name), 0o600) as temporary:
        write_queue(temporary, items(_withheld(decided), faults, about), metadata)
    return [decided, layout.published(name), layout.quarantine(name), layout.queue(name)]


def copy_table(job: Job, shard: Shard) -> list[Path]:
    """Write for each partition its rows in the schema of the source; nothing where not even the footer can be read."""
    layout, names = job.layout, [partition.name for partition in job.policy.partitions]
    outputs = [layout.partition(name) / shard.file for name in names]
    if unreadable(layout, shard.name):
        for output in outputs:
            output.unlink(missing_ok=True)
        return []
    places = places_of(layout, shard.name, names)
    limits = {"memory": job.policy.limits.memory_bytes, "seconds": job.policy.limits.seconds_per_sample}
    with ExitStack() as stack:
        temporary = [stack.enter_context(whole(output)) for output in outputs]
        files: list[Any] = [stack.enter_context(path.open("wb")) for path in temporary]
        request = {"do": "copy", "path": shard.path, "partitions": len(names), **limits}
        if run(request, places, files):
            raise ShardError(
                f"{shard.file} cannot be separated: it can no longer be read as it was examined. "
                "Make sure that nothing writes to it, then run again."
            )
    return outputs


def table_facts(job: Job, name: str) -> dict[str, Any]:
    """Return how many rows went where."""
    layout = job.layout
    counts = alike.count_batches(alike.manifest_batches(layout.manifest(name)))
    malformed = sum(FAULT in decision.reasons for decision in _withheld(layout.manifest(name)))
    queued = pq.read_metadata(layout.queue(name)).num_rows
    return {
        "kept": dict(counts.kept),
        "withheld": dict(counts.withheld),
        "malformed": malformed,
        "queued": queued,
        "sidecar_left_out": False,
        "measures": asdict(alike.measure_batches(job.policy, alike.manifest_batches(layout.manifest(name)))),
    }


def unreadable(layout: Layout, name: str) -> bool:
    """Tell whether a table could not be read at all, so that nobody knows what columns an output would have."""
    return any(not fault.kind.startswith(GROUP) for fault in read_faults(layout.evidence(name)))


def places_of(layout: Layout, name: str, partitions: list[str]) -> Places:
    """Return for each row of a table the number of the partition that takes it, NOWHERE where none does."""
    parts: list[tuple[Any, Any]] = []
    for batch in alike.manifest_batches(layout.manifest(name)):
        numbers = pc.index_in(batch["partition"], value_set=pc.cast(_array(partitions), "string"))
        parts.append((batch["offset"].to_numpy(), pc.fill_null(numbers, NOWHERE).to_numpy().astype(np.uint8)))
    last = max((int(rows[-1]) for rows, _ in parts if len(rows)), default=-1)
    if last >= MOST_ROWS:
        raise ValueError
    places = np.full(last + 1, NOWHERE, np.uint8)
    for rows, numbers in parts:
        places[rows] = numbers
    return places


def run(request: dict[str, Any], places: Places, targets: list[Any]) -> dict[str, Any]:
    """Have a process of its own copy or compare, and return its answer; `fault` when it could not, or died.

    What it sends for a partition is written to the target of that number.
    """
    command = [sys.executable, "-P", "-c", "from pipelines.parquet.rewrite import serve; serve()"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    try:
        with suppress(OSError, ValueError, IndexError), process.stdin as given, process.stdout as told:  # type: ignore[union-attr]
            given.write(json.dumps(request).encode() + b"\n")
            given.write(places.tobytes())
            given.close()
            answer = _received(told, targets)
            if isinstance(answer, dict):
                return answer
        return {"fault": "the process died"}
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _received(told: Any, targets: list[Any]) -> Any:
    """Write every frame to its target and return the answer; ValueError where it ends too soon."""
    while True:
        head = told.read(FRAME.size)
        if len(head) < FRAME.size:
            raise ValueError
        number, left = FRAME.unpack(head)
        if number == END:
            return json.loads(told.read(left))
        while left:
            data = told.read(min(left, 1 << 20))
            if not data:
                raise ValueError
            targets[number].write(data)
            left -= len(data)


def inputs_of(job: Job, shard: Shard) -> dict[str, str]:
    """Return the digests of all that the separation of a table depends on."""
    layout = job.layout
    return {
        "shard": sha256_of(Path(shard.path)),
        "evidence": sha256_of(layout.evidence(shard.name)),
        "inherited": sha256_of(layout.inherited(shard.name)),
        "decision": job.decision,
    }


def _withheld(manifest: Path) -> Iterator[Decision]:
    for batch in alike.manifest_batches(manifest):
        yield from alike.withheld(batch)


def _array(words: Iterable[str]) -> Any:
    import pyarrow as pa

    return pa.array(list(words), pa.string())
