import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from filters import FILTERS, filter_class
from filters.config import POLICIES
from filters.errors import PolicyError
from filters.policyfile import decode, json_schema

DOCS = Path(__file__).parents[2] / "docs" / "policy.md"
CANARY = "canary-7f3a"


def refused(tables: dict[str, Any]) -> str:
    with pytest.raises(PolicyError) as caught:
        decode({"name": "x", **tables}, "x")
    assert CANARY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"descripton": CANARY}, "unknown key 'descripton'; did you mean 'description'?"),
        (
            {"rules": [{"name": "a", "mark": "b", "filter": "*", "at_leest": 1}]},
            "[[rules]] 'a': unknown key 'at_leest",
        ),
        ({"rules": [{"mark": CANARY, "filter": "*"}]}, "[[rules]] number 1: the key 'name' is missing"),
        (
            {"partitions": [{"name": "a", "alows": []}]},
            "[[partitions]] 'a': unknown key 'alows'; did you mean 'allows'?",
        ),
        ({"ties": {"same_byte": True}}, "[ties]: unknown key 'same_byte'; did you mean 'same_bytes'?"),
        ({"limits": {"frames": 1}}, "[limits]: unknown key 'frames'; did you mean 'max_frames'?"),
        ({"deadlines": {"zzzz": 1}}, "[deadlines]: unknown key 'zzzz'. Known: known_material, "),
        ({"filters": [{"name": "adlut"}]}, "there is no filter 'adlut'; did you mean 'adult'?"),
        ({"filters": [{}]}, "[[filters]] number 1: the key 'name' is missing"),
        (
            {"filters": [{"name": "minors", "min_face": 1}]},
            "'minors': unknown key 'min_face'; did you mean",
        ),
        (
            {"filters": [{"name": "encoder", "heads": [{"pth": CANARY}]}]},
            "heads: unknown key 'pth'; did you mean 'path",
        ),
        ({"lists": [{"name": "a", "path": CANARY, "kind": "hash", "category": "b"}]}, "'hashes', 'urls' or 'terms'"),
    ],
)
def test_what_the_shape_does_not_know_is_named_with_the_nearest_word(tables: dict[str, Any], why: str) -> None:
    assert why in refused(tables)


@pytest.mark.parametrize(
    "tables",
    [
        {"description": 3},
        {"uncalibrated": "yes"},
        {"uncalibrated": 1},
        {"rules": CANARY},
        {"rules": [CANARY]},
        {"rules": {"name": CANARY}},
        {"filters": [{"name": 3}]},
        {"filters": [{"name": "minors", "min_face_pixels": CANARY}]},
        {"filters": [{"name": "minors", "min_face_pixels": 1.5}]},
        {"filters": [{"name": "minors", "min_face_pixels": True}]},
        {"ties": {"near_duplicate_bits": CANARY}},
        {"partitions": [{"name": "a", "allows": CANARY}]},
        {"lists": [{"name": "a", "path": "b", "kind": "urls", "category": "c", "columns": {"value": 3}}]},
    ],
)
def test_a_value_of_another_type_is_refused_and_not_quoted(tables: dict[str, Any]) -> None:
    assert "this should be" in refused(tables) or "there is no filter" in refused(tables)


@pytest.mark.parametrize("pasted", ["d41d8cd98f00b204e9800998ecf8427e", f"https://{CANARY}.test/", f"{CANARY} words"])
def test_a_list_entry_pasted_in_place_of_a_key_or_filter_is_not_quoted(pasted: str) -> None:
    for tables in ({pasted: 1}, {"ties": {pasted: 1}}, {"filters": [{"name": pasted}]}):
        message = refused(tables)
        assert "(not a word)" in message
        assert pasted not in message


def test_all_that_is_wrong_is_told_at_once() -> None:
    message = refused({"a": 1, "b": 2, "ties": {"c": 3}})
    assert all(f"unknown key '{key}'" in message for key in "abc")


def test_only_the_keys_that_are_written_down_come_back() -> None:
    assert decode({"name": "x", "rules": []}, "x") == {"name": "x", "rules": ()}


def test_a_day_may_be_written_as_a_day() -> None:
    import tomllib

    text = '[[lists]]\nname = "a"\npath = "b"\nkind = "urls"\ncategory = "c"\ndate = 2026-11-20\n'
    (table,) = decode({"name": "x", **tomllib.loads(text)}, "x")["lists"]
    assert table.date == "2026-11-20"


@pytest.mark.parametrize("name", FILTERS)
def test_every_parameter_of_a_filter_is_a_key_of_its_table(name: str) -> None:
    cls: Any = filter_class(name)
    assert set(json_schema()["$defs"][cls.__name__]["properties"]) == {field.name for field in fields(cls)}


def test_the_shipped_schema_is_the_one_that_is_generated() -> None:
    stored = (POLICIES / "policy.schema.json").read_text(encoding="utf-8")
    assert json.loads(stored) == json_schema(), "write it again with: shardwall policy schema"


def test_the_schema_says_which_dialect_it_is_in() -> None:
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for each in node.values():
            yield from keys(each)
    elif isinstance(node, list):
        for each in node:
            yield from keys(each)


def test_every_key_of_the_schema_is_documented() -> None:
    documented = set(re.findall(r"`([a-z0-9_]+)`", DOCS.read_text(encoding="utf-8")))
    assert sorted(set(keys(json_schema())) - documented) == []


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_profile_names_its_schema_for_editors_on_its_first_line(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("#:schema ./policy.schema.json\n")
