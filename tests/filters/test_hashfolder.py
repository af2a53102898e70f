"""A compiled list is used only as it was built: whatever else lies in its folder is refused, and no entry is told."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filters import pins
from filters.bands import SMALL
from filters.errors import ListError
from filters.hashlists import build, read_hashes
from filters.listsource import ListSource

COLUMNS = (("value", "hash"), ("algorithm", "algorithm"), ("classification", "class"))
PARTS = ("values", "categories", "classifications", "cells", "slots", "more")
FILES = ["list.json", "md5.values.npy", "md5.categories.npy", *(f"pdq.{part}.npy" for part in PARTS)]


def text(path: Path, count: int) -> ListSource:
    """Write a list of coded words."""
    words = [f"codeword {number}".encode() for number in range(count)]
    rows = ["hash,algorithm,class", *(f"{hashlib.sha256(word).hexdigest()},pdq,coded {len(word)}" for word in words)]
    path.write_text("\n".join([*rows, *(f"{hashlib.md5(word).hexdigest()},md5," for word in words[:9])]))
    return ListSource("codewords", str(path), "hashes", "csam", columns=COLUMNS)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("list")
    build(text(folder / "list.csv", SMALL + 50), str(folder / "built"))
    return folder / "built"


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    (tmp_path / "built").mkdir()
    for path in original.iterdir():
        (tmp_path / "built" / path.name).write_bytes(path.read_bytes())
    return tmp_path / "built"


def listed(folder: Path) -> ListSource:
    return ListSource("codewords", str(folder), "hashes", "csam")


def refused(folder: Path, stamped: bool = False) -> None:
    """Assert that the folder is refused by the list's name, and that the message shows nothing of an entry."""
    with pytest.raises(ListError, match="'codewords' cannot be used: its folder is incomplete or changed") as caught:
        read_hashes(listed(folder), stamped=stamped)
    assert caught.value.__cause__ is None
    assert not any(hashlib.sha256(f"codeword {n}".encode()).hexdigest()[:8] in str(caught.value) for n in range(50))


def repin(folder: Path) -> None:
    """Let list.json pin what now lies in the folder, as a foreign program might."""
    record = json.loads((folder / "list.json").read_bytes())
    record["files"] = {name: pins.digest(folder / name) for name in record["files"]}
    (folder / "list.json").write_text(json.dumps(record))


def test_a_copied_folder_is_the_same_list(original: Path, copy: Path) -> None:
    one, other = read_hashes(listed(original)), read_hashes(listed(copy))
    assert one.sha256 == other.sha256
    assert np.array_equal(one.tables["pdq"].values, other.tables["pdq"].values)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["gone", "flipped", "short", "empty"])
def test_a_changed_folder_is_refused(copy: Path, name: str, harm: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    if harm != "gone":
        harmed = {"flipped": content[:-1] + bytes([content[-1] ^ 1]), "short": content[:-1], "empty": b""}
        (copy / name).write_bytes(harmed[harm])
    refused(copy)
    refused(copy, stamped=True)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"files": {}},
        {"files": {"../list.csv": "00"}},
        {"files": 3},
        {"entries": {"netclean": 1}},
        {"entries": {"md5": 7}},
        {"entries": {"md5": 0}},
        {"categories": "csam"},
        {"categories": [["csam"]]},
        {"classifications": []},
    ],
)
def test_a_record_that_does_not_fit_its_folder_is_refused(copy: Path, change: dict[str, object]) -> None:
    path = copy / "list.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    refused(copy)


def swapped(part: str) -> Callable[[Path], None]:
    def swap(folder: Path) -> None:
        path = folder / f"pdq.{part}.npy"
        np.save(path, np.ascontiguousarray(np.load(path)[::-1]))

    return swap


def as_floats(folder: Path) -> None:
    path = folder / "pdq.slots.npy"
    np.save(path, np.load(path).astype(np.float32))


def by_columns(folder: Path) -> None:
    path = folder / "pdq.values.npy"
    np.save(path, np.asfortranarray(np.load(path)))


def no_array(folder: Path) -> None:
    (folder / "pdq.cells.npy").write_bytes(b"codeword-alpha" * 90)


def many_arrays(folder: Path) -> None:
    with (folder / "pdq.cells.npy").open("wb") as file:
        np.savez(file, a=np.zeros(3))


def of_other_rows(folder: Path) -> None:
    path = folder / "pdq.values.npy"
    rows = np.load(path)
    np.save(path, rows ^ np.uint8(1))


@pytest.mark.parametrize(
    "harm",
    [*map(swapped, PARTS[3:]), swapped("values"), as_floats, by_columns, no_array, many_arrays, of_other_rows],
    ids=[*PARTS[3:], "values", "floats", "columns", "no array", "many arrays", "other rows"],
)
def test_files_of_a_foreign_program_are_refused_although_their_digests_agree(
    copy: Path, harm: Callable[[Path], None]
) -> None:
    repin(copy)
    read_hashes(listed(copy))
    harm(copy)
    repin(copy)
    refused(copy)


def test_a_long_perceptual_list_without_tables_is_refused(copy: Path) -> None:
    record = json.loads((copy / "list.json").read_bytes())
    record["files"] = {name: sha for name, sha in record["files"].items() if name.split(".")[1] not in PARTS[3:]}
    (copy / "list.json").write_text(json.dumps(record))
    refused(copy)


def test_a_category_of_the_folder_must_be_declared(copy: Path) -> None:
    with pytest.raises(ListError, match="does not declare"):
        read_hashes(replace(listed(copy), category="ncii"))


def test_a_worker_reads_no_file_in_full_that_the_run_has_read(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "SETTLED_NS", -(10**12))
    read_hashes(listed(copy))
    monkeypatch.setattr(pins, "digest", lambda _: pytest.fail("a file was read in full"))
    found = read_hashes(listed(copy), stamped=True)
    assert np.array_equal(found.tables["pdq"].values, np.load(copy / "pdq.values.npy"))
