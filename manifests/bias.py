"""On whom does the filtering fall? What share of each group is withheld or marked, and how far from that of all others.

The intervals treat samples as independent of each other. Copies and samples of one page are decided together, so where
a group consists of few pictures, its true interval is wider.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from filters.policy import ADULT, MINOR, WITHHELD
from manifests.intervals import CONFIDENCE, Interval, clopper_pearson, difference
from manifests.manifest import Decision

SMALL_GROUP = 30  # samples; with fewer, a group of which none was withheld could still lose 1 in 9 (Clopper-Pearson)
BURDENS = (WITHHELD, ADULT, MINOR)  # kept out of every partition, or marked as being of one side of the wall


@dataclass(frozen=True, slots=True)
class Burden:
    """How many of a group of `samples` a decision falls on.

    `share` has the exact interval of Clopper and Pearson at 95 %. `gap` is the share less that of all other groups
    together, with Newcombe's interval; those of all groups hold at once in about 95 % (Bonferroni). None without any.
    """

    group: str
    samples: int
    burdened: int
    share: Interval
    gap: Interval | None

    @property
    def small(self) -> bool:
        """Whether the group is too small to tell much."""
        return self.samples < SMALL_GROUP

    @property
    def apart(self) -> bool:
        """Whether chance does not explain that the decision falls on the group more, or less, than on the others."""
        return self.gap is not None and not self.gap.low <= 0 <= self.gap.high


def burdens(
    decisions: Iterable[Decision], group_of: Callable[[Decision], str | None]
) -> tuple[dict[str, list[Burden]], int]:
    """Return for "withheld", "adult" and "minor" the burden of each group, the largest first.

    The number is that of the samples of no group (None), which are in none of these.
    """
    sizes: Counter[str] = Counter()
    borne: dict[str, Counter[str]] = {name: Counter() for name in BURDENS}
    outside = 0
    for each in decisions:
        if (group := group_of(each)) is None:
            outside += 1
            continue
        sizes[group] += 1
        for name in (*each.marks, WITHHELD) if each.withheld else each.marks:
            if name in borne:
                borne[name][group] += 1
    return {name: _burdens(sizes, counts) for name, counts in borne.items()}, outside


def _burdens(sizes: Mapping[str, int], borne: Mapping[str, int]) -> list[Burden]:
    samples, burdened = sum(sizes.values()), sum(borne.values())
    confidence = 1 - (1 - CONFIDENCE) / max(len(sizes), 1)
    found = []
    for group, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        own, others = borne.get(group, 0), samples - size
        gap = difference(own, size, burdened - own, others, confidence) if others else None
        found.append(Burden(group, size, own, clopper_pearson(own, size), gap))
    return found
