"""What a threshold finds and misses of labelled samples: recall, precision, curves, and the threshold for a recall."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filters.calibration import AT_LEAST, Gap, Group, Histogram, bin_edges
from manifests.intervals import CONFIDENCE, Interval, clopper_pearson, difference, upper_bound

POINTS = 21  # of a curve that is written down


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Samples that a person labelled and a filter examined.

    `truth` is bool (n,), whether a sample is of the mark; `values` float64 (n,), NaN where the filter gave none: no
    threshold finds such a sample.
    """

    truth: NDArray[np.bool_] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)
    direction: Literal["at_least", "at_most"] = AT_LEAST

    @property
    def strengths(self) -> NDArray[np.float64]:
        """The values so turned that a threshold finds what is not below it; -inf where there is none."""
        turned = self.values if self.direction == AT_LEAST else -self.values
        return np.where(np.isnan(turned), -math.inf, turned)

    def take(self, rows: NDArray[np.bool_]) -> "Labelled":
        """Return the samples of these rows."""
        return Labelled(self.truth[rows], self.values[rows], self.direction)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a threshold was measured to find: `found` and `missed` of the mark, `false` and `passed` of the others.

    `missed_bound` is the one-sided upper bound of the missed share where nothing was missed, else None. `f2` weighs
    recall twice as much as precision (C. J. van Rijsbergen, Information Retrieval, 1979, chapter 7).
    """

    threshold: float
    found: int
    missed: int
    false: int
    passed: int
    recall: Interval
    precision: Interval
    false_positive_rate: Interval
    f2: float
    missed_bound: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """How well the values rank the mark before the others, over all thresholds, and some of its points.

    `roc_auc` is the share of pairs in the right order; `average_precision` the mean precision over the steps of recall.
    """

    roc_auc: float
    average_precision: float
    points: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The threshold for a wanted recall, None where these labels support none.

    `reachable` is the highest lower bound of the recall that any threshold has here; `needed` how many labels of the
    mark it takes when none of them is missed.
    """

    recall: float
    threshold: float | None
    reachable: float
    needed: int


def measure(labelled: Labelled, threshold: float) -> Measured:
    """Return what a threshold finds and misses; samples without a value are not found."""
    hit = labelled.strengths >= (threshold if labelled.direction == AT_LEAST else -threshold)
    truth = labelled.truth
    found, false = int((hit & truth).sum()), int((hit & ~truth).sum())
    missed, passed = int(truth.sum()) - found, int((~truth).sum()) - false
    return Measured(
        threshold,
        found,
        missed,
        false,
        passed,
        clopper_pearson(found, found + missed),
        clopper_pearson(found, found + false),
        clopper_pearson(false, false + passed),
        5 * found / (5 * found + 4 * missed + false) if found + missed + false else math.nan,
        None if missed or not found else upper_bound(0, found),
    )


def curve(labelled: Labelled, points: int = POINTS) -> Curve:
    """Return the curve over all thresholds; raise ValueError without samples of both kinds."""
    strengths, truth = labelled.strengths, labelled.truth
    if truth.all() or not truth.any():
        raise ValueError("a curve needs samples of both kinds")
    levels, place = np.unique(strengths, return_inverse=True)
    positives = np.bincount(place[truth], minlength=len(levels))[::-1]
    negatives = np.bincount(place[~truth], minlength=len(levels))[::-1]
    found, false = positives.cumsum(), negatives.cumsum()
    ordered = (positives * (false - negatives / 2)).sum()  # pairs in which the other one ranks before the mark
    precision = found / (found + false)
    at = levels[np.isfinite(levels)]
    chosen = at[np.unique(np.linspace(0, len(at) - 1, min(points, len(at))).round().astype(int))] if len(at) else at
    turned = chosen if labelled.direction == AT_LEAST else -chosen
    return Curve(
        float(1 - ordered / (truth.sum() * (~truth).sum())),
        float((precision * positives).sum() / truth.sum()),
        tuple(measure(labelled, float(each)) for each in np.sort(turned)),
    )


def threshold_for(labelled: Labelled, recall: float) -> Wanted:
    """Return the threshold that finds least, of those whose recall has a lower bound of at least `recall` (0..1).

    It is an order statistic of the values of the mark, so the bound holds although the threshold was chosen on the same
    samples (S. S. Wilks, Annals of Mathematical Statistics 12, 1941, 91-96).
    """
    if not 0 < recall < 1:
        raise ValueError("a recall lies between 0 and 1")
    strengths = np.sort(labelled.strengths[labelled.truth])
    total = len(strengths)
    scored = int(np.isfinite(strengths).sum())
    needed = math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(recall))
    needed += clopper_pearson(needed, needed).low < recall  # where the logarithms were rounded the wrong way
    reachable = clopper_pearson(scored, total).low
    if reachable < recall:
        return Wanted(recall, None, reachable, needed)
    spare, most = total - scored, total - 1  # misses that are allowed: at least `spare`, at most `most`
    while spare < most:
        middle = (spare + most + 1) // 2
        supported = clopper_pearson(total - middle, total).low >= recall
        spare, most = (middle, most) if supported else (spare, middle - 1)
    threshold = float(strengths[spare])
    return Wanted(recall, threshold if labelled.direction == AT_LEAST else -threshold, reachable, needed)


def by_group(labelled: Labelled, threshold: float, values: Sequence[str]) -> dict[str, Group]:
    """Return what a threshold finds in each group; `values` names the group of each sample, "" for none."""
    names = np.array(values, dtype=object)
    found = {}
    for name in sorted(set(values) - {""}):
        part = labelled.take(names == name)
        at = measure(part, threshold)
        found[name] = Group(len(part.truth), int(part.truth.sum()), at.recall, at.false_positive_rate)
    return found


def gap(groups: dict[str, Group]) -> Gap | None:
    """Return how far the recall of two groups lies apart; None where fewer than two have a sample of the mark.

    The intervals of all pairs hold together (Bonferroni), so choosing the widest pair does not flatter it.
    """
    rated = {name: group for name, group in groups.items() if group.positives}
    pairs = list(combinations(sorted(rated, key=lambda name: (-rated[name].recall.estimate, name)), 2))
    if not pairs:
        return None
    confidence = 1 - (1 - CONFIDENCE) / len(pairs)
    found = [difference(*_hits(rated[a]), *_hits(rated[b]), confidence) for a, b in pairs]
    best, worst = max(zip(pairs, found, strict=True), key=lambda each: each[1].estimate)[0]
    widest = Interval(*(max(getattr(each, part) for each in found) for part in ("estimate", "low", "high")))
    return Gap(best, worst, widest)


def histogram(filter_name: str, values: NDArray[np.float64]) -> Histogram:
    """Return how the values of a filter spread over its fixed bins; what lies beyond the ends counts in them."""
    edges = np.array(bin_edges(filter_name))
    numbers = values[~np.isnan(values)]
    bins = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    return Histogram(tuple(edges.tolist()), tuple(np.bincount(bins, minlength=len(edges) - 1).tolist()))


def _hits(group: Group) -> tuple[int, int]:
    return round(group.recall.estimate * group.positives), group.positives
