import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from filters.calibration import AT_LEAST, AT_MOST, bin_edges
from manifests.curves import Labelled, by_group, curve, gap, histogram, measure, threshold_for
from manifests.intervals import clopper_pearson, difference

SCORES = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0])  # few, so that ties are the rule
SAMPLES = st.lists(st.tuples(st.booleans(), SCORES | st.just(math.nan)), min_size=2, max_size=60)
BOTH = SAMPLES.filter(lambda rows: len({truth for truth, _ in rows}) == 2)


def made(rows: Sequence[tuple[bool, float]]) -> Labelled:
    return Labelled(np.array([truth for truth, _ in rows]), np.array([value for _, value in rows]))


def ranked(labelled: Labelled) -> NDArray[np.float64]:
    """Return scores as scikit-learn takes them: what has no value ranks last."""
    return np.where(np.isnan(labelled.values), -1.0, labelled.values)


def synthetic(seed: int, count: int = 2_000) -> Labelled:
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.3
    return Labelled(truth, np.round(random.normal(truth * 1.2, 1.0), 2))


@given(BOTH)
def test_the_curve_is_that_of_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    labelled = made(rows)
    found = curve(labelled)
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(labelled.truth, ranked(labelled)))
    judge = metrics.average_precision_score(labelled.truth, ranked(labelled))
    assert found.average_precision == pytest.approx(judge)


@given(BOTH, SCORES)
def test_what_a_threshold_finds_is_what_scikit_learn_counts(rows: list[tuple[bool, float]], threshold: float) -> None:
    labelled = made(rows)
    told = ranked(labelled) >= threshold
    found = measure(labelled, threshold)
    counts = metrics.confusion_matrix(labelled.truth, told, labels=[False, True]).ravel().tolist()
    assert [found.passed, found.false, found.missed, found.found] == counts
    assert found.recall.estimate == pytest.approx(metrics.recall_score(labelled.truth, told))
    assert found.f2 == pytest.approx(metrics.fbeta_score(labelled.truth, told, beta=2, zero_division=0.0))
    if told.any():
        assert found.precision.estimate == pytest.approx(metrics.precision_score(labelled.truth, told))
    else:
        assert math.isnan(found.precision.estimate)
    assert found.recall == clopper_pearson(found.found, found.found + found.missed)
    assert found.false_positive_rate == clopper_pearson(found.false, found.false + found.passed)


def test_points_of_the_curve_lie_on_the_curves_of_scikit_learn() -> None:
    labelled = synthetic(1)
    false, recall, at = metrics.roc_curve(labelled.truth, labelled.values, drop_intermediate=False)
    judge = {float(t): (float(r), float(f)) for f, r, t in zip(false, recall, at, strict=True)}
    points = curve(labelled).points
    assert len(points) == 21
    for each in points:
        assert (each.recall.estimate, each.false_positive_rate.estimate) == pytest.approx(judge[each.threshold])


@given(BOTH, SCORES)
def test_an_upper_threshold_mirrors_a_lower_one(rows: list[tuple[bool, float]], threshold: float) -> None:
    up = made(rows)
    down = Labelled(up.truth, -up.values, AT_MOST)
    one, other = measure(up, threshold), measure(down, -threshold)
    assert (one.found, one.missed, one.false, one.passed) == (other.found, other.missed, other.false, other.passed)
    assert curve(up).roc_auc == curve(down).roc_auc
    wanted, mirrored = threshold_for(up, 0.5), threshold_for(down, 0.5)
    assert (wanted.threshold is None) == (mirrored.threshold is None)
    if wanted.threshold is not None and mirrored.threshold is not None:
        assert wanted.threshold == -mirrored.threshold


def test_the_bound_of_three_is_told_only_where_nothing_was_missed() -> None:
    all_found = Labelled(np.array([True] * 60 + [False]), np.array([0.9] * 60 + [0.1]))
    assert measure(all_found, 0.5).missed_bound == pytest.approx(1 - 0.05 ** (1 / 60))
    assert measure(all_found, 0.95).missed_bound is None
    nobody = Labelled(np.array([False, False]), np.array([0.9, 0.1]))
    assert measure(nobody, 0.5).missed_bound is None


@settings(max_examples=60)
@given(st.integers(0, 1_000), st.lists(st.floats(0.05, 0.985), min_size=2, max_size=6))
def test_a_higher_recall_never_chooses_a_threshold_that_finds_less(seed: int, recalls: list[float]) -> None:
    found = [threshold_for(synthetic(seed, 600), recall).threshold for recall in sorted(recalls)]
    reached = [each for each in found if each is not None]
    assert reached == sorted(reached, reverse=True)
    assert found[: len(reached)] == reached  # once out of reach, a higher one stays so


@given(BOTH, st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]))
def test_of_all_thresholds_that_show_the_recall_the_one_that_finds_least_is_chosen(
    rows: list[tuple[bool, float]], recall: float
) -> None:
    labelled = made(rows)
    wanted = threshold_for(labelled, recall)
    levels = sorted({value for truth, value in rows if truth and not math.isnan(value)})
    met = [level for level in levels if measure(labelled, level).recall.low >= recall]
    assert wanted.threshold == (max(met) if met else None)


