"""Whether one partition of a shard is what its manifest says: samples, as trainers load them, and sidecars."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from manifests.manifest import Decision
from pipelines.commit import sha256_of
from pipelines.loader import keys_as_loaded
from pipelines.shards import Row, rows, survey
from pipelines.sidecar import UnusableSidecarError, filter_rows, rewrite_stats, sidecars

LARGEST = 1 << 62  # bytes; a size limit is the business of the run, not of its proof


def samples(where: str, source: Path, shard: Path, placed: Sequence[Decision]) -> Iterator[str]:
    """Say where a shard does not hold exactly the placed samples of its source, byte for byte and in order."""
    found = survey(shard)
    if found.fault:
        yield f"{where}.tar has a structural fault: {found.fault.kind} at {found.fault.offset}"
    kept = list(rows(shard, found, LARGEST))
    if [row.key for row in kept] != [decision.key for decision in placed]:
        yield f"{where}.tar does not hold the samples that the manifest puts there"
        return
    differing = sum(not _same_bytes(source, decision, shard, row) for decision, row in zip(placed, kept, strict=True))
    if differing:
        yield f"{where}.tar: {differing} samples differ from their source"
    if _loaded(shard) != [decision.key for decision in placed]:
        yield f"{where}.tar: webdataset reads other samples than the manifest names"


def beside(where: str, source: Path, shard: Path, keys: Sequence[str]) -> Iterator[str]:
    """Say where the sidecars of a shard are not those of its source, cut down to the kept keys."""
    given, found = sidecars(source), sidecars(shard)
    with TemporaryDirectory() as folder:
        again = Path(folder) / "again.parquet"
        try:
            if "parquet" in given:
                filter_rows(given["parquet"], keys, again)
        except UnusableSidecarError:  # left out, and told
            del given["parquet"]
        for kind in sorted(given.keys() ^ found.keys()):
            yield f"{where}: the {kind} sidecar {'is missing' if kind in given else 'is not from its source'}"
        if "parquet" in given.keys() & found.keys() and not _same_table(again, found["parquet"]):
            yield f"{where}.parquet does not hold exactly the rows that the source has of what was kept"
    if "stats" in given.keys() & found.keys() and _json(found["stats"]) != rewrite_stats(given["stats"], len(keys)):
        yield f"{where}_stats.json does not count what was kept"


def _loaded(shard: Path) -> list[str] | None:
    try:
        return keys_as_loaded(shard)
    except Exception:  # noqa: BLE001 - a loader stumbles in many ways, and each is an answer
        return None


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


def _same_table(one: Path, other: Path) -> bool:
    """Tell whether two files hold the same rows; another version of Arrow may have written them otherwise."""
    if sha256_of(one) == sha256_of(other):
        return True
    try:
        left, right = (pq.ParquetFile(path).read() for path in (one, other))
        # As text, for Arrow takes NaN to differ from NaN.
        return bool(left.schema.equals(right.schema, check_metadata=True)) and repr(left.to_pydict()) == repr(
            right.to_pydict()
        )
    except Exception:  # noqa: BLE001 - a changed file raises anything, and quotes values
        return False


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
