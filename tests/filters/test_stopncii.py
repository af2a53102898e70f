"""StopNCII's records are read by their status: what was withdrawn leaves, whatever else is said of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.listupdates import PageError, Update
from filters.stopncii import Page, read_page, updates
from tests.authorities import planted, stopncii_page, stopncii_record


def read(*records: Any) -> list[Update]:
    return list(updates(stopncii_page(records), ""))


def test_a_record_is_a_pdq_hash_with_its_status() -> None:
    (found,) = read(stopncii_record("alpha"))
    assert found.hashes == (("pdq", planted("alpha", "pdq")),)
    assert (found.classification, found.gone, found.when) == ("Active", False, 1_700_000_000_000_000)


@pytest.mark.parametrize("status", ["Withdrawn", "Deleted"])
def test_a_withdrawn_or_deleted_record_leaves(status: str) -> None:
    (found,) = read(stopncii_record("alpha", status))
    assert (found.gone, found.hashes) == (True, ())


@pytest.mark.parametrize("status", ["Active", "Received", "Unknown", "a status of tomorrow"])
def test_any_other_status_still_matches(status: str) -> None:
    (found,) = read(stopncii_record("alpha", status))
    assert not found.gone


def test_a_hash_that_is_spelled_like_a_status_is_a_hash() -> None:
    """The fault of a public client: it looked for the status in hashValue, so nothing was ever removed."""
    (found,) = read(stopncii_record("alpha", hashValue="Withdrawn"))
    assert (found.gone, found.hashes) == (False, (("pdq", "Withdrawn"),))


def test_a_company_that_withdrew_its_own_opinion_withdraws_no_hash() -> None:
    feedback = [{"source": "Example", "feedbackValue": "Withdrawn", "tags": ["one", "two"]}]
    (found,) = read(stopncii_record("alpha", CSPFeedbacks=feedback))
    assert not found.gone
    assert found.classification == "Active; Example: Withdrawn (one, two)"


def test_a_video_digest_is_an_md5_and_other_signals_keep_their_name() -> None:
    kinds = [read(stopncii_record("alpha", signalType=kind))[0].hashes[0][0] for kind in ("VideoMD5", "VideoTMK")]
    assert kinds == ["md5", "VideoTMK"]


def test_the_same_hash_in_another_spelling_is_the_same_entry() -> None:
    one, other = read(stopncii_record("alpha"), stopncii_record("alpha", hashValue=planted("alpha", "pdq").upper()))
    assert one.entry == other.entry


@pytest.mark.parametrize(
    "record",
    [
        "no record",
        {},
        stopncii_record("alpha", hashValue=None),
        stopncii_record("alpha", hashStatus=""),
        stopncii_record("alpha", lastModtimestamp="soon"),
        stopncii_record("alpha", lastModtimestamp=True),
        stopncii_record("alpha", lastModtimestamp=10**30),
    ],
)
def test_a_record_that_cannot_be_read_is_told_by_its_number_and_hides_no_other(record: Any) -> None:
    """Empty cases and opinions of a wrong type are no fault: public clients stalled over such records."""
    found = read(record, stopncii_record("beta", caseNumbers=[], CSPFeedbacks={"x": 1}))
    assert (found[0].line, bool(found[0].wrong)) == (1, True)
    assert found[1].wrong == ""


@pytest.mark.parametrize("content", [b"", b"<html/>", b"[]", b"{}", b'{"hashRecords": 1}', b"[" * 100_000])
def test_a_page_that_is_none_is_a_fault(content: bytes) -> None:
    (found,) = updates(content, "")
    assert found.wrong
    with pytest.raises(PageError):
        read_page(content)


def test_a_page_tells_how_it_goes_on() -> None:
    assert read_page(stopncii_page([stopncii_record("alpha")], "t", True, 99)) == Page(1, True, "t", 99)
    assert read_page(stopncii_page([], resume=0)) == Page(0, False, "", 0)


@pytest.mark.parametrize("change", [{"hasMoreRecords": "yes"}, {"nextPageToken": 7}, {"hasMoreRecords": True}])
def test_a_page_that_does_not_say_how_to_go_on_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(PageError):
        read_page(json.dumps({**json.loads(stopncii_page([])), **change}).encode())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_records_are_answered(value: Any) -> None:
    assert all(isinstance(each, Update) for each in read(value))
