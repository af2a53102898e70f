"""What an authority last said of each entry, whatever order its messages came in."""

import hashlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_TIME = "without a time that can be read"
_COLUMNS = 5  # of 64 bits: two that say which entry, three that say which of its updates counts


class PageError(Exception):
    """A page is not what the authority documents; the message is a phrase without content."""


@dataclass(frozen=True, slots=True)
class Update:
    """One message about one entry of a list.

    `line` is its line in the page, or its number where pages have no lines. `entry` tells entries apart, `when` is in
    microseconds since 1970 (UTC), `gone` says that the entry is withdrawn. `hashes` are pairs of an algorithm and a
    value, in the authority's words. `wrong` says why the message could not be read; then all else is empty.
    """

    line: int
    entry: str = field(default="", repr=False)
    when: int = 0
    gone: bool = False
    hashes: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    classification: str = ""
    category: str = ""
    id: str = field(default="", repr=False)
    wrong: str = ""


def instant(text: object) -> int | None:
    """Return microseconds since 1970 of ISO text (UTC unless it says otherwise) or epoch seconds; None of others."""
    try:
        if isinstance(text, int) and not isinstance(text, bool):
            moment = EPOCH + timedelta(seconds=text)
        elif isinstance(text, str):
            moment = datetime.fromisoformat(text.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            return None
        passed = (moment - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
    return passed if passed >= 0 else None


def standing(updates: Iterable[Update]) -> NDArray[np.bool_]:
    """Tell for each update whether it is the one that counts; shape (n,), in the order of the updates.

    Of all updates of an entry the latest counts; of several at one time one that withdraws, then the one of the
    greatest digest. So the order in which they came, and how often, changes nothing. What could not be read counts.
    Memory is 40 bytes an update, and about as much again to sort.
    """
    ranks = array("Q")
    for number, update in enumerate(updates):
        ranks.extend(_rank(number, update))
    table = np.frombuffer(ranks, dtype=np.uint64).reshape(-1, _COLUMNS)
    order = np.lexsort(table.T[::-1])
    sorted_entries = table[order, :2]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (sorted_entries[1:] != sorted_entries[:-1]).any(axis=1)
    counts = np.zeros(len(order), dtype=bool)
    counts[order[last]] = True
    return counts


def _rank(number: int, update: Update) -> tuple[int, ...]:
    entry = _digest(("wrong", str(number)) if update.wrong else ("entry", update.entry), 16)
    said = _digest((repr(update.hashes), update.classification, update.category, update.id), 8)
    return (*(int.from_bytes(half) for half in (entry[:8], entry[8:])), update.when, update.gone, int.from_bytes(said))


def _digest(parts: tuple[str, ...], size: int) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=size).digest()
