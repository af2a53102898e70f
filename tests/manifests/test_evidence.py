"""Evidence comes back as it was written, whatever a tar may have held."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.errors import SealError
from filters.finding import Finding
from filters.fingerprints import Fingerprint
from manifests.evidence import (
    EVIDENCE_SCHEMA,
    Evidence,
    EvidenceWriter,
    ShardFault,
    read_evidence,
    read_faults,
)
from manifests.tables import read_metadata, write_rows
from tests.manifests.strategies import EVIDENCE, ODD_EVIDENCE, ODD_TEXT, UNTIMED, evidence, tuples

FAULTS = st.builds(ShardFault, ODD_TEXT, ODD_TEXT, st.integers(0, 2**50), st.integers(0, 2**50))


def write(path: Path, rows: Iterable[Evidence], faults: tuple[ShardFault, ...] = ()) -> Path:
    with EvidenceWriter(path, {"shardwall.version": "0"}) as writer:
        for row in rows:
            writer.write(row)
        for fault in faults:
            writer.fault(fault)
    return path


@settings(UNTIMED, max_examples=60)
@given(tuples(EVIDENCE | ODD_EVIDENCE), tuples(FAULTS, 2))
def test_what_is_written_is_read(rows: tuple[Evidence, ...], faults: tuple[ShardFault, ...]) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "a", rows, faults)
        assert tuple(read_evidence(path)) == rows
        assert read_faults(path) == faults


@settings(UNTIMED, max_examples=20)
@given(tuples(EVIDENCE | ODD_EVIDENCE), tuples(FAULTS, 2))
def test_the_same_evidence_gives_the_same_bytes(rows: tuple[Evidence, ...], faults: tuple[ShardFault, ...]) -> None:
    with TemporaryDirectory() as folder:
        first, second = (write(Path(folder) / name, rows, faults).read_bytes() for name in "ab")
        assert first == second


def test_a_pair_of_surrogates_in_the_name_of_a_fault_stays_a_pair(tmp_path: Path) -> None:
    fault = ShardFault("\ud800\udc80", "\ud800\udc80", 0, 1)
    assert read_faults(write(tmp_path / "a", (), (fault,))) == (fault,)


def test_evidence_is_read_one_row_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a", tuple(evidence(index=number) for number in range(1100)))
    groups: list[int] = []
    read = pq.ParquetFile.read_row_group

    def counting(file: pq.ParquetFile, group: int, **given: object) -> object:
        groups.append(group)
        return read(file, group, **given)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counting)
    rows = read_evidence(path)
    assert next(rows).index == 0
    assert groups == [0]
    assert [row.index for row in rows] == list(range(1, 1100))
    assert groups == [0, 1, 2]


def test_the_metadata_is_that_of_the_caller(tmp_path: Path) -> None:
    path = write(tmp_path / "a", (evidence(),))
    assert read_metadata(path) == {"shardwall.version": "0", "shardwall.faults": "[]"}


def test_a_file_that_does_not_name_its_faults_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "a", EVIDENCE_SCHEMA, [evidence()], {})
    with pytest.raises(SealError, match="unreadable"):
        read_faults(tmp_path / "a")


def test_an_examination_that_broke_off_leaves_no_file(tmp_path: Path) -> None:
    def rows() -> Iterator[Evidence]:
        yield evidence()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a", rows())
    assert not list(tmp_path.iterdir())


def test_neither_key_nor_hash_nor_entry_shows_in_a_repr() -> None:
    row = Evidence(
        "00000.tar",
        0,
        "codeword-key",
        0,
        1,
        fingerprints=(Fingerprint("md5", "file 0", b"codeword-hash"),),
        findings=(Finding("urls", "codeword", entry="codeword-entry"),),
    )
    assert not [word for word in ("codeword-key", "codeword-hash", "codeword-entry") if word in repr(row)]
