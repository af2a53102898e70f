"""Whatever the service does while it is read, in the end the list holds what the service holds."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.errors import ListError
from filters.lists import check, read_rows
from filters.listsource import ListSource
from pipelines.fetch_folder import Folder
from pipelines.fetch_http import Answer, Ask, StatusError
from pipelines.fetch_ncmec import fetch_ncmec
from tests.authorities import HashSharing, image, ncmec_page, planted

URL = "https://service.test/hashsharing"
WORDS = [f"word{number}" for number in range(10)]


def source(folder: Path) -> ListSource:
    folder.mkdir(exist_ok=True)
    return ListSource("codewords", str(folder), "hashes", "csam", format="ncmec-v2")


def fetch(folder: Path, ask: Ask) -> Folder:
    found = Folder(source(folder), URL)
    fetch_ncmec(source(folder), found, ask)
    return found


def listed(folder: Path) -> set[str]:
    return {row.value for row in read_rows(source(folder)) if row.algorithm == "md5"}


def md5s(*words: str) -> set[str]:
    return {planted(word) for word in words}


def day(number: int) -> str:
    return f"2026-03-{number:02d}T12:00:00Z"


def service(count: int = 10) -> HashSharing:
    return HashSharing(image(word, day(number + 1)) for number, word in enumerate(WORDS[:count]))


def test_all_entries_come_whatever_their_order_and_the_past_is_not_skipped(tmp_path: Path) -> None:
    there = service()
    there.entries["old"] = image("old", "1999-01-01T00:00:00Z")
    fetch(tmp_path / "list", there.ask)
    assert listed(tmp_path / "list") == md5s(*WORDS, "old")


def test_the_next_query_begins_where_the_last_one_ended_and_not_at_the_last_entry(tmp_path: Path) -> None:
    there = service()
    folder = fetch(tmp_path / "list", there.ask)
    assert folder.note.until == folder.note.complete == "2026-05-31T23:59:00Z"  # a minute behind the server's clock
    there.asked.clear()
    there.date = "2026-07-01T00:00:00Z"
    fetch(tmp_path / "list", there.ask)
    asked = [parse_qs(urlsplit(path).query) for path in there.asked if "entries" in path]
    assert [(each["from"], each["to"]) for each in asked] == [(["2026-05-31T23:59:00Z"], ["2026-06-30T23:59:00Z"])]


def test_an_empty_delta_changes_nothing_but_the_time(tmp_path: Path) -> None:
    there = service()
    fetch(tmp_path / "list", there.ask)
    before = sorted((tmp_path / "list").glob("*.xml"))
    there.date = "2026-07-01T00:00:00Z"
    folder = fetch(tmp_path / "list", there.ask)
    assert sorted((tmp_path / "list").glob("*.xml")) == before
    assert (folder.saved, folder.note.complete) == (0, "2026-06-30T23:59:00Z")


def test_what_is_withdrawn_after_it_was_added_leaves(tmp_path: Path) -> None:
    there = service()
    fetch(tmp_path / "list", there.ask)
    there.entries[WORDS[0]] = image(WORDS[0], "2026-06-10T00:00:00Z", gone=True)
    there.date = "2026-07-01T00:00:00Z"
    fetch(tmp_path / "list", there.ask)
    assert listed(tmp_path / "list") == md5s(*WORDS[1:])


def test_a_crowded_second_is_paged_through(tmp_path: Path) -> None:
    """The "cursed second" of public clients: more entries at one time than fit on a page."""
    there = HashSharing(image(word, day(1)) for word in WORDS)
    fetch(tmp_path / "list", there.ask)
    assert listed(tmp_path / "list") == md5s(*WORDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    st.integers(0, 10),
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(WORDS), st.booleans()), max_size=6),
    st.integers(1, 4),
    st.booleans(),
)
def test_changes_between_two_pages_hide_no_entry(
    tmp_path_factory: pytest.TempPathFactory,
    count: int,
    changes: list[tuple[int, str, bool]],
    size: int,
    crowded: bool,
) -> None:
    there = service(count)
    there.size = size
    if crowded:
        there.entries = {word: replace(entry, when=day(1)) for word, entry in there.entries.items()}

    def ask(path: str) -> Answer:
        for moment, word, gone in changes:
            if moment == len(there.asked):
                there.entries[word] = image(word, "2026-06-10T00:00:00Z", gone=gone)
        return there.ask(path)

    folder = tmp_path_factory.mktemp("list")
    fetch(folder, ask)
    there.date = "2026-07-01T00:00:00Z"
    fetch(folder, there.ask)
    alive = md5s(*(word for word, entry in there.entries.items() if not entry.gone))
    if alive:
        assert listed(folder) == alive
    else:
        assert "no entry" in check(source(folder)).problem


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 25), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_stopped_anywhere_and_started_again_it_ends_with_the_same_list(
    tmp_path_factory: pytest.TempPathFactory, stops: list[int], chance: random.Random
) -> None:
    there = service()
    folder = tmp_path_factory.mktemp("list")

    class StoppedError(Exception):
        pass

    def stopping(after: int) -> Callable[[str], Answer]:
        left = [after]

        def ask(path: str) -> Answer:
            left[0] -= 1
            if left[0] < 0:
                raise StoppedError
            return there.ask(path)

        return ask

    for stop in stops:
        try:
            fetch(folder, stopping(stop))
        except StoppedError:
            (folder / f".{stop}.xml.{chance.getrandbits(32):08x}.tmp").write_bytes(b"half a page")
    fetch(folder, there.ask)
    assert listed(folder) == md5s(*WORDS)
    assert list(folder.glob(".*.tmp")) == []


def test_started_again_it_asks_only_for_the_pages_that_are_missing(tmp_path: Path) -> None:
    there = service()

    def ask(path: str) -> Answer:
        if "start=7" in path and not any("start=10" in each for each in there.asked):
            there.asked.append("start=10")
            raise KeyboardInterrupt
        return there.ask(path)

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path / "list", ask)
    with pytest.raises(ListError, match="not fetched to its end"):
        listed(tmp_path / "list")
    there.asked.clear()
    fetch(tmp_path / "list", there.ask)
    starts = [parse_qs(urlsplit(path).query).get("start") for path in there.asked if "entries" in path]
    assert starts == [["7"], ["10"]]
    assert listed(tmp_path / "list") == md5s(*WORDS)


def test_a_link_older_than_twelve_hours_is_not_used(tmp_path: Path) -> None:
    there = service()

    def ask(path: str) -> Answer:
        if "start=7" in path:
            raise KeyboardInterrupt
        return there.ask(path)

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path / "list", ask)
    folder = Folder(source(tmp_path / "list"), URL)
    folder.note.open["at"] = "2026-03-01T00:00:00Z"
    folder.keep()
    there.asked.clear()
    fetch(tmp_path / "list", there.ask)
    assert "start" not in there.asked[1]
    assert listed(tmp_path / "list") == md5s(*WORDS)
    assert len(list((tmp_path / "list").glob("*.xml"))) == 4


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_link_that_expires_is_got_round(tmp_path: Path, status: int) -> None:
    there = service()

    def ask(path: str) -> Answer:
        if "start=7" in path:
            raise StatusError(status)
        return there.ask(path)

    fetch(tmp_path / "list", ask)
    assert listed(tmp_path / "list") == md5s(*WORDS)


def test_one_page_that_cannot_be_read_stops_nothing_behind_it_and_is_told(tmp_path: Path) -> None:
    """All that this entry lies on comes malformed, as with one bad record in a public client's thread."""
    there = service()

    def ask(path: str) -> Answer:
        answer = there.ask(path)
        return Answer(b"<queryResult>", answer.date) if b"<id>word4<" in answer.body else answer

    folder = fetch(tmp_path / "list", ask)
    assert folder.note.complete
    health = check(source(tmp_path / "list"))
    assert [fault.count for fault in health.faults] == [1]
    assert "stops being XML" in health.problem
    assert {
        row.value for row in read_rows(replace(source(tmp_path / "list"), max_faults=1)) if row.algorithm == "md5"
    } == (md5s(*WORDS) - md5s("word4"))


