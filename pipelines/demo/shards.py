"""Write rows as img2dataset does: a shard, its Parquet sidecar and its statistics.

Source: img2dataset, img2dataset/writer.py, downloader.py and logger.py, read 2026-11-21.
"""

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any

from pipelines.demo.rows import Row

INDEX_DIGITS = 4  # of a key, after 5 for the shard: 10,000 samples per shard
BUFFERED_ROWS = 100  # of a Parquet row group
STARTED = 1_700_000_000.0  # seconds since 1970, any fixed moment
SECONDS_PER_ROW = 0.05

Members = list[tuple[str, bytes | None]]  # name and bytes; None is a symbolic link


def write_shard(folder: Path, number: int, rows: Sequence[Row]) -> list[str]:
    """Write NNNNN.tar, NNNNN.parquet and NNNNN_stats.json, and return the key of each row.

    Failed downloads have a row in the sidecar and none in the tar; an index counts them both.
    """
    keys = _keys(number, rows)
    metas = [_meta(key, row) for key, row in zip(keys, rows, strict=True)]
    stem = f"{number:05d}"
    every = zip(keys, rows, metas, strict=True)
    stored = [(row, _members(key, row, meta)) for key, row, meta in every if not row.error]
    _write_tar(folder / f"{stem}.tar", _in_order(stored))
    _write_parquet(folder / f"{stem}.parquet", metas)
    (folder / f"{stem}_stats.json").write_text(json.dumps(_stats(rows), indent=4))
    return keys


def cut_off(shard: Path, member: str) -> None:
    """Cut a shard off in the middle of this member, as an interrupted copy leaves it."""
    with tarfile.open(shard) as tar:
        found = tar.getmember(member)
        end = found.offset_data + found.size // 2
    with shard.open("r+b") as file:
        file.truncate(end)


def _keys(number: int, rows: Sequence[Row]) -> list[str]:
    keys: list[str] = []
    for index, row in enumerate(rows):
        keys.append(keys[-1] if row.again else f"{number:05d}{index:0{INDEX_DIGITS}d}")
    return keys


def _meta(key: str, row: Row) -> dict[str, Any]:
    failed = bool(row.error)
    return {
        **row.columns,
        "caption": row.caption,
        "url": row.url,
        "key": key,
        "status": "failed_to_download" if failed else "success",
        "error_message": row.error or None,
        "width": row.size[0] if row.size else None,
        "height": row.size[1] if row.size else None,
        "original_width": row.original_size[0] if row.original_size else None,
        "original_height": row.original_size[1] if row.original_size else None,
        "exif": None if failed else "{}",
        "sha256": None if failed else row.sha256,
    }


def _members(key: str, row: Row, meta: dict[str, Any]) -> Members:
    text = row.caption.encode() if row.text is None else row.text
    record = json.dumps(meta, indent=4).encode() if row.meta is None else row.meta
    image = [(row.suffix, row.image)] if row.suffix else []
    usual = sorted([*image, ("json", record), ("txt", text)])
    return [(f"{key}.{suffix}", None if suffix in row.links else data) for suffix, data in [*usual, *row.more]]


def _in_order(stored: Sequence[tuple[Row, Members]]) -> Iterator[tuple[str, bytes | None]]:
    for split, group in groupby(stored, key=lambda each: each[0].split):
        samples = [members for _, members in group]
        columns = zip_longest(*samples) if split else samples
        for column in columns:
            yield from (member for member in column if member)


def _write_tar(path: Path, members: Iterator[tuple[str, bytes | None]]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            header = tarfile.TarInfo(name)
            header.mode, header.uname, header.gname = 0o444, "bigdata", "bigdata"  # webdataset's TarWriter says so
            if data is None:
                header.type, header.linkname = tarfile.SYMTYPE, "../elsewhere.jpg"
                tar.addfile(header)
            else:
                header.size = len(data)
                tar.addfile(header, io.BytesIO(data))


def _write_parquet(path: Path, metas: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = {"width", "height", "original_width", "original_height"}
    names = list(dict.fromkeys(name for meta in metas for name in meta))
    names.sort(key=lambda name: all(name in meta for meta in metas))  # additional columns come first
    schema = pa.schema([(name, pa.int32() if name in numbers else pa.string()) for name in names])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(metas), BUFFERED_ROWS):
            part = metas[start : start + BUFFERED_ROWS]
            columns = {name: [meta.get(name) for meta in part] for name in names}
            writer.write_table(pa.Table.from_pydict(columns, schema))


def _stats(rows: Sequence[Row]) -> dict[str, Any]:
    failed = sum(bool(row.error) for row in rows)
    duration = len(rows) * SECONDS_PER_ROW
    return {
        "count": len(rows),
        "successes": len(rows) - failed,
        "failed_to_download": failed,
        "failed_to_resize": 0,
        "duration": duration,
        "start_time": STARTED,
        "end_time": STARTED + duration,
        "status_dict": dict(Counter(row.error or "success" for row in rows)),
    }
