"""Files appear whole or not at all, and a step counts as done only when its marker says of what and into what.

The marker of a step binds digests of everything that went in to digests of every file that came out. It is written
last, by rename. A step is skipped only where all of them still agree.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BLOCK = 1 << 20  # bytes
TEMPORARY = ".tmp"


@contextmanager
def whole(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it is flushed to disk and takes the name of `path`."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, Any], mode: int = 0o600) -> None:
    """Write `value` as JSON with sorted keys, whole or not at all."""
    with whole(path, mode) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def mark_done(
    marker: Path, inputs: Mapping[str, str], outputs: Iterable[Path], root: Path, facts: Mapping[str, Any]
) -> None:
    """Record that a step turned `inputs` (name to digest) into `outputs` (files under `root`), with facts about it."""
    digests = {str(path.relative_to(root)): sha256_of(path) for path in outputs}
    write_json(marker, {"inputs": dict(inputs), "outputs": digests, "facts": dict(facts)})


def done(marker: Path, inputs: Mapping[str, str], root: Path) -> dict[str, Any] | None:
    """Return the facts of a finished step, or None when it must be done again."""
    try:
        record = json.loads(marker.read_text(encoding="utf-8"))
        if record["inputs"] != dict(inputs):
            return None
        if any(sha256_of(root / name) != digest for name, digest in record["outputs"].items()):
            return None
        facts = record["facts"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def remove_leftovers(root: Path) -> None:
    """Delete what a killed run left half written under `root`."""
    for path in root.rglob(f".*{TEMPORARY}"):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
