"""Where a run leaves its files, and what is known of the run as a whole."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filters.errors import ShardError
from pipelines.commit import write_json

PRIVATE = 0o700
RECORDED = frozenset({"key", "started", "shards", "policy_sha256"})  # of a run


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one output, named once."""

    root: Path

    @property
    def clean(self) -> Path:
        """The partitions: what a trainer may read."""
        return self.root / "clean"

    @property
    def audit(self) -> Path:
        """What may be published beside them."""
        return self.root / "audit"

    @property
    def restricted(self) -> Path:
        """What only those who answer for the run may read (mode 0700)."""
        return self.root / "restricted"

    @property
    def run(self) -> Path:
        """Key, start time, inputs and policy of the run."""
        return self.restricted / "run.json"

    @property
    def progress(self) -> Path:
        """Short-lived: one small file per shard in work."""
        return self.restricted / "progress"

    def evidence(self, shard: str) -> Path:
        """Findings, fingerprints and pointers of a shard."""
        return self.restricted / "evidence" / f"{shard}.parquet"

    def inherited(self, shard: str) -> Path:
        """Marks that samples of a shard take over from what they are tied to."""
        return self.restricted / "inherited" / f"{shard}.parquet"

    def manifest(self, shard: str) -> Path:
        """Every decision of a shard."""
        return self.restricted / "manifest" / f"{shard}.parquet"

    def quarantine(self, shard: str) -> Path:
        """Pointers to the withheld bytes of a shard."""
        return self.restricted / "quarantine" / f"{shard}.parquet"

    def queue(self, shard: str) -> Path:
        """Cases of a shard that ask for a person."""
        return self.restricted / "queue" / f"{shard}.parquet"

    def marker(self, shard: str, step: str) -> Path:
        """The completion marker of a step ("examined" or "separated") for a shard."""
        return self.restricted / "commit" / f"{shard}.{step}.json"

    @property
    def joined(self) -> Path:
        """The completion marker of the join over all shards."""
        return self.restricted / "joined.json"

    def published(self, shard: str) -> Path:
        """The publishable part of a shard's manifest."""
        return self.audit / "manifest" / f"{shard}.parquet"

    def partition(self, name: str) -> Path:
        """The folder of a partition."""
        return self.clean / name

    def create(self) -> None:
        """Make every folder but those of the partitions; the restricted ones for the owner alone."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.restricted.mkdir(mode=PRIVATE, exist_ok=True)
        self.restricted.chmod(PRIVATE)
        for name in ("evidence", "inherited", "manifest", "quarantine", "queue", "commit", "progress"):
            (self.restricted / name).mkdir(mode=PRIVATE, exist_ok=True)
        (self.audit / "manifest").mkdir(parents=True, exist_ok=True)
        self.clean.mkdir(exist_ok=True)


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the output for one run at a time, or raise ShardError."""
    lock = os.open(layout.restricted / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"{layout.root} cannot be written: another run is working there. Wait for it to end."
        raise ShardError(message) from error
    else:
        yield
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a run itself across restarts: its secret key and the moment it was first started (ISO 8601, UTC)."""

    key: bytes = field(repr=False)
    started: str
    record: dict[str, Any] = field(repr=False)


def identify(layout: Layout, record: dict[str, Any]) -> Identity:
    """Return the identity of the run in `layout`, made on the first call and the same ever after.

    `record` says which policy and shards the run is about. A folder that holds a run about others is refused: its
    partitions would mix two decisions.
    """
    stored = read_run(layout) if layout.run.exists() else {}
    _refuse_another_run(layout, stored, record)
    key = str(stored.get("key") or secrets.token_hex(32))
    started = str(stored.get("started") or datetime.now(UTC).isoformat(timespec="seconds"))
    write_json(layout.run, {"key": key, "started": started, **record})
    layout.run.chmod(0o600)
    return Identity(bytes.fromhex(key), started, record)


def read_run(layout: Layout) -> dict[str, Any]:
    """Return the record of the run in `layout`, or raise ShardError when there is none."""
    try:
        stored = json.loads(layout.run.read_text())
    except (OSError, ValueError, RecursionError) as error:
        message = (
            f"{layout.root} holds no run: its record cannot be read. Give the folder that `shardwall clean` wrote."
        )
        raise ShardError(message) from error
    if not isinstance(stored, dict) or not stored.keys() >= RECORDED or not isinstance(stored["shards"], dict):
        raise ShardError(f"{layout.root} holds no run: its record is damaged. Restore {layout.run} from a backup.")
    return stored


def _endings(record: dict[str, Any]) -> set[str]:
    shards = record.get("shards", {})
    return {Path(str(path)).suffix for path in shards.values()} if isinstance(shards, dict) else set()


def _refuse_another_run(layout: Layout, stored: dict[str, Any], record: dict[str, Any]) -> None:
    if stored.get("policy_sha256", record["policy_sha256"]) != record["policy_sha256"]:
        raise ShardError(
            f"{layout.root} cannot be used: it holds a run under another policy. Choose a new folder, "
            "so that what was decided before stays as it was."
        )
    if _endings(stored) - _endings(record):
        raise ShardError(
            f"{layout.root} cannot be used: it holds a run over files of another kind. Choose a new folder: tars and "
            "Parquet files are cleaned apart."
        )
    before, now = stored.get("shards", {}), record["shards"]
    if isinstance(before, dict) and isinstance(now, dict) and not before.keys() <= now.keys():
        raise ShardError(
            f"{layout.root} cannot be used: it holds shards that this input lacks. Give the same input again, or more."
        )
