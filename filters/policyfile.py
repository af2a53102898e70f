"""The shape of a policy file: its tables and keys, and what to say about one that does not exist.

The shape is read off the dataclasses themselves, so a parameter added to a filter is a key of its table at once.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from filters import FILTERS, filter_class
from filters.errors import PolicyError
from filters.lists import ListSource
from filters.policy import CalibrationFile, Deadlines, Drift, Floors, Partition, Rule, Ties
from filters.rasters import Limits

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OFF = "off"  # TOML has no null
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")  # shorter than any digest


def decode(tables: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the keys that are given, as typed values, or raise PolicyError naming every one that cannot be."""
    from pydantic import ValidationError

    model = _file_model()
    try:
        # JSON mode is strict about types, yet lets an array be a tuple and a date be text.
        file = model.model_validate_json(json.dumps(tables, default=str))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise refusal(where, [_told(each["type"], each["loc"], each["msg"], tables) for each in found]) from None
    return given(file)


def given(table: "BaseModel") -> dict[str, Any]:
    """Return the keys of a table that were written down, without defaults."""
    return {key: getattr(table, key) for key in type(table).model_fields if key in table.model_fields_set}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a policy file, for editors."""
    schema = _untitled(_file_model().model_json_schema())
    return {"$schema": DIALECT, "title": "Shardwall policy", **schema}


def refusal(where: str, problems: Sequence[str]) -> PolicyError:
    """Return the error that says why the policy of this file cannot be used."""
    head = f"policy {where} cannot be used:"
    return PolicyError(f"{head} {problems[0]}" if len(problems) == 1 else "\n- ".join([head, *problems]))


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "; did you mean 'x'?" for the nearest known word, or nothing; `cutoff` is how alike they must be, 0..1."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=cutoff)
    return f"; did you mean {close[0]!r}?" if close else ""


def hint(word: str, known: Iterable[str]) -> str:
    """Return the nearest known word as a question, else all of them."""
    return nearest(word, known) or f". Known: {', '.join(known)}."


def _file_model() -> "type[BaseModel]":
    from pydantic import ConfigDict, Field, create_model

    tables = [_table(filter_class(name), lists=_list_names(), name=(Literal[name], ...)) for name in FILTERS]
    any_filter: Any = reduce(or_, tables)
    source = _table(ListSource, columns=(dict[str, str], Field(default_factory=dict)))
    shape: dict[str, Any] = {
        "name": (str, Field(description="What this policy is called in every manifest.")),
        "description": (str, Field("", description="What it is for, in a sentence.")),
        "extends": (str, Field("", description="A shipped profile, or a policy file relative to this one.")),
        "without": (tuple[str, ...], Field((), description="Filters of the base to leave out, with their rules.")),
        "uncalibrated": (bool, Field(False, description="Accept thresholds on models nobody has calibrated here.")),
        "lists": (_many(source), ()),
        "filters": (_many(any_filter, discriminator="name"), ()),
        "rules": (tuple[Rule, ...], ()),
        "partitions": (tuple[Partition, ...], ()),
        "calibrations": (tuple[CalibrationFile, ...], ()),
        "measured": (dict[str, Any], Field(default_factory=dict, description="For manifests: what calibrations hold.")),
        "floors": (Floors, Field(default_factory=Floors)),
        "ties": (_table(Ties, near_duplicate_bits=_bits()), Field(default_factory=dict)),
        "limits": (Limits, Field(default_factory=Limits)),
        "deadlines": (Deadlines, Field(default_factory=Deadlines)),
        "drift": (Drift, Field(default_factory=Drift)),
    }
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    return create_model("PolicyFile", __config__=config, **shape)


def _bits() -> Any:
    """Return the key near_duplicate_bits, where "off" stands for None."""
    from pydantic import BeforeValidator, WithJsonSchema

    default = Ties().near_duplicate_bits
    schema = {"anyOf": [{"type": "integer"}, {"const": OFF}], "default": default}
    read = BeforeValidator(lambda value: None if value == OFF else value)
    return (Annotated[int | None, read, WithJsonSchema(schema)], default)


def _many(table: Any, discriminator: str | None = None) -> Any:
    """Return the type of an array of such tables; where there are several, this key tells which one it is."""
    from pydantic import Field

    return tuple[Annotated[table, Field(discriminator=discriminator)], ...]


def _list_names() -> Any:
    from pydantic import Field

    told = "Names of [[lists]]; when left out, all lists of the kind that this filter reads."
    return (tuple[str, ...], Field(default_factory=tuple, description=told))


def _table(cls: Any, **instead: Any) -> Any:
    """Return the model of a table whose keys are the fields of this dataclass, some of them written otherwise."""
    from pydantic import ConfigDict, Field, create_model

    hints = get_type_hints(cls, include_extras=True)
    keys: dict[str, Any] = {}
    for field in fields(cls):
        default: Any = ... if field.default is MISSING else field.default
        if field.default_factory is not MISSING:
            default = Field(default_factory=field.default_factory)
        keys[field.name] = instead.get(field.name, (hints[field.name], default))
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    return create_model(cls.__name__, __config__=config, __doc__=cls.__doc__, **keys)


def _told(kind: str, loc: Sequence[int | str], message: str, tables: Mapping[str, Any]) -> str:
    *table, key = loc
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        known = _keys(table)
        return f"{_place(table, tables)}unknown key {_word(key)}{hint(str(key), known)}"
    if kind == "union_tag_invalid":
        name = str(tables["filters"][key]["name"])
        return f"[[filters]]: there is no filter {_word(name)}{hint(name, FILTERS)}"
    if kind == "union_tag_not_found":
        return f"[[filters]] number {int(key) + 1}: the key 'name' is missing; it says which filter."
    if kind == "missing":
        return f"{_place(table, tables)}the key {key!r} is missing; add it."
    if isinstance(key, int):
        return f"{_place(loc, tables)}this should be a table."
    return f"{_place(table, tables)}{key!r}: {message.replace('Input should', 'this should')}."


def _word(key: int | str) -> str:
    """Return a key as it may be shown: what is no plain word may be an entry of a list, pasted to the wrong place."""
    return repr(key) if WORD.fullmatch(str(key)) else "(not a word)"


def _place(loc: Sequence[int | str], tables: Mapping[str, Any]) -> str:
    """Return the table as a person finds it: "[[rules]] 'adult score': "."""
    if not loc:
        return ""
    if len(loc) == 1 or not isinstance(loc[1], int):
        return f"[{loc[0]}]: "
    entry = tables[str(loc[0])][loc[1]]
    name = entry.get("name") if isinstance(entry, Mapping) else None
    told = repr(name) if isinstance(name, str) else f"number {loc[1] + 1}"
    inner = [str(step) for step in loc[2:] if isinstance(step, str) and step != name]
    return f"[[{loc[0]}]] {told}" + "".join(f", {step}" for step in inner) + ": "


def _keys(loc: Sequence[int | str]) -> list[str]:
    """Return the keys that the table at this place may have."""
    schema = _file_model().model_json_schema()
    node = schema
    for step in loc:
        if isinstance(step, int):
            node = node.get("items", {})
        elif "discriminator" in node:
            node = {"$ref": node["discriminator"]["mapping"][step]}
        else:
            node = node.get("properties", {}).get(step, {})
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return list(node.get("properties", {}))


def _untitled(node: Any) -> Any:
    """Drop the titles that only repeat the key."""
    if isinstance(node, list):
        return [_untitled(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
