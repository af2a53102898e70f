"""Other people's programs write what we read and read what we write: tarfile, webdataset 1.0.2, GNU tar."""

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.names import split
from pipelines.shards import copy_kept, rows, survey
from tests.pipelines.hostile_tars import closed, header, sample

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # webdataset leaves its files open

LIMIT = 1 << 20
KEYS = ("000000000", "000000001", "deep/er/" * 13 + "000000002", "000000003", "000000004")
SHORT_KEYS = tuple(key.rpartition("/")[2] for key in KEYS)
Content = dict[str, bytes]


def content(keys: tuple[str, ...]) -> Content:
    sizes = {"jpg": 1_500, "json": 512, "txt": 0}
    return {
        f"{key}.{suffix}": (key + suffix).encode().ljust(size)[:size] for key in keys for suffix, size in sizes.items()
    }


def by_tarfile(form: int, mtime: float) -> Callable[[Path], Content]:
    def write(path: Path) -> Content:
        with tarfile.open(path, "w", format=form) as tar:
            for name, data in content(KEYS).items():
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(data), mtime
                tar.addfile(info, io.BytesIO(data))
        return content(KEYS)

    return write


def by_webdataset(**options: Any) -> Callable[[Path], Content]:
    def write(path: Path) -> Content:
        from webdataset.writer import TarWriter

        files = content(KEYS)
        with path.open("wb") as file:
            writer = TarWriter(file, encoder=False, **options)
            for key in KEYS:
                members = {suffix: files[f"{key}.{suffix}"] for suffix in ("jpg", "json", "txt")}
                writer.write({"__key__": key, **members})
            writer.close()
        return files

    return write


def by_gnu_tar(form: str, keys: tuple[str, ...], *options: str) -> Callable[[Path], Content]:
    def write(path: Path) -> Content:
        folder = path.parent / "files"
        for name, data in content(keys).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        names = ["."] if "--sort=name" in options else list(content(keys))
        gnu_tar("-cf", str(path), "-C", str(folder), f"--format={form}", *options, *names)
        return content(keys)

    return write


WRITERS: dict[str, Callable[[Path], Content]] = {
    "tarfile, USTAR": by_tarfile(tarfile.USTAR_FORMAT, 0),
    "tarfile, PAX": by_tarfile(tarfile.PAX_FORMAT, 1_700_000_000.25),
    "tarfile, GNU": by_tarfile(tarfile.GNU_FORMAT, 0),
    "webdataset as it is": by_webdataset(),
    "webdataset, reproducible": by_webdataset(mtime=0),
    "GNU tar, gnu": by_gnu_tar("gnu", KEYS),
    "GNU tar, posix": by_gnu_tar("posix", KEYS),
    "GNU tar, ustar": by_gnu_tar("ustar", SHORT_KEYS),
    "GNU tar, v7": by_gnu_tar("v7", SHORT_KEYS),
    "GNU tar, a folder": by_gnu_tar("gnu", SHORT_KEYS, "--sort=name"),
    "GNU tar, a folder, posix": by_gnu_tar("posix", SHORT_KEYS, "--sort=name"),
    "GNU tar, a global header": by_gnu_tar("posix", KEYS, "--pax-option=globexthdr.name=g,comment=made"),
}


def gnu_tar(*arguments: str) -> bytes:
    done = subprocess.run(
        ["tar", *arguments], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    )
    assert not done.stderr, done.stderr
    return done.stdout


def read_by_tarfile(path: Path) -> Content:
    with tarfile.open(path, "r|") as tar:
        return {info.name: _read(tar, info) for info in tar if info.isreg()}


