"""The bound holds as often as it says, says nothing where nothing is known, and gives no small count away."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from filters.calibrated import covers
from filters.policy import ADULT, LISTED, MINOR, UNEXAMINED, Partition, Policy, Rule
from manifests.intervals import clopper_pearson
from manifests.measures import KEPT, WITHHELD, Measures
from manifests.residual import NO_BOUND, UNFOUND, backs, most_missed, residual
from tests.manifests.strategies import UNTIMED
from tests.measured import calibrated

RULES = (
    Rule("adult score", ADULT, "adult", ("score",), at_least=0.5),
    Rule("minor face", MINOR, "minors", ("apparent-age",), at_most=27),
    Rule("known", LISTED, "digests"),
    Rule("unexamined", UNEXAMINED, "*", unexamined=True),
)
POLICY = Policy(
    "test",
    rules=RULES,
    partitions=(Partition("general"), Partition("minors", (MINOR,)), Partition("adult", (ADULT,))),
    calibrations=(calibrated(),),
)


def measures(kept: int = 20, withheld: int = 7) -> Measures:
    """10,000 samples in general, 30 in adult of which 20 carry the mark, and none in minors."""
    carriers = {"general": {}, "minors": {}, "adult": {ADULT: 20}}
    flagged = {"adult score": {KEPT: kept, WITHHELD: withheld}}
    return Measures({"general": 10_000, "adult": 30}, carriers, flagged, [[0] * 20])


@UNTIMED
@given(st.integers(0, 3_000), st.floats(1e-3, 1), st.sampled_from((0.05, 0.025, 0.005)))
def test_the_bound_is_the_quantile_of_a_negative_binomial(flagged: int, recall: float, risk: float) -> None:
    bound = most_missed(flagged, recall, risk)
    assert bound is not None
    low, high = (nbinom.cdf(bound + step, flagged + 1, recall) for step in (-1, 0))
    assert low <= 1 - risk + 1e-9
    assert high >= 1 - risk - 1e-9


@UNTIMED
@given(st.integers(0, 2_000), st.integers(0, 500), st.floats(0.01, 1), st.floats(0, 0.99))
def test_more_flagged_or_a_lower_recall_never_lowers_the_bound(
    flagged: int, more: int, recall: float, less: float
) -> None:
    bound, later = most_missed(flagged, recall, 0.025), most_missed(flagged + more, recall * (1 - less), 0.025)
    assert bound is not None
    assert later is None or later >= bound


def test_a_perfect_recall_leaves_nothing_and_one_that_may_be_0_has_no_bound() -> None:
    assert most_missed(100, 1.0, 0.025) == 0
    assert most_missed(100, 0.0, 0.025) is None


@pytest.mark.parametrize(("positives", "recall", "present"), [*product((30, 200), (0.7, 0.95), (3, 40, 400))])
def test_the_bound_holds_as_often_as_it_says(positives: int, recall: float, present: int) -> None:
    """Labelled set and corpus are drawn anew each time; that no false alarm pads `flagged` is the worst case."""
    random = np.random.default_rng(20261122)
    runs = 2_000
    labelled, hits = random.binomial(positives, recall, runs), random.binomial(present, recall, runs)
    bounds = {
        (found, flagged): most_missed(flagged, clopper_pearson(found, positives).low, 0.025)
        for found, flagged in {*zip(labelled.tolist(), hits.tolist(), strict=True)}
    }
    held = 0
    for found, flagged in zip(labelled.tolist(), hits.tolist(), strict=True):
        bound = bounds[found, flagged]
        held += bound is None or present - flagged <= bound
    assert held / runs >= 0.95


@pytest.mark.parametrize(("positives", "wanted"), [(60, 0.9), (300, 0.95)])
def test_the_bound_holds_where_the_labels_chose_the_threshold_for_a_recall(positives: int, wanted: float) -> None:
    """The threshold is the highest whose recall is shown to be as wanted; scores of the mark are uniform on 0..1."""
    random = np.random.default_rng(20261122)
    least = next(hits for hits in range(positives + 1) if clopper_pearson(hits, positives).low >= wanted)
    low, held, present, runs = clopper_pearson(least, positives).low, 0, 80, 4_000
    for _ in range(runs):
        threshold = np.sort(random.random(positives))[positives - least]
        flagged = int((random.random(present) >= threshold).sum())
        held += present - flagged <= (most_missed(flagged, low, 0.025) or 0)
    assert held / runs >= 0.95


def test_what_may_be_left_is_stated_by_partition_and_mark() -> None:
    found = residual(POLICY, measures())
    adult = found.marks[ADULT]
    assert (adult.rule, adult.flagged, adult.positives) == ("adult score", 27, 100)
    assert adult.at_most == nbinom.ppf(0.975, 28, clopper_pearson(99, 100).low)
    assert found.partitions["general"][ADULT].at_most == adult.at_most
    assert found.partitions["minors"][ADULT].at_most == 0


def test_a_partition_is_never_said_to_hide_more_than_it_holds_without_the_mark() -> None:
    found = residual(replace(POLICY, calibrations=(calibrated(found=40),)), measures())
    assert (found.marks[ADULT].at_most or 0) > 10
    assert (found.partitions["adult"][ADULT].unmarked, found.partitions["adult"][ADULT].at_most) == (10, 10)


def test_without_a_calibration_there_is_no_number() -> None:
    found = residual(POLICY, measures())
    for mark in (MINOR, LISTED):
        assert (found.marks[mark].at_most, found.marks[mark].told) == (None, NO_BOUND)
        assert {left[mark].at_most for left in found.partitions.values()} == {None}
    assert UNEXAMINED not in found.marks


def test_a_calibration_that_found_nothing_bounds_nothing() -> None:
    found = residual(replace(POLICY, calibrations=(calibrated(found=0),)), measures())
    assert (found.marks[ADULT].at_most, found.marks[ADULT].told) == (None, UNFOUND)


def test_two_calibrated_rules_share_the_risk() -> None:
    again = Rule("another adult score", ADULT, "adult", at_least=0.4)
    both = residual(replace(POLICY, rules=(*RULES, again)), measures()).marks[ADULT]
    alone = residual(POLICY, measures()).marks[ADULT]
    assert both.recall_low < alone.recall_low
    assert both.recall_low == pytest.approx(clopper_pearson(99, 100, 0.975).low)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_published_bound_is_no_lower_and_tells_withheld_counts_in_tens_only(kept: int, withheld: int) -> None:
    exact, told = residual(POLICY, measures(kept, withheld)), residual(POLICY, measures(kept, withheld), published=True)
    assert (told.marks[ADULT].flagged - kept) % 10 == 0
    assert told.marks[ADULT].flagged - kept >= max(withheld, 10)
    low, high = exact.marks[ADULT].at_most, told.marks[ADULT].at_most
    assert low is not None
    assert high is not None
    assert low <= high
    same = residual(POLICY, measures(kept, -(-max(withheld, 1) // 10) * 10), published=True)
    assert told == same


THRESHOLDS = st.none() | st.sampled_from((0.3, 0.5, 0.7))


@given(
    st.sampled_from((ADULT, MINOR)),
    st.sampled_from(("adult", "minors", "*")),
    st.sampled_from(((), ("score",), ("other",), ("other", "score"))),
    THRESHOLDS,
    THRESHOLDS,
    st.booleans(),
)
def test_a_bound_rests_on_the_rules_that_the_policy_takes_for_calibrated(
    mark: str, name: str, labels: tuple[str, ...], at_least: float | None, at_most: float | None, beside: bool
) -> None:
    rule = Rule("r", mark, name, labels, at_least, at_most, beside=(MINOR,) if beside else ())
    for calibration in (calibrated(), replace(calibrated(), direction="at_most")):
        assert backs(calibration, rule) == covers(rule, calibration)
