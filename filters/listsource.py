"""Which list, from whom, how old, and how it is to be read: what a policy says of a list."""

from dataclasses import dataclass, field
from datetime import date as day
from pathlib import Path
from typing import Literal

from filters.errors import ListError

COMPILED = "list.json"  # lies in every folder that `shardwall list build` wrote, and in no other
_NOT_RECORDED = {"recorded": False}  # changes no decision, so no manifest has it


@dataclass(frozen=True, slots=True)
class ListSource:
    """A list that an authority gave, where it lies and how to read it.

    `path` is a file, a folder of pages, or a folder that `shardwall list build` wrote. `category` is the label of its
    matches; an entry may carry another one of `categories`. `date` is the ISO day of the list and `max_age_days` the
    age above which it is refused; a fetched list knows its own. `format` says what wrote the file: "csv" is any
    table, or one value per line; the others hold hashes (filters.listformats) or URLs (filters.urlformats).

    `columns` pairs a role (value, algorithm, category, classification, language, id, match, or the name of an
    algorithm) with the name of a CSV column, or with "=" and a text that holds for every row: (("value", "hash"),
    ("algorithm", "=pdq")). Without a role that gives a value the file has no header and one value per line. The
    algorithm of a hash need not be said where 32 (md5) or 40 (sha1) hex digits tell; 64 digits may be sha256 or pdq and
    are refused until it is. `match` says how an entry of a URL list is meant (filters.urlentries).

    `canary` is a file of values that the list must hold, one per line. `flood_share` is the largest share (0..1) of a
    run's samples that it may match (filters.flood). `max_faults` is how many faulty entries are left out before the
    list is refused. `key` ("env:NAME" or "file:PATH") is the secret of a compiled list of URLs (filters.urlkeys). `url`
    and `credentials` (named likewise) are for `shardwall list fetch` alone.
    """

    name: str
    path: str
    kind: Literal["hashes", "urls", "terms"]
    category: str
    authority: str = ""
    version: str = ""
    date: str = ""
    max_age_days: int | None = None
    columns: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    format: Literal[
        "csv",
        "ncmec-v2",
        "stopncii-v1",
        "threatexchange",
        "hash-bank",
        "hosts",
        "domains",
        "adblock",
        "ut1",
        "sha256",
    ] = "csv"
    canary: str = ""
    flood_share: float | None = None
    max_faults: int = 0
    key: str = field(default="", repr=False, metadata=_NOT_RECORDED)
    url: str = field(default="", metadata=_NOT_RECORDED)
    credentials: tuple[str, ...] = field(default=(), repr=False, metadata=_NOT_RECORDED)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every category that an entry of this list may have, its own first."""
        return tuple(dict.fromkeys((self.category, *self.categories)))

    @property
    def compiled(self) -> bool:
        """Whether `path` is a folder that `shardwall list build` wrote, whatever the list was compiled from."""
        folder = Path(self.path)
        return folder.is_dir() and (self.format == "csv" or (folder / COMPILED).exists())


def refusal(source: ListSource, why: str) -> ListError:
    """Return the error that names the list; `why` says what is wrong and what to do, and quotes no entry."""
    return ListError(f"list {source.name!r} cannot be used: {why}.")


def age_days(source: ListSource, dated: str, today: day | None) -> int | None:
    """Return the days since the ISO day `dated`, None without one; ListError when it is no day or lies ahead.

    A list from the future would never grow stale, so it is refused as well; one day is left for time zones.
    """
    if not dated:
        return None
    try:
        age = ((today or day.today()) - day.fromisoformat(dated)).days
    except ValueError:
        raise refusal(source, "its `date` is not a day; write it as 2026-11-21") from None
    if age < -1:
        raise refusal(source, "its `date` lies in the future. Correct it, or the clock of this machine")
    return max(age, 0)


def staleness(source: ListSource, age: int | None) -> str:
    """Return why a list of this age is refused; empty when it is fresh enough, or no `max_age_days` is set."""
    if source.max_age_days is None:
        return ""
    if age is None:
        return "`max_age_days` is set, but the list has no `date`. Add the day it was fetched"
    if age > source.max_age_days:
        return f"it is {age} days old, and `max_age_days` is {source.max_age_days}. Fetch it again"
    return ""
