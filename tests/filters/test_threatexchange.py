"""ThreatExchange's indicators are read from JSON and CSV alike, with every owner's opinion."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.listupdates import Update
from filters.threatexchange import updates
from tests.authorities import planted

ALPHA = {"id": "1", "indicator": planted("alpha"), "type": "HASH_MD5", "last_updated": 1_700_000_000}


def read(*records: Any) -> list[Update]:
    return list(updates(json.dumps({"data": records}).encode(), ""))


def owner(status: str, *tags: str) -> dict[str, Any]:
    return {"id": "9", "owner": {"id": "5"}, "status": status, "tags": {"data": [{"text": tag} for tag in tags]}}


def test_an_indicator_has_what_each_owner_says_of_it() -> None:
    descriptors = {"data": [owner("MALICIOUS", "one", "two"), owner("NON_MALICIOUS")]}
    (found,) = read({**ALPHA, "descriptors": descriptors})
    assert found.hashes == (("md5", planted("alpha")),)
    assert (found.gone, found.classification) == (False, "MALICIOUS (one, two); NON_MALICIOUS")


@pytest.mark.parametrize(
    "record",
    [
        {**ALPHA, "should_delete": True},
        {**ALPHA, "status": "NON_MALICIOUS"},
        {**ALPHA, "descriptors": {"data": [owner("NON_MALICIOUS"), owner("NON_MALICIOUS", "x")]}},
    ],
)
def test_a_deleted_indicator_and_one_that_every_owner_calls_harmless_leave(record: dict[str, Any]) -> None:
    (found,) = read(record)
    assert found.gone


def test_the_types_of_hashes_are_told_and_others_keep_their_name() -> None:
    kinds = ("HASH_MD5", "HASH_VIDEO_MD5", "HASH_SHA1", "HASH_SHA256", "HASH_PDQ", "URI")
    found = read(*({**ALPHA, "type": kind} for kind in kinds))
    assert [each.hashes[0][0] for each in found] == ["md5", "md5", "sha1", "sha256", "pdq", "URI"]


def test_a_table_says_the_same_as_the_json() -> None:
    digest = planted("alpha")
    lines = ["indicator,type,tags,status,id,last_updated,should_delete"]
    lines += [f'{digest},HASH_MD5,"one, two",MALICIOUS,1,1700000000,false', f"{digest},HASH_MD5,,,1,1700000009,true"]
    one, two = updates("\n".join(lines).encode(), "")
    (same,) = read({**ALPHA, "status": "MALICIOUS", "tags": ["one", "two"]})
    assert (one.entry, one.when, one.hashes, one.classification) == (
        same.entry,
        same.when,
        same.hashes,
        same.classification,
    )
    assert (two.line, two.entry, two.gone) == (3, one.entry, True)


def test_times_are_seconds_or_iso_or_missing() -> None:
    told = [1_700_000_000, "1700000000", "2023-11-14T22:13:20+0000", None]
    assert [each.when // 1_000_000 for each in read(*({**ALPHA, "last_updated": each} for each in told))] == [
        1_700_000_000,
        1_700_000_000,
        1_700_000_000,
        0,
    ]


def test_two_descriptors_of_one_hash_are_two_entries() -> None:
    one, other = read(ALPHA, {**ALPHA, "id": "2"})
    assert one.entry != other.entry


@pytest.mark.parametrize("record", [1, {}, {"indicator": 3, "type": "HASH_MD5"}, {**ALPHA, "last_updated": "9" * 5000}])
def test_a_record_that_cannot_be_read_is_a_fault(record: Any) -> None:
    first, second = read(record, ALPHA)
    assert first.wrong
    assert not second.wrong


@pytest.mark.parametrize(
    "content", [b"{", b'{"data": 1}', b"a,b\n1,2\n", b'indicator,type\n"x', b"\xff", b"[" * 100_000]
)
def test_a_file_that_is_none_is_a_fault(content: bytes) -> None:
    assert [bool(each.wrong) for each in updates(content, "")][-1:] == [True]


def test_a_row_of_another_width_is_a_fault() -> None:
    found = list(updates(b"indicator,type\na\n\nb,c\n", ""))
    assert [(each.line, bool(each.wrong)) for each in found] == [(2, True), (4, False)]


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(content: bytes) -> None:
    assert all(isinstance(each, Update) for each in updates(content, ""))
