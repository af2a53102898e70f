"""The queue: what is withheld and asks for a person is a case, and filling it twice changes nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given

from filters.finding import STRUCTURE, Finding, keyed
from filters.policy import ADULT, LISTED, MINOR, OPTED_OUT, UNEXAMINED, Deadlines, Policy, Rule
from manifests.evidence import Evidence, ShardFault
from manifests.manifest import Decision, decide
from manifests.queue import KINDS, Docket, QueueItem, export, items, kind_of, quiet_marks, read_queue, write_queue
from tests.manifests.strategies import (
    AUDIT_ONLY,
    EVIDENCE,
    FINDINGS,
    MARKS,
    PARTITION,
    POLICIES,
    SHA256,
    STRICT,
    UNTIMED,
    evidence,
    tuples,
)

STARTED = datetime(2026, 11, 21, 12, 0, 0, 999_999, UTC)
DOCKET = Docket(SHA256, b"codeword-secret", STARTED, Deadlines(1, 2, 3, 4, 5))
FAULT = ShardFault("00000.tar", "truncated", 2048, 99)
DIGEST = Finding("digests", "codeword-alpha", source="codeword-list", entry="a1" * 16)
ADULT_PICTURE = Finding("adult", "codeword-alpha", 0.9)
SUSPECT_PICTURE = Finding("adult", "codeword-suspect")
ABUSE_WORDS = Finding("captions", "codeword-abuse")
MINOR_WORDS = Finding("captions", "codeword-beta")
BROKEN = Finding("minors", "unexamined", unexamined="undecodable")


def decided(*findings: Finding, inherited: tuple[str, ...] = (), policy: Policy = PARTITION) -> Decision:
    return decide(evidence(*findings, index=3, key="codeword-key"), inherited, policy)


def case(*findings: Finding, inherited: tuple[str, ...] = (), policy: Policy = PARTITION) -> QueueItem:
    return next(items([decided(*findings, inherited=inherited, policy=policy)], [], DOCKET))


@pytest.mark.parametrize(
    ("findings", "inherited", "kind"),
    [
        ((DIGEST, MINOR_WORDS), (), "known_material"),
        ((), (LISTED,), "known_material"),
        ((ADULT_PICTURE, MINOR_WORDS), (), "adult_and_minor"),
        ((ADULT_PICTURE,), (MINOR,), "adult_and_minor"),
        ((SUSPECT_PICTURE,), (), "classifier"),
        ((), ("abuse",), "classifier"),
        ((BROKEN,), (ADULT,), "structure"),
        ((ABUSE_WORDS,), (), "text"),
        ((ABUSE_WORDS, SUSPECT_PICTURE), (), "classifier"),
        ((MINOR_WORDS, BROKEN), (), "structure"),
        ((BROKEN,), (), "structure"),
        ((), (UNEXAMINED,), "structure"),
        ((Finding(STRUCTURE, "codeword", unexamined="codeword"),), (), "structure"),
    ],
)
def test_the_kind_is_the_most_pressing_that_applies(
    findings: tuple[Finding, ...], inherited: tuple[str, ...], kind: str
) -> None:
    item = case(*findings, inherited=inherited, policy=STRICT)
    assert (item.kind, item.priority) == (kind, KINDS.index(kind) + 1)
    assert item.state == "open"


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES)
def test_every_withheld_sample_is_a_case_unless_only_one_side_of_the_wall_or_an_opt_out_withholds_it(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy
) -> None:
    decision = decide(seen, inherited, policy)
    quiet = any(set(decision.marks) <= {side, OPTED_OUT} for side in (ADULT, MINOR))
    assert len(list(items([decision], [], DOCKET))) == (decision.withheld and not quiet)


def test_the_quiet_marks_of_a_policy_are_the_sides_of_the_wall_and_the_evidence_of_them() -> None:
    policy = replace(PARTITION, rules=(*PARTITION.rules, Rule("doubt", MINOR, "minors", beside=("adult-evidence",))))
    assert quiet_marks(policy) == {ADULT, MINOR, OPTED_OUT, "adult-evidence"}


@UNTIMED
@given(EVIDENCE, MARKS, POLICIES, tuples(FINDINGS), MARKS)
def test_more_findings_or_marks_never_make_a_case_less_pressing(
    seen: Evidence, inherited: tuple[str, ...], policy: Policy, more: tuple[Finding, ...], marks: tuple[str, ...]
) -> None:
    before = kind_of(decide(seen, inherited, policy), quiet_marks(policy))
    after = kind_of(
        decide(replace(seen, findings=seen.findings + more), inherited + marks, policy), quiet_marks(policy)
    )
    assert before == "" or KINDS.index(after) <= KINDS.index(before)


@UNTIMED
@given(tuples(EVIDENCE))
def test_filling_the_queue_again_changes_nothing(seen: tuple[Evidence, ...]) -> None:
    decisions = [decide(each, (), PARTITION) for each in seen]
    assert list(items(decisions, [FAULT], DOCKET)) == list(items(decisions, [FAULT], DOCKET))


def test_the_id_is_keyed_and_names_the_bytes() -> None:
    assert case(DIGEST).id == keyed(b"codeword-secret", "queue", SHA256, "3")
    elsewhere = replace(decided(DIGEST), shard="copy.tar")
    assert next(items([elsewhere], [], DOCKET)).id == case(DIGEST).id
    other = replace(DOCKET, key=b"codeword-other")
    assert next(items([decided(DIGEST)], [], other)).id != case(DIGEST).id


def test_a_sample_that_nothing_is_held_against_asks_for_nobody() -> None:
    assert kind_of(decided(policy=AUDIT_ONLY), quiet_marks(AUDIT_ONLY)) == ""
    assert kind_of(decided(), quiet_marks(PARTITION)) == ""


def test_a_structural_fault_is_a_case_without_a_key() -> None:
    (item,) = items([], [FAULT], DOCKET)
    assert (item.kind, item.index, item.key, item.offset, item.length) == ("structure", None, "", 2048, 99)
    assert item.reasons == ("structural fault",)
    assert item.deadline == "2026-11-21T17:00:00Z"


def test_faults_and_samples_never_share_an_id() -> None:
    faults = [replace(FAULT, offset=3), FAULT]
    assert len({item.id for item in items([decided(DIGEST)], faults, DOCKET)}) == 3


def test_each_kind_has_its_own_deadline_in_utc() -> None:
    east = Docket(SHA256, b"", STARTED.astimezone(timezone(timedelta(hours=9))), DOCKET.deadlines)
    hours = [f"2026-11-21T{12 + more}:00:00Z" for more in (1, 2, 3, 4, 5)]
    assert [DOCKET.deadline(kind) for kind in KINDS] == [east.deadline(kind) for kind in KINDS] == hours


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(DOCKET, started=STARTED.replace(tzinfo=None)).deadline("text")


def test_entries_are_the_keyed_ids_of_all_matches() -> None:
    again = Finding("perceptual", "codeword-alpha", 8.0, entry="0f" * 16)
    assert case(DIGEST, again, DIGEST).entries == ("0f" * 16, "a1" * 16)


def test_the_queue_of_all_shards_is_read_most_pressing_first(tmp_path: Path) -> None:
    late = replace(DOCKET, shard_sha256="6e" * 32, started=STARTED + timedelta(hours=9))
    first = [*items([decided(BROKEN), decided(DIGEST)], [FAULT], DOCKET)]
    second = [*items([decided(ADULT_PICTURE, MINOR_WORDS), decided(DIGEST)], [], late)]
    write_queue(tmp_path / "00001.parquet", first, {})
    write_queue(tmp_path / "00000.parquet", second, {})
    write_queue(tmp_path / ".00002.parquet", second, {})  # not yet renamed
    (tmp_path / "README.md").write_text("codeword")
    found = read_queue(tmp_path)
    assert sorted(found, key=repr) == sorted([*first, *second], key=repr)
    assert [(item.priority, item.deadline) for item in found] == [
        (1, "2026-11-21T13:00:00Z"),
        (1, "2026-11-21T22:00:00Z"),
        (2, "2026-11-21T23:00:00Z"),
        (5, "2026-11-21T17:00:00Z"),
        (5, "2026-11-21T17:00:00Z"),
    ]


def test_an_empty_queue_is_read_as_such(tmp_path: Path) -> None:
    assert read_queue(tmp_path) == []


def test_the_export_points_at_the_bytes_and_names_no_key() -> None:
    (line,) = export([case(DIGEST)])
    assert json.loads(line) == {
        "id": case(DIGEST).id,
        "kind": "known_material",
        "priority": 1,
        "deadline": "2026-11-21T13:00:00Z",
        "state": "open",
        "reasons": ["known material (digest)"],
        "entries": ["a1" * 16],
        "pointer": {"shard": "00000.tar", "shard_sha256": SHA256, "index": 3, "offset": 3072, "length": 1024},
    }
    assert "codeword" not in line


def test_a_shard_whose_name_is_not_utf_8_is_exported_as_plain_json() -> None:
    (line,) = export([replace(case(DIGEST), shard="\udcff.tar")])
    assert json.loads(line)["pointer"]["shard"] == "\\udcff.tar"


def test_neither_the_key_of_a_sample_nor_of_the_run_shows_in_a_repr() -> None:
    assert "codeword" not in repr(case(DIGEST)) + repr(DOCKET)
