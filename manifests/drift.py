"""Do the scores of each shard lie as those did that a threshold was measured on? Where they do not, the run warns.

The distance is that of Kolmogorov and Smirnov, over the bins of the calibration's histogram: the largest difference, at
any edge, between the shares of samples below it. It needs no assumption about how scores are distributed.

A warning is given only where chance does not explain it. By the inequality of Dvoretzky, Kiefer and Wolfowitz with
Massart's constant (Annals of Probability 18, 1990, 1269-1283) the histogram of n samples lies within
sqrt(log(2 / d) / (2 n)) of the distribution they come from, but for a probability d, for every n. With d = 0.05 divided
by the number of all histograms of the run, that of each calibration included, all do so at once with 95 % confidence;
and the distance less both margins is a lower bound on the true one. A shard warns when that exceeds the policy's limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log, sqrt

from filters.calibration import Calibration
from filters.policy import Policy
from manifests.measures import Measures, total_measures

CONFIDENCE = 0.95
WHOLE = "all shards"  # of one run, as one histogram


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the values of `samples` of a shard lie from the calibration's: observed, and at least in truth."""

    shard: str
    samples: int
    distance: float
    at_least: float


@dataclass(frozen=True, slots=True)
class Drift:
    """What was compared for one calibration: `compared` histograms with `reference` samples of its own.

    `farthest` is the largest distance that was observed, whether or not chance explains it; `shifted` are the shards
    whose distance is above `max_distance` with 95 % confidence over all of the run.
    """

    filter: str
    label: str
    mark: str
    reference: int
    compared: int
    max_distance: float
    farthest: Shift | None
    shifted: tuple[Shift, ...]


def drifts(policy: Policy, shards: Mapping[str, Measures]) -> tuple[Drift, ...]:
    """Compare every shard, and all as one, with each calibration of the policy."""
    if not policy.calibrations or not shards:
        return ()
    named = [*sorted(shards.items()), (WHOLE, total_measures(list(shards.values())))]
    counts = [[(name, each.histograms[place]) for name, each in named] for place in range(len(policy.calibrations))]
    risk = (1 - CONFIDENCE) / sum(1 + sum(any(bins) for _, bins in of_one) for of_one in counts)
    limit = policy.drift.max_distance
    return tuple(_drift(c, of_one, risk, limit) for c, of_one in zip(policy.calibrations, counts, strict=True))


def distance(counts: Sequence[int], reference: Sequence[int]) -> float:
    """Return the largest difference between the shares of two histograms below any of their common edges."""
    one, other = sum(counts), sum(reference)
    pairs = zip(accumulate(counts), accumulate(reference), strict=True)
    return max(abs(below / one - under / other) for below, under in pairs)


def margin(samples: int, risk: float) -> float:
    """Return how far a histogram of so many samples may lie from where they come from, but for a probability `risk`."""
    return sqrt(log(2 / risk) / (2 * samples))


def warnings(found: Sequence[Drift]) -> Iterator[str]:
    """Yield a sentence for each shard whose scores have shifted."""
    for drift in found:
        for each in drift.shifted:
            yield (
                f"{each.shard}: the values of {drift.filter} ({drift.label}) of {each.samples} samples lie "
                f"{each.distance:.2f} from those it was calibrated on, {each.at_least:.2f} at least where the policy "
                f"allows {drift.max_distance:g}. Its threshold for {drift.mark!r} may find less there than was "
                "measured: label some of these samples and calibrate again."
            )


def _drift(calibration: Calibration, shards: Sequence[tuple[str, Sequence[int]]], risk: float, limit: float) -> Drift:
    reference = calibration.corpus_histogram.counts
    shifts = [_shift(name, counts, reference, risk) for name, counts in shards if any(counts) and any(reference)]
    return Drift(
        calibration.filter,
        calibration.label,
        calibration.mark,
        sum(reference),
        len(shifts),
        limit,
        max(shifts, key=lambda each: each.distance, default=None),
        tuple(each for each in shifts if each.at_least > limit),
    )


def _shift(shard: str, counts: Sequence[int], reference: Sequence[int], risk: float) -> Shift:
    observed = distance(counts, reference)
    least = observed - margin(sum(counts), risk) - margin(sum(reference), risk)
    return Shift(shard, sum(counts), round(observed, 4), round(max(least, 0.0), 4))
