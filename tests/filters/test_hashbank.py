"""The hash bank only grows: adding and withdrawing are lines, with who and when."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.hashbank import updates
from filters.listupdates import Update
from tests.authorities import planted

ADD = {"do": "add", "at": "2026-11-21T10:00:00Z", "by": "reviewer 3", "algorithm": "pdq", "value": planted("a", "pdq")}


def read(*lines: Any) -> list[Update]:
    return list(updates("\n".join(json.dumps(line) for line in lines).encode() + b"\n", ""))


def test_an_added_hash_matches_and_a_withdrawn_one_does_not() -> None:
    added, withdrawn = read(
        {**ADD, "category": "opt-out", "classification": "consent withdrawn"}, {**ADD, "do": "withdraw"}
    )
    assert added.hashes == (("pdq", planted("a", "pdq")),)
    assert (added.category, added.classification, added.gone) == ("opt-out", "consent withdrawn", False)
    assert (withdrawn.gone, withdrawn.hashes) == (True, ())


def test_an_entry_is_a_value_in_a_category_however_it_is_spelled() -> None:
    shouted = {**ADD, "algorithm": "PDQ", "value": ADD["value"].upper()}
    one, same, other = read(ADD, shouted, {**ADD, "category": "opt-out"})
    assert one.entry == same.entry != other.entry


@pytest.mark.parametrize(
    "line",
    [
        3,
        {},
        {**ADD, "do": "remove"},
        {**ADD, "by": " "},
        {**ADD, "at": "today"},
        {**ADD, "value": 7},
        {**ADD, "valeu": "x"},
        {name: said for name, said in ADD.items() if name != "by"},
    ],
)
def test_a_line_that_cannot_be_read_is_a_fault_and_hides_no_other(line: Any) -> None:
    first, second = read(line, ADD)
    assert (first.line, bool(first.wrong), second.wrong) == (1, True, "")


def test_a_line_that_was_cut_off_is_a_fault() -> None:
    whole = json.dumps(ADD).encode()
    assert [bool(each.wrong) for each in updates(whole + b"\n\n" + whole[:40], "")] == [False, True]


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(content: bytes) -> None:
    assert all(isinstance(each, Update) for each in updates(content, ""))
