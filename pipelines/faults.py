"""Faults of a shard: where it stops being sound, and what is wrong there."""

from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "empty file",
    "compressed shard",
    "truncated header",
    "bad header checksum",
    "malformed header",
    "unknown member type",
    "negative size",
    "size on a member without data",
    "truncated member",
    "sparse member",
    "pax header too large",
    "malformed pax header",
    "pax size override",
    "pax character set",
    "pax global name",
    "long name too large",
    "malformed long name",
    "conflicting extended headers",
    "stray extended header",
    "lone zero block",
    "missing end marker",
    "data after the end marker",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """The shard is not sound from the block at `offset` on; nothing from there on can be relied on."""

    kind: FaultKind
    offset: int


class BrokenError(Exception):
    """Framing is lost; `framing.frames` turns it into its fault, so that no caller ever meets it."""

    def __init__(self, kind: FaultKind, offset: int) -> None:
        super().__init__(kind)
        self.fault = Fault(kind, offset)
