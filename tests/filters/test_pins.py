"""A file is read in full unless it is certainly the one that was read before."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from filters import pins
from filters.pins import STAMP, refuse_changed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").write_bytes(b"codeword-alpha")
    (tmp_path / "b").write_bytes(b"codeword-beta")
    return tmp_path


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("a", "b")}


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files count as settled at once."""
    monkeypatch.setattr(pins, "SETTLED_NS", -(10**12))


def reads(folder: Path, wanted: dict[str, str], monkeypatch: pytest.MonkeyPatch, stamped: bool = True) -> int:
    """Return how many files are read in full."""
    seen: list[Path] = []
    real = pins.digest

    def noting(path: Path) -> str:
        seen.append(path)
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(pins, "digest", noting)
        refuse_changed(folder, wanted, stamped)
    return len(seen)


@pytest.mark.usefixtures("settled")
def test_files_are_read_once_by_those_who_may_trust_the_stamp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = digests(folder)
    assert reads(folder, wanted, monkeypatch) == 2
    assert reads(folder, wanted, monkeypatch) == 0
    assert reads(folder, wanted, monkeypatch, stamped=False) == 2


def test_a_file_that_changed_just_now_is_not_vouched_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = digests(folder)
    assert reads(folder, wanted, monkeypatch) == 2
    assert reads(folder, wanted, monkeypatch) == 2
    assert not (folder / STAMP).exists()


def overwritten(path: Path) -> None:
    times = path.stat()
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as if nothing had been written


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    other.replace(path)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("harm", [overwritten, replaced, Path.unlink])
@pytest.mark.parametrize("name", ["a", "b"])
def test_a_file_that_changed_after_the_stamp_is_refused(folder: Path, harm: Callable[[Path], None], name: str) -> None:
    wanted = digests(folder)
    refuse_changed(folder, wanted, stamped=True)
    while (folder / name).stat().st_ctime_ns == ticked(folder):  # the clock of the file system must move on
        pass
    harm(folder / name)
    with pytest.raises((ValueError, OSError)):
        refuse_changed(folder, wanted, stamped=True)


def ticked(folder: Path) -> int:
    (folder / "tick").write_bytes(b"")
    return (folder / "tick").stat().st_ctime_ns


@pytest.mark.usefixtures("settled")
def test_a_stamp_vouches_only_for_the_digests_it_was_made_with(folder: Path) -> None:
    refuse_changed(folder, digests(folder), stamped=True)
    with pytest.raises(ValueError, match="changed"):
        refuse_changed(folder, digests(folder) | {"b": "0" * 64}, stamped=True)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"", b"\xff", b"{}"])
def test_a_stamp_that_says_something_else_is_not_believed(
    folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / STAMP).write_bytes(content)
    assert reads(folder, digests(folder), monkeypatch) == 2
    assert reads(folder, digests(folder), monkeypatch) == 0


@pytest.mark.usefixtures("settled")
def test_where_no_stamp_can_be_left_files_are_read_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{STAMP}.{os.getpid()}").mkdir()  # stands in the way, as a read-only file system would
    wanted = digests(folder)
    assert [reads(folder, wanted, monkeypatch) for _ in range(2)] == [2, 2]


def test_a_file_of_another_folder_is_not_looked_at(folder: Path) -> None:
    with pytest.raises(ValueError, match="another folder"):
        refuse_changed(folder / "..", {f"{folder.name}/a": ""}, stamped=False)


@pytest.mark.usefixtures("settled")
def test_a_stamp_is_for_its_owner_and_tells_no_content(folder: Path) -> None:
    refuse_changed(folder, digests(folder), stamped=True)
    assert (folder / STAMP).stat().st_mode & 0o777 == 0o600
    assert len((folder / STAMP).read_text()) == 64
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", STAMP]