def test_a_server_in_which_no_page_can_be_read_is_given_up(tmp_path: Path) -> None:
    there = service()

    def ask(path: str) -> Answer:
        there.asked.append(path)
        return Answer(b"<html>maintenance</html>")

    with pytest.raises(ListError, match=r"'codewords' cannot be fetched: its server's pages are not as documented"):
        fetch(tmp_path / "list", ask)
    assert len(there.asked) < 40
    assert list((tmp_path / "list").glob("*.xml")) == []
    fetch(tmp_path / "list", service().ask)
    assert listed(tmp_path / "list") == md5s(*WORDS)


def test_a_server_with_many_pages_that_cannot_be_read_is_given_up(tmp_path: Path) -> None:
    there = service()

    def ask(path: str) -> Answer:
        answer = there.ask(path)
        return Answer(b"<queryResult>", answer.date) if b"<id>" in answer.body else answer

    with pytest.raises(ListError, match="65 of its server's pages"):
        fetch(tmp_path / "list", ask)


def test_pages_that_lead_in_a_circle_are_noticed(tmp_path: Path) -> None:
    link = "/v2/entries?start=4&size=3&max=9"

    def ask(path: str) -> Answer:
        return Answer(ncmec_page([image("alpha")], link))

    with pytest.raises(ListError, match="circle"):
        fetch(tmp_path / "list", ask)


def test_a_page_that_comes_twice_is_said_once(tmp_path: Path) -> None:
    there = service(3)
    there.size = 10

    def ask(path: str) -> Answer:
        answer = there.ask(path)
        if "status" in path or "start" in path:
            return answer
        link = "/v2/entries?from=1970-01-01T00%3A00%3A00Z&to=2026-05-31T23%3A59%3A00Z&start=1&size=3"
        return Answer(
            answer.body.replace(
                b"</queryResult>", f"<paging><next>{link}</next></paging></queryResult>".replace("&", "&amp;").encode()
            )
        )

    fetch(tmp_path / "list", ask)
    assert listed(tmp_path / "list") == md5s(*WORDS[:3])


@pytest.mark.parametrize(
    "link", ["https://elsewhere.test/v2/entries?x", "//elsewhere.test/v2/entries?", "/v1/entries?"]
)
def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path, link: str) -> None:
    asked: list[str] = []

    def ask(path: str) -> Answer:
        asked.append(path)
        return Answer(ncmec_page([image("alpha")], link))

    with pytest.raises(ListError, match="not as documented"):
        fetch(tmp_path / "list", ask)
    assert len(asked) == 2


def test_a_very_large_window_is_read_in_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.fetch_ncmec.LARGEST", 4)
    there = service()
    fetch(tmp_path / "list", there.ask)
    assert listed(tmp_path / "list") == md5s(*WORDS)
    spans = {(query["from"][0], query["to"][0]) for path in there.asked if (query := parse_qs(urlsplit(path).query))}
    assert len(spans) > 4
