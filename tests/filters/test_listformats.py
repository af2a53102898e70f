"""A list of an authority is one list, however its pages are cut, named and ordered."""

import hashlib
import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.errors import ListError
from filters.listformats import RECORD, as_fetched, environment
from filters.lists import ListSource, Row, build, check, read_hashes, read_rows
from tests.authorities import Entry, image, ncmec_page, planted, stopncii_page, stopncii_record

TODAY = date(2026, 11, 21)


def ncmec(folder: Path, *pages: bytes, **said: Any) -> ListSource:
    folder.mkdir(exist_ok=True)
    for number, page in enumerate(pages, 1):
        (folder / f"{number:08d}.xml").write_bytes(page)
    source = ListSource("codewords", str(folder), "hashes", "csam", format="ncmec-v2")
    return replace(source, **said)


def noted(
    folder: Path, complete: str = "2026-11-20T10:00:00Z", first: int = 1, url: str = "https://x.test/npo"
) -> None:
    (folder / RECORD).write_text(json.dumps({"complete": complete, "first": first, "url": url}))


def values(source: ListSource) -> set[str]:
    return {row.value for row in read_rows(source, TODAY)}


def test_every_digest_of_every_image_and_video_is_an_entry_with_its_classification(tmp_path: Path) -> None:
    video = Entry("film", kind="video", prints=(("md5", planted("film")),), classification="B2")
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha"), video]))
    rows = [(row.algorithm, row.value, row.classification) for row in read_rows(source)]
    assert rows == [
        ("md5", planted("alpha"), "A1"),
        ("sha1", planted("alpha", "sha1"), "A1"),
        ("md5", planted("film"), "B2"),
    ]


def test_a_tombstone_in_any_page_removes_what_another_page_adds(tmp_path: Path) -> None:
    added = ncmec_page([image("alpha", "2026-03-01T12:00:00Z"), image("beta", "2026-03-01T12:00:00Z")])
    removed = ncmec_page([image("alpha", "2026-03-02T12:00:00Z", gone=True)])
    for number, pages in enumerate([(added, removed), (removed, added)]):
        source = ncmec(tmp_path / str(number), *pages)
        assert values(source) == {planted("beta"), planted("beta", "sha1")}
        assert check(source).withdrawn == 1


def test_what_was_withdrawn_and_is_added_again_later_matches_again(tmp_path: Path) -> None:
    page = ncmec_page([image("alpha", "2026-03-02T12:00:00Z", gone=True), image("alpha", "2026-03-03T12:00:00Z")])
    assert values(ncmec(tmp_path / "list", page)) == {planted("alpha"), planted("alpha", "sha1")}


EVENTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 5), st.booleans(), st.sampled_from(["A1", "A2", "B1"])),
    max_size=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(EVENTS, st.randoms(use_true_random=False))
def test_deltas_in_any_order_and_pages_give_the_same_list(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int, bool, str]], chance: random.Random
) -> None:
    def said(order: list[tuple[str, int, bool, str]]) -> set[Row]:
        folder = tmp_path_factory.mktemp("list")
        entries = [image(word, f"2026-03-0{day}T12:00:00Z", how, gone) for word, day, gone, how in order]
        cuts = sorted(chance.sample(range(len(entries) + 1), min(2, len(entries))))
        pages = [ncmec_page(entries[a:b]) for a, b in zip([0, *cuts], [*cuts, len(entries)], strict=True)]
        try:
            return {replace(row, line=0) for row in read_rows(ncmec(folder, *pages))}
        except ListError:  # everything was withdrawn
            return set()

    shuffled = [*events, *events[:3]]
    chance.shuffle(shuffled)
    assert said(shuffled) == said(events)


def test_hashes_that_nothing_here_matches_are_counted_and_no_fault(tmp_path: Path) -> None:
    prints = (("pdna", "1,2,3"), ("netclean", "x"), ("md5", planted("alpha")))
    page = ncmec_page([Entry("i1", prints=prints), Entry("i2")])
    health = check(ncmec(tmp_path / "list", page))
    assert health.problem == ""
    assert health.unmatched == (("netclean", 1), ("none", 1), ("pdna", 1))
    assert health.entries == (("md5", 1),)


def test_a_bad_hash_refuses_the_list_by_page_and_line_and_is_not_echoed(tmp_path: Path) -> None:
    bad = Entry("i1", prints=(("md5", "0" * 32),))
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha")]), ncmec_page([image("beta"), bad]))
    with pytest.raises(ListError, match=r"1 with a placeholder for a hash \(line 00000002.xml:4\)") as caught:
        list(read_rows(source))
    assert "0" * 32 not in str(caught.value)


def test_faults_up_to_those_that_the_policy_accepts_are_left_out_and_counted(tmp_path: Path) -> None:
    bad = [Entry(f"i{number}", prints=(("md5", digit * 32),)) for number, digit in enumerate("01")]
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha"), *bad]), max_faults=2)
    assert values(source) == {planted("alpha"), planted("alpha", "sha1")}
    assert [fault.count for fault in check(source).faults] == [2]
    assert "2 with a placeholder" in check(replace(source, max_faults=1)).problem


def test_a_page_that_cannot_be_read_hides_no_other_and_is_a_fault(tmp_path: Path) -> None:
    source = ncmec(tmp_path / "list", b"<html/>", ncmec_page([image("alpha")]))
    assert "no queryResult (line 00000001.xml:1)" in check(source).problem
    assert values(replace(source, max_faults=1)) == {planted("alpha"), planted("alpha", "sha1")}


