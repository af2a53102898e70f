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


def sidecars(shard: Path) -> dict[str, Path]:
    """Return the sidecars that stand beside a shard, under "parquet" and "stats"."""
    every = {"parquet": shard.with_suffix(".parquet"), "stats": shard.with_name(f"{shard.stem}_stats.json")}
    return {name: path for name, path in every.items() if path.is_file()}


def filter_rows(source: Path, keys: Iterable[str], target: Path) -> None:
    """Write the rows of `source` whose key was kept, in the same schema.

    Raises UnusableSidecarError for a file that cannot be read, has no `key` column or names a kept key twice.
    """
    wanted = pa.array(sorted(keys), pa.string())
    try:
        with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
            found = [_copy(file, group, wanted, writer) for group in range(file.num_row_groups)]
            named = pa.chunked_array(found, pa.string())
            twice = pc.count_distinct(named).as_py() < len(named)
    except (Exception, MemoryError):  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise UnusableSidecarError from None
    if twice:
        raise UnusableSidecarError


def _copy(file: pq.ParquetFile, group: int, wanted: pa.Array, writer: pq.ParquetWriter) -> pa.Array:
    """Copy the wanted rows of one row group and return their keys."""
    table = file.read_row_group(group)
    keys = table[KEY].cast(pa.string())
    chosen = pc.is_in(keys, value_set=wanted)
    writer.write_table(table.filter(chosen))
    return keys.filter(chosen).combine_chunks()


def rewrite_stats(source: Path, kept: int) -> dict[str, Any]:
    """Return img2dataset's `_stats.json` for a shard of which `kept` samples are left.

    Loaders take `count` and `successes` from it; times are carried over where the source has them.
    """
    try:
        stats = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        stats = {}
    times = {name: stats[name] for name in ("duration", "start_time", "end_time") if _number(stats, name)}
    counts = {"count": kept, "successes": kept, "failed_to_download": 0, "failed_to_resize": 0}
    return {**counts, **times, "status_dict": {"success": kept}}


def _number(stats: Any, name: str) -> bool:
    value = stats.get(name) if isinstance(stats, dict) else None
    return isinstance(value, int | float) and abs(value) < 1 << 53  # neither NaN nor infinite
