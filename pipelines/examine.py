"""From one shard to its evidence, by way of a child process that may die.

When the child dies over a batch, a new one takes the samples of that batch one by one; the sample over which it dies
again is "unexamined: decoder died", and the work goes on behind it. A sample that was alone gets its second chance too:
the child may have died of something else.
"""

import base64
import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from filters.errors import ShardError, error_of
from filters.finding import RASTERS, Finding
from filters.policy import Policy
from filters.rulecheck import lists_of
from manifests.evidence import Evidence
from pipelines.answers import answered, unanswered
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

    def __init__(self, policy: Policy, key: bytes, tables: bool = False) -> None:
        self._policy, self._key, self._tables = policy, key, tables
        self._process: subprocess.Popen[bytes] | None = None

    def examine(self, path: Path, shard: str, rows: Sequence[Row]) -> list[Evidence]:
        """Return the evidence of each row, whatever happens to the process that looks."""
        try:
            return self._ask(path, shard, rows)
        except ChildDiedError:
            self.close()
            return [self._alone(path, shard, row) for row in rows]

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the process answers to a request about a table; after a ChildDiedError the next has a new one."""
        seconds = self._policy.limits.seconds_per_sample
        if self._process is None:
            self._start()
        try:
            return self._exchange({**request, "seconds": seconds}, seconds)
        except ChildDiedError:
            self.close()
            raise

    def embed(self, path: Path, shard: str, rows: Sequence[Row]) -> list[list[float]]:
        """Return the embedding of each row by the policy's encoder, empty where it has none or the process dies."""
        try:
            return [[float(each) for each in vector] for vector in self._rows(path, shard, rows, embed=True)]
        except (ChildDiedError, TypeError, ValueError):
            self.close()
            return [[]] if len(rows) == 1 else [self.embed(path, shard, [row])[0] for row in rows]

    def embedding(self) -> str:
        """Return the name of the embedding that the policy's encoder makes; raises as `check` does."""
        return str(self._start().get("embedding", ""))

    def check(self) -> None:
        """Start the process once and end it: raises ModelError or ListError's sentence before any shard is read."""
        self._start()
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, signal.SIGKILL)  # with all that it may have started; no `wait` freed the number yet
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not sent yet
                stream.close()  # type: ignore[union-attr]  # both are pipes

    @property
    def pid(self) -> int | None:
        """The process that examines at the moment."""
        return self._process.pid if self._process is not None else None

    def _alone(self, path: Path, shard: str, row: Row) -> Evidence:
        try:
            return self._ask(path, shard, [row])[0]
        except ChildDiedError:
            self.close()
            return unanswered(shard, row, DIED)

    def _ask(self, path: Path, shard: str, rows: Sequence[Row]) -> list[Evidence]:
        try:
            told = self._rows(path, shard, rows)
            return [answered(shard, row, each, self._plugged) for row, each in zip(rows, told, strict=True)]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ChildDiedError from error

    def _rows(self, path: Path, shard: str, rows: Sequence[Row], embed: bool = False) -> list[Any]:
        """Ask about rows and return the answers, one for each, or raise ChildDiedError."""
        if self._process is None:
            self._start()
        seconds = self._policy.limits.seconds_per_sample
        request = {"path": str(path), "shard": shard, "seconds": seconds, "rows": [_asked(row) for row in rows]}
        told = self._exchange({**request, "embed": embed}, seconds).get("rows")
        if not isinstance(told, list) or len(told) != len(rows):
            raise ChildDiedError
        return told

    def _start(self) -> dict[str, Any]:
        command = [sys.executable, "-P", "-c", "from pipelines.child import serve; serve()"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(*_keys_of(self._policy)),
            start_new_session=True,  # a Ctrl-C is for the run, and not for a sample
        )
        policy = base64.b64encode(pickle.dumps(self._policy)).decode()
        try:
            hello = {"policy": policy, "key": self._key.hex(), "tables": self._tables}
            answer = self._exchange(hello, START_SECONDS)
        except ChildDiedError as error:
            self.close()
            message = "Samples cannot be examined: the examining process does not start. Run `shardwall doctor`."
            raise ShardError(message) from error
        if "error" in answer:
            self.close()
            raise error_of(answer["kind"], answer["error"])
        self._plugged: dict[str, int] = answer["plugged"]  # told before it has read a byte of any sample
        return answer

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
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not received.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not selector.select(left) or len(received) > LONGEST_ANSWER:
                raise ValueError
            piece = os.read(descriptor, 1 << 20)
            if not piece:
                raise ValueError
            received += piece
    return bytes(received)


def _asked(row: Row) -> dict[str, Any]:
    members = [(member.suffix, member.offset, member.size) for member in row.members]
    return {"key": row.key, "problems": row.problems, "members": members}


def _keys_of(policy: Policy) -> Iterator[str]:
    """Yield the variables that hold the keys of lists."""
    keys = (source.key for each in policy.filters for source in lists_of(each))
    yield from (key.removeprefix("env:") for key in keys if key.startswith("env:"))


def environment(*names: str) -> dict[str, str]:
    """Give the child a search path and single-threaded libraries, and of the user's variables those of these names."""
    wanted = ("PATH", "LD_LIBRARY_PATH", "LANG", *names)
    keep = {name: os.environ[name] for name in wanted if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # Other allocators reserve more address space than the child may have.
    threads |= {"ARROW_DEFAULT_MEMORY_POOL": "system", "ARROW_IO_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {**keep, **threads, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HOME": "/nonexistent"}
