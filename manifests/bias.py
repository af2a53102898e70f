"""On whom does the filtering fall? The withheld share of each group, and how far it lies from that of all others.

The intervals treat samples as independent of each other. Copies and samples of one page are decided together, so where
a group consists of few pictures, its true interval is wider.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from manifests.intervals import CONFIDENCE, Interval, clopper_pearson, difference
from manifests.manifest import Decision

SMALL_GROUP = 30  # samples; with fewer, a group of which none was withheld could still lose 1 in 9 (Clopper-Pearson)


@dataclass(frozen=True, slots=True)
class Burden:
    """How much of a group of `samples` was withheld.

    `share` has the exact interval of Clopper and Pearson at 95 %. `gap` is the share less that of all other groups
    together, with Newcombe's interval; those of all groups hold at once in about 95 % (Bonferroni). None without any.
    """

    group: str
    samples: int
    withheld: int
    share: Interval
    gap: Interval | None

    @property
    def small(self) -> bool:
        """Whether the group is too small to tell much."""
        return self.samples < SMALL_GROUP

    @property
    def apart(self) -> bool:
        """Whether chance does not explain that the group loses more, or less, than the others."""
        return self.gap is not None and not self.gap.low <= 0 <= self.gap.high


def burdens(decisions: Iterable[Decision], group_of: Callable[[Decision], str | None]) -> tuple[list[Burden], int]:
    """Return the burden of each group, the largest first, and how many samples are of no group (None)."""
    counts: dict[str, list[int]] = {}
    outside = 0
    for each in decisions:
        if (group := group_of(each)) is None:
            outside += 1
            continue
        of_group = counts.setdefault(group, [0, 0])
        of_group[0] += 1
        of_group[1] += each.withheld
    samples, withheld = (sum(of_group[place] for of_group in counts.values()) for place in (0, 1))
    each_confidence = 1 - (1 - CONFIDENCE) / max(len(counts), 1)
    found = []
    for group, (size, lost) in sorted(counts.items(), key=lambda item: (-item[1][0], item[0])):
        others = samples - size
        gap = difference(lost, size, withheld - lost, others, each_confidence) if others else None
        found.append(Burden(group, size, lost, clopper_pearson(lost, size), gap))
    return found, outside
