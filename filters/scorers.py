"""Scorers of other people: a function in an installed package, named by the entry point group "shardwall.scorers".

A package has one small file:

    def sharpness(embedding: str, dimension: int):
        def score(vector):          # a normalised embedding, float32 (dimension,)
            return float(vector[0] > 0)
        return score                # 0..1

and says in its pyproject.toml: [project.entry-points."shardwall.scorers"] sharpness = "that_file:sharpness".

It is looked at only where a policy names it, with a digest over all files of the package: code decides as weights do.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError
from filters.finding import Material
from filters.heads import Head, HeadSource
from filters.towers import nearest

GROUP = "shardwall.scorers"
OF_THE_INSTALLER = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")  # not the package's own


@dataclass(frozen=True, slots=True)
class Scorer:
    """An installed scorer: its name, the package it comes with, and the hex digest over the files of that package."""

    name: str
    package: str
    sha256: str  # empty where the module is none of the files that the package installed
    entry: EntryPoint = field(repr=False)

    def material(self) -> Material:
        """Return how the manifest records it."""
        return Material("weights", f"scorer {self.name}", self.package, self.sha256, calibrated=False)


def installed() -> tuple[Scorer, ...]:
    """Return every scorer that is installed, by name; none of them is imported."""
    found = [
        Scorer(entry.name, f"{each.name} {each.version}", _digest(each, entry.module), entry)
        for each in distributions()
        for entry in each.entry_points
        if entry.group == GROUP
    ]
    return tuple(sorted(found, key=lambda scorer: (scorer.name, scorer.package)))


def chosen(head: HeadSource) -> Scorer:
    """Return the scorer that a head names, or raise ModelError where it is missing or not the pinned one."""
    every = installed()
    named = [each for each in every if each.name == head.scorer]
    if len(named) != 1:
        why = "two packages bring it" if named else "no installed package brings it"
        raise ModelError(
            f"the scorer {head.scorer} cannot be used: {why}{nearest(head.scorer, [each.name for each in every])}. "
            "`shardwall weights list` tells which there are."
        )
    if not named[0].sha256:
        raise ModelError(
            f"the scorer {head.scorer} cannot be trusted: its module is not among the files of {named[0].package} (an "
            "editable installation?), so no digest covers it. Install the package as a whole."
        )
    if not head.sha256:
        raise ModelError(
            f"the scorer {head.scorer} cannot be trusted: no digest is pinned for it. Read its code, then give the "
            "SHA-256 that `shardwall weights list` tells."
        )
    if named[0].sha256 != head.sha256.strip().lower():
        raise ModelError(
            f"the scorer {head.scorer} is not the pinned one: the SHA-256 over its package begins "
            f"{named[0].sha256[:12]}, not {head.sha256[:12].lower()}. Install that one, or pin this after reading it."
        )
    return named[0]


def load_scorer(head: HeadSource, embedding: str, dimension: int) -> Head:
    """Return the head of an installed scorer, or raise ModelError when it cannot be had for this embedding."""
    scorer = chosen(head)
    try:
        judge: Callable[[Any], Any] = scorer.entry.load()(embedding, dimension)
    except Exception as error:  # noqa: BLE001 - it is anybody's code
        raise ModelError(
            f"the scorer {head.scorer} cannot be loaded for {embedding} ({type(error).__name__}). Ask who wrote it, or "
            "leave the head out."
        ) from None

    def score(vector: NDArray[np.float32]) -> float:
        return float(judge(vector.copy()))  # what it does to its vector is its own affair

    return Head(head.label, scorer.sha256[:12], score)


def _digest(package: Distribution, module: str) -> str:
    """Return the digest over path and content of every file that the package installed, compiled ones left out."""
    files = {path.as_posix(): path for path in package.files or () if path.suffix != ".pyc"}
    stem = module.replace(".", "/")
    if not any(name in files for name in (f"{stem}.py", f"{stem}/__init__.py")):
        return ""
    digest = hashlib.sha256()
    for name in sorted(files):
        if files[name].name not in OF_THE_INSTALLER:
            content = hashlib.sha256(_bytes(files[name].locate())).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _bytes(file: Any) -> bytes:
    try:
        found: bytes = file.read_bytes()
    except OSError:
        return b""
    return found
