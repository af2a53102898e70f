"""How many samples went where: exact for the restricted store, and with small numbers hidden for the public."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from manifests.manifest import Decision, reason

SMALL = 10  # counts below are not published
FEW = "<10"
MANY = "10 or more"  # hidden so that a small count beside it cannot be worked out
ANY_REASON = "withheld, whatever the reason"

_Cell = TypeVar("_Cell", int, str)


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples kept per partition, and withheld per most severe reason."""

    kept: Mapping[str, int]
    withheld: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PublicCounts:
    """Samples kept per partition, and withheld per reason as "123", "<10" or "10 or more"."""

    kept: Mapping[str, int]
    withheld: Mapping[str, str]


def count(decisions: Iterable[Decision]) -> Counts:
    """Count decisions by where the samples went."""
    kept: Counter[str] = Counter()
    withheld: Counter[str] = Counter()
    for each in decisions:
        if each.withheld:
            withheld[reason(each)] += 1
        else:
            kept[each.partition] += 1
    return Counts(_sorted(kept), _sorted(withheld))


def total(parts: Iterable[Counts]) -> Counts:
    """Add up the counts of several shards, in any order."""
    kept: Counter[str] = Counter()
    withheld: Counter[str] = Counter()
    for each in parts:
        kept.update(each.kept)
        withheld.update(each.withheld)
    return Counts(_sorted(kept), _sorted(withheld))


def public_counts(counts: Counts) -> PublicCounts:
    """Return what may be published of the counts of a whole run.

    No count below 10 can be worked out from the others and the total, which kept rows and input give away: as long
    as one could, the next smallest count is hidden too, and at last the reasons are told as one.
    """
    cells = sorted((number, name) for name, number in counts.withheld.items())
    numbers = [number for number, _ in cells]
    hidden = sum(number < SMALL for number in numbers)
    while hidden and _gives_away(numbers[:hidden], numbers[hidden] if hidden < len(cells) else inf):
        if hidden == len(cells):
            return PublicCounts(_sorted(counts.kept), {ANY_REASON: _veiled(sum(numbers))})
        hidden += 1
    shown = {name: str(number) for number, name in cells[hidden:]}
    return PublicCounts(_sorted(counts.kept), _sorted(shown | {name: _veiled(n) for n, name in cells[:hidden]}))


def _gives_away(hidden: Sequence[int], smallest_shown: float) -> bool:
    """Tell whether the sum of the hidden counts leaves a small one no second value."""
    ranges = [(1, SMALL - 1) if number < SMALL else (SMALL, smallest_shown) for number in hidden]
    least, most = sum(low for low, _ in ranges), sum(high for _, high in ranges)
    spare, lack = sum(hidden) - least, most - sum(hidden)
    return any(min(low + spare, high) <= max(high - lack, low) for low, high in ranges if high < SMALL)


def _veiled(number: int) -> str:
    return FEW if number < SMALL else MANY


def _sorted(cells: Mapping[str, _Cell]) -> dict[str, _Cell]:
    return dict(sorted(cells.items()))
