"""A plan is drawn in proportion and by nobody's choice, and what its answers bound holds as often as they say."""

from dataclasses import replace
from functools import reduce
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom, poisson

from filters.finding import Finding
from filters.policy import ADULT, MINOR, Partition, Policy, Rule
from manifests.manifest import Decision
from manifests.sampling import NO_SCORE, Answered, allocate, asked, band, draw, most_left, source_of
from tests.manifests.strategies import UNTIMED

KEY = b"k" * 32
RULES = (
    Rule("adult score", ADULT, "adult", ("score",), at_least=0.6),
    Rule("minor face", MINOR, "minors", ("apparent-age",), at_most=27),
    Rule("doubtful", MINOR, "minors", ("small-face",), at_most=99, beside=(ADULT,)),
)
POLICY = Policy(
    "test", rules=RULES, partitions=(Partition("general"), Partition("minors", (MINOR,)), Partition("adult", (ADULT,)))
)


def scored(value: float, name: str = "adult", label: str = "score") -> tuple[Finding, ...]:
    return (Finding(name, label, value=value),)


def decisions(number: int, partition: str = "general", shard: str = "crawl-00000") -> list[Decision]:
    found = (0.05, 0.3, 0.59)
    return [
        Decision(shard, n, f"key{n}", 0, 1, partition, findings=scored(found[n % 3] if n % 10 else 0.3))
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("partition", "findings", "where"),
    [
        ("general", scored(0.1), "far"),
        ("general", scored(0.3), "middle"),
        ("general", scored(0.59), "near"),
        ("general", scored(30, "minors", "apparent-age"), "near"),
        ("general", scored(80, "minors", "apparent-age"), "middle"),
        ("general", (*scored(0.01), *scored(30, "minors", "apparent-age")), "near"),
        ("general", scored(50, "minors", "small-face"), NO_SCORE),
        ("general", scored(0.9, "captions"), NO_SCORE),
        ("general", (), NO_SCORE),
        ("adult", scored(0.9), NO_SCORE),
        ("minors", scored(20, "minors", "apparent-age"), NO_SCORE),
    ],
)
def test_a_band_is_how_near_a_score_comes_to_a_threshold_that_counts_there(
    partition: str, findings: tuple[Finding, ...], where: str
) -> None:
    assert band(POLICY, partition, findings) == where


def test_a_person_is_asked_for_the_marks_that_a_partition_forbids() -> None:
    told = {name: asked(POLICY, name) for name in ("general", "minors", "adult")}
    assert told == {"general": (ADULT, MINOR), "minors": (ADULT,), "adult": (MINOR,)}


@pytest.mark.parametrize(
    ("shard", "source"), [("laion-00012", "laion"), ("a_b.7", "a_b"), ("00012", "numbered shards"), ("cc12m", "cc12m")]
)
def test_the_source_of_a_shard_is_its_name_without_the_number(shard: str, source: str) -> None:
    assert source_of(shard) == source


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8), st.integers(1, 900))
def test_every_stratum_is_drawn_from_and_the_numbers_add_up(sizes: list[int], number: int) -> None:
    drawn = allocate(sizes, number)
    assert all(min(1, size) <= n <= size for n, size in zip(drawn, sizes, strict=True))
    assert sum(drawn) == min(max(number, sum(size > 0 for size in sizes)), sum(sizes))


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(1, 30))
def test_no_other_share_out_samples_the_least_sampled_more(sizes: list[int], number: int) -> None:
    drawn = allocate(sizes, number)
    least = min(n / size for n, size in zip(drawn, sizes, strict=True))
    others = (each for each in product(*(range(1, size + 1) for size in sizes)) if sum(each) <= sum(drawn))
    assert least >= max(min(n / size for n, size in zip(each, sizes, strict=True)) for each in others)


def test_a_plan_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    every = decisions(300)
    first, again, other = (draw(POLICY, every, 30, KEY, seed) for seed in (1, 1, 2))
    assert first == again
    assert {each.index for each in first.chosen} != {each.index for each in other.chosen}
    assert {each.index for each in draw(POLICY, every, 30, b"x" * 32, 1).chosen} != {e.index for e in first.chosen}
    backwards = draw(POLICY, reversed(every), 30, KEY, 1)
    assert (backwards.sizes, backwards.chosen) == (first.sizes, first.chosen)


def test_withheld_samples_are_never_drawn_and_strata_count_all_that_is_kept() -> None:
    every = [*decisions(200), *decisions(50, "adult", "other-1"), *decisions(90, "withheld")]
    plan = draw(POLICY, every, 20, KEY, 0)
    assert sum(plan.sizes.values()) == 250
    assert {each.stratum.partition for each in plan.chosen} == {"general", "adult"}
    assert sorted(plan.sizes) == list(plan.sizes)
    for partition in ("general", "adult"):
        assert sum(each.stratum.partition == partition for each in plan.chosen) == 20