@pytest.mark.parametrize(("recall", "needed"), [(0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)])
def test_it_tells_how_many_labels_a_recall_takes(recall: float, needed: int) -> None:
    """With 0.025 ** (1 / n) as the lower bound when none of n is missed."""
    wanted = threshold_for(synthetic(3, 40), recall)
    assert (wanted.threshold, wanted.needed) == (None, needed)
    assert clopper_pearson(needed, needed).low >= recall > clopper_pearson(needed - 1, needed - 1).low
    enough = Labelled(np.array([True] * needed), np.linspace(0.2, 1, needed))
    assert threshold_for(enough, recall).threshold == pytest.approx(0.2)


def test_the_chosen_threshold_keeps_its_promise_although_it_was_chosen_on_the_same_samples() -> None:
    """True recall of a normal score is known; the bound should hold in 97.5 % of draws, and does not by much less."""
    random = np.random.default_rng(7)
    kept = 0
    for _ in range(400):
        labelled = Labelled(np.ones(200, bool), random.normal(size=200))
        threshold = threshold_for(labelled, 0.9).threshold
        assert threshold is not None
        kept += 0.5 * math.erfc(threshold / math.sqrt(2)) >= 0.9
    assert 0.955 <= kept / 400 <= 1


def test_samples_without_a_value_are_missed_and_can_put_a_recall_out_of_reach() -> None:
    values = np.array([0.9] * 90 + [math.nan] * 10 + [0.1])
    labelled = Labelled(np.array([True] * 100 + [False]), values)
    assert measure(labelled, 0.0).recall.estimate == 0.9
    assert threshold_for(labelled, 0.95).threshold is None
    assert threshold_for(labelled, 0.95).reachable == clopper_pearson(90, 100).low
    assert threshold_for(labelled, 0.8).threshold == 0.9


@pytest.mark.parametrize("recall", [0.0, 1.0, -0.1, math.nan])
def test_a_recall_that_nobody_can_show_is_refused(recall: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold_for(synthetic(1, 10), recall)


def test_a_curve_of_one_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        curve(Labelled(np.ones(3, bool), np.ones(3)))


def test_groups_add_up_to_the_whole() -> None:
    labelled = synthetic(4)
    names = ["a" if n % 3 else "b" if n % 2 else "" for n in range(len(labelled.truth))]
    found = by_group(labelled, 0.5, names)
    assert sorted(found) == ["a", "b"]
    for name, each in found.items():
        rows = np.array([one == name for one in names])
        assert each.n == rows.sum()
        assert each.positives == labelled.truth[rows].sum()
        assert each.recall == measure(labelled.take(rows), 0.5).recall


def test_the_gap_of_two_groups_is_their_difference_and_more_groups_widen_it() -> None:
    labelled = Labelled(np.ones(300, bool), np.array([0.9] * 90 + [0.1] * 10 + [0.9] * 60 + [0.1] * 40 + [0.9] * 100))
    names = ["good"] * 100 + ["bad"] * 100 + ["best"] * 100
    two = gap(by_group(labelled.take(np.arange(300) < 200), 0.5, names[:200]))
    assert two is not None
    assert (two.best, two.worst, two.recall) == ("good", "bad", difference(90, 100, 60, 100))
    three = gap(by_group(labelled, 0.5, names))
    assert three is not None
    assert (three.best, three.worst) == ("best", "bad")
    assert three.recall.estimate == pytest.approx(0.4)
    assert three.recall.high > difference(100, 100, 60, 100).high  # three pairs hold together


def test_one_group_or_groups_without_the_mark_have_no_gap() -> None:
    labelled = Labelled(np.array([True, False]), np.array([0.9, 0.1]))
    assert gap(by_group(labelled, 0.5, ["a", "b"])) is None


def test_gaps_of_groups_that_are_alike_hold_zero_nearly_always() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(150):
        labelled = Labelled(np.ones(400, bool), random.random(400))
        found = gap(by_group(labelled, 0.2, [f"g{n % 5}" for n in range(400)]))
        assert found is not None
        held += found.recall.low <= 0
    assert held / 150 >= 0.9


@given(st.lists(st.floats(-1, 2), max_size=50))
def test_a_histogram_counts_every_value_once(values: list[float]) -> None:
    found = histogram("adult", np.array([*values, math.nan]))
    assert found.edges == bin_edges("adult")
    assert sum(found.counts) == len(values)
    edges = np.array(found.edges)
    inside = np.clip(np.array(values), edges[0], np.nextafter(edges[-1], 0))
    assert list(found.counts) == np.histogram(inside, edges)[0].tolist()


def test_a_histogram_of_ages_counts_years() -> None:
    found = histogram("minors", np.array([0.0, 4.9, 5.0, 27.3, 400.0]))
    assert (found.counts[0], found.counts[1], found.counts[5], found.counts[-1]) == (2, 1, 1, 1)


def test_the_default_direction_is_at_least() -> None:
    assert Labelled(np.ones(1, bool), np.ones(1)).direction == AT_LEAST
