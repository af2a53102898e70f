from dataclasses import replace
from typing import Any, cast

import pytest

from filters.config import load_policy
from filters.policy import Deadlines, Drift, Partition, Policy, Ties
from filters.policycheck import problems
from filters.rasters import Limits

POLICY = load_policy("partition")


def only(policy: Policy) -> str:
    (problem,) = problems(policy)
    return problem


def partitioned(*partitions: Partition) -> Policy:
    return replace(POLICY, partitions=partitions)


def test_the_default_profile_has_nothing_against_it() -> None:
    assert problems(POLICY) == []


def test_a_policy_needs_a_name() -> None:
    assert "has no name" in only(replace(POLICY, name=" "))


def test_a_rule_that_is_there_twice_is_refused() -> None:
    assert "[[rules]] 'listed digest' is there twice" in only(replace(POLICY, rules=(*POLICY.rules, POLICY.rules[0])))


def test_a_filter_that_is_there_twice_is_refused() -> None:
    twice = replace(POLICY, filters=(*POLICY.filters[:1], *POLICY.filters))
    assert "[[filters]] 'urls' is there twice" in only(twice)


def test_two_lists_of_one_name_are_refused_wherever_they_are_read() -> None:
    captions: Any = POLICY.filters[3]
    other = replace(captions.lists[0], path="another")
    filters = (*POLICY.filters[:3], replace(captions, lists=(*captions.lists, other)), *POLICY.filters[4:])
    assert "[[lists]] 'minor-terms' is there twice" in only(replace(POLICY, filters=filters))


def test_a_rule_without_a_name_is_refused() -> None:
    rules = (replace(POLICY.rules[0], name=""), *POLICY.rules[1:])
    assert "a name is empty" in only(replace(POLICY, rules=rules))


def test_known_material_is_always_matched_before_any_model_looks() -> None:
    assert "order urls, digests, perceptual, captions, minors, adult" in only(
        replace(POLICY, filters=POLICY.filters[::-1])
    )


def test_no_partition_allows_adult_and_minor() -> None:
    mixed = partitioned(Partition("mixed", ("adult", "minor", "adult-evidence")))
    assert "allows both 'adult' and 'minor', which never share an output" in only(mixed)


@pytest.mark.parametrize("mark", ["listed", "unexamined"])
def test_no_partition_allows_what_is_always_withheld(mark: str) -> None:
    assert f"allows {mark!r}, and such samples are always withheld" in only(partitioned(Partition("general", (mark,))))


def test_a_partition_allows_only_marks_that_a_rule_gives() -> None:
    assert "no rule gives that mark; did you mean 'minor'?" in only(partitioned(Partition("minors", ("minors",))))


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "General", "a" * 65, "withheld", "a b", "-a", "a\n"])
def test_the_name_of_a_partition_is_a_safe_folder(name: str) -> None:
    assert any("cannot be a folder" in problem for problem in problems(partitioned(Partition(name))))


def test_a_partition_that_an_earlier_one_leaves_empty_is_refused() -> None:
    partitions = Partition("general", ("minor", "adult-evidence")), Partition("minors", ("minor",))
    assert "'minors' stays empty" in only(partitioned(*partitions))


@pytest.mark.parametrize("missing", ["listed", "adult", "minor"])
def test_tied_samples_always_inherit_what_is_kept_apart(missing: str) -> None:
    inherit = tuple(mark for mark in Ties().inherit if mark != missing)
    assert f"inherit lacks {missing!r}" in only(replace(POLICY, ties=Ties(inherit=inherit)))


def test_only_marks_that_a_rule_gives_are_inherited() -> None:
    ties = Ties(inherit=(*Ties().inherit, "adult-evidense"))
    assert "did you mean 'adult-evidence'?" in only(replace(POLICY, ties=ties))


@pytest.mark.parametrize("bits", [-1, 257])
def test_a_distance_beyond_the_bits_of_a_hash_is_refused(bits: int) -> None:
    assert "0..256" in only(replace(POLICY, ties=Ties(near_duplicate_bits=bits)))


@pytest.mark.parametrize("bits", [None, 0, 31, 256])
def test_a_distance_within_the_bits_of_a_hash_or_none_is_accepted(bits: int | None) -> None:
    assert problems(replace(POLICY, ties=Ties(near_duplicate_bits=bits))) == []


def test_a_limit_or_deadline_that_nothing_could_meet_is_refused() -> None:
    assert "max_frames is below 1" in only(replace(POLICY, limits=Limits(max_frames=0)))
    assert "text is below 1" in only(replace(POLICY, deadlines=Deadlines(text=-1)))


@pytest.mark.parametrize("distance", [-0.1, 1.5, float("nan")])
def test_a_drift_that_is_no_share_is_refused(distance: float) -> None:
    assert "outside 0..1" in only(replace(POLICY, drift=Drift(distance)))


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (2, {"max_pdq_bits": -1}),
        (2, {"min_quality": 101}),
        (2, {"max_phash_bits": 65}),
        (4, {"min_face_pixels": 0}),
        (4, {"min_face_pixels": 100_000}),
    ],
)
def test_a_parameter_with_which_a_filter_would_quietly_find_nothing_is_refused(
    place: int, changes: dict[str, int]
) -> None:
    filters = list(POLICY.filters)
    filters[place] = replace(cast(Any, filters[place]), **changes)
    assert f"{next(iter(changes))} lies outside" in only(replace(POLICY, filters=tuple(filters)))
