"""Whole runs with a plugged-in hash: found by its entry point in the examining process, and kept as evidence."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filters.config import load_policy
from filters.errors import ModelError, ShardwallError
from filters.fingerprints import SIZED
from manifests.evidence import Evidence, read_evidence
from manifests.manifest import read_manifest
from manifests.provenance import read_provenance
from pipelines import examine
from pipelines.clean import clean
from pipelines.verify import verify
from tests.authorities import Entry, ncmec_page
from tests.corpora import Given, drawing, plain_samples, write_policy, write_shard
from tests.filters.gradients import HASH, PLUGIN

ONE = ["--direct_num_workers=1"]
KNOWN = drawing(900)
MORE = """
[[lists]]
name = "feed"
path = "feed"
kind = "hashes"
category = "csam"
format = "ncmec-v2"

[[filters]]
name = "digests"
lists = ["hashes"]

[[filters]]
name = "plugged"
hash = "gradients"
lists = ["feed"]

[[rules]]
name = "listed gradients"
filter = "plugged"
labels = ["csam"]
mark = "listed"
"""


def picture(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def mirrored(data: bytes) -> bytes:
    stream = io.BytesIO()
    Image.open(io.BytesIO(data)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(stream, "JPEG", quality=70)
    return stream.getvalue()


def prepare(folder: Path, value: bytes) -> Path:
    policy = write_policy(folder)
    policy.write_text(policy.read_text().replace('[[filters]]\nname = "digests"\n', "") + MORE)
    order = policy.read_text()
    captions = '[[filters]]\nname = "captions"\n'
    policy.write_text(order.replace(captions, "") + "\n" + captions)
    (folder / "feed").mkdir()
    prints = (("gradients", base64.b64encode(value).decode()),)
    page = ncmec_page([Entry("one", "2026-03-01T12:00:00Z", False, prints, "B1")])
    (folder / "feed" / "1.xml").write_bytes(page)
    (folder / "in").mkdir()
    write_shard(
        folder / "in" / "00000.tar", [*plain_samples(3), Given("known", mirrored(KNOWN)), *plain_samples(2, 50)]
    )
    return policy


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package for this process, and for the examining processes that it starts."""
    monkeypatch.syspath_prepend(PLUGIN)
    environment = examine.environment

    def with_package(*given: Any) -> dict[str, str]:
        found: dict[str, str] = environment(*given)
        return {**found, "PYTHONPATH": f"{found['PYTHONPATH']}:{PLUGIN}"}

    monkeypatch.setattr(examine, "environment", with_package)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugged")
    policy = prepare(folder, HASH.hash(picture(KNOWN)) or b"")
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        clean(str(folder / "in"), folder / "out", load_policy(policy), ONE)
    return folder / "out"


def evidence(output: Path) -> dict[str, Evidence]:
    return {each.key: each for each in read_evidence(output / "restricted" / "evidence" / "00000.parquet")}


def test_what_the_hash_finds_is_withheld_as_known_material(ran: Path) -> None:
    ends = {each.key: each for each in read_manifest(ran / "restricted" / "manifest" / "00000.parquet")}
    assert [key for key, each in ends.items() if each.partition == "withheld"] == ["known"]
    assert ends["known"].reasons == ("known material (perceptual)", "unexamined: not shown")
    (finding,) = evidence(ran)["known"].findings
    assert (finding.filter, finding.label, finding.source) == ("plugged", "csam", "feed")
    assert finding.form.startswith("as stored")
    assert finding.form.endswith("mirrored")
    assert finding.classification == "B1"
    assert len(finding.entry) == 32  # keyed
    assert finding.value is not None
    assert finding.value <= HASH.default_distance
    assert evidence(ran)["known"].examined == ("urls", "digests", "plugged")


def test_the_evidence_has_every_hash_so_that_a_new_list_needs_no_picture(ran: Path) -> None:
    for each in evidence(ran).values():
        kept = {one.form: one.value for one in each.fingerprints if one.kind == "gradients"}
        assert len(kept) == 2 * sum(one.kind == "pdq" and SIZED not in one.form for one in each.fingerprints) >= 16
        assert {len(value) for value in kept.values()} == {144}
    values = {one.value for one in evidence(ran)["000000001"].fingerprints if one.form == "as stored"}
    assert HASH.hash(picture(drawing(1))) in values


def test_the_manifest_names_the_package_and_its_version(ran: Path) -> None:
    found = read_provenance(ran / "restricted" / "manifest" / "00000.parquet").materials
    (plugged,) = (each for each in found if each.kind == "plug-in")
    assert (plugged.name, plugged.version, len(plugged.sha256)) == ("gradients", "gradients 1.0", 64)
    assert {each.name: each.entries for each in found}["feed"] == 1


def test_the_output_verifies_where_the_hash_is_not_installed(ran: Path) -> None:
    assert verify(ran) == []


def test_without_the_package_the_run_ends_before_the_first_shard(tmp_path: Path) -> None:
    policy = prepare(tmp_path, HASH.hash(picture(KNOWN)) or b"")
    with pytest.raises(ShardwallError) as caught:
        clean(str(tmp_path / "in"), tmp_path / "out", load_policy(policy), ONE)
    assert isinstance(caught.value, ModelError)
    assert "the hash 'gradients' cannot be used: an installed package must offer it" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_package_that_only_the_parent_has_ends_the_run_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PLUGIN)
    policy = prepare(tmp_path, HASH.hash(picture(KNOWN)) or b"")
    with pytest.raises(ModelError, match="the hash 'gradients' cannot be used"):
        clean(str(tmp_path / "in"), tmp_path / "out", load_policy(policy), ONE)
    assert not list((tmp_path / "out" / "clean").rglob("*.tar"))
