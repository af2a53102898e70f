"""NCMEC's pages are read as documented: every fingerprint, every tombstone, nothing of anybody's opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.listupdates import PageError, Update
from filters.ncmec import read_page, updates
from tests.authorities import NAMESPACE, Entry, image, ncmec_page, planted


def page(inside: str) -> bytes:
    return f'<queryResult xmlns="{NAMESPACE}">{inside}</queryResult>'.encode()


def entry(more: str = "", element: str = "image") -> str:
    base = '<member id="42">x</member><timestamp>2026-03-01T12:00:00Z</timestamp><id>i1</id>'
    return f"<{element}>{base}{more}</{element}>"


def test_an_image_has_all_its_fingerprints_and_its_classification() -> None:
    (found,) = updates(ncmec_page([image("alpha")]), "")
    assert found.hashes == (("md5", planted("alpha")), ("sha1", planted("alpha", "sha1")))
    assert (found.classification, found.gone, found.wrong) == ("A1", False, "")
    assert found.when == 1_772_366_400_000_000


def test_a_deleted_image_withdraws_the_image_of_its_member_and_id_and_no_video() -> None:
    alive, gone, video = (
        next(updates(ncmec_page([each]), ""))
        for each in (Entry("i1"), Entry("i1", gone=True), Entry("i1", kind="video", gone=True))
    )
    assert alive.entry == gone.entry != video.entry
    assert (alive.gone, gone.gone, video.gone) == (False, True, True)
    other = next(updates(ncmec_page([Entry("i1", member="43")]), ""))
    assert other.entry != alive.entry


def test_what_other_members_think_of_an_entry_is_not_taken_for_the_entry() -> None:
    """The shape of the feedback is that of the documentation, read 2026-11."""
    opinion = (
        '<feedback lastUpdateTimestamp="2026-06-01T12:48:14Z"><negativeFeedback type="Sha1"><reasons>'
        '<reason guid="0" name="wrong"/><members timestamp="2026-06-01T12:48:14Z"><member id="7">y</member></members>'
        "</reasons></negativeFeedback></feedback>"
    )
    assert list(updates(page(f"<images>{entry(opinion)}</images>"), "")) == list(
        updates(page(f"<images>{entry()}</images>"), "")
    )


def test_classification_categorizations_and_environment_are_kept_word_for_word() -> None:
    more = (
        '<classification>A2</classification><categorizations><categorization guid="0" name="Known Minor"/>'
        "</categorizations>"
    )
    (found,) = updates(page(f"<images>{entry(more)}</images>"), "generative-ai-csam")
    assert found.classification == "A2; Known Minor; generative-ai-csam"


def test_a_large_fingerprint_is_told_by_its_kind_alone() -> None:
    more = '<fingerprints><videntifier rel="self" href="/v2/x"/><tmk-pdqf rel="self" href="/v2/y"/></fingerprints>'
    (found,) = updates(page(f"<videos>{entry(more, 'video')}</videos>"), "")
    assert found.hashes == (("videntifier", ""), ("tmk-pdqf", ""))


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (entry().replace("<id>i1</id>", ""), "without an id"),
        (entry().replace(' id="42"', ""), "without an id"),
        (entry().replace("2026-03-01T12:00:00Z", "yesterday"), "without a time that can be read"),
        (entry(element="audio"), "of a kind that is not documented"),
    ],
)
def test_an_entry_that_cannot_be_read_is_told_by_its_line_and_hides_no_other(inside: str, why: str) -> None:
    found = list(updates(page(f"<images>\n{inside}\n{entry()}</images>"), ""))
    assert found[0] == Update(2, wrong=why)
    assert found[1].wrong == ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>maintenance</body></html>",
        b"no XML",
        b'<?xml version="1.0" encoding="codeword"?><queryResult/>',
        b'<!DOCTYPE queryResult [<!ENTITY a "aaaa">]><queryResult>&a;</queryResult>',
        b'<!DOCTYPE queryResult SYSTEM "file:///etc/passwd"><queryResult/>',
        b"<queryResult>" * 40 + b"</queryResult>" * 40,
        page("<images>") + b"</images>",
    ],
)
def test_a_page_that_is_none_is_a_fault(content: bytes) -> None:
    (found,) = updates(content, "")
    assert found.wrong
    with pytest.raises(PageError):
        read_page(content)


def test_a_page_that_breaks_off_gives_what_came_before_and_a_fault() -> None:
    content = ncmec_page([image("alpha"), image("beta")])
    found = list(updates(content[: content.index(b"</images>")], ""))
    assert [each.id for each in found[:-1]] == ["42/alpha", "42/beta"]
    assert "stops being XML" in found[-1].wrong


def test_a_page_tells_its_link_to_the_next() -> None:
    link = "/v2/entries?from=a&to=b&start=4&size=3&max=7"
    assert read_page(ncmec_page([image("alpha")], link)).next == link
    assert read_page(ncmec_page([])).next == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(content: bytes) -> None:
    assert all(isinstance(each, Update) for each in updates(content, ""))


def test_no_repr_tells_a_fingerprint() -> None:
    (found,) = updates(ncmec_page([image("alpha")]), "")
    assert planted("alpha") not in repr(found)
    assert "42/alpha" not in repr(found)
