"""The files that img2dataset writes beside a shard, cut down to what was kept.

The Parquet sidecar holds the URL and caption of every row of the shard, removed and failed ones too; copied as it is
it would publish what was withheld.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

KEY = "key"


class UnusableSidecarError(Exception):
    """Nobody could say which rows of a sidecar belong to what was kept."""


def filter_rows(source: Path, keys: Iterable[str], target: Path) -> None:
    """Write the rows of `source` whose key was kept, in the same schema.

    Raises UnusableSidecarError for a file that cannot be read, has no `key` column or names a kept key twice.
    """
    wanted = pa.array(sorted(keys), pa.string())
    try:
        with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
            kept = sum(_copy(file, group, wanted, writer) for group in range(file.num_row_groups))
    except (Exception, MemoryError):  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise UnusableSidecarError from None
    if kept > len(wanted):
        raise UnusableSidecarError


def _copy(file: pq.ParquetFile, group: int, wanted: pa.Array, writer: pq.ParquetWriter) -> int:
    table = file.read_row_group(group)
    kept = table.filter(pc.is_in(table[KEY].cast(pa.string()), value_set=wanted))
    writer.write_table(kept)
    return int(kept.num_rows)


def rewrite_stats(source: Path, kept: int) -> dict[str, Any]:
    """Return img2dataset's `_stats.json` for a shard of which `kept` samples are left.

    Loaders take `count` and `successes` from it; times are carried over where the source has them.
    """
    try:
        stats = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stats = {}
    times = {name: stats[name] for name in ("duration", "start_time", "end_time") if _number(stats, name)}
    counts = {"count": kept, "successes": kept, "failed_to_download": 0, "failed_to_resize": 0}
    return {**counts, **times, "status_dict": {"success": kept}}


def _number(stats: Any, name: str) -> bool:
    return isinstance(stats, dict) and isinstance(stats.get(name), int | float)