def test_an_empty_folder_and_one_where_all_is_withdrawn_are_refused(tmp_path: Path) -> None:
    for number, pages in enumerate([(), (ncmec_page([image("alpha", gone=True)]),)]):
        with pytest.raises(ListError, match="no entry"):
            list(read_rows(ncmec(tmp_path / str(number), *pages)))


def test_a_list_that_was_not_fetched_to_its_end_is_refused(tmp_path: Path) -> None:
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha")]))
    noted(tmp_path / "list", complete="")
    with pytest.raises(ListError, match="not fetched to its end"):
        list(read_rows(source))


def test_a_fetched_list_knows_its_day_and_version_and_grows_stale(tmp_path: Path) -> None:
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha")]), max_age_days=7)
    noted(tmp_path / "list", "2026-11-20T10:00:00Z")
    found = read_hashes(source, TODAY)
    assert (found.date, found.version) == ("2026-11-20", "2026-11-20T10:00:00Z")
    assert as_fetched(replace(source, date="2026-01-01")).date == "2026-01-01"
    noted(tmp_path / "list", "2026-11-13T10:00:00Z")
    with pytest.raises(ListError, match="8 days old"):
        read_hashes(source, TODAY)


def test_pages_before_the_first_in_use_are_not_read(tmp_path: Path) -> None:
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha")]), ncmec_page([image("beta")]))
    noted(tmp_path / "list", first=2)
    assert values(source) == {planted("beta"), planted("beta", "sha1")}


def test_the_environment_is_how_its_address_ends_and_the_note_knows_better_than_the_policy(tmp_path: Path) -> None:
    page = ncmec_page([image("alpha")])
    source = ncmec(tmp_path / "list", page, url="https://hashsharing.ncmec.org/generative-ai-csam/")
    assert {row.classification for row in read_rows(source)} == {"A1; generative-ai-csam"}
    noted(tmp_path / "list", url="https://hashsharing-test.ncmec.org/npo")
    assert environment(source) == "npo"


def test_other_files_in_the_folder_are_not_pages(tmp_path: Path) -> None:
    source = ncmec(tmp_path / "list", ncmec_page([image("alpha")]))
    for name in (".00000002.xml.tmp", ".hidden.xml", "notes.txt"):
        (tmp_path / "list" / name).write_text("codeword")
    assert check(source).problem == ""


def test_a_single_file_is_a_list_too(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(stopncii_page([stopncii_record("alpha"), stopncii_record("beta", "Withdrawn")]))
    source = ListSource("codewords", str(path), "hashes", "ncii", format="stopncii-v1")
    assert [(row.algorithm, row.value) for row in read_rows(source)] == [("pdq", planted("alpha", "pdq"))]


def test_a_hash_bank_gives_opt_outs_their_own_category(tmp_path: Path) -> None:
    line = {"do": "add", "at": "2026-11-21T10:00:00Z", "by": "a person", "algorithm": "md5"}
    lines = [{**line, "value": planted("alpha"), "category": "opt-out"}, {**line, "value": planted("beta")}]
    path = tmp_path / "bank.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    source = ListSource("bank", str(path), "hashes", "ncii", categories=("opt-out",), format="hash-bank")
    assert [row.category for row in read_rows(source)] == ["opt-out", "ncii"]
    assert "does not declare" in check(replace(source, categories=())).problem


def test_a_threatexchange_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"indicator,type,tags,status\n{planted('alpha')},HASH_MD5,one,MALICIOUS\nx,URI,,MALICIOUS\n")
    source = ListSource("codewords", str(path), "hashes", "csam", format="threatexchange")
    (row,) = read_rows(source)
    assert (row.algorithm, row.classification) == ("md5", "MALICIOUS (one)")
    assert check(source).unmatched == (("URI", 1),)


def test_a_compiled_list_has_what_its_pages_had(tmp_path: Path) -> None:
    page = ncmec_page([image("alpha"), image("beta", gone=True)])
    source = ncmec(tmp_path / "list", page)
    noted(tmp_path / "list")
    build(source, str(tmp_path / "built"))
    compiled = replace(source, path=str(tmp_path / "built"))
    found, again = read_hashes(source, TODAY), read_hashes(compiled, TODAY)
    assert found.entries == again.entries == (("md5", 1), ("sha1", 1))
    assert (again.date, again.version) == (found.date, found.version)
    assert "A1; npo" in again.classifications


def test_the_digest_of_a_list_is_that_of_its_pages(tmp_path: Path) -> None:
    one, two = ncmec_page([image("alpha")]), ncmec_page([image("beta")])
    digests = b"".join(hashlib.sha256(page).digest() for page in (one, two))
    assert check(ncmec(tmp_path / "list", one, two)).sha256 == hashlib.sha256(digests).hexdigest()


@pytest.mark.parametrize("said", [{"columns": (("value", "x"),)}, {"kind": "urls"}])
def test_a_format_that_does_not_fit_is_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    with pytest.raises(ListError, match="holds hashes, and has no `columns`"):
        list(read_rows(ncmec(tmp_path / "list", ncmec_page([image("alpha")]), **said)))


def test_a_missing_folder_and_a_damaged_note_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="FileNotFoundError"):
        list(read_rows(ncmec(tmp_path / "list", path=str(tmp_path / "none"))))
    (tmp_path / "list" / RECORD).write_text("{")
    with pytest.raises(ListError, match=RECORD):
        list(read_rows(ncmec(tmp_path / "list")))
