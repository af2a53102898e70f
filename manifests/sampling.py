"""A stratified sample of the kept, and the upper bound on what is left that a person's answers about it give.

It rests on no model and on no labelled set: only on the draw being random and on the answers being true.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scipy.special import gammaincinv
from scipy.stats import hypergeom

from filters.finding import Finding, keyed
from filters.policy import APART, Policy, Rule
from manifests.manifest import Decision

CONFIDENCE = 0.95
NO_SCORE = "no score"
BANDS = ("far", "middle", "near")  # thirds of the way to the nearest threshold


@dataclass(frozen=True, slots=True, order=True)
class Stratum:
    """Kept samples that are alike: a partition, how near their scores come to a threshold, and their source."""

    partition: str
    band: str
    source: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """One sample that a person is asked about."""

    stratum: Stratum
    shard: str
    index: int
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The samples to be looked at, and the number of samples in each stratum that they stand for."""

    sizes: Mapping[Stratum, int]
    chosen: Sequence[Chosen]


@dataclass(frozen=True, slots=True)
class Answered:
    """A stratum of `size` samples: `drawn` were chosen and `found` of them are of the mark, or not known not to be."""

    size: int
    drawn: int
    found: int


def draw(policy: Policy, decisions: Iterable[Decision], number: int, key: bytes, seed: int) -> Plan:
    """Choose `number` samples of each partition, or all of a smaller one; the same for the same key and seed.

    Within a partition strata are sampled in proportion, for the bound is set by the one that is sampled least. The
    draw follows keyed digests of place: nobody without the run's key can tell which samples will be looked at.
    """
    sizes: dict[Stratum, int] = {}
    nearest: dict[Stratum, list[tuple[str, Chosen]]] = {}
    for each in decisions:
        if each.withheld:
            continue
        stratum = Stratum(each.partition, band(policy, each.partition, each.findings), source_of(each.shard))
        sizes[stratum] = sizes.get(stratum, 0) + 1
        lot = keyed(key, "sample", str(seed), each.shard, str(each.index))
        drawn = nearest.setdefault(stratum, [])
        drawn.append((lot, Chosen(stratum, each.shard, each.index, each.key)))
        if len(drawn) >= 2 * number + 64:
            nearest[stratum] = _first(drawn, number)
    chosen: list[Chosen] = []
    for partition in sorted({stratum.partition for stratum in sizes}):
        strata = sorted(stratum for stratum in sizes if stratum.partition == partition)
        for stratum, share in zip(strata, allocate([sizes[each] for each in strata], number), strict=True):
            chosen += [each for _, each in _first(nearest[stratum], share)]
    return Plan(dict(sorted(sizes.items())), chosen)


def allocate(sizes: Sequence[int], number: int) -> list[int]:
    """Return how many to draw of each stratum: at least one, in all `number`, the least sampled share being largest.

    Where there are more strata than `number`, one of each is drawn all the same.
    """
    drawn = [min(1, size) for size in sizes]
    shares = [(1 / size, place) for place, size in enumerate(sizes) if size > 1]
    heapq.heapify(shares)
    for _ in range(number - sum(drawn)):
        if not shares:
            break
        _, place = heapq.heappop(shares)
        drawn[place] += 1
        if drawn[place] < sizes[place]:
            heapq.heappush(shares, (drawn[place] / sizes[place], place))
    return drawn


def most_left(strata: Sequence[Answered], confidence: float = CONFIDENCE) -> int:
    """Return at most how many samples of the strata are of the mark, wrong with probability 1 - confidence at most.

    Strata that were looked at whole are known. For a single other one the bound is exact, from the hypergeometric
    distribution: the largest K that does not make so few findings less likely than 1 - confidence.

    For several, let K be the true numbers, f the shares drawn and X the number found in all. The number found in a
    stratum is hypergeometric, so a sum of independent yes-or-no events (Vatutin and Mikhailov, Theory of Probability
    and its Applications 27, 1982), so X is one too, of mean m = sum(f * K). For such sums P(X <= x) is at most that of
    a Poisson variable of the same mean when x <= m - 1 (Hoeffding, Annals of Mathematical Statistics 27, 1956; Anderson
    and Samuels, 5th Berkeley Symposium I, 1967). So with M such that P(Poisson(M) <= x) = 1 - confidence, every K with
    sum(f * K) > M is refused, and the bound is the largest sum(K) that is not: it puts all that it can where least was
    drawn. No stratum has to hold by itself, as it would when each took its part of the risk (Bonferroni).
    """
    known = sum(each.found for each in strata if each.drawn == each.size)
    open_strata = [each for each in strata if each.drawn < each.size]
    if len(open_strata) <= 1:
        return known + sum(_most_of_one(each, confidence) for each in open_strata)
    found = sum(each.found for each in open_strata)
    budget = float(gammaincinv(found + 1, confidence)) + 1e-9
    total = known + found
    budget -= sum(each.found * each.drawn / each.size for each in open_strata)
    for each in sorted(open_strata, key=lambda one: one.drawn / one.size):
        unseen, share = each.size - each.drawn, each.drawn / each.size
        more = min(unseen, int(budget / share)) if share else unseen
        total, budget = total + more, budget - more * share
    return total


def band(policy: Policy, partition: str, findings: Iterable[Finding]) -> str:
    """Return how near the scores of a sample come to a threshold whose mark its partition does not allow."""
    allowed = next((set(each.allows) for each in policy.partitions if each.name == partition), set[str]())
    rules = [rule for rule in policy.rules if rule.mark not in allowed and not rule.beside]
    shares = [share for finding in findings for rule in rules if (share := _way(rule, finding)) is not None]
    if not shares:
        return NO_SCORE
    return BANDS[min(int(max(shares) * len(BANDS)), len(BANDS) - 1)]


def source_of(shard: str) -> str:
    """Return the source that the name of a shard tells: what stands before its number."""
    return shard.rstrip("0123456789").rstrip("-_.") or "numbered shards"


def asked(policy: Policy, partition: str) -> tuple[str, ...]:
    """Return the marks that a person is asked about in a partition: those of both sides of the wall it forbids."""
    allowed = next((set(each.allows) for each in policy.partitions if each.name == partition), set[str]())
    return tuple(sorted(APART - allowed))


def _first(drawn: list[tuple[str, Chosen]], number: int) -> list[tuple[str, Chosen]]:
    return heapq.nsmallest(number, drawn, key=lambda each: each[0])


def _way(rule: Rule, finding: Finding) -> float | None:
    """Return how much of the way to the one threshold of a rule a finding has come; None where they do not meet."""
    if rule.filter != finding.filter or (rule.labels and finding.label not in rule.labels):
        return None
    if finding.value is None or finding.unexamined or (rule.at_least is None) == (rule.at_most is None):
        return None
    value, threshold = finding.value, rule.at_least if rule.at_least is not None else rule.at_most or 0.0
    if rule.at_least is not None:
        return max(value / threshold, 0.0) if threshold > 0 else 1.0
    return max(threshold / value, 0.0) if value > 0 else 1.0


def _most_of_one(stratum: Answered, confidence: float) -> int:
    """Return the largest number of a mark in a stratum that its sample does not refuse."""
    least, most = stratum.found, stratum.size - stratum.drawn + stratum.found
    while least < most:  # P(found so few) falls as the number grows
        middle = (least + most + 1) // 2
        likely = hypergeom.cdf(stratum.found, stratum.size, middle, stratum.drawn) > 1 - confidence
        least, most = (middle, most) if likely else (least, middle - 1)
    return least
