from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.config import load_policy, policy_digest, profiles
from filters.finding import Finding
from filters.lists import ListSource
from filters.policy import Deadlines, Drift, Partition, Policy, Rule, Ties
from filters.policydiff import diff
from filters.rasters import Limits

POLICY = load_policy("partition")
RULE = Rule("r", "adult", "adult", ("score",), at_least=0.8)
BOUNDS = st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def with_rule(**changes: Any) -> Policy:
    return replace(POLICY, rules=(*POLICY.rules, replace(RULE, **changes)))


def with_lists(*lists: ListSource) -> Policy:
    urls: Any = POLICY.filters[0]
    return replace(POLICY, filters=(replace(urls, lists=lists), *POLICY.filters[1:]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"at_least": 0.7}, "rule 'r': at_least 0.8 -> 0.7: more samples are marked adult"),
        ({"at_least": 0.9}, "rule 'r': at_least 0.8 -> 0.9: fewer samples are marked adult"),
        ({"at_least": None}, "rule 'r': at_least 0.8 -> none: more samples are marked adult"),
        ({"at_most": 0.9}, "rule 'r': at_most none -> 0.9: fewer samples are marked adult"),
        ({"labels": ()}, "rule 'r': labels score -> none: more samples are marked adult"),
        ({"labels": ("other",)}, "rule 'r': labels score -> other: other samples are marked adult"),
        ({"beside": ("minor",)}, "rule 'r': beside none -> minor: fewer samples are marked adult"),
        ({"filter": "minors"}, "rule 'r': filter adult -> minors: other samples are marked adult"),
        ({"mark": "x"}, "rule 'r': what it finds is marked x, no longer adult"),
        ({"name": "s"}, "rule 's' is new: score from filter adult, at least 0.8, is marked adult"),
        ({"name": "s"}, "rule 'r' is gone: fewer samples are marked adult"),
    ],
)
def test_a_changed_rule_is_told_with_what_it_does(changes: dict[str, Any], told: str) -> None:
    assert told in diff(with_rule(), with_rule(**changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "x"}, "the policy is called 'x', no longer 'partition'"),
        ({"uncalibrated": False}, "thresholds on uncalibrated models are no longer accepted"),
        ({"filters": POLICY.filters[1:]}, "filter 'urls' is gone: it finds nothing any more"),
        ({"ties": Ties(near_duplicate_bits=None)}, "ties: near_duplicate_bits 31 -> off: other samples are tied, "),
        ({"limits": Limits(max_frames=1)}, "limits: max_frames 64 -> 1: more samples are unexamined, so withheld"),
        ({"drift": Drift(0.2)}, "drift: max_distance 0.1 -> 0.2: fewer shards are warned of"),
        ({"deadlines": Deadlines(text=24)}, "deadlines: text 168 -> 24 hours: people have less time"),
        ({"partitions": POLICY.partitions[:2]}, "partition 'adult' is gone: what only it allowed is withheld"),
        ({"partitions": POLICY.partitions[::-1]}, "partitions are tried in the order adult, minors, general: "),
        ({"rules": POLICY.rules[::-1]}, "the same entries stand in another order: no sample is placed otherwise"),
        ({"description": "y"}, "the description is worded otherwise: no decision changes"),
    ],
)
def test_every_part_of_a_policy_is_compared(changes: dict[str, Any], told: str) -> None:
    assert any(line.startswith(told) for line in diff(POLICY, replace(POLICY, **changes)))


def test_a_mark_let_in_or_out_of_a_partition_is_told() -> None:
    general = Partition("general", ("minor",))
    lines = diff(POLICY, replace(POLICY, partitions=(general, *POLICY.partitions[1:])))
    assert "partition 'general' also allows minor: samples with that mark are let in" in lines
    assert any("no longer allows adult-evidence: such samples are withheld" in line for line in lines)


def test_a_new_version_of_a_list_is_told_and_its_place_is_not() -> None:
    old = ListSource("ours", "/secret-place/a.csv", "urls", "csam", version="1")
    new = replace(old, path="/other-place/a.csv", version="2")
    assert diff(with_lists(old), with_lists(new)) == ["list 'ours': version 1 -> 2"]
    assert "list 'ours' is new: more can be found" in diff(with_lists(), with_lists(new))
    assert "list 'ours' is gone: its entries match nothing any more" in diff(with_lists(old), with_lists())


@pytest.mark.parametrize("a", profiles())
@pytest.mark.parametrize("b", profiles())
def test_two_policies_differ_in_words_exactly_where_their_digests_differ(a: str, b: str) -> None:
    one, two = load_policy(a), load_policy(b)
    assert (diff(one, two) == []) == (policy_digest(one) == policy_digest(two))


@given(old=st.tuples(BOUNDS, BOUNDS), new=st.tuples(BOUNDS, BOUNDS), value=st.none() | st.floats(0, 1))
def test_fewer_and_more_are_true_of_every_finding(
    old: tuple[float | None, float | None], new: tuple[float | None, float | None], value: float | None
) -> None:
    before = Rule("r", "adult", "adult", (), *old)
    after = Rule("r", "adult", "adult", (), *new)
    policies = [replace(POLICY, rules=(*POLICY.rules, rule)) for rule in (before, after)]
    told = {word for line in diff(*policies) for word in ("more", "fewer") if f": {word} samples" in line}
    finding = Finding("adult", "score", value=value)
    if before.earned_by(finding) and not after.earned_by(finding):
        assert "fewer" in told
    if after.earned_by(finding) and not before.earned_by(finding):
        assert "more" in told
