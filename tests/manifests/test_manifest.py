"""Decisions: monotone, fail-closed, and public only as far as a sample was kept."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.finding import Finding
from filters.policy import ADULT, APART, LISTED, MINOR, UNEXAMINED, WITHHELD, Policy
from manifests.evidence import Evidence
from manifests.manifest import (
    Decision,
    decide,
    public_rows,
    read_manifest,
    read_public,
    reason,
    write_manifest,
    write_public,
)
from tests.manifests.strategies import (
    EVIDENCE,
    FINDINGS,
    MARKS,
    NAMES,
    ODD_EVIDENCE,
    PARTITION,
    POLICIES,
    UNTIMED,
    evidence,
    tuples,
)

DECISIONS = st.builds(decide, EVIDENCE | ODD_EVIDENCE, MARKS, POLICIES)
ADULT_PICTURE = Finding("adult", "codeword-alpha", 0.9)
MINOR_FACE = Finding("minors", "codeword-alpha", 0.9)


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES, tuples(FINDINGS), MARKS)
def test_more_findings_or_marks_never_free_a_sample(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy, more: tuple[Finding, ...], marks: tuple[str, ...]
) -> None:
    before = decide(seen, inherited, policy)
    after = decide(replace(seen, findings=seen.findings + more), inherited + marks, policy)
    assert set(before.marks) <= set(after.marks)
    assert after.withheld or not before.withheld


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES)
def test_no_partition_takes_adult_and_minor_together_or_known_material(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy
) -> None:
    decision = decide(seen, inherited, policy)
    assert decision.withheld or not (set(decision.marks) >= APART or LISTED in decision.marks)


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES)
def test_what_any_filter_left_unexamined_is_withheld(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy
) -> None:
    decision = decide(seen, inherited, policy)
    looked = set(NAMES) <= set(seen.examined) and not any(each.unexamined for each in seen.findings)
    assert looked or (decision.withheld and UNEXAMINED in decision.marks)


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES)
def test_a_sample_is_withheld_exactly_when_there_is_a_reason(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy
) -> None:
    decision = decide(seen, inherited, policy)
    assert decision.withheld == bool(decision.reasons)
    assert reason(decision) == (decision.reasons or ("",))[0]


@UNTIMED
@given(EVIDENCE, st.permutations((LISTED, ADULT, MINOR, "opt-out")), st.integers(0, 4), POLICIES)
def test_the_order_in_which_marks_arrive_does_not_matter(
    seen: Evidence, marks: list[str], size: int, policy: Policy
) -> None:
    given_marks = tuple(marks[:size])
    assert decide(seen, given_marks, policy) == decide(seen, given_marks[::-1] * 2, policy)


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES)
def test_a_decision_points_at_the_bytes_of_its_evidence(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy
) -> None:
    decision = decide(seen, inherited, policy)
    names = ("shard", "index", "key", "offset", "length")
    assert [getattr(decision, name) for name in names] == [getattr(seen, name) for name in names]


@pytest.mark.parametrize(
    ("findings", "inherited", "partition"),
    [
        ((), (), "general"),
        ((ADULT_PICTURE,), (), "adult"),
        ((MINOR_FACE,), (), "minors"),
        ((ADULT_PICTURE, MINOR_FACE), (), WITHHELD),
        ((ADULT_PICTURE,), (MINOR,), WITHHELD),
        ((), (MINOR,), "minors"),
        ((), (LISTED,), WITHHELD),
        ((Finding("minors", "codeword-beta"),), (), "general"),  # doubt, and no evidence of either side
        ((Finding("minors", "codeword-beta"),), (ADULT,), WITHHELD),  # doubt meets what a tied sample showed
    ],
)
def test_samples_go_where_their_marks_are_allowed(
    findings: tuple[Finding, ...], inherited: tuple[str, ...], partition: str
) -> None:
    assert decide(evidence(*findings), inherited, PARTITION).partition == partition


def test_a_filter_that_never_saw_the_sample_is_named() -> None:
    decision = decide(evidence(examined=NAMES[:-1]), (), PARTITION)
    assert decision.findings == (Finding("adult", UNEXAMINED, unexamined="not shown"),)
    assert decision.rules == ("unexamined",)


@settings(UNTIMED, max_examples=40)
@given(tuples(DECISIONS))
def test_the_restricted_view_holds_every_row(rows: tuple[Decision, ...]) -> None:
    with TemporaryDirectory() as folder:
        write_manifest(Path(folder) / "a", rows, {})
        assert tuple(read_manifest(Path(folder) / "a")) == rows


@settings(UNTIMED, max_examples=40)
@given(tuples(DECISIONS, 8))
def test_the_public_view_holds_the_kept_rows_and_no_list_entry(rows: tuple[Decision, ...]) -> None:
    with TemporaryDirectory() as folder:
        write_public(Path(folder) / "a", rows, {})
        found = tuple(read_public(Path(folder) / "a"))
    assert found == tuple(public_rows(rows))
    assert [(each.shard, each.index, each.key) for each in found] == [
        (each.shard, each.index, each.key) for each in rows if not each.withheld
    ]
    assert not any(finding.entry for each in found for finding in each.findings)


def test_the_public_view_tells_nothing_of_a_withheld_sample_or_a_list_entry(tmp_path: Path) -> None:
    listed = Finding("digests", "codeword-alpha", 7.0, "codeword-list", "codeword-entry")
    site = Finding("urls", "codeword-beta", 29.0, "list-alpha", "codeword-entry")
    rows = [
        decide(evidence(listed, key="codeword-key"), (), PARTITION),
        decide(evidence(site, index=1, key="00001"), (), PARTITION),
    ]
    write_public(tmp_path / "a", rows, {})
    table = pq.read_table(tmp_path / "a")
    told = str(table.to_pylist()) + str(pq.ParquetFile(tmp_path / "a").metadata.to_dict())
    assert "00001" in told
    assert not [word for word in ("codeword-key", "codeword-list", "codeword-entry", "29.0") if word in told]


def test_a_public_row_keeps_the_score_that_no_list_gave() -> None:
    decision = decide(evidence(ADULT_PICTURE), (), PARTITION)
    assert [row.findings for row in public_rows([decision])] == [(ADULT_PICTURE,)]


def test_the_same_decisions_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [decide(evidence(ADULT_PICTURE, index=number), (), PARTITION) for number in range(600)]
    for write in (write_manifest, write_public):
        for name in "ab":
            write(tmp_path / name, rows, {"x": "1"})
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
