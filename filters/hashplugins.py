"""Perceptual hashes that Shardwall does not ship: what a package must offer to plug one in, and how it is found.

Some hashes, PhotoDNA above all, come from a library that is licensed to you and to nobody else. A package beside it
offers, as an entry point of the group "shardwall.hashes" and under the name of the hash, an object as `HashPlugin`
describes it:

    [project.entry-points."shardwall.hashes"]
    photodna = "our_photodna:HASH"

docs/plugins.md has a whole example.
"""

import hashlib
import math
import re
from importlib.metadata import Distribution, EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError
from filters.finding import Material
from filters.fingerprints import DIGESTS, PERCEPTUAL

GROUP = "shardwall.hashes"
PHOTODNA = "photodna"  # the kind that authorities' lists carry; 144 bytes
NAME = re.compile("[a-z][a-z0-9]{1,30}")  # as lists name it, without the hyphens, blanks and capitals of some of them
_LENGTHS = range(8, 4097)  # bytes; below 8, hexadecimal and base64 could not be told apart
_WANTED = "an installed package must offer it as an entry point of the group " + GROUP


class HashPlugin(Protocol):
    """A perceptual hash and its distance; it is loaded once in each process and asked by one thread."""

    @property
    def name(self) -> str:
        """The kind of the hash, as its entry point and lists name it: small letters and digits."""

    @property
    def length(self) -> int:
        """The bytes of a hash."""

    @property
    def default_distance(self) -> float:
        """The distance up to which its maker calls two pictures the same."""

    def hash(self, pixels: NDArray[np.uint8]) -> bytes | None:
        """Return the hash of a picture, RGB (height, width, 3); None of one whose hash would mean nothing."""

    def distance(self, query: bytes, entries: NDArray[np.uint8]) -> NDArray[np.floating | np.integer]:
        """Return the distance of the query to each entry, uint8 (n, length): n finite numbers, none negative."""


def plug_in(name: str) -> HashPlugin:
    """Return the hash of this name, or raise ModelError: no package offers it, two do, or it is not what it should be.

    Loading it runs the code of its package.
    """
    entry = _entry(name)
    try:
        found: HashPlugin = entry.load()
        why = _wrong(name, found)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of another package, which may fail in any way
        why = f"its package cannot be loaded ({type(error).__name__})"
    if why:
        raise _refusal(name, f"{why}. Mend or reinstall {_distribution(entry)}")
    return found


def length_of(name: str) -> int | None:
    """Return the bytes of a hash that is plugged in, None of any other name."""
    if not NAME.fullmatch(name) or not _offers(name):
        return None
    try:
        return plug_in(name).length
    except ModelError:
        return None  # told by the filter that needs it


def plug_in_material(name: str) -> Material:
    """Return what a manifest records of the hash: the package that offers it, its version and a digest of its files."""
    entry = _entry(name)
    return Material("plug-in", name, _distribution(entry), _digest(entry))


def plugged_in() -> dict[str, str]:
    """Return for each hash that a package offers which one it is, or why it cannot be used."""
    told = {}
    for name in sorted({entry.name for entry in entry_points(group=GROUP)}):
        try:
            found = plug_in(name)
            told[name] = f"{_distribution(_entry(name))}, {found.length} bytes, up to {found.default_distance:g}"
        except ModelError as error:
            told[name] = str(error)
    return told


def _entry(name: str) -> EntryPoint:
    if not NAME.fullmatch(name):
        raise ModelError("filter 'plugged': its `hash` is no name of small letters and digits. Write one, as photodna.")
    if name in DIGESTS or name in PERCEPTUAL:
        raise _refusal(name, "Shardwall has it already, in the filters digests and perceptual. Name another one")
    offers = _offers(name)
    if not offers:
        others = sorted(each.name for each in entry_points(group=GROUP))
        known = f" Installed are {', '.join(others)}." if others else ""
        raise _refusal(name, f"{_WANTED}, and none does.{known} Install it, or drop the filter")
    if len(offers) > 1:
        raise _refusal(name, f"{len(offers)} packages offer it, and nobody can tell which one holds. Keep one of them")
    return offers[0]


def _offers(name: str) -> list[EntryPoint]:
    return [each for each in entry_points(group=GROUP) if each.name == name]


def _wrong(name: str, found: HashPlugin) -> str:
    """Return what is wrong with an object that a package offers; nothing where it can be used."""
    if found.name != name:
        return "it bears another name than its entry point"
    if isinstance(found.length, bool) or not isinstance(found.length, int) or found.length not in _LENGTHS:
        return f"its length is no number of {_LENGTHS[0]} to {_LENGTHS[-1]} bytes"
    if not (math.isfinite(found.default_distance) and found.default_distance >= 0):
        return "its default distance is no distance"
    if not (callable(found.hash) and callable(found.distance)):
        return "it has no hash or no distance that can be called"
    return ""


def _refusal(name: str, why: str) -> ModelError:
    return ModelError(f"the hash {name!r} cannot be used: {why}.")


def _distribution(entry: EntryPoint) -> str:
    owner = entry.dist
    return f"{owner.metadata['Name']} {owner.version}" if owner else entry.module


def _digest(entry: EntryPoint) -> str:
    """Return one SHA-256 over the files of a package: over those that its record names, else over the module's file."""
    spec = find_spec(entry.module)
    files = _files(entry.dist) if entry.dist else {}
    if not files and spec and spec.origin:
        files = {entry.module: Path(spec.origin)}
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(owner: Distribution) -> dict[str, Path]:
    found = {str(each): Path(str(each.locate())) for each in owner.files or () if each.suffix != ".pyc"}
    return {name: path for name, path in found.items() if ".dist-info/" not in name and path.is_file()}
