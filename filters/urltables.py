"""A URL list in the form that is searched: keyed hashes of names, sorted.

A hash is BLAKE2b with a key of 256 bits, cut to 64: without the key nobody can test a guess. Two unlike names share one
with probability 2**-64, so of n names on a list an unlisted name meets one with n / 2**64: 5.4e-13 for 10**7, and
8e-12 for an address of 15 names. The most that an address may have, 1024 of them (urlnames.MAX_NAMES), stay at 5.6e-10,
below 1e-9 a lookup up to 18 million names.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from filters.urlnames import host_of

KEY_BYTES = 32
HASH_BYTES = 8
_ROWS_A_BUCKET = 8
_BLOCK_BITS = 512  # a cache line
_BITS_A_HOST = 8  # at least; twice that at most

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class UrlTable:
    """The names of a list: n hashes, sorted, each with the number of what the list says of it.

    `starts` says where the hashes of each bucket begin, by their highest bits. `hosts` tells, by two bits in a block of
    512, which hosts may have a name: what it denies is true, what it affirms nearly always.
    """

    hashes: Hashes = field(repr=False)
    owners: NDArray[np.uint32] = field(repr=False)
    starts: NDArray[np.uint32] = field(repr=False)
    hosts: Hashes = field(repr=False)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.hashes)

    def find(self, wanted: Hashes) -> Iterator[tuple[int, list[int]]]:
        """Yield the place of each wanted hash that is here, with the numbers of what the list says of it."""
        first, last = np.searchsorted(self.hashes, wanted, "left"), np.searchsorted(self.hashes, wanted, "right")
        for place in np.flatnonzero(last > first).tolist():
            yield place, self.owners[first[place] : last[place]].tolist()


class UrlGathering:
    """The names of a list while it is read, before they are sorted."""

    def __init__(self, key: bytes) -> None:
        """Begin without a name; `key` has 32 bytes."""
        self._key = key
        self._hashes, self._owners, self._hosts = array("Q"), array("I"), array("Q")

    def add(self, name: str | bytes, owner: int) -> None:
        """Take a name, with the number of what the list says of it."""
        hashed = hash_of(self._key, name)
        self._hashes.append(hashed)
        self._owners.append(owner)
        if host := host_of(name):
            self._hosts.append(hashed if host == name else hash_of(self._key, host))

    def table(self, renumbered: NDArray[np.uint32]) -> UrlTable:
        """Return the names in the order of hash and owner, each once; `renumbered` has the new number of each owner."""
        hashes = np.frombuffer(self._hashes, np.uint64)
        owners = renumbered[np.frombuffer(self._owners, np.uint32)]
        order = np.lexsort((owners, hashes))
        hashes, owners = hashes[order], owners[order]
        new = np.ones(len(hashes), dtype=bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        hashes = hashes[new]
        return UrlTable(hashes, owners[new], starts_of(hashes), hosts_of(np.frombuffer(self._hosts, np.uint64)))


def hash_of(key: bytes, name: str | bytes) -> int:
    """Return the keyed hash of a name."""
    data = name.encode() if isinstance(name, str) else name
    return int.from_bytes(blake2b(data, digest_size=HASH_BYTES, key=key).digest(), "little")


def hashes_of(key: bytes, names: Sequence[str | bytes]) -> Hashes:
    """Return the keyed hashes of names."""
    return np.fromiter((hash_of(key, each) for each in names), np.uint64, len(names))


def starts_of(hashes: Hashes) -> NDArray[np.uint32]:
    """Return where each bucket of sorted hashes begins, and after the last of them where all end."""
    bits = max(1, (len(hashes) // _ROWS_A_BUCKET).bit_length())
    firsts = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    return np.append(np.searchsorted(hashes, firsts), len(hashes)).astype(np.uint32)


def hosts_of(hashes: Hashes) -> Hashes:
    """Return the blocks in which the bits of these hashes of hosts are set."""
    hashes = np.unique(hashes)
    blocks = 1 << max(0, (max(1, len(hashes)) * _BITS_A_HOST // _BLOCK_BITS).bit_length())
    rows = np.zeros(blocks * _BLOCK_BITS // 64, np.uint64)
    first = (hashes >> np.uint64(32) & np.uint64(blocks - 1)) * np.uint64(_BLOCK_BITS // 64)
    for shift in (0, 9):
        bit = hashes >> np.uint64(shift) & np.uint64(_BLOCK_BITS - 1)
        np.bitwise_or.at(rows, (first + (bit >> np.uint64(6))).astype(np.int64), np.uint64(1) << (bit & np.uint64(63)))
    return rows


def may_have(hosts: Hashes, wanted: Iterable[int]) -> bool:
    """Tell whether a table may have a name on one of these hosts, given as hashes; the loop of filters/_urls.c."""
    blocks = len(hosts) // (_BLOCK_BITS // 64)
    for each in wanted:
        first = (each >> 32 & blocks - 1) * (_BLOCK_BITS // 64)
        if all(int(hosts[first + (bit >> 6)]) >> (bit & 63) & 1 for bit in (each & 511, each >> 9 & 511)):
            return True
    return False
