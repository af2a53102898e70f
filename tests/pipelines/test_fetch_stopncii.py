"""StopNCII's records come page by page, and a record that is withdrawn stops matching."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from filters.errors import ListError
from filters.lists import check, read_rows
from filters.listsource import ListSource
from pipelines.fetch_folder import Folder
from pipelines.fetch_http import Answer, Ask, StatusError
from pipelines.fetch_stopncii import fetch_stopncii
from tests.authorities import planted, stopncii_page, stopncii_record

URL = "https://service.test/v1"
RESUME = 1_700_000_500
Pages = dict[str, bytes]  # token -> page


@pytest.fixture
def source(tmp_path: Path) -> ListSource:
    (tmp_path / "list").mkdir()
    return ListSource("codewords", str(tmp_path / "list"), "hashes", "ncii", format="stopncii-v1")


def fetch(source: ListSource, ask: Ask) -> Folder:
    folder = Folder(source, URL)
    fetch_stopncii(source, folder, ask)
    return folder


def serve(pages: Pages, asked: list[dict[str, list[str]]]) -> Ask:
    def ask(path: str) -> Answer:
        query = parse_qs(urlsplit(path).query)
        asked.append(query)
        return Answer(pages[query.get("nextPageToken", [""])[0]])

    return ask


def two_pages() -> Pages:
    first = stopncii_page([stopncii_record("alpha"), stopncii_record("beta")], "t1", True, RESUME + 60)
    return {"": first, "t1": stopncii_page([stopncii_record("gamma")], "t2", False, RESUME)}


def listed(source: ListSource) -> set[str]:
    return {row.value for row in read_rows(source)}


def pdqs(*words: str) -> set[str]:
    return {planted(word, "pdq") for word in words}


def test_pages_are_followed_by_their_tokens(source: ListSource) -> None:
    asked: list[dict[str, list[str]]] = []
    folder = fetch(source, serve(two_pages(), asked))
    assert listed(source) == pdqs("alpha", "beta", "gamma")
    assert asked == [
        {"startTimestamp": ["10"], "pageSize": ["800"]},
        {"startTimestamp": ["10"], "pageSize": ["800"], "nextPageToken": ["t1"]},
    ]
    assert (folder.saved, folder.note.open) == (2, {})


def test_the_next_query_begins_at_the_earliest_time_the_server_spoke_of(source: ListSource) -> None:
    fetch(source, serve(two_pages(), []))
    asked: list[dict[str, list[str]]] = []
    withdrawn = stopncii_page([stopncii_record("alpha", "Withdrawn", RESUME + 9)], "", False, RESUME + 900)
    fetch(source, serve({"": withdrawn}, asked))
    assert asked[0]["startTimestamp"] == [str(RESUME)]
    assert listed(source) == pdqs("beta", "gamma")
    assert check(source).withdrawn == 1


def test_an_empty_delta_changes_nothing_but_the_time(source: ListSource) -> None:
    fetch(source, serve(two_pages(), []))
    folder = fetch(source, serve({"": stopncii_page([])}, []))
    assert (folder.saved, listed(source)) == (0, pdqs("alpha", "beta", "gamma"))


def stopped_at(pages: Pages, token: str) -> Ask:
    def ask(path: str) -> Answer:
        if token in path:
            raise KeyboardInterrupt
        return serve(pages, [])(path)

    return ask


def test_started_again_it_goes_on_behind_the_last_page(source: ListSource) -> None:
    with pytest.raises(KeyboardInterrupt):
        fetch(source, stopped_at(two_pages(), "t1"))
    with pytest.raises(ListError, match="not fetched to its end"):
        listed(source)
    asked: list[dict[str, list[str]]] = []
    fetch(source, serve(two_pages(), asked))
    assert [each.get("nextPageToken") for each in asked] == [["t1"]]
    assert listed(source) == pdqs("alpha", "beta", "gamma")


def refuse_once(pages: Pages, asked: list[dict[str, list[str]]]) -> Callable[[str], Answer]:
    def ask(path: str) -> Answer:
        if "nextPageToken" in path and not any("refused" in each for each in asked):
            asked.append({"refused": []})
            raise StatusError(400)
        return serve(pages, asked)(path)

    return ask


def test_a_token_that_expires_is_got_round_from_the_first_page(source: ListSource) -> None:
    asked: list[dict[str, list[str]]] = []
    fetch(source, refuse_once(two_pages(), asked))
    assert [each.get("nextPageToken", ["-"])[0] for each in asked if "refused" not in each] == ["-", "-", "t1"]
    assert listed(source) == pdqs("alpha", "beta", "gamma")


def test_a_server_that_refuses_every_token_is_given_up(source: ListSource) -> None:
    def ask(path: str) -> Answer:
        if "nextPageToken" in path:
            raise StatusError(400)
        return serve(two_pages(), [])(path)

    with pytest.raises(ListError, match="3 times in a row"):
        fetch(source, ask)


def test_a_refusal_of_the_first_page_is_no_expired_token(source: ListSource) -> None:
    def ask(_: str) -> Answer:
        raise StatusError(404)

    with pytest.raises(StatusError):
        fetch(source, ask)


def test_a_page_that_cannot_be_read_is_told_by_its_number_and_what_came_before_is_kept(source: ListSource) -> None:
    with pytest.raises(ListError, match=r"'codewords' cannot be fetched: page 2 of its server's answer"):
        fetch(source, serve({**two_pages(), "t1": b"<html>codeword</html>"}, []))
    asked: list[dict[str, list[str]]] = []
    fetch(source, serve(two_pages(), asked))
    assert len(asked) == 1


def test_one_bad_record_stops_no_page_and_is_a_fault(source: ListSource) -> None:
    pages = {"": stopncii_page([stopncii_record("alpha", lastModtimestamp=None), stopncii_record("beta")])}
    fetch(source, serve(pages, []))
    assert "1 without a time that can be read (line 00000001.json:1)" in check(source).problem


def test_tokens_that_lead_in_a_circle_are_noticed(source: ListSource) -> None:
    pages = {"": stopncii_page([], "t1", True), "t1": stopncii_page([], "t1", True)}
    with pytest.raises(ListError, match="circle"):
        fetch(source, serve(pages, []))


def old(source: ListSource, **said: Any) -> None:
    folder = Folder(source, URL)
    for name, value in said.items():
        setattr(folder.note, name, value)
    folder.keep()


def test_after_thirty_days_all_is_fetched_anew_and_what_the_service_forgot_is_gone(source: ListSource) -> None:
    """Withdrawals may have been forgotten by then, so nothing old may stay; until then the old list stays whole."""
    fetch(source, serve(two_pages(), []))
    old(source, complete="2026-01-01T00:00:00Z")
    asked: list[dict[str, list[str]]] = []
    anew = {"": stopncii_page([stopncii_record("beta")], "t9", True), "t9": stopncii_page([stopncii_record("delta")])}
    with pytest.raises(KeyboardInterrupt):
        fetch(source, stopped_at(anew, "t9"))
    assert listed(source) == pdqs("alpha", "beta", "gamma")
    fetch(source, serve(anew, asked))
    assert asked[0]["startTimestamp"] == ["10"]
    assert listed(source) == pdqs("beta", "delta")
    assert len(list(Path(source.path).glob("0*.json"))) == 2
