"""What the records rest on is in every file, in one form."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from filters.errors import SealError
from filters.finding import Material
from manifests.evidence import EvidenceWriter
from manifests.manifest import write_manifest, write_public
from manifests.provenance import METADATA, Provenance, read_provenance
from manifests.quarantine import write_ledger
from manifests.queue import write_queue
from tests.manifests.strategies import SHA256

LIST = Material("list", "list-alpha", "2026-11-01", "a1" * 32, entries=3)
WEIGHTS = Material("weights", "model-beta", "1.0", "b2" * 32, calibrated=False)
RECORD = Provenance(
    "0.1.0", SHA256, "c3" * 32, '{"name":"partition"}', (LIST, WEIGHTS), True, "no picture in this corpus"
)


def write_evidence(path: Path, rows: list[object], metadata: dict[str, str]) -> None:
    with EvidenceWriter(path, metadata):
        pass


@pytest.mark.parametrize("write", [write_evidence, write_manifest, write_public, write_ledger, write_queue])
@pytest.mark.parametrize("record", [RECORD, replace(RECORD, uncalibrated=False, not_applicable="", materials=())])
def test_every_file_says_what_it_rests_on(tmp_path: Path, write: object, record: Provenance) -> None:
    assert callable(write)
    write(tmp_path / "a", [], record.metadata())
    assert read_provenance(tmp_path / "a") == record


def test_only_a_policy_that_accepts_uncalibrated_thresholds_is_called_so() -> None:
    assert RECORD.metadata()["shardwall.calibration"] == "uncalibrated"
    assert "shardwall.calibration" not in replace(RECORD, uncalibrated=False).metadata()


def test_every_key_is_documented() -> None:
    assert RECORD.metadata().keys() == METADATA.keys()


def test_the_order_of_the_materials_changes_nothing() -> None:
    assert replace(RECORD, materials=(WEIGHTS, LIST)).metadata() == RECORD.metadata()


def test_the_materials_are_readable_without_shardwall() -> None:
    assert json.loads(RECORD.metadata()["shardwall.materials"])[0] == {
        "kind": "list",
        "name": "list-alpha",
        "version": "2026-11-01",
        "sha256": "a1" * 32,
        "entries": 3,
        "calibrated": None,
    }


@pytest.mark.parametrize("change", [{"shardwall.materials": "[{}]"}, {"shardwall.materials": "codeword"}, None])
def test_a_file_that_does_not_say_is_refused(tmp_path: Path, change: dict[str, str] | None) -> None:
    write_ledger(tmp_path / "a", [], {} if change is None else RECORD.metadata() | change)
    with pytest.raises(SealError, match="rests on"):
        read_provenance(tmp_path / "a")
