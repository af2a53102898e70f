import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from manifests.intervals import clopper_pearson, difference, upper_bound, wilson

COUNTS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(COUNTS.filter(lambda each: each[1] > 0), CONFIDENCES)
def test_the_exact_interval_is_that_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    judge = stats.binomtest(*counts).proportion_ci(confidence, "exact")
    ours = clopper_pearson(*counts, confidence)
    assert (ours.low, ours.high) == pytest.approx((judge.low, judge.high), abs=1e-9)
    assert ours.estimate == counts[0] / counts[1]


@given(COUNTS.filter(lambda each: each[1] > 0), CONFIDENCES)
def test_the_score_interval_is_that_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    judge = stats.binomtest(*counts).proportion_ci(confidence, "wilson")
    ours = wilson(*counts, confidence)
    assert (ours.low, ours.high) == pytest.approx((judge.low, judge.high), abs=1e-9)


@given(COUNTS.filter(lambda each: each[1] > 0), CONFIDENCES)
def test_the_upper_bound_is_that_of_a_one_sided_test_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    judge = stats.binomtest(*counts, alternative="less").proportion_ci(confidence, "exact")
    assert upper_bound(*counts, confidence) == pytest.approx(judge.high, abs=1e-9)


@pytest.mark.parametrize("trials", [1, 10, 300, 100_000])
def test_where_nothing_was_hit_the_bound_is_the_exact_form_of_the_rule_of_three(trials: int) -> None:
    assert upper_bound(0, trials) == pytest.approx(1 - 0.05 ** (1 / trials))
    assert upper_bound(0, trials) <= 3 / trials


# The eight examples of Newcombe 1998, table II, method 10; the paper gives four digits.
@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_is_that_of_the_paper(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found = difference(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_without_trials_nothing_is_known() -> None:
    share, gap = clopper_pearson(0, 0), difference(0, 0, 3, 4)
    assert math.isnan(share.estimate)
    assert (share.low, share.high, upper_bound(0, 0)) == (0, 1, 1)
    assert math.isnan(gap.estimate)
    assert (gap.low, gap.high) == (-1, 1)


@pytest.mark.parametrize("counts", [(-1, 3), (4, 3), (0, -1)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int]) -> None:
    for asked in (clopper_pearson, upper_bound, lambda hits, trials: difference(hits, trials, 1, 2)):
        with pytest.raises(ValueError, match="more hits than trials"):
            asked(*counts)
    with pytest.raises(ValueError, match="between 0 and 1"):
        clopper_pearson(1, 2, 1.0)


@given(COUNTS.filter(lambda each: each[0] > 0), CONFIDENCES)
def test_more_misses_never_raise_a_bound(counts: tuple[int, int], confidence: float) -> None:
    hits, trials = counts
    better, worse = clopper_pearson(hits, trials, confidence), clopper_pearson(hits - 1, trials, confidence)
    assert worse.low <= better.low
    assert worse.high <= better.high
    assert clopper_pearson(hits, trials + 1, confidence).low <= better.low


@given(COUNTS, COUNTS, CONFIDENCES)
def test_a_difference_turned_round_is_its_mirror_image(
    a: tuple[int, int], b: tuple[int, int], confidence: float
) -> None:
    there, back = difference(*a, *b, confidence), difference(*b, *a, confidence)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def coverage_of_the_exact_interval(share: float, trials: int) -> float:
    """Return how often the interval holds the share, summed over every outcome that there can be."""
    outcomes = np.arange(trials + 1)
    bounds = [clopper_pearson(int(hits), trials) for hits in outcomes]
    holds = np.array([each.low <= share <= each.high for each in bounds])
    return float(stats.binom.pmf(outcomes, trials, share)[holds].sum())


@pytest.mark.parametrize("trials", [5, 20, 100])
def test_the_exact_interval_holds_the_share_at_least_as_often_as_it_says(trials: int) -> None:
    covered = [coverage_of_the_exact_interval(share, trials) for share in np.linspace(0.003, 0.997, 60)]
    assert min(covered) >= 0.95
    assert min(covered) < 0.99  # and not because it is everything


@pytest.mark.parametrize("trials", [30, 60])
def test_a_difference_holds_the_true_one_nearly_as_often_as_it_says(trials: int) -> None:
    random = np.random.default_rng(11)
    shares = random.uniform(0.02, 0.98, (400, 2))
    hits = random.binomial(trials, shares)
    found = [difference(int(a), trials, int(b), trials) for a, b in hits]
    true = shares[:, 0] - shares[:, 1]
    covered = np.mean([each.low <= gap <= each.high for each, gap in zip(found, true, strict=True)])
    assert 0.92 <= covered <= 0.99  # 400 draws; one standard deviation is 0.011
