"""Files of a folder that a record pins by SHA-256: read in full once, and known again as long as nobody touches them.

Reading gigabytes at every start of a worker is too slow, and a look at sizes alone is too little. So whoever reads the
files in full and finds their digests right leaves a stamp beside them: for each its inode, size, and times of last
change. The system sets the second time itself whenever content or inode changes, and no program can set it back, so a
file that still agrees with its stamp is the one that was read. (git trusts its index in the same way.) A copied folder
does not agree and is read again. What no stamp can show is a disk that forgets bits: so the stamp spares workers the
reading, never the run's first look.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STAMP = "checked.json"
# A file that changes twice within a tick of the clock keeps its time, so nothing is vouched for that changed so lately.
# A tick is 4 ms on ext4 and xfs, 2 s on FAT: kernel.org/doc/html/latest/filesystems/vfat.html (read 2026-11-21).
SETTLED_NS = 3_000_000_000

_States = dict[str, list[int]]


def refuse_changed(folder: Path, digests: Mapping[str, str], stamped: bool) -> None:
    """Raise ValueError or OSError unless every named file of the folder has its digest, in hex.

    With `stamped` a file is not read when it is as it was when its digest was last found right.
    """
    if any(Path(name).name != name for name in digests):
        raise ValueError("a file of another folder")
    began = time.time_ns()
    states = {name: _state(folder / name) for name in digests}
    pinned = hashlib.sha256(json.dumps([digests, states], sort_keys=True).encode()).hexdigest()
    stamp = folder / STAMP
    if stamped and _says(stamp, pinned):
        return
    if any(digest(folder / name) != wanted for name, wanted in digests.items()):
        raise ValueError("a file that changed")
    if all(state[-1] < began - SETTLED_NS for state in states.values()):
        _write(stamp, pinned)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _says(stamp: Path, pinned: str) -> bool:
    try:
        return stamp.read_text(encoding="utf-8") == pinned
    except (OSError, UnicodeDecodeError):
        return False


def _write(stamp: Path, pinned: str) -> None:
    """Leave the stamp; where the folder cannot be written, every worker reads it in full."""
    partial = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    with suppress(OSError):
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(pinned)
        partial.replace(stamp)
