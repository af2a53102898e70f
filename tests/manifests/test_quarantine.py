"""The ledger points at every withheld byte and holds none."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from filters.finding import Finding
from manifests.evidence import Evidence, ShardFault
from manifests.manifest import decide
from manifests.quarantine import QUARANTINE_SCHEMA, Pointer, pointers, read_ledger, write_ledger
from manifests.tables import described
from tests.manifests.strategies import EVIDENCE, ODD_EVIDENCE, PARTITION, SHA256, UNTIMED, evidence, tuples
from tests.manifests.test_evidence import FAULTS

LISTED = Finding("digests", "codeword-alpha", entry="a1" * 16)


@settings(UNTIMED, max_examples=40)
@given(tuples(EVIDENCE | ODD_EVIDENCE, 6), tuples(FAULTS, 2))
def test_every_withheld_sample_and_every_fault_is_in_the_ledger(
    seen: tuple[Evidence, ...], faults: tuple[ShardFault, ...]
) -> None:
    decisions = [decide(each, (), PARTITION) for each in seen]
    rows = list(pointers(decisions, faults, SHA256))
    withheld = [(each.index, each.offset, each.length) for each in decisions if each.withheld]
    broken = [(None, each.offset, each.length) for each in faults]
    assert [(row.index, row.offset, row.length) for row in rows] == withheld + broken
    with TemporaryDirectory() as folder:
        write_ledger(Path(folder) / "a", rows, {})
        assert list(read_ledger(Path(folder) / "a")) == rows


def test_a_pointer_names_the_shard_by_its_digest() -> None:
    decision = decide(evidence(LISTED, index=2, key="00002"), (), PARTITION)
    assert list(pointers([decision], [], SHA256)) == [Pointer("00000.tar", SHA256, 2, "00002", 2048, 1024, ("listed",))]


def test_what_lies_behind_a_fault_is_unexamined() -> None:
    fault = ShardFault("00000.tar", "truncated", 512, 99)
    assert list(pointers([], [fault], SHA256)) == [Pointer("00000.tar", SHA256, None, "", 512, 99, ("unexamined",))]


def test_the_ledger_has_no_column_for_bytes_or_findings() -> None:
    columns = {path: kind for path, kind, _ in described(QUARANTINE_SCHEMA)}
    assert set(columns) == {"shard", "shard_sha256", "index", "key", "offset", "length", "marks"}
    assert "binary" not in columns.values()
