"""What is decided of many rows at once is what `decide` gives row by row."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filters.policy import Policy
from manifests import alike
from manifests.counts import count
from manifests.evidence import EVIDENCE_SCHEMA, Evidence, EvidenceWriter
from manifests.manifest import MANIFEST_SCHEMA, PUBLIC_SCHEMA, decide, public_rows, read_manifest, read_public
from manifests.tables import read_groups
from tests.manifests.strategies import EVIDENCE, MARKS, NAMES, ODD_EVIDENCE, POLICIES, UNTIMED, tuples

PLAIN = st.builds(
    lambda each, examined, without: replace(each, findings=(), examined=examined, not_applicable=without),
    EVIDENCE,
    st.sampled_from((NAMES, NAMES[:3], ())),
    st.sampled_from(((), NAMES[3:], NAMES[4:])),
)
ROWS = st.lists(st.one_of(PLAIN, PLAIN, EVIDENCE, ODD_EVIDENCE), max_size=12)


def stored(folder: str, rows: list[Evidence]) -> tuple[Path, list[Evidence]]:
    """Write evidence whose indices count, as in a shard, and return it."""
    counted = [replace(each, index=number) for number, each in enumerate(rows)]
    path = Path(folder) / "evidence.parquet"
    with EvidenceWriter(path, {}) as writer:
        for each in counted:
            writer.write(each)
    return path, counted


@UNTIMED
@given(ROWS, POLICIES, st.dictionaries(st.integers(0, 11), MARKS, max_size=4))
def test_decisions_public_rows_and_counts_are_those_of_the_rows_one_by_one(
    rows: list[Evidence], policy: Policy, inherited: dict[int, tuple[str, ...]]
) -> None:
    with TemporaryDirectory() as folder:
        path, counted = stored(folder, rows)
        expected = [decide(each, inherited.get(each.index, ()), policy) for each in counted]
        manifest, public = Path(folder) / "manifest.parquet", Path(folder) / "public.parquet"
        alike.write_batches(manifest, MANIFEST_SCHEMA, alike.decided(path, inherited, policy), {})
        alike.write_batches(public, PUBLIC_SCHEMA, map(alike.published, alike.manifest_batches(manifest)), {})
        assert list(read_manifest(manifest)) == expected
        assert list(read_public(public)) == list(public_rows(expected))
        assert alike.count_batches(alike.manifest_batches(manifest)) == count(expected)
        withheld = [each for batch in alike.manifest_batches(manifest) for each in alike.withheld(batch)]
        assert withheld == [each for each in expected if each.withheld]


@UNTIMED
@given(ROWS)
def test_a_statement_says_what_the_evidence_of_its_row_says(rows: list[Evidence]) -> None:
    with TemporaryDirectory() as folder:
        path, counted = stored(folder, rows)
        found = [each for group in alike.stated(path) for each in group]
        assert [(s.findings, s.examined, s.not_applicable) for s in found] == [
            (each.findings, each.examined, each.not_applicable) for each in counted
        ]


def test_rows_that_are_alike_share_one_statement(tmp_path: Path) -> None:
    one: Any = Evidence("s", 0, "k", 0, 1, examined=NAMES)
    path, _ = stored(str(tmp_path), [one, replace(one, key="other"), replace(one, examined=())])
    (group,) = map(alike.statements, read_groups(path, EVIDENCE_SCHEMA, list(EVIDENCE_SCHEMA.names)))
    assert group[0] is group[1]
    assert group[0] is not group[2]


@given(PLAIN, POLICIES, tuples(st.sampled_from(NAMES)))
def test_what_does_not_apply_is_not_missed_and_everything_else_still_is(
    row: Evidence, policy: Policy, without: tuple[str, ...]
) -> None:
    decision = decide(replace(row, examined=(), not_applicable=without), (), policy)
    assert {each.filter for each in decision.findings} == set(NAMES) - set(without)
    assert decision.withheld == (set(without) != set(NAMES)) or not policy.partitions
