"""Which shards a run is about."""

import glob
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from braceexpand import braceexpand

from filters.errors import ShardError

_COMPRESSED = re.compile(r"\.(tar\.(gz|gzip|bz2?|xz|zstd?|lz4|lzma|lzo|br|z|7z|zip)|t(gz|bz2?|xz|zst|lz4?))$")
TAR, TABLE = ".tar", ".parquet"


@dataclass(frozen=True, slots=True)
class Shard:
    """A tar of samples or a table of addresses; `name` is its file name without the ending, by which all is filed."""

    name: str
    path: str

    @property
    def table(self) -> bool:
        """Whether it is a Parquet file of addresses, without a picture."""
        return self.path.endswith(TABLE)

    @property
    def file(self) -> str:
        """Its file name, which is that of its outputs as well."""
        return f"{self.name}{TABLE if self.table else TAR}"


def find_shards(pattern: str) -> list[Shard]:
    """Return the shards of a folder, a glob or a brace range such as `data/{00000..00099}.tar`, by name.

    All are tars, or all are tables of addresses. A brace range names every shard, so one that is missing is an error; a
    folder or a glob must hold at least one.
    """
    shards = [_shard(path) for path in _paths(pattern)]
    if not shards:
        raise ShardError(
            f"No shards at {pattern}: it holds no .tar file and no .parquet file. "
            "Give a folder, a glob or a brace range of tars, or of Parquet files that hold addresses."
        )
    _refuse_mixed(pattern, shards)
    names = Counter(shard.file for shard in shards)
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise ShardError(
            f"The input cannot be read as one corpus: {len(twice)} shard name(s) occur twice, such as {twice[0]}. "
            "Clean the folders one by one, or rename the shards."
        )
    return sorted(shards, key=lambda shard: shard.name)


def snake(shards: list[Shard], workers: int) -> list[Shard]:
    """Order shards by size so that dealing them round-robin gives each worker about the same number of bytes."""
    by_size = sorted(shards, key=lambda shard: (-Path(shard.path).stat().st_size, shard.name))
    rows = [by_size[start : start + workers] for start in range(0, len(by_size), workers)]
    return [shard for number, row in enumerate(rows) for shard in (row if number % 2 == 0 else reversed(row))]


def _paths(pattern: str) -> list[Path]:
    if Path(pattern).is_dir():
        return _of_folder(Path(pattern))
    if Path(pattern).is_file():  # whatever brackets or braces its name has
        return [Path(pattern)]
    try:
        expanded = list(braceexpand(pattern))
    except ValueError:
        message = f"The input cannot be found: in {pattern} a brace is open or closed that has no other. Mend it."
        raise ShardError(message) from None
    missing = [path for path in expanded if not glob.has_magic(path) and not Path(path).is_file()]
    if missing and len(expanded) > 1:
        raise ShardError(
            f"The input is incomplete: {len(missing)} of {len(expanded)} shards are missing, the first is "
            f"{missing[0]}. Fetch them, or give a range that exists."
        )
    return sorted({Path(found) for path in expanded for found in glob.glob(path)})  # noqa: PTH207 - patterns, not names


def _refuse_others(folder: Path) -> None:
    """Raise ShardError where a folder holds shards that its `*.tar` leaves out: nobody would have looked at them."""
    names = [each.name for each in folder.iterdir() if not each.name.endswith(".tar")]
    others = sum(name.lower().endswith(".tar") or bool(_COMPRESSED.search(name.lower())) for name in names)
    if others:
        raise ShardError(
            f"{folder} cannot be read as one corpus: {others} shard(s) in it are compressed, or not named .tar, and "
            "would be left out unexamined. Unpack them to plain .tar files, or move them away."
        )


def _of_folder(folder: Path) -> list[Path]:
    """Return the tars of a folder, beside which a Parquet file is a sidecar; or else its Parquet files."""
    _refuse_others(folder)
    tars, tables = sorted(folder.glob(f"*{TAR}")), sorted(folder.glob(f"*{TABLE}"))
    stray = [path for path in tables if not path.with_suffix(TAR).exists()]
    if tars and stray:
        raise ShardError(
            f"{folder} cannot be read as one corpus: beside tars it holds {len(stray)} Parquet file(s) that belong to "
            f"none of them, such as {stray[0].name}. Move them to a folder of their own and clean that as well."
        )
    return tars or tables


def _refuse_mixed(pattern: str, shards: list[Shard]) -> None:
    tables = [shard for shard in shards if shard.table]
    if tables and len(tables) < len(shards):
        raise ShardError(
            f"{pattern} cannot be read as one corpus: it holds tars and Parquet files. Give the tars alone, whose "
            "sidecars are found beside them, or the Parquet files alone."
        )
    for shard in tables:
        if Path(shard.path).with_suffix(TAR).exists():
            raise ShardError(
                f"{shard.path} cannot be read: it is the sidecar of the tar beside it. Give the tars, or copy the "
                "Parquet files to a folder of their own."
            )


def _shard(path: Path) -> Shard:
    if path.suffix not in (TAR, TABLE):
        raise ShardError(
            f"{path} cannot be read: shards are plain .tar files, or .parquet files of addresses. Unpack or convert it."
        )
    if not path.name.isprintable():  # it stands in lists of one line a file, and in JSON
        raise ShardError("A shard cannot be read: its name has a line end or bytes that are not UTF-8. Rename it.")
    return Shard(path.stem, str(path.absolute()))
