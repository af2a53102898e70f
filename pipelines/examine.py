"""From one shard to its evidence, by way of a child process that may die.

When the child dies over a batch, a new one takes the samples of that batch one by one; the sample over which it dies
again is "unexamined: decoder died", and the work goes on behind it.
"""

import base64
import json
import os
import pickle
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filters.errors import ModelError, ShardError
from filters.finding import RASTERS, Finding
from filters.fingerprints import Fingerprint
from filters.policy import Policy
from manifests.evidence import Evidence
from pipelines.shards import Row

BATCH_ROWS = 16
BATCH_BYTES = 32 << 20
START_SECONDS = 300  # a large model on a slow disk
GRACE_SECONDS = 5  # the child's own alarm fires first
LONGEST_ANSWER = 64 << 20  # bytes
DIED = Finding(RASTERS, "unexamined", unexamined="decoder died")
ROOT = Path(__file__).parent.parent


class ChildDiedError(Exception):
    """The examining process ended, hung or answered nonsense."""


class Examiner:
    """Owns one examining process, and starts the next when it dies."""

    def __init__(self, policy: Policy, key: bytes) -> None:
        self._policy, self._key = policy, key
        self._process: subprocess.Popen[bytes] | None = None

    def examine(self, path: Path, shard: str, rows: Sequence[Row]) -> list[Evidence]:
        """Return the evidence of each row, whatever happens to the process that looks."""
        try:
            return self._ask(path, shard, rows)
        except ChildDiedError:
            self.close()
            if len(rows) == 1:
                return [_evidence(shard, rows[0], None)]
            return [self.examine(path, shard, [row])[0] for row in rows]

    def check(self) -> None:
        """Start the process once and end it: raises ModelError or ListError's sentence before any shard is read."""
        self._start()
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @property
    def pid(self) -> int | None:
        """The process that examines at the moment."""
        return self._process.pid if self._process is not None else None

    def _ask(self, path: Path, shard: str, rows: Sequence[Row]) -> list[Evidence]:
        if self._process is None:
            self._start()
        seconds = self._policy.limits.seconds_per_sample
        request = {"path": str(path), "shard": shard, "seconds": seconds, "rows": [_asked(row) for row in rows]}
        answer = self._exchange(request, seconds)
        try:
            return [_evidence(shard, row, answered) for row, answered in zip(rows, answer["rows"], strict=True)]
        except (KeyError, TypeError, ValueError) as error:
            raise ChildDiedError from error

    def _start(self) -> None:
        command = [sys.executable, "-P", "-c", "from pipelines.child import serve; serve()"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        )
        policy = base64.b64encode(pickle.dumps(self._policy)).decode()
        try:
            answer = self._exchange({"policy": policy, "key": self._key.hex()}, START_SECONDS)
        except ChildDiedError as error:
            self.close()
            message = "Samples cannot be examined: the examining process does not start. Run `shardwall doctor`."
            raise ShardError(message) from error
        if "error" in answer:
            self.close()
            raise ModelError(answer["error"])

    def _exchange(self, message: dict[str, Any], seconds: int) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ChildDiedError
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(_line(process.stdout.fileno(), seconds + GRACE_SECONDS))
        except (OSError, ValueError) as error:
            raise ChildDiedError from error
        if not isinstance(answer, dict):
            raise ChildDiedError
        return answer


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Group consecutive rows so that a batch stays small in samples and in bytes."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        length = row.end - row.start
        if batch and (len(batch) == BATCH_ROWS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def _line(descriptor: int, seconds: float) -> bytes:
    """Return what arrives up to a newline; raise ValueError when it ends, takes too long or is too much."""
    received = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not received.endswith(b"\n"):
            if not selector.select(seconds) or len(received) > LONGEST_ANSWER:
                raise ValueError
            piece = os.read(descriptor, 1 << 20)
            if not piece:
                raise ValueError
            received += piece
    return bytes(received)


def _asked(row: Row) -> dict[str, Any]:
    members = [(member.suffix, member.offset, member.size) for member in row.members]
    return {"key": row.key, "problems": row.problems, "members": members}


def _evidence(shard: str, row: Row, answered: dict[str, Any] | None) -> Evidence:
    found = answered or {"findings": [], "fingerprints": [], "examined": [], "groups": []}
    findings = tuple(Finding(*finding) for finding in found["findings"])
    return Evidence(
        shard=shard,
        index=row.index,
        key=row.key,
        offset=row.start,
        length=row.end - row.start,
        groups=tuple(found["groups"]),
        fingerprints=tuple(Fingerprint(k, form, bytes.fromhex(v), q) for k, form, v, q in found["fingerprints"]),
        findings=findings if answered is not None else (DIED,),
        examined=tuple(found["examined"]),
    )


def _environment() -> dict[str, str]:
    """Give the child a search path and single-threaded libraries, and none of the user's variables."""
    keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**keep, **threads, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HOME": "/nonexistent"}
