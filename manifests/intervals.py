"""Confidence intervals of shares and of their differences: exact where there is an exact one."""

from math import nan, sqrt

from scipy.special import betaincinv, ndtri

from filters.calibration import Interval as Interval

CONFIDENCE = 0.95


def clopper_pearson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the exact two-sided interval of a share; without trials it is everything from 0 to 1.

    It holds the true share at least as often as `confidence` says, whatever the share and the number of trials
    (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934, 404-413).
    """
    _refuse_nonsense(hits, trials, confidence)
    if not trials:
        return Interval(nan, 0.0, 1.0)
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return Interval(hits / trials, low, high)


def upper_bound(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper bound of a share, 1 without trials.

    Where nothing was hit it is 1 - (1 - confidence) ** (1 / trials): the rule of three, 3 / trials, is its
    approximation (J. A. Hanley, A. Lippman-Hand, JAMA 249, 1983, 1743-1745).
    """
    _refuse_nonsense(hits, trials, confidence)
    return float(betaincinv(hits + 1, trials - hits, confidence)) if hits < trials else 1.0


def difference(hits_a: int, trials_a: int, hits_b: int, trials_b: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of share a less share b, independent of each other; without trials it is all from -1 to 1.

    Newcombe's hybrid of two Wilson score intervals, near the nominal coverage on average and inside -1..1 always
    (R. G. Newcombe, Statistics in Medicine 17, 1998, 873-890, method 10).
    """
    _refuse_nonsense(hits_a, trials_a, confidence)
    _refuse_nonsense(hits_b, trials_b, confidence)
    if not trials_a or not trials_b:
        return Interval(nan, -1.0, 1.0)
    a, b = wilson(hits_a, trials_a, confidence), wilson(hits_b, trials_b, confidence)
    estimate = a.estimate - b.estimate
    below = sqrt((a.estimate - a.low) ** 2 + (b.high - b.estimate) ** 2)
    above = sqrt((a.high - a.estimate) ** 2 + (b.estimate - b.low) ** 2)
    return Interval(estimate, max(-1.0, estimate - below), min(1.0, estimate + above))


def wilson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927, 209-212): near its nominal coverage."""
    z = float(ndtri((1 + confidence) / 2))
    share = hits / trials
    middle = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low = (middle - spread) / scale if hits else 0.0
    high = (middle + spread) / scale if hits < trials else 1.0
    return Interval(share, low, high)


def _refuse_nonsense(hits: int, trials: int, confidence: float) -> None:
    if not 0 <= hits <= trials:
        raise ValueError("more hits than trials, or fewer than none")
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
