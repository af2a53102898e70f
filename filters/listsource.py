"""Which list, from whom, how old, and how it is to be read: what a policy says of a list."""

from dataclasses import dataclass
from datetime import date as day
from typing import Literal

from filters.errors import ListError


@dataclass(frozen=True, slots=True)
class ListSource:
    """A list that an authority gave, where it lies and how to read it.

    `path` is a text file, or a folder that `shardwall list build` wrote. `category` is the label of its matches; a row
    may carry another one of `categories` in the column of that role. `date` is the ISO day of the list and
    `max_age_days` the age above which it is refused.

    `columns` pairs a role (value, algorithm, category, language, id) with the name of a CSV column, or with "=" and a
    text that holds for every row: (("value", "hash"), ("algorithm", "=pdq")). Without the role "value" the file has no
    header and one value per line. The algorithm of a hash need not be said where 32 (md5) or 40 (sha1) hex digits
    tell; 64 digits may be sha256 or pdq and are refused until it is.
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

    @property
    def labels(self) -> tuple[str, ...]:
        """Every category that an entry of this list may have, its own first."""
        return tuple(dict.fromkeys((self.category, *self.categories)))


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
