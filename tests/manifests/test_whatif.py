"""What is told of another policy adds up, hides what is small, and knows what nobody has looked at."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.finding import RASTERS, STRUCTURE, Finding
from filters.policy import Rule
from manifests.evidence import Evidence
from manifests.manifest import Decision
from manifests.whatif import Pair, asked_by, compare, read_again, share, shown, together, veiled
from tests.manifests.strategies import EVIDENCE, LABELS, NAMES, UNTIMED, Named

PLACES = st.sampled_from(("general", "adult", "withheld"))
CHAIN = (Named("digests", conclusive=("listed",)), Named("captions"), Named("adult"))


def pair(before: str, after: str, group: str = "") -> Pair:
    return Pair(Decision(group, 0, "key", 0, 1, before), Decision(group, 0, "key", 0, 1, after))


@given(st.lists(st.tuples(PLACES, PLACES, st.sampled_from("ab")), max_size=30))
def test_every_sample_moves_once_and_is_in_one_group(moves: list[tuple[str, str, str]]) -> None:
    found = compare((pair(*each) for each in moves), lambda each: each.shard)
    assert found.moves == Counter(each[:2] for each in moves)
    whole = together(found.groups.values())
    assert (whole.samples, whole.before) == (len(moves), Counter(each[0] for each in moves))
    assert whole.after == Counter(each[1] for each in moves)
    for name, places in found.groups.items():
        assert places.before == Counter(before for before, _, group in moves if group == name)


@UNTIMED
@given(EVIDENCE, st.sets(st.sampled_from(NAMES)))
def test_evidence_keeps_what_its_filters_said_and_what_the_reader_did(evidence: Evidence, names: set[str]) -> None:
    left = shown(evidence, frozenset(names))
    assert {each.filter for each in left.findings} <= names | {STRUCTURE, RASTERS}
    assert [each for each in evidence.findings if each.filter in (STRUCTURE, RASTERS)] == [
        each for each in left.findings if each.filter in (STRUCTURE, RASTERS)
    ]
    assert set(left.examined) == set(evidence.examined) & names
    assert shown(left, frozenset(names)) == left
    assert shown(evidence, frozenset(NAMES)) == evidence


@pytest.mark.parametrize(
    ("examined", "label", "again"),
    [
        (("digests", "captions", "adult"), "nothing", False),
        (("digests",), "listed", False),
        (("digests",), "nothing", True),
        ((), "nothing", True),
        (("digests", "captions"), "nothing", True),
    ],
)
def test_a_sample_is_read_again_when_nothing_of_the_chain_ended_its_examination(
    examined: tuple[str, ...], label: str, again: bool
) -> None:
    evidence = Evidence("00000", 0, "key", 0, 1, findings=(Finding("digests", label),), examined=examined)
    assert read_again(evidence, CHAIN) is again


@pytest.mark.parametrize(("number", "told"), [(0, "0"), (1, "<10"), (9, "<10"), (10, "10"), (4000, "4000")])
def test_a_small_count_is_hidden(number: int, told: str) -> None:
    assert veiled(number) == told


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 50, "0.0 %"), (25, 50, "50.0 %"), (50, 50, "100.0 %"), (9, 50, "few"), (41, 50, "few"), (0, 0, "few")],
)
def test_a_share_that_gives_a_small_count_away_is_hidden(part: int, whole: int, told: str) -> None:
    assert share(part, whole) == told


def test_a_curve_runs_over_what_its_rule_is_compared_with() -> None:
    findings = (
        Finding("adult", LABELS[0], value=0.1),
        Finding("adult", LABELS[1], value=0.2),
        Finding("minors", LABELS[0], value=0.3),
        Finding("adult", LABELS[0]),
        Finding("adult", LABELS[0], value=0.5, unexamined="failed: ValueError"),
    )
    assert asked_by(Rule("r", "adult", "adult", (LABELS[0],), 0.5), findings) == [0.1]
    assert asked_by(Rule("r", "adult", "adult", at_least=0.5), findings) == [0.1, 0.2]
