"""An output under proof, and what its markers bind together."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filters.errors import SealError
from filters.policy import Policy
from pipelines.commit import sha256_of
from pipelines.inputs import Shard
from pipelines.layout import Layout
from pipelines.parquet.prove import Proof


@dataclass(frozen=True, slots=True)
class Run:
    """An output under proof: its layout, its policy, and where each source shard lies."""

    layout: Layout
    policy: Policy
    sources: dict[str, Path]

    def shard(self, name: str) -> Shard:
        """A source shard by its name."""
        return Shard(name, str(self.sources[name]))

    def proof(self, name: str) -> Proof:
        """A table of addresses, to be proved."""
        return Proof(self.layout, self.policy, self.shard(name))

    @property
    def partitions(self) -> list[str]:
        """The names of the partitions of its policy."""
        return [partition.name for partition in self.policy.partitions]


def bound(run: Run, name: str, step: str, taken: dict[str, Path], made: list[Path]) -> Iterator[str]:
    """Say where one marker does not bind what the step took to what it made."""
    root = run.layout.root
    marker = read_object(run, run.layout.marker(name, step))
    for kind, path in taken.items():
        if not path.is_file() or sha256_of(path) != marker["inputs"].get(kind):
            where = path.relative_to(root) if path.is_relative_to(root) else path.name
            yield f"{where} is not what was {step}"
    for each in made:
        if str(each.relative_to(root)) not in marker["outputs"]:
            yield f"{each.relative_to(root)} is not bound by the marker of its shard"
    for output, digest in marker["outputs"].items():
        if not (root / output).is_file():
            yield f"{output} is missing"
        elif sha256_of(root / output) != digest:
            yield f"{output} changed after it was written"


def read_object(run: Run, path: Path) -> dict[str, Any]:
    """Return the object in a file of the output, or raise SealError with its name."""
    name = path.relative_to(run.layout.root)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise SealError(f"{name} is missing") from None
    except (ValueError, RecursionError):
        raise SealError(f"{name} is damaged: it is not JSON") from None
    if not isinstance(value, dict):
        raise SealError(f"{name} is damaged: it is not what the run writes")
    return value
