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
) -> tuple[list[tuple[Fingerprint, ...]], list[int]]:
    """Return what is recorded of the picture of each row, and the rows with a digest that is none."""
    columns = [_digests(kind, values[place]) for place, kind in found.digests]
    if found.pdq is not None:
        quality = batch.column(found.pdq[1]).to_pylist()
        columns.append([_pdq(each, sure) for each, sure in zip(values[found.pdq[0]], quality, strict=True)])
    if not columns:
        return [()] * batch.num_rows, []
    bad = sorted({row for each in columns if BAD_DIGEST in each for row, one in enumerate(each) if one == BAD_DIGEST})
    if len(columns) == 1:
        return [(one,) if isinstance(one, Fingerprint) else () for one in columns[0]], bad
    return [_distinct(row) for row in zip(*columns, strict=True)], bad


def _distinct(row: Sequence[Fingerprint | str | None]) -> tuple[Fingerprint, ...]:
    return tuple(dict.fromkeys(each for each in row if isinstance(each, Fingerprint)))


def _digests(kind: str, values: Sequence[Any]) -> list[Fingerprint | str | None]:
    """Return what `_digest` does of each value; where all are of the right length, their hex is read at once."""
    size = DIGESTS.get(kind, 0)
    try:
        whole = "".join(values)
        if kind in DIGESTS and set(map(len, values)) == {2 * size} and whole.isalnum():
            data = bytes.fromhex(whole)
            return [Fingerprint(kind, IN_TABLE, data[at : at + size]) for at in range(0, len(data), size)]
    except (TypeError, ValueError):  # one is missing, not UTF-8 or no hex
        pass
    return [_digest(kind, each) for each in values]


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
