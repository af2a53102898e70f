"""What was measured of a threshold on a model: shares with their intervals, whole and by group."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

YEARS = frozenset({"minors"})  # filters whose value is an age; that of every other model is a score
AT_LEAST: Literal["at_least"] = "at_least"
AT_MOST: Literal["at_most"] = "at_most"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimated share and the bounds that its confidence interval gives; the estimate of nothing at all is NaN."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RestsOn:
    """A model file, prompt file or setting that the scores came from.

    `sha256` is the hex digest of its content; `version` is that of the material: release of the package, precision.
    """

    kind: str
    name: str
    sha256: str = field(repr=False)
    version: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What was measured of the samples that share one value of a group column, `positives` of them of the mark."""

    n: int
    positives: int
    recall: Interval
    false_positive_rate: Interval


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the recall of two groups of a column lies apart at most, and which two; simultaneous over all pairs."""

    best: str
    worst: str
    recall: Interval


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each bin; the first and the last bin also hold what lies beyond them.

    `edges` has one number more than `counts`. A bin holds its lower edge and not its upper one.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a threshold on one label of one filter was measured to find.

    `mark` is what the labels are about ("adult" or "minor"), `direction` the key of a rule that the threshold stands
    under. `n` samples were labelled and scored or found to have no value, `positives` of them of the mark. `unexamined`
    more were labelled and could not be examined: they are withheld whatever the threshold, and in no other number.
    `without_value` of the `n` have no value to compare, and no threshold finds them. `histogram` is of the labelled
    samples, `corpus_histogram` of every sample of the run. `confidence` is that of every interval. Dates are ISO days.
    """

    filter: str
    label: str
    mark: str
    direction: Literal["at_least", "at_most"]
    threshold: float
    materials: tuple[RestsOn, ...]
    n: int
    positives: int
    unexamined: int
    without_value: int
    confidence: float
    recall: Interval
    precision: Interval
    false_positive_rate: Interval
    groups: Mapping[str, Mapping[str, Group]]
    languages: Mapping[str, Group]
    gaps: Mapping[str, Gap]
    histogram: Histogram
    corpus_histogram: Histogram
    date: str
    labels_sha256: str
    version: str


def bin_edges(filter_name: str) -> tuple[float, ...]:
    """Return the fixed edges of the histogram of a filter's values: 20 bins of 0.05, or of 5 years."""
    return tuple(5.0 * n for n in range(21)) if filter_name in YEARS else tuple(n / 20 for n in range(21))


def contradictions(found: Calibration) -> Iterator[str]:
    """Yield what of a calibration contradicts itself."""
    groups = [group for column in found.groups.values() for group in column.values()] + list(found.languages.values())
    whole = Group(found.n, found.positives, found.recall, found.false_positive_rate)
    if not (math.isfinite(found.threshold) and 0.5 <= found.confidence < 1):
        yield "its threshold or confidence is not a number that can be"
    if not all(_plausible(each) for each in (whole, *groups)) or not _within(found.precision, 0):
        yield "its counts and intervals contradict each other"
    if not all(_within(gap.recall, -1) for gap in found.gaps.values()):
        yield "a gap is not a difference of two shares"
    if not 0 < found.positives < found.n or found.unexamined < 0 or not 0 <= found.without_value <= found.n:
        yield "it does not rest on labels of both kinds"
    if not all(_sound(each) for each in (found.histogram, found.corpus_histogram)):
        yield "a histogram does not fit its edges"
    if sum(found.histogram.counts) != found.n - found.without_value:
        yield "its histogram is not of its labelled samples"
    if not found.materials or not all(_hex(each.sha256) for each in found.materials):
        yield "it does not say which weights it was measured with"


def _plausible(group: Group) -> bool:
    return 0 <= group.positives <= group.n and _within(group.recall, 0) and _within(group.false_positive_rate, 0)


def _within(interval: Interval, least: float) -> bool:
    ends = least <= interval.low <= interval.high <= 1
    return ends and (math.isnan(interval.estimate) or interval.low <= interval.estimate <= interval.high)


def _sound(histogram: Histogram) -> bool:
    edges = histogram.edges
    rising = all(a < b for a, b in pairwise(edges))
    return len(edges) == len(histogram.counts) + 1 >= 2 and rising and min(histogram.counts) >= 0


def _hex(digest: str) -> bool:
    return len(digest) == 64 and set(digest) <= set("0123456789abcdef")
