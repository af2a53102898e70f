"""The columns of evidence that tie samples together, as arrays for the join."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.errors import SealError
from filters.fingerprints import ALIKE, DIGESTS, DIHEDRAL, IN_TABLE, RECORDED, SIZED
from manifests.evidence import EVIDENCE_SCHEMA
from manifests.tables import read_groups

DIGEST_BYTES = 32  # SHA-256
PDQ_BYTES = 32
GROUP_BYTES = 32  # a keyed id, as hex digits
_TYING = pa.array(sorted(DIGESTS))
_TURNED = "|".join(f", {turn}$" for turn in DIHEDRAL if turn)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Values by which samples are tied: `values` is uint8 (n, width), `index` int64 (n,) the sample of each."""

    index: NDArray[np.int64]
    values: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class TieColumns:
    """What ties the samples of a shard to others.

    `samples` is int64 (n,), the index of each sample. `digests` are SHA-256 of image files as they stand, and every
    digest that a table records of a picture which it has not, zeros behind it, (n, 32). `pdq` are PDQ hashes of every
    raster as stored and without its border, and of both at the one size at which copies of all sizes are most alike,
    but not turned or mirrored and never of parts, (n, 32); `quality` is int32 (n,), theirs. `groups` are keyed ids in
    ASCII, (n, 32).
    """

    samples: NDArray[np.int64]
    digests: Values
    pdq: Values
    quality: NDArray[np.int32]
    groups: Values


def read_columns(path: Path) -> TieColumns:
    """Return what ties the samples of a shard to others, or raise SealError; findings and keys are not even read."""
    samples, quality = bytearray(), bytearray()  # which grow in place: a shard may have millions of rows
    gathered = [_Gathered(width) for width in (DIGEST_BYTES, PDQ_BYTES, GROUP_BYTES)]
    for numbers, surely, *some in _parts(path):
        samples += numbers.tobytes()
        quality += surely.astype(np.int32).tobytes()
        for each, (owners, found) in zip(gathered, some, strict=True):
            each.add(owners, found, path)
    digests, pdq, groups = (each.values() for each in gathered)
    return TieColumns(np.frombuffer(samples, np.int64), digests, pdq, np.frombuffer(quality, np.int32), groups)


@dataclass(slots=True)
class _Gathered:
    """Values of so many bytes, and whose they are."""

    width: int
    owners: bytearray = field(default_factory=bytearray)
    found: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, owners: NDArray[np.int64], found: pa.Array, path: Path) -> None:
        """Take in some, or raise SealError where one has another length."""
        if len(found) and pc.min_max(pc.binary_length(found)).as_py() != {"min": self.width, "max": self.width}:
            raise SealError(f"{path.name}: holds a fingerprint of the wrong length; report this as a bug")
        self.owners += owners.tobytes()
        self.found += b"".join(found.to_pylist())

    def values(self) -> Values:
        """Return all."""
        values = np.frombuffer(self.found, np.uint8).reshape(-1, self.width)
        return Values(np.frombuffer(self.owners, np.int64), values)


_Owned = tuple[NDArray[np.int64], pa.Array]  # the index of the sample of each value, and the values
_Part = tuple[NDArray[np.int64], NDArray[np.int32], _Owned, _Owned, _Owned]


def _parts(path: Path) -> Iterator[_Part]:
    for table in read_groups(path, EVIDENCE_SCHEMA, ["index", "groups", "fingerprints"]):
        samples = table["index"].to_numpy()
        prints, owner = _flat(table["fingerprints"])
        kind, form, value = (pc.struct_field(prints, name) for name in ("kind", "form", "value"))
        files = pc.and_(pc.is_in(kind, value_set=_TYING), pc.not_equal(form, RECORDED))
        files = pc.or_(pc.and_(files, pc.equal(form, IN_TABLE)), pc.and_(files, pc.equal(kind, "sha256")))
        sized = pc.and_not(pc.match_substring(form, SIZED), pc.ends_with(form, ALIKE))
        other = pc.or_(pc.match_substring_regex(form, _TURNED), sized)
        plain = pc.and_not(pc.equal(kind, "pdq"), other)
        groups, group_owner = _flat(table["groups"])
        yield (
            samples,
            pc.fill_null(pc.struct_field(prints, "quality").filter(plain), 0).to_numpy(),
            (samples[owner.filter(files).to_numpy()], _padded(value.filter(files))),
            (samples[owner.filter(plain).to_numpy()], value.filter(plain)),
            (samples[group_owner.to_numpy()], groups.cast(pa.binary())),
        )


def _flat(lists: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the elements of all lists, and the row that each belongs to."""
    whole = pa.chunked_array([lists.combine_chunks()])
    return pc.list_flatten(whole), pc.list_parent_indices(whole)


def _padded(digests: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return digests at the width of SHA-256; an MD5 with zeros behind it equals no SHA-256 but by design of nobody."""
    lengths = pc.binary_length(digests)
    if not len(digests) or pc.min(lengths).as_py() >= DIGEST_BYTES:
        return digests
    return pa.chunked_array([[each.ljust(DIGEST_BYTES, b"\0") for each in digests.to_pylist()]], pa.binary())