def _read(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(info)
    assert file is not None
    return file.read()


def read_by_webdataset(path: Path) -> Content:
    files: Content = {}
    for each in webdataset_samples(path):
        files.update({f"{each['__key__']}.{name}": data for name, data in each.items() if not name.startswith("__")})
    return files


def webdataset_samples(path: Path) -> list[dict[str, Any]]:
    from webdataset.tariterators import tarfile_samples

    return list(tarfile_samples(iter([{"url": str(path)}])))


def read_by_gnu_tar(path: Path) -> Content:
    folder = path.with_suffix(".unpacked")
    folder.mkdir()
    gnu_tar("-xf", str(path), "-C", str(folder))
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


READERS = {"tarfile": read_by_tarfile, "webdataset": read_by_webdataset, "GNU tar": read_by_gnu_tar}


def plain(files: Content) -> Content:
    """Return the files under their names without the "./" that GNU tar writes for a folder."""
    return {name.removeprefix("./"): data for name, data in files.items()}


def copy(source: Path, target: Path, keep: Callable[[int], bool]) -> set[str]:
    """Copy the samples whose index is kept, and return their keys."""
    found = survey(source)
    kept = [row for row in rows(source, found, LIMIT) if keep(row.index)]
    with target.open("wb") as file:
        copy_kept(source, found, [(row.start, row.end) for row in kept], file)
    return {row.key.removeprefix("./") for row in kept}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_shard_of_any_writer_is_sound_and_comes_out_bit_for_bit(tmp_path: Path, writer: str) -> None:
    source, target = tmp_path / "in.tar", tmp_path / "out.tar"
    files = WRITERS[writer](source)
    found = survey(source)
    read = list(rows(source, found, LIMIT))
    assert (found.fault, found.rows, [row.problems for row in read]) == (None, 5, [()] * 5)
    data = source.read_bytes()
    ours = {each.name: data[each.offset : each.offset + each.size] for row in read for each in row.members}
    assert plain(ours) == files
    copy(source, target, lambda _: True)
    assert target.read_bytes() == data


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("writer", WRITERS)
def test_every_reader_finds_exactly_the_kept_members(tmp_path: Path, writer: str, reader: str) -> None:
    source = tmp_path / "in.tar"
    files = WRITERS[writer](source)
    for mask in (0, 1, 5, 10, 23, 30, 31):
        target = tmp_path / f"{mask}.tar"
        keys = copy(source, target, lambda index, mask=mask: bool(mask >> index & 1))  # type: ignore[misc]
        expected = {name: data for name, data in files.items() if name.rpartition(".")[0] in keys}
        assert len(expected) == 3 * mask.bit_count()
        assert plain(READERS[reader](target)) == expected


def test_samples_are_those_that_webdataset_sees(tmp_path: Path) -> None:
    path = tmp_path / "in.tar"
    for name in ("tarfile, PAX", "tarfile, GNU", "webdataset as it is"):
        WRITERS[name](path)
        ours = [(row.key, sorted(each.suffix for each in row.members)) for row in rows(path, survey(path), LIMIT)]
        theirs = [
            (each["__key__"], sorted(name for name in each if not name.startswith("__")))
            for each in webdataset_samples(path)
        ]
        assert ours == theirs


def test_a_fault_that_webdataset_passes_over_in_silence_is_named(tmp_path: Path) -> None:
    path = tmp_path / "in.tar"
    broken = bytearray(header(b"000000003.jpg"))
    broken[148] ^= 1
    path.write_bytes(closed(b"".join(map(sample, KEYS[:2])) + bytes(broken) + sample("000000004")))
    assert len(webdataset_samples(path)) == 2  # of three, and no error
    assert survey(path).fault is not None


def names() -> Iterator[st.SearchStrategy[str]]:
    yield st.text(st.sampled_from("a./_"), max_size=12)
    yield st.text(st.characters(exclude_characters="\n"), max_size=40)
    yield st.lists(st.sampled_from(["a", "b.c", ".", "..", "", ".d", "e.", "f..g"]), max_size=6).map("/".join)


@given(st.one_of(*names()))
@settings(max_examples=600, deadline=None)
def test_key_and_suffix_are_split_as_webdataset_splits_them(name: str) -> None:
    from webdataset.tariterators import base_plus_ext

    assert (split(name) or (None, None)) == base_plus_ext(name)


def test_a_name_that_is_slow_for_webdataset_is_not_for_us() -> None:
    assert split("a/" * 200_000) is None
