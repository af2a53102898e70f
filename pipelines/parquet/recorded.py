"""What a row records of a picture that nobody looked at: digests, and PDQ where its quality stands beside it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from filters.fingerprints import DIGESTS, IN_TABLE, PERCEPTUAL, Fingerprint
from pipelines.parquet.columns import ANY_DIGEST, Columns

BAD_DIGEST = "recorded digest: not as its column says"
_BY_LENGTH = {2 * size: kind for kind, size in DIGESTS.items()}


def prints(
    found: Columns, values: dict[int, list[Any]], batch: pa.RecordBatch
) -> list[tuple[tuple[Fingerprint, ...], bool]]:
    """Return what is recorded of the picture of each row, and whether a digest is none."""
    if not found.digests and found.pdq is None:
        return [((), False)] * batch.num_rows
    columns = [[_digest(kind, each) for each in values[place]] for place, kind in found.digests]
    if found.pdq is not None:
        quality = batch.column(found.pdq[1]).to_pylist()
        columns.append([_pdq(each, sure) for each, sure in zip(values[found.pdq[0]], quality, strict=True)])
    return [_recorded(row) for row in zip(*columns, strict=True)]


def _recorded(row: Sequence[Fingerprint | str | None]) -> tuple[tuple[Fingerprint, ...], bool]:
    return tuple(dict.fromkeys(each for each in row if isinstance(each, Fingerprint))), BAD_DIGEST in row


def _digest(kind: str, value: Any) -> Fingerprint | str | None:
    """Return a digest, None where there is none, or what is wrong with it."""
    if not value:
        return None
    data = _unhexed(value)
    if kind == ANY_DIGEST:  # of which nobody knows what it is
        named = _BY_LENGTH.get(len(value)) if data is not None else None
        return Fingerprint(named, IN_TABLE, data) if named and data is not None else None
    return Fingerprint(kind, IN_TABLE, data) if data is not None and len(data) == DIGESTS[kind] else BAD_DIGEST


def _pdq(value: Any, quality: Any) -> Fingerprint | str | None:
    if not value:
        return None
    data = _unhexed(value)
    if data is None or len(data) != PERCEPTUAL["pdq"] or quality not in (None, *range(101)):
        return BAD_DIGEST
    return Fingerprint("pdq", IN_TABLE, data, quality)


def _unhexed(value: Any) -> bytes | None:
    try:
        return bytes.fromhex(value) if isinstance(value, str) and value.isalnum() else None
    except ValueError:
        return None
