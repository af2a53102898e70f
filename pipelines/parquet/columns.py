"""What each column of a table is: text or address, recorded digest, key, or nothing that anyone could read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from filters.fingerprints import DIGESTS
from filters.members import is_address_name

DEEPEST = 16  # levels of lists and structs
KEY_NAMES = ("key", "uid", "id")
ANY_DIGEST = "hash"  # a column of this name says by the length of its hex digits what it holds
PDQ, PDQ_QUALITY = "pdq", "pdq_quality"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,40}")


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of the columns that are read, in the order of the schema.

    `flat` are columns of strings, `nested` those that hold strings in lists or structs, `numbers` lists without any.
    `digests` are (place, kind), kind "hash" where only the length tells. `key` is the place of the key, before anyone
    knows whether it is unique.
    """

    names: tuple[str, ...]
    flat: tuple[int, ...] = ()
    nested: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    digests: tuple[tuple[int, str], ...] = ()
    pdq: tuple[int, int] | None = None  # the hash, and its quality
    key: int | None = field(default=None, repr=False)

    @property
    def strings(self) -> tuple[int, ...]:
        """Columns that hold strings at any depth, in order."""
        return tuple(sorted((*self.flat, *self.nested)))


def columns(schema: pa.Schema) -> Columns:
    """Return what the columns of a table are, by type and name; upper and lower case of names are alike."""
    kinds = [_storage(each.type) for each in schema]
    lower = [name.lower() for name in schema.names]
    flat = tuple(place for place, kind in enumerate(kinds) if is_text(kind))
    found = {name: place for place, name in reversed(list(enumerate(lower)))}
    digests = [(place, lower[place]) for place in flat if lower[place] in (*DIGESTS, ANY_DIGEST)]
    keyed = (found[name] for name in KEY_NAMES if name in found and _is_key(kinds[found[name]]))
    nested = [place for place, kind in enumerate(kinds) if place not in flat and any(map(is_text, _leaves(kind)))]
    return Columns(
        names=tuple(schema.names),
        flat=flat,
        nested=tuple(nested),
        numbers=tuple(p for p, kind in enumerate(kinds) if pa.types.is_nested(kind) and p not in nested),
        digests=tuple(digests),
        pdq=_pdq(found, kinds),
        key=next(keyed, None),
    )


def fault_of(schema: pa.Schema) -> str:
    """Return why no reader can be trusted to see these columns as another does; empty when nothing is wrong."""
    if len(set(schema.names)) != len(schema.names):
        return "two columns share a name"
    if any(_depth(each.type) > DEEPEST for each in schema):
        return "columns nested too deeply"
    return ""


def refusal_of(schema: pa.Schema) -> str:
    """Return why a table is no corpus of addresses, and what to do; empty when it is one."""
    for place, each in enumerate(schema):
        if any(map(_is_bytes, _leaves(each.type, whole_lists=True))):
            told = repr(each.name) if _PLAIN_NAME.fullmatch(each.name) else f"number {place}"
            return (
                f"column {told} holds bytes, which may be pictures, and no filter would look at them. "
                "Convert the files to WebDataset tars, or write them without that column."
            )
    if not any(is_address_name(each.name) and any(map(is_text, _leaves(each.type))) for each in schema):
        return "no column of text is named like an address (url, link, href, page). Rename the column that holds them."
    return ""


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds strings."""
    kind = _storage(kind)
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _storage(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_bytes(kind: pa.DataType) -> bool:
    """Tell whether a leaf may hold the bytes of a file: binary, or a list of 8-bit numbers."""
    kind = _storage(kind)
    if pa.types.is_dictionary(kind):
        return _is_bytes(kind.value_type)
    if _is_list(kind):
        return bool(pa.types.is_int8(kind.value_type) or pa.types.is_uint8(kind.value_type))
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in binary)


def _is_list(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(kind) for test in tests)


def _is_key(kind: pa.DataType) -> bool:
    return is_text(kind) or bool(pa.types.is_integer(kind))


def _pdq(found: dict[str, int], kinds: list[pa.DataType]) -> tuple[int, int] | None:
    if PDQ not in found or PDQ_QUALITY not in found:
        return None
    hashed, quality = found[PDQ], found[PDQ_QUALITY]
    return (hashed, quality) if is_text(kinds[hashed]) and pa.types.is_integer(kinds[quality]) else None


def _below(kind: pa.DataType) -> list[pa.DataType]:
    kind = _storage(kind)
    if _is_list(kind):
        return [kind.value_type]
    if pa.types.is_map(kind):
        return [kind.key_type, kind.item_type]
    if pa.types.is_nested(kind):  # a struct; Parquet has no union
        return [kind.field(place).type for place in range(kind.num_fields)]
    return []


def _leaves(kind: pa.DataType, whole_lists: bool = False) -> Iterator[pa.DataType]:
    """Yield the types at the ends of a column; with `whole_lists` lists as well."""
    waiting = [kind]
    while waiting:
        each = _storage(waiting.pop())
        below = _below(each)
        if not below or (whole_lists and _is_list(each)):
            yield each
        waiting.extend(below)


def _depth(kind: pa.DataType) -> int:
    deepest, level = 0, [kind]
    while level and deepest <= DEEPEST:
        level = [below for each in level for below in _below(each)]
        deepest += bool(level)
    return deepest
