"""The columns of evidence that tie samples together, as arrays for the join."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

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
    parts = list(_parts(path))
    samples, digests, pdq, quality, groups = zip(*parts, strict=True) if parts else ((), (), (), (), ())
    return TieColumns(
        _joined(samples, np.int64),
        _values(digests, DIGEST_BYTES, path),
        _values(pdq, PDQ_BYTES, path),
        _joined(quality, np.int32),
        _values(groups, GROUP_BYTES, path),
    )


_Number = TypeVar("_Number", np.int32, np.int64)
_Owned = tuple[NDArray[np.int64], pa.Array]  # the index of the sample of each value, and the values
_Part = tuple[NDArray[np.int64], _Owned, _Owned, NDArray[np.int32], _Owned]


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
            (samples[owner.filter(files).to_numpy()], _padded(value.filter(files))),
            (samples[owner.filter(plain).to_numpy()], value.filter(plain)),
            pc.fill_null(pc.struct_field(prints, "quality").filter(plain), 0).to_numpy(),
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


def _values(parts: Iterable[_Owned], width: int, path: Path) -> Values:
    index, values = [], []
    for owners, found in parts:
        lengths = pc.binary_length(found)
        if len(found) and pc.min_max(lengths).as_py() != {"min": width, "max": width}:
            raise SealError(f"{path.name}: holds a fingerprint of the wrong length; report this as a bug")
        index.append(owners)
        values.append(np.frombuffer(b"".join(found.to_pylist()), np.uint8).reshape(-1, width))
    return Values(_joined(index, np.int64), np.concatenate([np.empty((0, width), np.uint8), *values]))


def _joined(parts: Iterable[NDArray[_Number]], kind: type[_Number]) -> NDArray[_Number]:
    return np.concatenate([np.empty(0, kind), *parts])
