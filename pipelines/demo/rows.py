"""Rows of a download list, as img2dataset would have met them, and what is expected of those that were planted."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GENERAL = "general"
MINORS = "minors"
ADULT = "adult"
WITHHELD = "withheld"
KEPT = "kept"  # in any partition: planted to be left alone
NO_ROW = "no row"  # lost with the end of a cut shard: no decision of its own, and in no partition
TIES = "ties"  # the reason where a mark came from another sample


@dataclass(frozen=True, slots=True)
class Plant:
    """What was planted in a sample and where it must end, decided before any run.

    `expected` is a partition, "withheld", or "kept" for any partition; `because` is the filter or the mark
    that has to be among the reasons, or "ties"; empty where none is asked for.
    """

    case: str
    expected: str
    because: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a download list and, unless `error` says why it failed, the file that was stored for it.

    `size` is the stored and `original_size` the downloaded (width, height), None where nobody measured; `sha256` is of
    the download, in hex. What no downloader would write: `text` and `meta` replace the bytes of the txt and json
    member, `more` are further members (suffix, bytes), `links` names suffixes stored as symbolic links, `split` rows
    lie interleaved with neighbours that are split too, and `again` takes the key of the row before.
    """

    url: str = field(repr=False)
    caption: str = field(repr=False)
    image: bytes = field(repr=False, default=b"")
    suffix: str = "jpg"
    size: tuple[int, int] | None = None
    original_size: tuple[int, int] | None = None
    sha256: str = field(repr=False, default="")
    columns: Mapping[str, Any] = field(repr=False, default_factory=dict)
    error: str = ""
    plant: Plant | None = None
    text: bytes | None = field(repr=False, default=None)
    meta: bytes | None = field(repr=False, default=None)
    more: tuple[tuple[str, bytes], ...] = field(repr=False, default=())
    links: tuple[str, ...] = ()
    split: bool = False
    again: bool = False


def digest(data: bytes) -> str:
    """Return the SHA-256 of these bytes in hex."""
    return hashlib.sha256(data).hexdigest()
