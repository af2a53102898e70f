"""Windows of time, which meet at whole seconds without gap or overlap."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The entries that changed after `begin` and not after `end`."""

    begin: datetime
    end: datetime

    @property
    def link(self) -> str:
        """The query for its first page."""
        return "/v2/entries?" + urlencode({"from": iso(self.begin), "to": iso(self.end)})

    @property
    def divisible(self) -> bool:
        """Whether it is longer than a second."""
        return self.end - self.begin > SECOND

    def halves(self) -> tuple["Window", "Window"]:
        """The later half, then the earlier one."""
        middle = self.begin + (self.end - self.begin) // SECOND // 2 * SECOND
        return Window(middle, self.end), Window(self.begin, middle)


def clock() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def iso(instant: datetime) -> str:
    """Return a moment in UTC as ISO 8601, to the second."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Return the moment that ISO 8601 text names."""
    return datetime.fromisoformat(text)
