"""How many values lie below each row of a column of lists: a picture can be written as numbers, too."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.parquet.columns import Columns

MOST_NUMBERS = 1024  # in one row of one column; an embedding passes


def crowded(batch: pa.RecordBatch, found: Columns) -> NDArray[np.bool_]:
    """Tell of which rows some column holds more values than any list of an honest table."""
    crowd = np.zeros(batch.num_rows, bool)
    for place in (*found.numbers, *found.nested):
        crowd |= _leaves(batch.column(place)) > MOST_NUMBERS
    return crowd


def _leaves(each: pa.Array) -> NDArray[np.int64]:
    """Return how many values there are below each row of a column."""
    if isinstance(each, pa.BaseExtensionType):
        each = each.storage
    if pa.types.is_struct(each.type):
        counts: NDArray[np.int64] = np.sum([_leaves(below) for below in each.flatten()], axis=0, dtype=np.int64)
        return counts
    if not pa.types.is_nested(each.type):
        return np.ones(len(each), np.int64)
    if pa.types.is_map(each.type):
        each = each.cast(pa.list_(pa.struct([("key", each.type.key_type), ("value", each.type.item_type)])))
    lengths = pc.fill_null(pc.list_value_length(each), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    ends: NDArray[np.int64] = np.cumsum(lengths)
    total: NDArray[np.int64] = np.concatenate((np.zeros(1, np.int64), np.cumsum(_leaves(pc.list_flatten(each)))))
    found: NDArray[np.int64] = total[ends] - total[ends - lengths]
    return found
