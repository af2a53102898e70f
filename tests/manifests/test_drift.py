"""A shard warns when its scores lie otherwise than the calibration's by more than chance, and else hardly ever."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from filters.policy import Drift, Policy
from manifests.drift import WHOLE, distance, drifts, margin, warnings
from manifests.measures import Measures
from tests.measured import calibrated, with_scores

POLICY = Policy("test", calibrations=(with_scores(calibrated(), 8_000, 1_000, 600, 400),))
BINS = 20


def shard(*counts: int) -> Measures:
    return Measures({}, {}, {}, [[*counts, *(0,) * (BINS - len(counts))]])


COUNTS = st.lists(st.integers(0, 300), min_size=BINS, max_size=BINS).filter(any)


@given(COUNTS, COUNTS)
def test_the_distance_is_that_of_kolmogorov_and_smirnov_over_the_bins(one: list[int], other: list[int]) -> None:
    values = [np.repeat(np.arange(BINS), counts) for counts in (one, other)]
    assert distance(one, other) == pytest.approx(ks_2samp(*values, method="asymp").statistic)
    assert distance(one, other) == distance(other, one)
    assert distance(one, [3 * count for count in one]) == pytest.approx(0)


def test_a_shard_of_other_scores_warns_and_the_others_do_not() -> None:
    shards = {f"{n:05d}": shard(800, 100, 60, 40) for n in range(9)} | {"odd": shard(100, 100, 300, 500)}
    (found,) = drifts(POLICY, shards)
    assert [each.shard for each in found.shifted] == ["odd"]
    assert (found.compared, found.reference) == (11, 10_000)
    assert found.farthest == found.shifted[0]
    assert found.farthest.distance == 0.7
    told = list(warnings([found]))
    assert len(told) == 1
    assert "odd: the values of adult (score) of 1000 samples lie 0.70" in told[0]


def test_the_more_is_compared_the_surer_a_shift_must_be() -> None:
    odd = shard(100, 100, 300, 500)
    least = []
    for others in (1, 20, 400):
        shards = {f"{n:05d}": shard(800, 100, 60, 40) for n in range(others)} | {"odd": odd}
        (found,) = drifts(POLICY, shards)
        least += [each.at_least for each in found.shifted if each.shard == "odd"]
    assert least == sorted(least, reverse=True)
    assert len(set(least)) == 3
    risk = 0.05 / (401 + 1 + 1)  # every shard, all as one, and the calibration
    assert least[-1] == pytest.approx(0.7 - margin(1_000, risk) - margin(10_000, risk), abs=1e-4)


def test_a_shift_of_many_shards_too_small_to_tell_is_seen_in_all_of_them_together() -> None:
    shards = {f"{n:05d}": shard(9, 3, 4, 4) for n in range(100)}
    (found,) = drifts(POLICY, shards)
    assert [each.shard for each in found.shifted] == [WHOLE]


def test_what_is_below_the_limit_of_the_policy_does_not_warn_however_sure() -> None:
    shards = {"00000": shard(700_000, 150_000, 100_000, 50_000)}
    assert [each.shifted for each in drifts(replace(POLICY, drift=Drift(0.2)), shards)] == [()]
    (found,) = drifts(replace(POLICY, drift=Drift(0.05)), shards)
    assert {each.shard for each in found.shifted} == {"00000", WHOLE}


def test_a_shard_without_a_score_is_compared_with_nothing() -> None:
    (found,) = drifts(POLICY, {"00000": shard(), "00001": shard(80, 10, 6, 4)})
    assert found.compared == 2
    (none,) = drifts(POLICY, {"00000": shard()})
    assert (none.compared, none.farthest, none.shifted) == (0, None, ())
    assert drifts(Policy("test"), {"00000": Measures({}, {}, {}, [])}) == ()


def test_the_order_of_shards_and_bins_alone_decides_nothing() -> None:
    one = {"a": shard(10, 20), "b": shard(700, 300)}
    assert drifts(POLICY, one) == drifts(POLICY, dict(reversed(one.items())))


@given(st.integers(1, 10**6), st.floats(1e-9, 0.05))
def test_the_margin_shrinks_with_the_samples_and_grows_with_the_certainty(samples: int, risk: float) -> None:
    assert margin(samples + 1, risk) < margin(samples, risk) < margin(samples, risk / 2)


def test_shards_like_the_calibration_hardly_ever_warn_even_at_a_limit_of_0() -> None:
    """Of 300 runs of 20 shards each, with everything from one distribution, no more than 5 % may warn."""
    random = np.random.default_rng(20261122)
    shares = np.array([0.6, 0.2, 0.1, 0.1])
    warned = 0
    for _ in range(300):
        policy = Policy(
            "test", calibrations=(with_scores(calibrated(), *random.multinomial(2_000, shares)),), drift=Drift(0.0)
        )
        shards = {str(n): shard(*random.multinomial(500, shares).tolist()) for n in range(20)}
        warned += any(each.shifted for each in drifts(policy, shards))
    assert warned / 300 <= 0.05


def test_the_distance_that_is_told_at_least_is_there_in_truth() -> None:
    random = np.random.default_rng(20261122)
    before, now = np.array([0.6, 0.2, 0.1, 0.1]), np.array([0.35, 0.3, 0.2, 0.15])
    true = float(np.abs(np.cumsum(before - now)).max())
    missed = 0
    for _ in range(300):
        policy = Policy("test", calibrations=(with_scores(calibrated(), *random.multinomial(3_000, before)),))
        (found,) = drifts(policy, {str(n): shard(*random.multinomial(800, now).tolist()) for n in range(10)})
        missed += any(each.at_least > true for each in found.shifted)
    assert missed / 300 <= 0.05
