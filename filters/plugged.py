"""Near match by a hash that is plugged in: does a picture look like one on a list, as PhotoDNA, say, sees it?"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filters.finding import NOT_EFFECTIVE, PIXELS, Examine, Filter, Finding, Material
from filters.fingerprints import DIHEDRAL, Fingerprint
from filters.forms import whole
from filters.hashlists import HashList, HashTable
from filters.hashplugins import PHOTODNA, HashPlugin, plug_in, plug_in_material
from filters.lists import ListSource, hash_material, read_lists
from filters.rasters import Raster
from filters.sample import Batch

BLOCK_BYTES = 1 << 23  # of entries that a plug-in compares at once

Pixels = NDArray[np.uint8]

_TURNS: tuple[Callable[[Pixels], Pixels], ...] = (  # as DIHEDRAL names them
    lambda pixels: pixels,
    lambda pixels: np.rot90(pixels, 1),
    lambda pixels: np.rot90(pixels, 2),
    lambda pixels: np.rot90(pixels, 3),
    lambda pixels: pixels[::-1],
    lambda pixels: pixels[:, ::-1],
    lambda pixels: pixels.transpose(1, 0, 2),
    lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2),
)


@dataclass(frozen=True, slots=True)
class PluggedMatch:
    """Compare every picture that PDQ is taken of, turned, mirrored and inverted, by a hash that a package plugs in.

    `hash` is the name of its entry point (filters.hashplugins) and the algorithm that lists give. A finding's value is
    the distance, in the unit of that hash; a match lies within `max_distance`, or within what the hash's maker says
    where that is left out. Of all matches with a category of a list the nearest is told, once for each classification
    of that entry. "not-effective" says that no raster has such a hash, so that no match means little. Every entry is
    compared: that is exact, and its cost grows with the list.
    """

    name: Literal["plugged"] = "plugged"
    hash: str = PHOTODNA
    lists: tuple[ListSource, ...] = ()
    max_distance: float | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories of the lists, and "not-effective"."""
        return (*self.conclusive, NOT_EFFECTIVE)

    @property
    def conclusive(self) -> tuple[str, ...]:
        """The categories of the lists."""
        return tuple(dict.fromkeys(label for source in self.lists for label in source.labels))

    @property
    def looks_at(self) -> str:
        """Pictures themselves: a corpus without any has nothing for it."""
        return PIXELS

    def materials(self) -> tuple[Material, ...]:
        """Return the package of the hash, and the lists that hold it; ModelError or ListError when one is not there."""
        plug_in(self.hash)
        lists = read_lists(self.name, self.lists, (self.hash,))
        return (plug_in_material(self.hash), *map(hash_material, lists))

    def load(self) -> Examine:
        """Return the function that matches; errors as for `materials`."""
        plugin = plug_in(self.hash)
        lists = read_lists(self.name, self.lists, (self.hash,), stamped=True)
        reach = plugin.default_distance if self.max_distance is None else self.max_distance
        return lambda batch: [_examined(each, plugin, lists, reach) for each in _rows(self.name, batch)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One sample of a batch, and the filter that asks about it."""

    filter: str
    batch: Batch
    row: int

    def pictures(self) -> Iterator[Raster]:
        """Yield every form of every picture, each in memory of its own."""
        for raster in (each.raster for each in whole(self.batch.rasters(self.row).rasters)):
            for name, turn in zip(DIHEDRAL, _TURNS, strict=True):
                form = f"{raster.form}, {name}" if name else raster.form
                turned = np.array(turn(raster.pixels), order="C")
                yield Raster(turned, form)
                yield Raster(~turned, f"{form}, inverted")


def _rows(name: str, batch: Batch) -> Iterator[_Asked]:
    return (_Asked(name, batch, row) for row in range(len(batch)))


def plugged_lengths(filters: Iterable[Filter]) -> dict[str, int]:
    """Return the bytes of each hash that these filters plug in, by its name."""
    return {each.hash: plug_in(each.hash).length for each in filters if isinstance(each, PluggedMatch)}


def _examined(asked: _Asked, plugin: HashPlugin, lists: Sequence[HashList], reach: float) -> tuple[Finding, ...]:
    prints, failures = _hashed(asked, plugin)
    asked.batch.note(asked.row, plugin.name, prints)
    findings: list[Finding] = []
    try:
        for known in lists:
            findings.extend(_nearest(asked.filter, plugin, known, prints, reach))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of another package, which may fail in any way
        failures[f"comparing failed with {type(error).__name__}"] = None
    pictures = asked.batch.rasters(asked.row)
    if pictures.unexamined or not pictures.rasters:
        failures[pictures.unexamined or "no image"] = None
    elif not prints and not failures:
        findings.append(Finding(asked.filter, NOT_EFFECTIVE, form="no hash"))
    return (*findings, *(Finding(asked.filter, "unexamined", unexamined=why) for why in failures))


def _hashed(asked: _Asked, plugin: HashPlugin) -> tuple[list[Fingerprint], dict[str, None]]:
    """Return the hashes of all pictures of a sample, and why some could not be taken."""
    prints: list[Fingerprint] = []
    failures: dict[str, None] = {}
    for picture in asked.pictures():
        try:
            value = plugin.hash(picture.pixels)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of another package, which may fail in any way
            failures[f"hashing failed with {type(error).__name__}"] = None
            continue
        if isinstance(value, bytes) and len(value) == plugin.length:
            prints.append(Fingerprint(plugin.name, picture.form, value))
        elif value is not None:
            failures["hash of the wrong length"] = None
    return prints, failures


def _nearest(
    name: str, plugin: HashPlugin, known: HashList, prints: Sequence[Fingerprint], reach: float
) -> Iterator[Finding]:
    """Yield the nearest match of each category of a list; of equally near ones that of the first entry."""
    table = known.tables[plugin.name]
    best: dict[int, tuple[float, int, int]] = {}  # category -> distance, entry, which of the prints
    for number, each in enumerate(prints):
        for category, distance, entry in _near(plugin, each.value, table, reach):
            best[category] = min(best.get(category, (distance, entry, number)), (distance, entry, number))
    for category, (distance, first, number) in sorted(best.items()):
        for entry in table.alike(first):
            value = f"{plugin.name}:{table.values[entry].tobytes().hex()}"
            said = known.classifications[table.classifications[entry]]
            label = known.categories[category]
            yield Finding(name, label, distance, known.name, value, prints[number].form, classification=said)


def _near(plugin: HashPlugin, query: bytes, table: HashTable, reach: float) -> Iterator[tuple[int, float, int]]:
    """Yield, block by block, the nearest entry of each category within reach: category, distance and entry."""
    step = max(1, BLOCK_BYTES // plugin.length)
    for start in range(0, len(table), step):
        block = table.values[start : start + step].view()
        block.flags.writeable = False
        distances = _checked(plugin.distance(query, block), len(block))
        within = np.flatnonzero(distances <= reach)
        categories = table.categories[start + within]
        for category in np.unique(categories):
            rows = within[categories == category]
            row = int(rows[np.argmin(distances[rows])])
            yield int(category), float(distances[row]), start + row


def _checked(told: object, count: int) -> NDArray[np.float64]:
    """Return the distances that a plug-in told, or raise ValueError where they are none."""
    found = np.asarray(told)
    if found.shape != (count,) or found.dtype.kind not in "iuf":
        raise ValueError("as many distances as entries were wanted")
    distances = found.astype(np.float64)
    if not np.isfinite(distances).all() or (distances < 0).any():
        raise ValueError("a distance is a number that is not negative")
    return distances
