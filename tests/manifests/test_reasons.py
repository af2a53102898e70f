"""Reasons: a fixed vocabulary that follows from marks and filters, whatever a policy calls its rules."""

from dataclasses import replace

import pytest
from hypothesis import given

from filters.finding import STRUCTURE, Finding
from filters.policy import ADULT, LISTED, MINOR, OPTED_OUT, UNEXAMINED, Partition, Policy
from manifests.evidence import Evidence
from manifests.manifest import decide
from manifests.reasons import severity, why_class
from tests.manifests.strategies import (
    AUDIT_ONLY,
    EVIDENCE,
    FINDINGS,
    FORGETFUL,
    MARKS,
    PARTITION,
    POLICIES,
    STRICT,
    UNTIMED,
    evidence,
    tuples,
)

FIXED = {
    "known material (digest)",
    "known material (perceptual)",
    "listed URL",
    "adult and minor together",
    "classifier",
    "text",
    "part of listed material, perhaps",
    "other listed material",
    "unexamined: perceptual match not effective",
    "unexamined: undecodable",
    "unexamined: failed",
    "unexamined: no image",
    "unexamined: other",
    "structural fault",
    "unexamined: not shown",
    "tied to another sample",
    "no partition in the policy",
}
DIGEST = Finding("digests", "codeword-alpha")
NEAR = Finding("perceptual", "codeword-alpha", 31.0)
FAR = Finding("perceptual", "codeword-alpha", 32.0)
ADDRESS = Finding("urls", "codeword-alpha")
ADULT_PICTURE = Finding("adult", "codeword-alpha", 0.9)
MINOR_WORDS = Finding("captions", "codeword-beta")
BROKEN = Finding("minors", "unexamined", unexamined="undecodable: codeword-key")


def told(policy: Policy, *findings: Finding, inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    return decide(evidence(*findings), inherited, policy).reasons


@pytest.mark.parametrize(
    ("findings", "reasons"),
    [
        ((DIGEST,), ("known material (digest)",)),
        ((ADDRESS, NEAR, DIGEST), ("known material (digest)", "known material (perceptual)", "listed URL")),
        ((ADDRESS, FAR), ("listed URL",)),  # beyond the distance of the rule: no mark, no reason
        ((ADULT_PICTURE, MINOR_WORDS), ("adult and minor together", "classifier", "text")),
        ((DIGEST, MINOR_WORDS), ("known material (digest)",)),  # minors have a place of their own
        ((Finding("digests", "codeword-beta"),), ("other listed material",)),
        ((Finding("perceptual", "partial", 31.0),), ("part of listed material, perhaps",)),
        ((Finding("perceptual", "not-effective", 3.0),), ("unexamined: perceptual match not effective",)),
        ((BROKEN,), ("unexamined: undecodable",)),
        ((BROKEN, ADULT_PICTURE, NEAR), ("known material (perceptual)", "unexamined: undecodable")),
        ((Finding(STRUCTURE, "codeword", unexamined="two members"),), ("structural fault",)),
        ((), ()),
        ((ADULT_PICTURE,), ()),
    ],
)
def test_the_reason_follows_from_what_kept_the_sample_out(
    findings: tuple[Finding, ...], reasons: tuple[str, ...]
) -> None:
    assert told(PARTITION, *findings) == reasons


def test_a_sample_that_only_its_ties_withhold_says_so() -> None:
    assert told(PARTITION, inherited=(LISTED,)) == ("tied to another sample",)
    assert told(PARTITION, ADULT_PICTURE, inherited=(MINOR,)) == (
        "adult and minor together",
        "classifier",
        "tied to another sample",
    )


def test_an_inherited_mark_that_has_a_place_is_no_reason() -> None:
    assert told(PARTITION, BROKEN, inherited=(MINOR,)) == ("unexamined: undecodable",)


def test_a_conclusive_match_comes_before_the_filters_that_were_then_not_shown() -> None:
    decision = decide(evidence(DIGEST, examined=("digests",)), (), PARTITION)
    assert decision.reasons == ("known material (digest)", "unexamined: not shown")


def test_a_structural_fault_comes_before_the_filters_that_were_then_not_shown() -> None:
    fault = Finding(STRUCTURE, "codeword", unexamined="codeword")
    assert decide(evidence(fault, examined=()), (), PARTITION).reasons == ("structural fault", "unexamined: not shown")


def test_a_policy_without_partitions_withholds_for_that_reason() -> None:
    assert told(AUDIT_ONLY) == ("no partition in the policy",)
    assert told(AUDIT_ONLY, ADULT_PICTURE) == ("classifier",)


def test_what_one_policy_keeps_another_withholds_for_its_mark() -> None:
    assert told(STRICT, ADULT_PICTURE) == ("classifier",)
    assert told(STRICT, MINOR_WORDS) == ("text",)


def test_doubt_that_met_no_evidence_is_no_reason() -> None:
    assert told(STRICT, MINOR_WORDS, Finding("minors", "codeword-beta")) == ("text",)


def test_known_material_is_the_reason_even_where_a_partition_claims_to_allow_it() -> None:
    assert told(FORGETFUL, DIGEST) == ("known material (digest)",)


def test_marks_that_are_allowed_but_nowhere_together_are_the_reason() -> None:
    apart = replace(PARTITION, partitions=(Partition("adult", (ADULT,)), Partition("opted out", (OPTED_OUT,))))
    findings = (ADULT_PICTURE, Finding("digests", "codeword-beta"))
    assert told(apart, *findings) == ("classifier", "other listed material")


def test_renaming_the_rules_changes_no_reason() -> None:
    renamed = replace(PARTITION, rules=tuple(replace(rule, name=f"rule {rule.name}") for rule in PARTITION.rules))
    findings = (DIGEST, ADULT_PICTURE, MINOR_WORDS, BROKEN)
    assert told(renamed, *findings) == told(PARTITION, *findings)


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES)
def test_every_reason_is_one_of_a_fixed_list_in_order_of_severity(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy
) -> None:
    reasons = decide(seen, inherited, policy).reasons
    assert set(reasons) <= FIXED
    assert list(reasons) == sorted(reasons, key=severity)


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES, tuples(FINDINGS), MARKS)
def test_more_findings_or_marks_never_take_a_reason_away(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy, more: tuple[Finding, ...], marks: tuple[str, ...]
) -> None:
    before = decide(seen, inherited, policy)
    after = decide(replace(seen, findings=seen.findings + more), inherited + marks, policy)
    assert set(before.reasons) - {"no partition in the policy"} <= set(after.reasons)


@pytest.mark.parametrize(
    ("why", "found"),
    [("no image", "no image"), ("failed: ValueError", "failed"), ("", "other"), ("https://codeword", "https")],
)
def test_the_class_of_why_is_what_stands_before_the_colon(why: str, found: str) -> None:
    assert why_class(why) == found


@pytest.mark.parametrize("why", ["/codeword/path", "codeword=7", "x" * 61, "a\nb", "\udc80", "7 frames"])
def test_a_class_of_why_that_is_not_plain_words_is_not_repeated(why: str) -> None:
    assert why_class(why) == "other"


def test_unexamined_is_a_mark_even_where_no_rule_says_so() -> None:
    silent = replace(PARTITION, rules=())
    decision = decide(evidence(BROKEN), (), silent)
    assert decision.marks == (UNEXAMINED,)
    assert decision.reasons == ("unexamined: undecodable",)
