"""The life of a list through whole runs: what is withdrawn matches no more, and a bad list stops the run."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from filters.config import load_policy
from filters.errors import ListError
from filters.listformats import RECORD
from manifests.evidence import read_evidence
from manifests.manifest import read_manifest
from pipelines.clean import clean
from tests.authorities import Entry, image, ncmec_page
from tests.corpora import LISTED_URL, POLICY, Given, drawing, plain_samples, write_policy, write_shard

ONE = ["--direct_num_workers=1"]
CSV = 'path = "hashes.csv"'
NCMEC = 'path = "pages"\nformat = "ncmec-v2"\nmax_age_days = 7'
COLUMNS = 'columns = { value = "hash", algorithm = "=sha256" }\n'
KNOWN = drawing(900)
ROOT = Path(__file__).parent.parent.parent


def write_pages(folder: Path, *pages: bytes, complete: str = "2999-01-01T00:00:00Z") -> None:
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages, 1):
        (folder / "pages" / f"{number}.xml").write_bytes(page)
    url = "https://hashsharing.ncmec.org/generative-ai-csam"
    (folder / "pages" / RECORD).write_text(json.dumps({"complete": complete, "first": 1, "url": url}))


def listed(when: str = "2026-03-01T12:00:00Z", gone: bool = False) -> Entry:
    prints = (("md5", hashlib.md5(KNOWN).hexdigest()),)
    return Entry("known", when, gone, prints, "" if gone else "A2")


def run(folder: Path, output: str, samples: list[Given], more: str = "") -> Path:
    """Clean the samples under a policy whose hash list is that of NCMEC's pages."""
    policy = write_policy(folder)
    policy.write_text(POLICY.replace(CSV, NCMEC + more).replace(COLUMNS, ""))
    (folder / "in").mkdir(exist_ok=True)
    write_shard(folder / "in" / "00000.tar", samples)
    clean(str(folder / "in"), folder / output, load_policy(policy), ONE)
    return folder / output


def places(output: Path) -> dict[str, str]:
    return {each.key: each.partition for each in read_manifest(output / "restricted" / "manifest" / "00000.parquet")}


def today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_an_authority_lists_is_withheld_and_what_it_withdraws_is_not(tmp_path: Path) -> None:
    samples = [*plain_samples(2), Given("known", KNOWN)]
    write_pages(tmp_path, ncmec_page([listed(), image("other")]), complete=today())
    first = run(tmp_path, "first", samples)
    assert places(first)["known"] == "withheld"
    (evidence,) = (e for e in read_evidence(first / "restricted" / "evidence" / "00000.parquet") if e.key == "known")
    assert {(f.source, f.classification) for f in evidence.findings} == {("hashes", "A2; generative-ai-csam")}
    withdrawn = ncmec_page([listed("2026-03-02T12:00:00Z", gone=True)])
    write_pages(tmp_path, ncmec_page([listed(), image("other")]), withdrawn, complete=today())
    assert places(run(tmp_path, "second", samples))["known"] == "general"


@pytest.mark.parametrize(
    ("pages", "complete", "told"),
    [
        ((ncmec_page([listed()]),), "2026-01-01T00:00:00Z", "days old, and `max_age_days` is 7"),
        ((), "", "not fetched to its end"),
        ((ncmec_page([listed(gone=True)]),), "now", "it has no entry"),
        ((b"<html/>", ncmec_page([listed()])), "now", "1 in a page that is no queryResult"),
    ],
)
def test_a_list_that_cannot_be_relied_on_stops_the_run_before_the_first_shard(
    tmp_path: Path, pages: tuple[bytes, ...], complete: str, told: str
) -> None:
    write_pages(tmp_path, *pages, complete=today() if complete == "now" else complete)
    with pytest.raises(ListError, match="list 'hashes' cannot be used") as caught:
        run(tmp_path, "out", plain_samples(1))
    assert told in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_list_that_lost_its_canary_stops_the_run(tmp_path: Path) -> None:
    write_pages(tmp_path, ncmec_page([listed()]), complete=today())
    (tmp_path / "canary.txt").write_text(hashlib.md5(b"codeword-canary").hexdigest())
    with pytest.raises(ListError, match=r"'hashes'.*canary"):
        run(tmp_path, "out", plain_samples(1), '\ncanary = "canary.txt"')


def flooded() -> list[Given]:
    """Return samples of which most lie on a listed page: no corpus is like that, so the list is wrong."""
    some = [Given(f"flood{number:03d}", drawing(2000 + number, 48), meta={"url": LISTED_URL}) for number in range(110)]
    return [*plain_samples(20), *some]


def test_a_list_that_matches_everything_stops_the_run_and_nothing_is_written(tmp_path: Path) -> None:
    write_pages(tmp_path, ncmec_page([listed()]), complete=today())
    for _ in range(2):  # started again it says the same
        with pytest.raises(ListError, match=r"list 'urls' cannot be used: it matches 110 of 130 samples"):
            run(tmp_path, "out", flooded())
        assert list((tmp_path / "out" / "clean").rglob("*.tar")) == []


# What the command line says


class Ended:
    """How `shardwall clean` ended and what it said."""

    def __init__(self, folder: Path, samples: list[Given], more: str = "") -> None:
        policy = write_policy(folder)
        policy.write_text(POLICY.replace(CSV, NCMEC + more).replace(COLUMNS, ""))
        (folder / "in").mkdir(exist_ok=True)
        write_shard(folder / "in" / "00000.tar", samples)
        words = ["clean", str(folder / "in"), str(folder / "out"), "--policy", str(policy), "--", *ONE]
        program = [sys.executable, "-m", "pipelines", *words]
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
        self.code = done.returncode
        (self.error,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")] or [""]


def test_a_stale_list_ends_the_command_with_1_and_its_name(tmp_path: Path) -> None:
    write_pages(tmp_path, ncmec_page([listed()]), complete="2026-01-01T00:00:00Z")
    ended = Ended(tmp_path, plain_samples(1))
    assert ended.code == 1
    assert re.fullmatch(
        r"Error: list 'hashes' cannot be used: it is \d+ days old, and `max_age_days` is 7\. Fetch it again\.",
        ended.error,
    )


def test_an_empty_list_ends_the_command_with_1_and_its_name(tmp_path: Path) -> None:
    """It held one entry, which was withdrawn."""
    write_pages(tmp_path, ncmec_page([listed(gone=True)]), complete=today())
    ended = Ended(tmp_path, plain_samples(1))
    assert (ended.code, ended.error) == (1, "Error: list 'hashes' cannot be used: it has no entry. Fetch it again.")


def test_a_flooding_list_ends_the_command_with_1_and_its_name(tmp_path: Path) -> None:
    write_pages(tmp_path, ncmec_page([listed()]), complete=today())
    ended = Ended(tmp_path, flooded())
    assert ended.code == 1
    assert ended.error.startswith("Error: list 'urls' cannot be used: it matches 110 of 130 samples, which is 84.6%")
    assert LISTED_URL not in ended.error


def test_a_withdrawn_entry_marks_nothing_and_the_command_ends_with_0(tmp_path: Path) -> None:
    gone = ncmec_page([listed("2026-03-02T12:00:00Z", gone=True)])
    write_pages(tmp_path, gone, ncmec_page([listed(), image("other")]), complete=today())
    assert Ended(tmp_path, [*plain_samples(1), Given("known", KNOWN)]).code == 0
    assert places(tmp_path / "out")["known"] == "general"
