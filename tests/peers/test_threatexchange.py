"""Matches agree with python-threatexchange on its own examples wherever its answer is right; where not, is shown."""

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from filters.digests import DigestMatch
from filters.errors import ListError
from filters.fingerprints import fingerprints
from filters.hamming import HammingIndex, brute_force
from filters.hashlists import read_hashes
from filters.listsource import ListSource
from filters.rasters import Limits, rasters
from filters.sample import Batch, Sample
from tests.authorities import Entry, ncmec_page, planted, stopncii_page, stopncii_record
from tests.filters.photos import EVERY, file
from tests.filters.test_ties import clustered, flipped

ROOT = Path(__file__).parent.parent.parent
PEERS = Path(sys.prefix) / "peers"

WORDS = [f"codeword {number}" for number in range(40)]
LATER, EARLIER = "2026-03-02T12:00:00Z", "2026-03-01T12:00:00Z"
LISTED = (("md5", planted("listed")), ("sha1", planted("listed", "sha1")), ("pdq", planted("listed", "pdq")))
FILM = (("md5", planted("film")),)
GONE = (("pdq", planted("gone", "pdq")),)
EMPTY = {kind: hashlib.new(kind).hexdigest() for kind in ("md5", "sha256")}


def encoded(image: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def photo(number: int) -> Image.Image:
    return Image.open(file(EVERY[number])).convert("RGB").resize((320, 240))


# Files of which it is known how it reads them: by mode, the picture that a person sees is the same in all.
FILES = {
    "RGB": encoded(photo(0), "JPEG"),
    "another": encoded(photo(1), "PNG"),
    "grey": encoded(photo(2).convert("L"), "PNG"),
    "flat": encoded(Image.new("RGB", (64, 64), (90, 120, 30)), "PNG"),
    "palette": encoded(photo(0).convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
    "CMYK": encoded(photo(0).convert("CMYK"), "JPEG"),
}
NCMEC = [
    ncmec_page([Entry("listed", EARLIER, prints=LISTED), Entry("film", prints=FILM, kind="video")]),
    ncmec_page([Entry("gone", LATER, gone=True)]),
    ncmec_page([Entry("gone", EARLIER, prints=GONE)]),  # pages come in no order of time
]
STOPNCII = [
    stopncii_page([stopncii_record("stays"), stopncii_record("withdrawn"), stopncii_record("deleted")], resume=1),
    stopncii_page(
        [stopncii_record("withdrawn", "Withdrawn", 1_800_000_000), stopncii_record("deleted", "Deleted", 1_800_000_000)]
    ),
]
ENTRIES = clustered(3000, 32, 6, 1)
QUERIES = np.concatenate([flipped(ENTRIES[:400], most, 2) for most in (0, 21, 31, 40, 61)])


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What python-threatexchange answers, asked once, without network."""
    folder = tmp_path_factory.mktemp("threatexchange")
    for number, content in enumerate(FILES.values()):
        (folder / str(number)).write_bytes(content)
    hexed = [each.tobytes().hex() for each in ENTRIES], [each.tobytes().hex() for each in QUERIES]
    examples = ask(folder, {})["examples"]
    searches = {name: [values, values] for name, values in examples.items()}
    searches["pdq"] = [[*examples["pdq"], *hexed[0]], [*examples["pdq"], *hexed[1]]]
    for kind, name in (("md5", "video_md5"), ("sha256", "video_sha256")):
        known = [planted(word, kind) for word in WORDS[:20]]
        searches[name] = [[*examples[name], *known], [*examples[name], *(planted(word, kind) for word in WORDS)]]
    return {**ask(folder, searches), "searches": searches}


def ask(folder: Path, searches: dict[str, Any]) -> Any:
    pages = {"ncmec": [page.decode() for page in NCMEC], "stopncii": [json.loads(page) for page in STOPNCII]}
    job = {"searches": searches, "files": [str(folder / str(number)) for number in range(len(FILES))], **pages}
    words = [sys.executable, "-m", "tests.peers.threatexchange_signals"]
    environment = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, input=json.dumps(job), capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def rows(values: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex("".join(values)), dtype=np.uint8).reshape(len(values), -1)


# Where it is right


def test_pdq_matches_and_distances_are_the_same_on_its_examples_and_on_clusters(theirs: Any) -> None:
    entries, queries = theirs["searches"]["pdq"]
    expected = {
        (query, int(entry), bits)
        for query, found in enumerate(theirs["matches"]["pdq"])
        for entry, bits in found.items()
    }
    assert len(expected) > 1000
    assert {bits for *_, bits in expected} >= {0, 30, 31}
    for found in (HammingIndex(rows(entries)).pairs(rows(queries), 31), brute_force(rows(queries), rows(entries), 31)):
        triples = zip(found.queries.tolist(), found.entries.tolist(), found.distances.tolist(), strict=True)
        assert set(triples) == expected


@pytest.mark.parametrize(("kind", "name"), [("md5", "video_md5"), ("sha256", "video_sha256")])
def test_digests_match_as_it_matches_them(tmp_path: Path, theirs: Any, kind: str, name: str) -> None:
    """It knows digests of videos alone, and no SHA-1; the files here are coded words under the names of pictures."""
    asked, queries = theirs["searches"][name]
    found = {query for query, matches in zip(queries, theirs["matches"][name], strict=True) if matches}
    assert found == set(asked)
    source = a_list(tmp_path, kind, [value for value in asked if value != EMPTY[kind]])
    filter_ = DigestMatch(lists=(source,)).load()
    batch = Batch([Sample("00000", word, (f"codeword {word}".encode(),)) for word in WORDS])
    matched = {finding.entry.partition(":")[2] for answer in filter_(batch) for finding in answer}
    assert matched == {planted(word, kind) for word in WORDS if planted(word, kind) in found}
    assert len(matched) == 20


def test_it_has_no_signal_for_sha1(theirs: Any) -> None:
    assert set(theirs["examples"]) == {"pdq", "video_md5", "video_sha256"}


def a_list(folder: Path, kind: str, values: list[str]) -> ListSource:
    (folder / "list.txt").write_text("\n".join(values))
    return ListSource("examples", str(folder / "list.txt"), "hashes", "csam", columns=(("algorithm", f"={kind}"),))


@pytest.mark.parametrize("kind", ["pdq", "md5", "sha256"])
def test_its_examples_are_entries_that_a_list_may_hold_but_for_the_empty_file(
    tmp_path: Path, theirs: Any, kind: str
) -> None:
    examples = theirs["examples"]["pdq" if kind == "pdq" else f"video_{kind}"]
    kept = [value for value in examples if value != EMPTY.get(kind)]
    assert len(read_hashes(a_list(tmp_path, kind, kept)).tables[kind]) == len(kept) > 0
    if kind == "pdq":
        assert kept == examples
        return
    with pytest.raises(ListError, match="digest of an empty file"):
        read_hashes(a_list(tmp_path, kind, examples))


def hashes(content: bytes) -> dict[str, tuple[str, int | None]]:
    prints = fingerprints((content,), {}, rasters((content,), {}, Limits()))
    return {each.kind: (each.value.hex(), each.quality) for each in reversed(prints) if each.form in FORMS}


FORMS = ("file 0", "as stored")


@pytest.mark.parametrize("name", ["RGB", "another", "grey"])
def test_a_file_has_the_hashes_that_it_gives_it(theirs: Any, name: str) -> None:
    told = dict(zip(FILES, theirs["hashes"], strict=True))[name]
    ours = hashes(FILES[name])
    assert told == {"pdq": ours["pdq"][0], "video_md5": ours["md5"][0], "video_sha256": ours["sha256"][0]}


def test_of_a_flat_file_neither_gives_a_pdq_to_rely_on(theirs: Any) -> None:
    assert dict(zip(FILES, theirs["hashes"], strict=True))["flat"]["pdq"] == ""
    assert (hashes(FILES["flat"])["pdq"][1] or 0) < 50


# Where it is not


@pytest.mark.parametrize("name", ["palette", "CMYK"])
def test_it_hashes_what_a_file_stores_and_we_what_a_person_sees(theirs: Any, name: str) -> None:
    told = dict(zip(FILES, theirs["hashes"], strict=True))[name]["pdq"]
    original, ours = hashes(FILES["RGB"])["pdq"][0], hashes(FILES[name])["pdq"][0]
    assert apart(original, ours) <= 31
    assert len(told) != 64 or apart(original, told) > 31


def apart(one: str, other: str) -> int:
    return int(brute_force(rows([one]), rows([other]), 256).distances[0])


def test_it_drops_the_digests_of_ncmecs_pictures_and_we_match_them(tmp_path: Path, theirs: Any) -> None:
    for number, page in enumerate(NCMEC):
        (tmp_path / f"{number}.xml").write_bytes(page)
    known = read_hashes(ListSource("feed", str(tmp_path), "hashes", "csam", format="ncmec-v2"))
    ours = {kind: {row.tobytes().hex() for row in table.values} for kind, table in known.tables.items()}
    assert ours == {"md5": {LISTED[0][1], FILM[0][1]}, "sha1": {LISTED[1][1]}, "pdq": {LISTED[2][1]}}
    assert theirs["ncmec"]["video_md5"] == [FILM[0][1]]
    assert LISTED[2][1] in theirs["ncmec"]["pdq"]
    assert not any(LISTED[dropped][1] in json.dumps(theirs["ncmec"]) for dropped in (0, 1))


def test_it_brings_back_what_a_tombstone_removed_when_pages_are_out_of_order(tmp_path: Path, theirs: Any) -> None:
    for number, page in enumerate(NCMEC):
        (tmp_path / f"{number}.xml").write_bytes(page)
    known = read_hashes(ListSource("feed", str(tmp_path), "hashes", "csam", format="ncmec-v2"))
    assert GONE[0][1] in theirs["ncmec"]["pdq"]
    assert GONE[0][1] not in {row.tobytes().hex() for row in known.tables["pdq"].values}


def test_it_keeps_what_stopncii_withdrew_and_we_do_not(tmp_path: Path, theirs: Any) -> None:
    for number, page in enumerate(STOPNCII):
        (tmp_path / f"{number}.json").write_bytes(page)
    known = read_hashes(ListSource("feed", str(tmp_path), "hashes", "ncii", format="stopncii-v1"))
    assert [row.tobytes().hex() for row in known.tables["pdq"].values] == [planted("stays", "pdq")]
    assert theirs["stopncii"] == sorted(planted(word, "pdq") for word in ("stays", "withdrawn", "deleted"))


def test_it_is_the_release_that_these_faults_were_seen_in(theirs: Any) -> None:
    pinned = (ROOT / "requirements" / "peers.txt").read_text()
    assert f"threatexchange=={theirs['version']}" in pinned
