"""By what samples are told apart in a table: their shard, a column of a file of one's own, or their sidecar.

A sidecar is read when somebody asks, and what it says is counted and forgotten: evidence has no address and no caption.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filters.errors import LabelError, ShardError
from manifests.manifest import Decision
from manifests.sampling import source_of
from pipelines.labels import cells
from pipelines.layout import Layout, read_run
from pipelines.sidecar import sidecars

SHARD, KEY = "shard", "key"
SOURCE, LANGUAGE, DOMAIN = "source", "language", "domain"
NONE = "(none)"  # the file or sidecar says nothing of the sample
MOST_VALUES = 1_000  # of one group column; more are no groups, and could be keys
LONGEST_VALUE = 100  # characters of the name of a group

Lookup = Callable[[str], Callable[[str], str]]  # by shard, then by key


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of samples by one column: `of` gives by shard and then by key the group, or "(none)".

    `rests_on` says in words where that is known from.
    """

    column: str
    rests_on: str
    of: Lookup = field(repr=False)
    _open: dict[str, Callable[[str], str]] = field(default_factory=dict, repr=False)

    def group(self, decision: Decision) -> str:
        """Return the group of a sample; decisions come shard by shard, and one shard is held at a time."""
        if decision.shard not in self._open:
            self._open.clear()
            self._open[decision.shard] = self.of(decision.shard)
        return self._open[decision.shard](decision.key)


def groups_by(output: Path, column: str, file: Path | None) -> Groups:
    """Return the groups by a column of `file`, or without one by shard, source, language or domain."""
    if file is not None:
        return _from_file(file, column)
    if column == SHARD:
        return Groups(column, "the name of the shard", lambda shard: lambda _: shard)
    if column == SOURCE:
        return Groups(column, "what stands before the number in the name of the shard", _by_source)
    layout = Layout(output)
    paths = {name: Path(str(path)) for name, path in read_run(layout)["shards"].items()}
    if column == DOMAIN:
        return Groups(column, "the host of `url` in the sidecars", _by_sidecar(paths, "url", _host))
    if column == LANGUAGE:
        return Groups(column, "the language of `caption` in the sidecars", _by_sidecar(paths, "caption", _language))
    raise LabelError(
        f"nothing tells samples apart by {column!r}. Take shard, source, domain or language, or give a file with the "
        f"columns shard, key and {column}."
    )


def _by_source(shard: str) -> Callable[[str], str]:
    source = source_of(shard)
    return lambda _: source


def _from_file(file: Path, column: str) -> Groups:
    if column in (SHARD, KEY):
        raise LabelError(f"{file.name} cannot be grouped by {column!r}: that names samples. Choose another column.")
    found: dict[str, dict[str, str]] = {}
    names: set[str] = set()
    for number, (shard, key, group) in cells(file, (SHARD, KEY, column)):
        name = group.strip() or NONE
        if len(name) > LONGEST_VALUE or not name.isprintable():
            raise LabelError(f"{file.name} cannot be used: row {number} holds text that names no group. Correct it.")
        if found.setdefault(shard.removesuffix(".tar"), {}).setdefault(key, name) != name:
            raise LabelError(f"{file.name} cannot be used: row {number} puts a sample into a second group. Correct it.")
        names.add(name)
    if len(names) > MOST_VALUES:
        raise LabelError(f"{file.name} cannot be used: its column has more than {MOST_VALUES} values. Join some.")
    return Groups(column, f"the column {column!r} of {file.name}", lambda shard: _within(found.get(shard, {})))


def _within(of_shard: dict[str, str]) -> Callable[[str], str]:
    return lambda key: of_shard.get(key, NONE)


def _by_sidecar(paths: dict[str, Path], column: str, name: Callable[[str], str]) -> Lookup:
    def of(shard: str) -> Callable[[str], str]:
        sidecar = sidecars(paths[shard]).get("parquet")
        if sidecar is None:
            raise ShardError(
                f"{shard}.tar has no Parquet sidecar beside it, so nobody can tell the {column} of its samples. Give a "
                "file with the columns shard, key and one of your own."
            )
        return _within({key: name(text) for key, text in _columns(sidecar, column)})

    return of


def _columns(sidecar: Path, column: str) -> Iterator[tuple[str, str]]:
    """Yield key and text of each row, or raise ShardError, which quotes nothing."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(sidecar) as file:
            table = file.read(columns=[KEY, column])
        pairs = list(zip(*(table[name].cast("string").to_pylist() for name in (KEY, column)), strict=True))
    except (Exception, MemoryError):  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise ShardError(f"{sidecar.name} cannot be read, or has no columns key and {column}. Mend it.") from None
    yield from ((key, text) for key, text in pairs if isinstance(key, str) and isinstance(text, str))


def _host(url: str) -> str:
    from filters.addresses import AddressError, canonical

    try:
        host = canonical(url).host.removeprefix("www.")
    except AddressError:
        return NONE
    return host if 0 < len(host) <= LONGEST_VALUE and host.isprintable() else NONE


def _language(caption: str) -> str:
    from filters.languages import languages
    from filters.textforms import plain

    return " + ".join(languages(plain(caption))) or NONE
