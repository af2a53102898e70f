"""Columns of strings: taken out of Arrow, and sorted into classes by what one look at the whole column tells."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.members import is_address_name, is_prose
from pipelines.parquet.columns import Columns

ENCODED_FROM = 256  # characters; a shorter run of letters and digits holds no picture
EMBEDDED = "data:image/|;base64,"
SLOW, TEXT, ADDRESS, DROPPED, NONE = range(5)  # DROPPED: a number or a digest, no text
CLASSES = 5

_PLAIN_ADDRESS = "^[!-~]*[g-zG-Z][!-~]*$"  # one word, and neither a number nor a digest
_PLAIN_TEXT = "[g-zG-Z]"
_DROPPED = "^(?:[0-9]{1,128}|[0-9a-fA-F]{16,128})$"
_MOST_COLUMNS = 24  # whose classes one number holds
_PROSE_UP_TO = 1 << 16  # characters


def texts_of(each: pa.Array) -> pa.Array:
    """Return a column of strings as plain strings."""
    if pa.types.is_dictionary(each.type):
        each = each.dictionary_decode()
    return each if pa.types.is_string(each.type) else each.cast(pa.large_binary()).view(pa.large_string())


def sound(texts: pa.Array) -> bool:
    """Tell whether every string of a column is UTF-8."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def values_of(texts: pa.Array, sound: bool) -> list[Any]:
    """Return the strings of a column; where it is not sound, bytes for those that are not UTF-8."""
    if sound:
        return list(texts.to_pylist())
    wide = pa.types.is_large_string(texts.type)
    return [_decoded(each) for each in texts.view(pa.large_binary() if wide else pa.binary()).to_pylist()]


def _decoded(value: bytes | None) -> Any:
    try:
        return value.decode("utf-8") if value is not None else None
    except UnicodeDecodeError:
        return value


def codes(texts: dict[int, pa.Array], sound_ones: dict[int, bool], found: Columns, count: int) -> NDArray[np.int64]:
    """Return for each row a number that says of which class each of its strings is."""
    numbers = np.zeros(count, np.int64)
    for number, (place, each) in enumerate(texts.items()):
        if found.nested or number >= _MOST_COLUMNS:
            return np.zeros(count, np.int64)
        numbers += _classes(each, is_address_name(found.names[place])) * CLASSES**number if sound_ones[place] else 0
    return numbers


def _classes(texts: pa.Array, address: bool) -> NDArray[np.int64]:
    """Return the class of each string of a sound column; SLOW is never wrong."""
    length = pc.fill_null(pc.binary_length(texts), 0)
    short = _bools(pc.less(length, ENCODED_FROM)) | _bools(
        pc.and_(pc.match_substring(texts, " "), pc.less(length, 1 << 16))
    )
    if address:
        plain = short & _bools(pc.match_substring_regex(texts, _PLAIN_ADDRESS))
        plain &= ~_bools(pc.match_substring_regex(texts, EMBEDDED, ignore_case=True))
        found = np.where(plain, ADDRESS, SLOW)
    else:
        spoken = _bools(pc.match_substring_regex(texts, _PLAIN_TEXT)) & _bools(pc.string_is_ascii(texts))
        short &= ~_bools(pc.match_substring_regex(texts, f"://|www[.]|{EMBEDDED}", ignore_case=True))
        found = np.where(short & spoken, TEXT, SLOW)
        found = np.where(_bools(pc.match_substring_regex(texts, _DROPPED)), DROPPED, found)
        others = np.flatnonzero(short & (found == SLOW))  # which other scripts have, and numbers of all kinds
        found[others] = [TEXT if each and is_prose(each) else SLOW for each in texts.take(others).to_pylist()]
    return np.where(_bools(texts.is_null()), NONE, found).astype(np.int64)


def _bools(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
