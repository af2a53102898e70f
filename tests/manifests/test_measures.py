"""The counts that a run notes of each shard add up to those of the whole, and say what the decisions say."""

import json
from collections import Counter
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.calibration import bin_edges
from filters.finding import STRUCTURE, Finding
from filters.policy import Policy
from manifests.evidence import Evidence
from manifests.manifest import Decision, decide
from manifests.measures import Measures, bin_of, measure, measures_of, total_measures, value_of
from tests.manifests.strategies import EVIDENCE, PARTITION, UNTIMED
from tests.measured import calibrated

POLICY = replace(PARTITION, calibrations=(replace(calibrated(), label="codeword-alpha"),))


def decided(evidence: list[Evidence]) -> list[Decision]:
    return [decide(each, (), POLICY) for each in evidence]


@UNTIMED
@given(st.lists(EVIDENCE, max_size=6))
def test_the_counts_are_those_of_the_decisions(evidence: list[Evidence]) -> None:
    decisions = decided(evidence)
    found = measure(POLICY, decisions)
    kept = [each for each in decisions if not each.withheld]
    assert found.kept == Counter(each.partition for each in kept)
    for partition, carriers in found.carriers.items():
        assert carriers == Counter(mark for each in kept if each.partition == partition for mark in each.marks)
    for rule in POLICY.rules:
        flagged = [each for each in decisions if rule.name in each.rules]
        withheld = sum(each.withheld for each in flagged)
        assert found.flagged_by(rule.name) == (len(flagged) - withheld, withheld)
    with_value = [each for each in decisions if value_of(each.findings, POLICY.calibrations[0]) is not None]
    assert sum(found.histograms[0]) == len(with_value)


@UNTIMED
@given(st.lists(EVIDENCE, max_size=6), st.integers(0, 6))
def test_shards_add_up_to_the_whole_however_they_are_cut(evidence: list[Evidence], cut: int) -> None:
    decisions = decided(evidence)
    parts = [measure(POLICY, decisions[:cut]), measure(POLICY, decisions[cut:])]
    assert total_measures(parts) == total_measures([measure(POLICY, decisions)])


@given(st.lists(EVIDENCE, max_size=3))
def test_a_marker_gives_back_what_it_was_given(evidence: list[Evidence]) -> None:
    found = measure(POLICY, decided(evidence))
    assert measures_of(json.loads(json.dumps({"measures": asdict(found)}))) == found


def test_a_rule_that_never_fired_and_a_policy_without_calibration_count_nothing() -> None:
    assert Measures({}, {}, {}, []).flagged_by("any") == (0, 0)
    assert measure(Policy("test"), []).histograms == []


@pytest.mark.parametrize(
    ("value", "place"), [(-1.0, 0), (0.0, 0), (0.049, 0), (0.05, 1), (0.95, 19), (1.0, 19), (7.0, 19)]
)
def test_a_bin_holds_its_lower_edge_and_the_last_what_lies_beyond(value: float, place: int) -> None:
    assert bin_of(value, bin_edges("adult")) == place


def score(value: float | None, **more: str) -> Finding:
    return Finding("adult", "score", value=value, **more)


@pytest.mark.parametrize(
    ("findings", "value"),
    [
        ((score(0.2), score(0.4)), 0.4),
        ((score(0.2), Finding("minors", "score", value=0.9), Finding("adult", "other", value=0.8)), 0.2),
        ((score(0.2), Finding("minors", "unexamined", unexamined="undecodable")), 0.2),
        ((score(0.2), Finding("adult", "unexamined", unexamined="frame limit")), None),
        ((score(0.2), Finding(STRUCTURE, "key twice", unexamined="key twice")), None),
        ((score(None),), None),
        ((), None),
    ],
)
def test_the_value_of_a_sample_is_its_most_telling_one(findings: tuple[Finding, ...], value: float | None) -> None:
    assert value_of(findings, calibrated()) == value


def test_where_low_values_tell_the_lowest_one_counts() -> None:
    assert value_of((score(0.2), score(0.4)), replace(calibrated(), direction="at_most")) == 0.2
