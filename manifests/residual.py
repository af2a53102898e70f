"""How much of each mark may be left in each partition: an upper bound from calibrations and counts, or none.

What is bounded. Of a mark such as "adult", `missed` pictures of the corpus truly are adult, and every filter saw them,
yet the calibrated rule did not flag them. Wherever in the output they lie, there are no more than `missed`: that is the
bound for all partitions together, and so for each of them, where it is also no more than the samples without the mark.

What is assumed. Each picture that truly is of the mark is flagged with a probability of at least the recall of the
calibrated rule, and independently of the others. So the labelled samples of the mark must be a random sample of those
in the corpus (or harder to find), labelled truly; and the threshold was set without looking at them, or by asking them
for a recall: then it lies at a fixed rank among them, and the lower end of the interval is the exact tolerance limit
(S. S. Wilks, Annals of Mathematical Statistics 12, 1941, 91-96). How rare the mark is, and how often the rule flags
what is not of it, need not be alike: precision is not used. Copies of one picture are found or missed together, so what
is bounded is the number of different pictures.

Derivation. Let `flagged` be the samples that the rule flagged, X those of them that truly are of the mark, T = X +
missed all that are. Two steps, each of which fails with probability a = (1 - confidence) / 2 at most:

1. The recall r is at least `recall_low`, the lower end of the calibration's two-sided interval.
2. Given r, X is Binomial(T, r). Let T(x) be the largest t with P(Binomial(t, r) <= x) > a: the event T > T(X) has a
   probability of at most a, so missed = T - X <= T(X) - X. As P(Binomial(x + m, r) <= x) is the probability that at
   least m failures come before success x + 1, T(x) - x is the largest m with P(NegativeBinomial(x + 1, r) >= m) > a:
   a quantile, which grows with x and as r falls.

X is not known, but X <= flagged, so the bound holds with `flagged` and `recall_low` in place of X and r, with a
probability of at least `confidence`. It holds for each mark by itself, not for all of them at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from scipy.special import betainc

from filters.calibration import AT_LEAST, Calibration
from filters.policy import UNEXAMINED, Policy, Rule
from manifests.intervals import clopper_pearson
from manifests.measures import Measures

NO_BOUND = "no bound: uncalibrated"
UNFOUND = "no bound: the calibration does not rule out a recall of 0"
ASSUMED = (
    "Each bound holds by itself with its confidence, if the labelled samples of the mark are a random sample of those "
    "in the corpus. It counts different pictures, not copies."
)
STEP = 10  # withheld samples that a rule flagged are published in tens


@dataclass(frozen=True, slots=True)
class MarkBound:
    """At most how many pictures of a mark went unflagged; None and why in `told` where nothing bounds them.

    `flagged` samples were flagged by `rule`; `positives` labelled samples gave the recall, `recall_low` at least.
    """

    at_most: int | None
    told: str
    rule: str = ""
    flagged: int = 0
    positives: int = 0
    recall_low: float = 0.0
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Left:
    """Of the `unmarked` samples of a partition, those that lack a mark, at most how many truly are of it."""

    unmarked: int
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Residual:
    """The bounds of a run: by mark over all partitions together, and by partition and mark."""

    assumed: str
    marks: Mapping[str, MarkBound]
    partitions: Mapping[str, Mapping[str, Left]]


def residual(policy: Policy, measures: Measures, published: bool = False) -> Residual:
    """Return the bounds of a run; `published` rounds up what was withheld, which only raises a bound."""
    named = sorted({rule.mark for rule in policy.rules} - {UNEXAMINED})
    marks = {mark: _bound(policy, mark, measures, published) for mark in named}
    partitions = {
        partition.name: {mark: _left(measures, partition.name, mark, bound) for mark, bound in marks.items()}
        for partition in policy.partitions
    }
    return Residual(ASSUMED, marks, partitions)


def backs(calibration: Calibration, rule: Rule) -> bool:
    """Tell whether a rule flags by itself at least all that the calibrated threshold finds."""
    same = (rule.filter, rule.mark) == (calibration.filter, calibration.mark)
    if not same or rule.beside or rule.unexamined or (rule.labels and calibration.label not in rule.labels):
        return False
    if calibration.direction == AT_LEAST:
        return rule.at_most is None and (rule.at_least is None or rule.at_least <= calibration.threshold)
    return rule.at_least is None and (rule.at_most is None or rule.at_most >= calibration.threshold)


def most_missed(flagged: int, recall_low: float, risk: float) -> int | None:
    """Return the bound on what was missed, wrong with probability `risk` at most; None where recall may be 0."""
    if not recall_low > 0:
        return None
    # P(NegativeBinomial(flagged + 1, recall_low) <= m) is the regularised incomplete beta function.
    least, most = -1, 1
    while betainc(flagged + 1, most + 1, recall_low) < 1 - risk:
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        enough = betainc(flagged + 1, middle + 1, recall_low) >= 1 - risk
        least, most = (least, middle) if enough else (middle, most)
    return most


def _bound(policy: Policy, mark: str, measures: Measures, published: bool) -> MarkBound:
    """Return the lowest bound that a calibrated rule gives; where there are several, each takes a part of the risk."""
    pairs = [(c, rule) for rule in policy.rules if rule.mark == mark for c in policy.calibrations if backs(c, rule)]
    if not pairs:
        return MarkBound(None, NO_BOUND)
    found = [_by_rule(c, rule, measures.flagged_by(rule.name), published, len(pairs)) for c, rule in pairs]
    return min(found, key=lambda each: float("inf") if each.at_most is None else each.at_most)


def _by_rule(calibration: Calibration, rule: Rule, flagged: tuple[int, int], published: bool, rivals: int) -> MarkBound:
    kept, withheld = flagged
    whole = kept + (STEP * max(1, -(-withheld // STEP)) if published else withheld)
    recall, confidence = recall_of(calibration, rivals), calibration.confidence
    most = most_missed(whole, recall, (1 - confidence) / 2 / rivals)
    told = "" if most is not None else UNFOUND
    return MarkBound(most, told, rule.name, whole, calibration.positives, recall, confidence)


def recall_of(calibration: Calibration, rivals: int) -> float:
    """Return the lower end of the recall, where `rivals` bounds share the risk between them."""
    recall = calibration.recall
    if rivals == 1 or not isfinite(recall.estimate):
        return recall.low
    found = round(recall.estimate * calibration.positives)
    shared = 1 - (1 - calibration.confidence) / rivals
    return min(recall.low, clopper_pearson(found, calibration.positives, shared).low)


def _left(measures: Measures, partition: str, mark: str, bound: MarkBound) -> Left:
    unmarked = measures.kept.get(partition, 0) - measures.carriers.get(partition, {}).get(mark, 0)
    return Left(unmarked, None if bound.at_most is None else min(bound.at_most, unmarked))
