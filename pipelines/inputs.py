"""Which shards a run is about."""

import glob
import re
from dataclasses import dataclass
from pathlib import Path

from braceexpand import braceexpand

from filters.errors import ShardError

_COMPRESSED = re.compile(r"\.(tar\.(gz|gzip|bz2?|xz|zstd?|lz4|lzma|lzo|br|z|7z|zip)|t(gz|bz2?|xz|zst|lz4?))$")


@dataclass(frozen=True, slots=True)
class Shard:
    """A tar of samples; `name` is its file name without `.tar`, by which everything about it is filed."""

    name: str
    path: str


def find_shards(pattern: str) -> list[Shard]:
    """Return the shards of a folder, a glob or a brace range such as `data/{00000..00099}.tar`, by name.

    A brace range names every shard, so one that is missing is an error; a folder or a glob must hold at least one.
    """
    shards = [_shard(path) for path in _paths(pattern)]
    if not shards:
        raise ShardError(
            f"No shards at {pattern}: it holds no .tar file. Give a folder, a glob or a brace range of tars."
        )
    names = [shard.name for shard in shards]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ShardError(
            f"The input cannot be read as one corpus: {len(twice)} shard name(s) occur twice, such as {twice[0]}.tar. "
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
        _refuse_others(Path(pattern))
        return sorted(Path(pattern).glob("*.tar"))
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


def _shard(path: Path) -> Shard:
    if path.suffix != ".tar":
        raise ShardError(f"{path} cannot be read: shards are plain .tar files. Unpack or convert it first.")
    if not path.name.isprintable():  # it stands in lists of one line a file, and in JSON
        raise ShardError("A shard cannot be read: its name has a line end or bytes that are not UTF-8. Rename it.")
    return Shard(path.stem, str(path.absolute()))
