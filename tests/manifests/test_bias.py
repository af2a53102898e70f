"""The burden of a group is its withheld share, exact, and its gap to the others, which chance seldom fakes."""

from itertools import chain, repeat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from filters.policy import ADULT, MINOR, WITHHELD
from manifests.bias import SMALL_GROUP, Burden, burdens
from manifests.intervals import difference
from manifests.manifest import Decision

GROUPS = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=4)


def audited(groups: dict[str, tuple[int, int]], outside: int = 0) -> tuple[dict[str, Burden], int]:
    """Return the burdens of groups with so many withheld and so many kept samples."""
    rows = chain(
        *(
            chain(repeat((name, "withheld"), lost), repeat((name, "general"), kept))
            for name, (lost, kept) in groups.items()
        ),
        repeat(("", "withheld"), outside),
    )
    decisions = [Decision("00000", n, name, 0, 1, place) for n, (name, place) in enumerate(rows)]
    found, without = burdens(decisions, lambda each: each.key or None)
    return {each.group: each for each in found[WITHHELD]}, without


@given(GROUPS, st.integers(0, 5))
def test_every_sample_is_in_its_group_or_in_none(groups: dict[str, tuple[int, int]], outside: int) -> None:
    found, without = audited(groups, outside)
    assert without == outside
    counted = {name: (each.burdened, each.samples - each.burdened) for name, each in found.items()}
    assert counted == {name: counts for name, counts in groups.items() if any(counts)}
    assert [each.samples for each in found.values()] == sorted(
        (sum(c) for c in groups.values() if any(c)), reverse=True
    )


@pytest.mark.parametrize(("lost", "kept"), [(0, 40), (7, 93), (300, 12), (5, 0)])
def test_the_share_has_the_exact_interval(lost: int, kept: int) -> None:
    found, _ = audited({"a": (lost, kept)})
    exact = binomtest(lost, lost + kept).proportion_ci(0.95, method="exact")
    assert (found["a"].share.low, found["a"].share.high) == pytest.approx((exact.low, exact.high))
    assert found["a"].gap is None
    assert not found["a"].apart


def test_the_gap_is_against_all_others_and_shares_the_risk_with_the_other_gaps() -> None:
    found, _ = audited({"a": (30, 70), "b": (10, 190), "c": (4, 96)})
    assert found["a"].gap == difference(30, 100, 14, 300, 1 - 0.05 / 3)
    assert (found["a"].apart, found["b"].apart) == (True, True)
    assert found["a"].gap is not None
    assert found["b"].gap is not None
    assert found["a"].gap.estimate > 0 > found["b"].gap.estimate


def test_marks_of_kept_samples_are_counted_as_well() -> None:
    places = [("adult", ("adult", "grey")), ("withheld", ("adult", "minor")), ("minors", ("minor",)), ("general", ())]
    decisions = [Decision("0", n, "", 0, 1, place, marks) for n, (place, marks) in enumerate(places)]
    found, _ = burdens(decisions, lambda _: "all")
    assert {name: (one.samples, one.burdened) for name, (one,) in found.items()} == {
        WITHHELD: (4, 1),
        ADULT: (4, 2),
        MINOR: (4, 2),
    }


def test_a_group_of_few_samples_is_said_to_be_small() -> None:
    found, _ = audited({"a": (0, SMALL_GROUP - 1), "b": (0, SMALL_GROUP)})
    assert (found["a"].small, found["b"].small) == (True, False)
    assert found["a"].share.high > 0.11


def test_groups_that_are_treated_alike_are_seldom_told_apart() -> None:
    """Five groups of the same true share, 400 times: in about 5 % at most is any gap called one."""
    random = np.random.default_rng(20261122)
    sizes = np.array([400, 200, 100, 60, 40])
    called = 0
    for _ in range(400):
        lost = random.binomial(sizes, 0.15)
        whole, every = int(lost.sum()), int(sizes.sum())
        gaps = [
            difference(int(n), int(size), whole - int(n), every - int(size), 1 - 0.05 / 5)
            for n, size in zip(lost, sizes, strict=True)
        ]
        called += any(not gap.low <= 0 <= gap.high for gap in gaps)
    assert called / 400 <= 0.05 + 0.027  # two and a half standard errors of the simulation
