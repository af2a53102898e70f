"""A server that misbehaves costs a bounded time and a bounded memory, and never learns more than it should."""

from collections.abc import Callable

import pytest

from pipelines.fetch_http import Answer, Patience, Server, StatusError, UnansweredError, check_address, get
from tests.pipelines.list_server import Reply, Served, serving

QUICK = Patience(silence=0.3, page=0.6, bytes=1000, tries=3, pause=0.0)


def ask(answer: Callable[[int], Reply], patience: Patience = QUICK) -> tuple[Answer | Exception, Served]:
    """Ask a server once; it is told the number of the request, from 0."""
    with serving(lambda _: answer(len(served.asked) - 1)) as served:
        try:
            return get(Server(served.url, (("X-Key", "codeword-key"),), patience), "/x"), served
        except (StatusError, UnansweredError) as error:
            return error, served


def test_an_answer_comes_with_the_time_of_the_server() -> None:
    found, served = ask(lambda _: Reply(b"page", headers=(("Date", "Sat, 21 Nov 2026 10:00:00 GMT"),)))
    assert isinstance(found, Answer)
    assert found.body == b"page"
    assert found.date is not None
    assert served.headers[0]["X-Key"] == "codeword-key"


def test_errors_of_the_server_pass_and_are_tried_again() -> None:
    found, served = ask(lambda number: Reply(b"page", 503 if number < 2 else 200))
    assert isinstance(found, Answer)
    assert len(served.asked) == 3


def test_a_server_that_stays_down_is_given_up() -> None:
    found, served = ask(lambda _: Reply(b"codeword", 500))
    assert str(found) == "it answers with HTTP 500, 3 times in a row"
    assert len(served.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429])
def test_a_refusal_is_final_and_an_empty_body_no_trouble(status: int) -> None:
    found, served = ask(lambda _: Reply(b"", status))
    assert isinstance(found, StatusError)
    assert (found.status, len(served.asked)) == (status, 1)


def test_a_redirect_is_not_followed_so_the_key_goes_nowhere_else() -> None:
    with serving(lambda _: Reply(b"stolen")) as elsewhere:
        found, _ = ask(lambda _: Reply(b"", 302, (("Location", f"{elsewhere.url}/y"),)))
        assert isinstance(found, StatusError)
        assert elsewhere.asked == []


@pytest.mark.parametrize("announced", [None, 10**12])
def test_a_huge_body_is_not_taken(announced: int | None) -> None:
    found, served = ask(lambda _: Reply(b"x" * 5000, announced=announced))
    assert "larger than 1000 bytes" in str(found)
    assert len(served.asked) == 1


@pytest.mark.parametrize("slow", [0.05, 5.0])
def test_a_slow_body_and_a_silent_one_are_given_up(slow: float) -> None:
    found, served = ask(lambda _: Reply(b"x" * 100, slow=slow), Patience(0.2, 0.4, 1000, 2, 0.0))
    assert str(found) == "it does not answer in time, 2 times in a row"
    assert len(served.asked) == 2


def test_a_body_that_ends_early_is_tried_again() -> None:
    found, served = ask(lambda number: Reply(b"page", announced=4 if number else 9))
    assert isinstance(found, Answer)
    assert (found.body, len(served.asked)) == (b"page", 2)


def test_a_server_that_is_not_there_is_told() -> None:
    with serving(lambda _: Reply()) as served:
        url = served.url
    with pytest.raises(UnansweredError, match="its connection breaks"):
        get(Server(url, (), QUICK), "/x")


def test_a_host_that_does_not_exist_is_not_tried_again() -> None:
    with pytest.raises(UnansweredError, match="cannot be reached"):
        get(Server("https://service.invalid", (), Patience(1, 1, 10, 3, 99.0)), "/x")


@pytest.mark.parametrize(
    "url", ["https://x.test/a/b", "http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]/"]
)
def test_an_encrypted_address_or_one_of_this_machine_may_be_asked(url: str) -> None:
    assert check_address(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://x.test/a",
        "ftp://x.test",
        "file:///etc/passwd",
        "https://",
        "https://user:word@x.test/",
        "https://x.test/?a",
        "x",
        "https://[x",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    assert check_address(url)


def test_no_repr_tells_a_credential() -> None:
    assert "codeword-key" not in repr(Server("https://x.test", (("X-Key", "codeword-key"),)))
