"""Whether two runs of rows are the same, bit for bit of every value; for Arrow a NaN differs from itself."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_BITS = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}


def same(left: pa.RecordBatch, right: pa.RecordBatch) -> bool:
    """Tell whether two batches hold the same values in columns of the same types, in the same order."""
    if left.num_rows != right.num_rows or left.schema.types != right.schema.types:
        return False
    return all(_same(one, other) for one, other in zip(left.columns, right.columns, strict=True))


def _same(left: Any, right: Any) -> bool:
    kind = left.type
    if isinstance(kind, pa.BaseExtensionType):
        return _same(left.storage, right.storage)
    if pa.types.is_dictionary(kind):
        return _same(left.dictionary_decode(), right.dictionary_decode())
    if len(left) != len(right) or not left.is_valid().equals(right.is_valid()):
        return False
    if pa.types.is_floating(kind):
        there = left.is_valid()
        bits = _BITS[kind.bit_width]
        return bool(left.filter(there).view(bits).equals(right.filter(there).view(bits)))
    if pa.types.is_struct(kind):
        return all(_same(one, other) for one, other in zip(left.flatten(), right.flatten(), strict=True))
    if pa.types.is_map(kind):
        return (
            _same_lists(left, right)
            and _same(_flat(left, "keys"), _flat(right, "keys"))
            and _same(_flat(left, "items"), _flat(right, "items"))
        )
    if pa.types.is_nested(kind):
        return _same_lists(left, right) and _same(pc.list_flatten(left), pc.list_flatten(right))
    return bool(left.equals(right))


def _flat(maps: Any, part: str) -> Any:
    there = maps.filter(maps.is_valid())  # copies: without it the offsets of a slice would not count
    return getattr(there, part)


def _same_lists(left: Any, right: Any) -> bool:
    if pa.types.is_map(left.type):
        lengths = [pa.array(None if each is None else len(each) for each in some.to_pylist()) for some in (left, right)]
        return bool(lengths[0].equals(lengths[1]))
    return bool(pc.list_value_length(left).equals(pc.list_value_length(right)))
