import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.errors import ShardError
from pipelines.inputs import Shard, find_shards, snake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of five shards of one to five bytes, with what img2dataset writes beside them."""
    for number in range(5):
        (tmp_path / f"{number:05d}.tar").write_bytes(b"x" * (number + 1))
        (tmp_path / f"{number:05d}.parquet").write_bytes(b"")
        (tmp_path / f"{number:05d}_stats.json").write_bytes(b"")
    return tmp_path


def found(pattern: str) -> list[str]:
    return [shard.name for shard in find_shards(pattern)]


ALL = ["00000", "00001", "00002", "00003", "00004"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", ALL),
        ("/", ALL),
        ("/*.tar", ALL),
        ("/{00000..00004}.tar", ALL),
        ("/0000[13].tar", ["00001", "00003"]),
        ("/{00003,00001}.tar", ["00001", "00003"]),
        ("/{00000..00001}*.tar", ["00000", "00001"]),
        ("/00002.tar", ["00002"]),
        ("/{00000..00002}.tar", ["00000", "00001", "00002"]),
    ],
)
def test_a_folder_a_glob_a_range_and_a_file_are_found_in_order(folder: Path, pattern: str, names: list[str]) -> None:
    assert found(f"{folder}{pattern}") == names


def test_a_relative_name_is_found_and_kept_as_an_absolute_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert find_shards("00001.tar") == [Shard("00001", str(folder / "00001.tar"))]
    assert found(".") == ALL


def test_a_range_with_a_gap_is_incomplete_and_its_first_gap_is_named(folder: Path) -> None:
    (folder / "00002.tar").unlink()
    with pytest.raises(ShardError, match=r"2 of 6 shards are missing, the first is .*/00002\.tar"):
        find_shards(f"{folder}/{{00000..00005}}.tar")


@pytest.mark.parametrize("pattern", ["/none", "/none/*.tar", "/*.zip", "/9.tar"])
def test_no_shard_at_all_is_an_error_that_says_what_to_give(folder: Path, pattern: str) -> None:
    with pytest.raises(ShardError, match="Give a folder, a glob or a brace range"):
        find_shards(f"{folder}{pattern}")


@pytest.mark.parametrize("pattern", ["/{00000.tar", "/00000}.tar", "/{{00000}.tar", "/{a,{b}.tar"])
def test_a_brace_without_its_other_is_an_error_and_not_a_surprise(folder: Path, pattern: str) -> None:
    with pytest.raises(ShardError):
        find_shards(f"{folder}{pattern}")


@pytest.mark.parametrize("name", ["a[1].tar", "b{1,2}.tar", "c*.tar", "d{.tar"])
def test_a_file_whose_name_looks_like_a_pattern_is_taken_by_its_name(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert found(f"{folder}/{name}") == [name.removesuffix(".tar")]


def test_a_folder_whose_name_looks_like_a_pattern_is_taken_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "part[1]{2}").mkdir()
    (tmp_path / "part[1]{2}" / "0.tar").write_bytes(b"")
    assert found(f"{tmp_path}/part[1]{{2}}") == ["0"]


@pytest.mark.parametrize("name", ["00000.tar.gz", "00000.tgz", "00000.zip", "00000.TAR", "00000"])
def test_what_is_no_plain_tar_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(ShardError, match=r"plain \.tar files"):
        find_shards(f"{folder}/{name}")


@pytest.mark.parametrize(
    "name", ["9.tar.gz", "9.tgz", "9.tar.zst", "9.TAR.XZ", "9.tar.bz2", "9.TAR", "9.Tar", "9.tbz2"]
)
def test_a_folder_with_shards_that_nobody_would_read_is_refused_with_their_number(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(ShardError, match=r"1 shard\(s\) in it are compressed, or not named \.tar") as raised:
        find_shards(str(folder))
    assert name not in str(raised.value)
    for other in range(3):
        (folder / f"{other}.tar.gz").write_bytes(b"")
    with pytest.raises(ShardError, match=r" [34] shard\(s\)"):
        find_shards(f"{folder}/")


@pytest.mark.parametrize("name", ["9.tar.idx", "9.target", "star", "tar", "9_stats.json", "9.tar.md5"])
def test_what_else_lies_in_a_folder_is_left_alone(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert found(str(folder)) == ALL


def test_two_shards_of_one_name_are_refused(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "00001.tar").write_bytes(b"")
    with pytest.raises(ShardError, match=r"1 shard name\(s\) occur twice, such as 00001\.tar"):
        find_shards(f"{folder}/{{00001,more/00001}}.tar")


def test_one_file_named_twice_is_one_shard(folder: Path) -> None:
    assert found(f"{folder}/{{00001,0000*,00001}}.tar") == ALL


@pytest.mark.parametrize("name", [b"two\nlines.tar", b"not-utf8-\xff.tar", b"bell\x07.tar"])
def test_a_name_that_no_list_can_hold_is_refused_and_not_repeated(tmp_path: Path, name: bytes) -> None:
    (Path(os.fsdecode(bytes(tmp_path) + b"/" + name))).write_bytes(b"")
    with pytest.raises(ShardError, match="Rename it") as raised:
        find_shards(str(tmp_path))
    assert str(raised.value).isprintable()


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=40), st.integers(1, 9))
def test_dealing_gives_every_shard_once_the_largest_first_and_each_worker_nearly_the_same(
    sizes: list[int], workers: int
) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        shards = []
        for number, size in enumerate(sizes):
            path = Path(name) / f"{number}.tar"
            path.touch()
            os.truncate(path, size)
            shards.append(Shard(str(number), str(path)))
        dealt = snake(shards, workers)
    assert sorted(dealt, key=lambda each: int(each.name)) == shards
    hands = [[sizes[int(shard.name)] for shard in dealt[worker::workers]] for worker in range(workers)]
    assert max(map(sum, hands)) - min(map(sum, hands)) <= max(sizes)
    assert sizes[int(dealt[0].name)] == max(sizes)


def test_dealing_does_not_depend_on_the_order_of_the_input(folder: Path) -> None:
    shards = find_shards(str(folder))
    assert snake(shards, 2) == snake(shards[::-1], 2)
    assert [shard.name for shard in snake(shards, 2)] == ["00004", "00003", "00001", "00002", "00000"]


def test_a_folder_of_tables_alone_is_a_corpus_of_tables_and_beside_tars_a_table_is_a_sidecar(folder: Path) -> None:
    assert not any(shard.table for shard in find_shards(str(folder)))
    for path in folder.glob("*.tar"):
        path.unlink()
    shards = find_shards(str(folder))
    assert [shard.file for shard in shards] == [f"{name}.parquet" for name in ALL]
    assert all(shard.table for shard in shards)


def test_what_could_be_tars_or_tables_is_refused(folder: Path) -> None:
    with pytest.raises(ShardError, match="it is the sidecar of the tar beside it"):
        find_shards(f"{folder}/*.parquet")
    with pytest.raises(ShardError, match="it holds tars and Parquet files"):
        find_shards(f"{folder}/0000[01].{{tar,parquet}}")
    (folder / "more.parquet").write_bytes(b"")
    with pytest.raises(ShardError, match=r"1 Parquet file\(s\) that belong to none of them, such as more\.parquet"):
        find_shards(str(folder))
