"""Compare and search whole output trees."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below `root` by its relative path."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def texts(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below `root` as bytes, and every Parquet file once more with its columns written out."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(root)), path.read_bytes()
            if path.suffix == ".parquet":
                table = pq.read_table(path)
                yield str(path.relative_to(root)), repr((table.schema.metadata, table.to_pylist())).encode()
