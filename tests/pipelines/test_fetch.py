"""`shardwall list fetch` from end to end, over HTTP on this machine: who asks, what is kept, what is never said."""

import base64
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filters.errors import ListError
from filters.lists import read_rows
from filters.listsource import ListSource
from pipelines.cli import app
from pipelines.fetch import fetch
from pipelines.fetch_folder import alone
from pipelines.fetch_http import Patience, StatusError
from tests.authorities import HashSharing, image, planted, stopncii_page, stopncii_record
from tests.pipelines.list_server import Reply, Served, serving

QUICK = Patience(silence=2, page=5, bytes=1 << 20, tries=2, pause=0)
WORDS = [f"word{number}" for number in range(8)]
USER, PASSWORD = "codeword-user", "codeword-password"


def ncmec() -> HashSharing:
    return HashSharing(image(word, f"2026-03-0{number + 1}T12:00:00Z") for number, word in enumerate(WORDS))


def replies(there: HashSharing, path: str) -> Reply:
    try:
        return Reply(there.ask(path).body)
    except StatusError as error:
        return Reply(status=error.status)


@pytest.fixture
def served() -> Iterator[Served]:
    there = ncmec()
    with serving(lambda path: replies(there, path)) as server:
        yield server


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ListSource:
    monkeypatch.setenv("CODEWORD_USER", USER)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return ListSource(
        "codewords",
        str(tmp_path / "lists" / "ncmec"),
        "hashes",
        "csam",
        format="ncmec-v2",
        credentials=("env:CODEWORD_USER", "file:password"),
    )


def test_a_list_is_fetched_and_read_and_only_its_owner_can(source: ListSource, served: Served, tmp_path: Path) -> None:
    source = replace(source, url=served.url)
    done = fetch(source, tmp_path, QUICK)
    assert (done.url, done.pages) == (served.url, 3)
    assert {row.value for row in read_rows(source) if row.algorithm == "md5"} == {planted(word) for word in WORDS}
    folder = Path(source.path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_credentials_go_into_the_documented_headers_and_nowhere_else(
    source: ListSource, served: Served, tmp_path: Path
) -> None:
    fetch(replace(source, url=served.url), tmp_path, QUICK)
    expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert {headers["Authorization"] for headers in served.headers} == {expected}
    kept = b"".join(path.read_bytes() for path in Path(source.path).iterdir())
    assert not any(secret.encode() in kept for secret in (USER, PASSWORD, expected))
    with serving(lambda _: Reply(stopncii_page([stopncii_record("alpha")]))) as other:
        stopncii = replace(source, format="stopncii-v1", path=str(tmp_path / "stopncii"), url=other.url)
        fetch(stopncii, tmp_path, QUICK)
    assert other.headers[0]["X-Functions-Key"] == USER
    assert other.headers[0]["Ocp-Apim-Subscription-Key"] == PASSWORD


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"", 401), "refuses the credentials (HTTP 401)"),
        (Reply(b"codeword-body", 403), "refuses the credentials (HTTP 403)"),
        (Reply(b"codeword-body", 418), "answers with HTTP 418"),
        (Reply(b"codeword-body", 500), "answers with HTTP 500, 2 times in a row"),
        (Reply(b"x" * (2 << 20)), "larger than"),
    ],
)
def test_what_the_server_does_is_told_in_our_words_and_not_in_its_own(
    source: ListSource, tmp_path: Path, reply: Reply, told: str
) -> None:
    with serving(lambda _: reply) as server, pytest.raises(ListError) as caught:
        fetch(replace(source, url=server.url), tmp_path, QUICK)
    assert str(caught.value).startswith("list 'codewords' cannot be fetched: ")
    assert told in str(caught.value)
    assert not any(word in str(caught.value) for word in ("codeword-", "xxx"))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"credentials": ()}, "are to be two"),
        ({"credentials": ("codeword-secret", "env:X")}, 'credential 1 does not begin with "env:"'),
        ({"credentials": ("env:CODEWORD_USER", "env:CODEWORD_UNSET")}, "credential 2 is empty"),
        ({"credentials": ("env:CODEWORD_USER", "file:none")}, "credential 2 cannot be read (FileNotFoundError)"),
        ({"credentials": ("env:CODEWORD_USER", "file:lines")}, "credential 2 is empty, or not one line"),
        ({"url": "http://elsewhere.test/x"}, "does not begin with https://"),
        ({"url": "https://codeword-user@elsewhere.test/x"}, "more, or less, than a host"),
        ({"format": "csv"}, 'its `format` is "csv"'),
        ({"format": "stopncii-v1", "url": ""}, "no test service is documented"),
    ],
)
def test_what_the_policy_says_is_checked_before_anybody_is_asked(
    source: ListSource, tmp_path: Path, said: dict[str, str], told: str
) -> None:
    (tmp_path / "lines").write_text("codeword-one\r\ncodeword-two\n")
    with pytest.raises(ListError) as caught:
        fetch(replace(source, **said), tmp_path, QUICK)  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert "codeword-" not in str(caught.value)
    assert not Path(source.path).exists()