def test_every_sample_is_as_likely_to_be_drawn_as_its_neighbours() -> None:
    every = [replace(each, findings=()) for each in decisions(40)]
    times = np.zeros(40)
    for seed in range(600):
        for each in draw(POLICY, every, 10, KEY, seed).chosen:
            times[each.index] += 1
    # 600 draws of 10 in 40: 150 each, standard deviation 10.6; forty of them stay within five of it
    assert abs(times - 150).max() < 53


@UNTIMED
@given(st.integers(1, 400), st.data())
def test_one_stratum_has_the_exact_hypergeometric_bound(size: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(1, size))
    found = data.draw(st.integers(0, drawn))
    bound = most_left([Answered(size, drawn, found)])
    most = size - drawn + found
    assert found <= bound <= most
    assert bound == found or hypergeom.cdf(found, size, bound, drawn) > 0.05 - 1e-9
    assert bound == most or hypergeom.cdf(found, size, bound + 1, drawn) <= 0.05 + 1e-9


def test_where_everything_was_looked_at_the_bound_is_what_was_found() -> None:
    assert most_left([Answered(30, 30, 2), Answered(10, 10, 1), Answered(0, 0, 0)]) == 3
    assert most_left([Answered(30, 30, 2), Answered(100, 50, 0)]) == 2 + most_left([Answered(100, 50, 0)])


def test_what_is_there_may_all_lie_where_least_was_drawn() -> None:
    assert most_left([Answered(1_000, 100, 0), Answered(1_000, 10, 0)]) == 299
    assert most_left([Answered(1_000, 10, 0), Answered(1_000, 100, 0)]) == 299
    assert most_left([Answered(1_000, 100, 0), Answered(100, 1, 0)]) == 99 + 20  # one stratum full, then 2.006 / 0.1


def test_nothing_found_in_several_strata_costs_no_more_than_in_one() -> None:
    """3 / share of all, where a part of the risk for each of the ten strata would leave 53 / share."""
    together = most_left([Answered(10_000, 100, 0)] * 10)
    assert together == 299  # 2.996 / 0.01
    assert most_left([Answered(100_000, 1_000, 0)]) == 297
    bonferroni = 10 * most_left([Answered(10_000, 100, 0)], 1 - 0.05 / 10)
    assert bonferroni > 5_000


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 30), st.integers(0, 3)), min_size=2, max_size=4))
def test_the_bound_over_strata_grows_with_what_is_found(given_: list[tuple[int, int, int]]) -> None:
    strata = [Answered(drawn + rest, drawn, min(found, drawn)) for rest, drawn, found in given_]
    bound = most_left(strata)
    assert bound >= sum(each.found for each in strata)
    more = [replace(each, found=min(each.found + 1, each.drawn)) for each in strata]
    assert most_left(more) >= bound


@UNTIMED
@given(
    st.lists(st.tuples(st.integers(2, 40), st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=4),
    st.integers(0, 6),
)
def test_what_is_found_in_strata_is_less_rare_than_a_poisson_number(
    strata: list[tuple[int, int, int]], found: int
) -> None:
    """The inequality that the bound rests on, against hypergeometric numbers added up exactly."""
    true = [(size, min(drawn, size), min(present, size)) for size, drawn, present in strata]
    shapes = [hypergeom.pmf(np.arange(drawn + 1), size, present, drawn) for size, drawn, present in true]
    whole = reduce(np.convolve, shapes)
    mean = sum(drawn * present / size for size, drawn, present in true)
    if found <= mean - 1:
        assert whole[: found + 1].sum() <= poisson.cdf(found, mean) + 1e-9


STRATA = [
    [(2_000, 40, 30), (500, 10, 0), (100, 5, 2)],
    [(300, 100, 3), (3_000, 50, 0)],
    [(1_000, 20, 0), (1_000, 20, 60), (1_000, 20, 5), (50, 50, 4)],
    [(4_000, 60, 8)],
]


@pytest.mark.parametrize("strata", STRATA, ids=str)
def test_the_bound_covers_as_often_as_it_says(strata: list[tuple[int, int, int]]) -> None:
    """Size, number drawn and number present of each stratum; the draw is made anew 2,000 times."""
    random = np.random.default_rng(20261122)
    present = sum(each for *_, each in strata)
    draws = zip(*(random.hypergeometric(k, size - k, drawn, 2_000) for size, drawn, k in strata), strict=True)
    seen: dict[tuple[int, ...], int] = {}
    held = 0
    for found in draws:
        if found not in seen:
            seen[found] = most_left([Answered(size, n, int(x)) for (size, n, _), x in zip(strata, found, strict=True)])
        held += present <= seen[found]
    assert held / 2_000 >= 0.95 - 0.012  # two and a half standard errors of the simulation