def test_without_an_address_the_test_service_is_meant(
    source: ListSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, asked = ncmec(), []

    def get(server: object, path: str) -> object:
        asked.append(server)
        return there.ask(path)

    monkeypatch.setattr("pipelines.fetch.get", get)
    assert fetch(source, tmp_path).url == "https://exttest.cybertip.org/hashsharing"


def test_two_services_are_never_mixed_in_one_folder(source: ListSource, served: Served, tmp_path: Path) -> None:
    fetch(replace(source, url=served.url), tmp_path, QUICK)
    with pytest.raises(ListError, match="holds pages of http://127"):
        fetch(replace(source, url=served.url + "/other"), tmp_path, QUICK)


def test_two_fetches_at_once_are_refused(source: ListSource, served: Served, tmp_path: Path) -> None:
    with alone(source), pytest.raises(ListError, match="another fetch works"):
        fetch(replace(source, url=served.url), tmp_path, QUICK)


def test_a_file_or_a_compiled_list_in_its_place_is_left_alone(
    source: ListSource, served: Served, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ListError, match="its folder cannot be made"):
        fetch(replace(source, url=served.url, path=str(tmp_path / "file")), tmp_path, QUICK)
    Path(source.path).mkdir(parents=True)
    (Path(source.path) / "list.json").write_text("{}")
    with pytest.raises(ListError, match="compiled list"):
        fetch(replace(source, url=served.url), tmp_path, QUICK)


FETCH = """
from pathlib import Path
from filters.listsource import ListSource
from pipelines.fetch import fetch
fetch(ListSource("codewords", {path!r}, "hashes", "csam", format="ncmec-v2", url={url!r},
                 credentials=("env:CODEWORD_USER", "env:CODEWORD_USER")), Path())
"""


def test_killed_in_the_middle_it_goes_on_where_it_was(source: ListSource, tmp_path: Path) -> None:
    there = ncmec()
    child: list[subprocess.Popen[bytes]] = []

    def answer(path: str) -> Reply:
        if child and child[0].poll() is None and "start=7" in path:
            child[0].send_signal(signal.SIGKILL)
            child[0].wait()
        return replies(there, path)

    with serving(answer) as server:
        source = replace(source, url=server.url)
        code = FETCH.format(path=source.path, url=server.url)
        child.append(subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(Path.cwd())}))
        assert child[0].wait(60) == -signal.SIGKILL
        with pytest.raises(ListError, match="not fetched to its end"):
            list(read_rows(source))
        before = len(server.asked)
        fetch(source, tmp_path, QUICK)
    assert [("start=7" in path, "status" in path) for path in server.asked[before:]][:2] == [
        (False, True),
        (True, False),
    ]
    assert {row.value for row in read_rows(source) if row.algorithm == "md5"} == {planted(word) for word in WORDS}


POLICY = """
extends = "partition"
name = "test"

[[lists]]
name = "codewords"
path = "lists/ncmec"
kind = "hashes"
category = "csam"
format = "ncmec-v2"
url = "{url}"
credentials = ["env:CODEWORD_USER", "file:password"]
"""


def test_the_command_fetches_a_list_of_a_policy_and_tells_how_it_is(
    source: ListSource, served: Served, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.format(url=served.url))
    told = CliRunner().invoke(app, ["list", "fetch", str(policy), "codewords"])
    assert told.exit_code == 0
    assert f"3 new pages from {served.url}" in told.output
    assert "codewords: 8 md5, 8 sha1" in told.output
    assert not any(word in told.output for word in (USER, PASSWORD, planted(WORDS[0])))
    missing = CliRunner().invoke(app, ["list", "fetch", str(policy), "none"])
    assert "has no list 'none'" in str(missing.exception)
