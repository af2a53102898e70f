"""Every kind of tampering with a finished output is found, and what was tampered with is named."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.config import load_policy
from filters.errors import ShardError
from filters.policy import WITHHELD
from manifests.evidence import EvidenceWriter, read_evidence
from manifests.manifest import read_manifest, write_manifest, write_public
from manifests.tables import read_metadata
from pipelines.clean import clean
from pipelines.layout import Layout
from pipelines.verify import verify
from tests.corpora import (
    ADULT_WORD,
    MINOR_WORD,
    Given,
    drawing,
    plain_samples,
    write_policy,
    write_shard,
)

KNOWN = drawing(900)
PAGE = {"page_url": "http://page.test/1"}
FIRST = [
    *plain_samples(4),
    Given("young", drawing(901), MINOR_WORD, PAGE),
    Given("grown", drawing(902), ADULT_WORD),
    Given("known", KNOWN),
]
SECOND = [*plain_samples(2, 50), Given("tied", drawing(903), "a drawing", PAGE)]
Tamper = Callable[[Path], None]  # takes the folder of corpus and output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two shards with sidecars in `in`, and what a run made of it in `out`."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "in").mkdir()
    for name, samples in (("00000", FIRST), ("00001", SECOND)):
        write_shard(folder / "in" / f"{name}.tar", samples)
        keys = [*(sample.key for sample in samples), "failed-download"]
        table = pa.table(
            {"key": keys, "url": [f"http://u.test/{key}" for key in keys], "score": [float("nan")] * len(keys)}
        )
        pq.write_table(table, folder / "in" / f"{name}.parquet", row_group_size=3)
        (folder / "in" / f"{name}_stats.json").write_text(json.dumps({"count": len(keys), "successes": len(samples)}))
    clean(
        str(folder / "in"),
        folder / "out",
        load_policy(write_policy(folder / "policy", [KNOWN])),
        ["--direct_num_workers=1"],
    )
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of corpus and output whose record points at the copied corpus."""
    shutil.copytree(finished, tmp_path / "copy")
    record = tmp_path / "copy" / "out" / "restricted" / "run.json"
    record.write_text(record.read_text().replace(str(finished), str(tmp_path / "copy")))
    return tmp_path / "copy"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def content_of(folder: Path, shard: str, key: str) -> bytes:
    """Return the blocks of a sample of the source."""
    row = next(each for each in read_manifest(manifest(folder, shard)) if each.key == key)
    return (folder / "in" / f"{shard}.tar").read_bytes()[row.offset : row.offset + row.length]


def manifest(folder: Path, shard: str = "00000") -> Path:
    return Layout(folder / "out").manifest(shard)


def general(folder: Path, shard: str = "00000") -> Path:
    return folder / "out" / "clean" / "general" / f"{shard}.tar"


def ended(blocks: bytes) -> bytes:
    return blocks + bytes(1024 + -(len(blocks) + 1024) % 10240)


def body(shard: Path) -> bytes:
    """Return the blocks of a shard of ours up to its end marker."""
    from pipelines.shards import survey

    return shard.read_bytes()[: survey(shard).end]


def cover_up(folder: Path) -> None:
    """Let markers and list of checksums say of every file what it is now, as a careful intruder would."""
    out = folder / "out"
    for marker in (out / "restricted" / "commit").iterdir():
        record = json.loads(marker.read_text())
        record["outputs"] = {name: digest(out / name) for name in record["outputs"] if (out / name).exists()}
        shard = marker.name.partition(".")[0]
        for kind, path in (("evidence", Layout(out).evidence(shard)), ("inherited", Layout(out).inherited(shard))):
            if kind in record["inputs"]:
                record["inputs"][kind] = digest(path)
        marker.write_text(json.dumps(record))
    listed = sorted(path for root in ("clean", "audit") for path in (out / root).rglob("*") if path.is_file())
    sums = out / "audit" / "sha256sums.txt"
    sums.write_text("".join(f"{digest(path)}  {path.relative_to(out)}\n" for path in listed if path != sums))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What is done to an output, and a piece of what must be said of it whether or not the intruder covers up.


def a_byte_of_a_kept_picture(folder: Path) -> None:
    flip(general(folder), 700)


def a_sample_moved_to_another_partition(folder: Path) -> None:
    young, grown = (folder / "out" / "clean" / name / "00000.tar" for name in ("minors", "adult"))
    kept = young.read_bytes()
    young.write_bytes(grown.read_bytes())
    grown.write_bytes(kept)


def a_withheld_sample_appended(folder: Path) -> None:
    general(folder).write_bytes(ended(body(general(folder)) + content_of(folder, "00000", "known")))


def a_sample_removed(folder: Path) -> None:
    first = len(content_of(folder, "00000", FIRST[0].key))
    general(folder).write_bytes(ended(body(general(folder))[first:]))


def a_sample_there_twice(folder: Path) -> None:
    general(folder).write_bytes(ended(body(general(folder)) + content_of(folder, "00000", FIRST[0].key)))


def two_samples_in_another_order(folder: Path) -> None:
    blocks = body(general(folder))
    first = len(content_of(folder, "00000", FIRST[0].key))
    general(folder).write_bytes(ended(blocks[first:] + blocks[:first]))


def a_shard_cut_off(folder: Path) -> None:
    general(folder).write_bytes(general(folder).read_bytes()[:4000])


def a_shard_gone(folder: Path) -> None:
    general(folder).unlink()


def a_shard_that_is_a_link(folder: Path) -> None:
    general(folder).unlink()
    general(folder).symlink_to(folder / "in" / "00000.tar")


def data_behind_the_end_of_a_shard(folder: Path) -> None:
    with general(folder).open("ab") as file:
        file.write(content_of(folder, "00000", "known"))


def rewrite_manifest(folder: Path, change: Callable[[dict[str, object]], None], public: bool) -> None:
    layout = Layout(folder / "out")
    made = []
    for each in read_manifest(layout.manifest("00000")):
        fields = {name: getattr(each, name) for name in each.__dataclass_fields__}
        change(fields)
        made.append(type(each)(**fields))
    metadata = read_metadata(layout.published("00000") if public else layout.manifest("00000"))
    if public:
        write_public(layout.published("00000"), made, metadata)
    else:
        write_manifest(layout.manifest("00000"), made, metadata)


def free(fields: dict[str, object]) -> None:
    if fields["key"] == "known":
        fields.update(partition="general", marks=(), rules=(), reasons=(), findings=())


def forget(fields: dict[str, object]) -> None:
    fields["rules"] = ()


def a_manifest_row_that_frees_a_sample(folder: Path) -> None:
    rewrite_manifest(folder, free, public=False)


def a_manifest_row_less(folder: Path) -> None:
    layout = Layout(folder / "out")
    write_manifest(
        layout.manifest("00000"),
        list(read_manifest(layout.manifest("00000")))[:-1],
        read_metadata(layout.manifest("00000")),
    )


def a_manifest_that_points_elsewhere(folder: Path) -> None:
    rewrite_manifest(folder, lambda fields: fields.update(offset=int(str(fields["offset"])) + 512), public=False)


def a_manifest_of_another_policy(folder: Path) -> None:
    layout = Layout(folder / "out")
    metadata = read_metadata(layout.manifest("00000")) | {"shardwall.policy_digest": "0" * 64}
    write_manifest(layout.manifest("00000"), list(read_manifest(layout.manifest("00000"))), metadata)


def a_public_row_changed(folder: Path) -> None:
    rewrite_manifest(folder, forget, public=True)


def a_public_row_of_a_withheld_sample(folder: Path) -> None:
    rewrite_manifest(folder, free, public=True)


def evidence_that_clears_a_sample(folder: Path) -> None:
    path = Layout(folder / "out").evidence("00000")
    seen, metadata = list(read_evidence(path)), read_metadata(path)
    metadata.pop("shardwall.faults")
    with EvidenceWriter(path, metadata) as writer:
        for each in seen:
            writer.write(
                type(each)(**{name: getattr(each, name) for name in each.__dataclass_fields__} | {"findings": ()})
            )


def marks_no_longer_inherited(folder: Path) -> None:
    path = Layout(folder / "out").inherited("00001")
    table = pq.read_table(path)
    assert table.num_rows == 1
    pq.write_table(table.slice(0, 0), path)


def the_policy_lets_more_through(folder: Path) -> None:
    path = folder / "out" / "audit" / "policy.json"
    policy = json.loads(path.read_text())
    policy["ties"]["near_duplicate_bits"] = 0
    path.write_text(json.dumps(policy))


def the_policy_is_no_policy(folder: Path) -> None:
    (folder / "out" / "audit" / "policy.json").write_text('{"name": "x", "partitions": 5}')


def the_policy_gone(folder: Path) -> None:
    (folder / "out" / "audit" / "policy.json").unlink()


def a_source_shard_changed(folder: Path) -> None:
    flip(folder / "in" / "00001.tar", 600)


def a_source_shard_gone(folder: Path) -> None:
    (folder / "in" / "00001.tar").unlink()


def a_source_sidecar_changed(folder: Path) -> None:
    table = pa.table({"key": ["another"], "url": ["http://u.test/another"], "score": [0.5]})
    pq.write_table(table, folder / "in" / "00001.parquet")


def a_foreign_shard(folder: Path) -> None:
    shutil.copy(folder / "in" / "00000.tar", general(folder, "99999"))


def a_foreign_folder_link(folder: Path) -> None:
    (folder / "out" / "clean" / "general" / "more").symlink_to(folder / "in")


def a_hidden_file(folder: Path) -> None:
    (folder / "out" / "clean" / "general" / ".hidden.jpg").write_bytes(KNOWN)


def a_foreign_partition(folder: Path) -> None:
    (folder / "out" / "clean" / "extra").mkdir()
    shutil.copy(folder / "in" / "00000.tar", folder / "out" / "clean" / "extra" / "00000.tar")


def a_foreign_file_in_the_audit_folder(folder: Path) -> None:
    (folder / "out" / "audit" / "manifest" / "notes.txt").write_text("x")


def a_file_named_like_the_checksums(folder: Path) -> None:
    (folder / "out" / "clean" / "general" / "sha256sums.txt").write_bytes(KNOWN)


def sizes_that_count_more(folder: Path) -> None:
    path = general(folder).with_name("sizes.json")
    path.write_text(path.read_text().replace(": 4", ": 5"))


def sizes_that_are_no_json(folder: Path) -> None:
    general(folder).with_name("sizes.json").write_text("[")


def a_summary_that_kept_more(folder: Path) -> None:
    path = folder / "out" / "audit" / "summary.json"
    summary = json.loads(path.read_text())
    summary["kept"]["general"] += 1
    path.write_text(json.dumps(summary))


def a_sidecar_with_a_row_more(folder: Path) -> None:
    path = general(folder).with_suffix(".parquet")
    source, kept = pq.read_table(folder / "in" / "00000.parquet"), pq.read_table(path)
    pq.write_table(pa.concat_tables([kept, source.filter(pa.compute.equal(source["key"], "known"))]), path)


def a_sidecar_with_a_row_less(folder: Path) -> None:
    path = general(folder).with_suffix(".parquet")
    pq.write_table(pq.read_table(path).slice(1), path)


def a_sidecar_with_another_address(folder: Path) -> None:
    path = general(folder).with_suffix(".parquet")
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "url", pa.array(["http://u.test/known"] * table.num_rows)), path)


def a_sidecar_gone(folder: Path) -> None:
    general(folder).with_suffix(".parquet").unlink()


def a_sidecar_that_is_no_parquet(folder: Path) -> None:
    general(folder).with_suffix(".parquet").write_bytes(b"PAR1")


def a_sidecar_that_no_source_has(folder: Path) -> None:
    (folder / "in" / "00000.parquet").unlink()


def stats_that_count_more(folder: Path) -> None:
    path = general(folder).with_name("00000_stats.json")
    path.write_text(path.read_text().replace("4", "9"))


NAMED_ALWAYS: dict[Tamper, str] = {
    a_byte_of_a_kept_picture: "general/00000.tar: 1 samples differ",
    a_sample_moved_to_another_partition: "minors/00000.tar does not hold the samples",
    a_withheld_sample_appended: "general/00000.tar does not hold the samples",
    a_sample_removed: "general/00000.tar does not hold the samples",
    a_sample_there_twice: "general/00000.tar does not hold the samples",
    two_samples_in_another_order: "general/00000.tar does not hold the samples",
    a_shard_cut_off: "general/00000.tar has a structural fault: truncated",
    a_shard_gone: "general/00000.tar",
    a_shard_that_is_a_link: "clean/general/00000.tar does not belong",
    data_behind_the_end_of_a_shard: "general/00000.tar has a structural fault: data after the end",
    a_manifest_row_that_frees_a_sample: "00000 sample 6: the decision does not follow",
    a_manifest_row_less: "00000: source, evidence and manifest do not have the same number",
    a_manifest_that_points_elsewhere: "00000 sample 0: the manifest points at other bytes",
    a_manifest_of_another_policy: "00000: the manifest was made under another policy",
    a_public_row_changed: "00000: the published manifest is not that of the kept",
    a_public_row_of_a_withheld_sample: "00000: the published manifest is not that of the kept",
    evidence_that_clears_a_sample: "00000 sample 6: the decision does not follow",
    marks_no_longer_inherited: "00001: inherited marks are not those",
    the_policy_lets_more_through: "audit/policy.json is not the policy of the run",
    the_policy_is_no_policy: "audit/policy.json is missing or damaged",
    the_policy_gone: "audit/policy.json is missing or damaged",
    a_source_shard_changed: "00001.tar is not what was examined",
    a_source_shard_gone: "00001.tar is no longer at",
    a_source_sidecar_changed: "00001.parquet is not what was separated",
    a_foreign_shard: "clean/general/99999.tar does not belong",
    a_foreign_folder_link: "clean/general/more does not belong",
    a_hidden_file: "clean/general/.hidden.jpg does not belong",
    a_foreign_partition: "clean/extra/00000.tar does not belong",
    a_foreign_file_in_the_audit_folder: "audit/manifest/notes.txt does not belong",
    a_file_named_like_the_checksums: "clean/general/sha256sums.txt does not belong",
    sizes_that_count_more: "general/sizes.json does not count",
    sizes_that_are_no_json: "clean/general/sizes.json is damaged",
    a_summary_that_kept_more: "audit/summary.json: kept",
    a_sidecar_with_a_row_more: "general/00000.parquet does not hold exactly the rows",
    a_sidecar_with_a_row_less: "general/00000.parquet does not hold exactly the rows",
    a_sidecar_with_another_address: "general/00000.parquet does not hold exactly the rows",
    a_sidecar_gone: "general/00000: the parquet sidecar is missing",
    a_sidecar_that_is_no_parquet: "general/00000.parquet does not hold exactly the rows",
    a_sidecar_that_no_source_has: "general/00000: the parquet sidecar is not from its source",
    stats_that_count_more: "general/00000_stats.json does not count",
}


def a_byte_of_the_quarantine(folder: Path) -> None:
    flip(Layout(folder / "out").quarantine("00000"), 300)


def a_byte_of_the_queue(folder: Path) -> None:
    flip(Layout(folder / "out").queue("00000"), 300)


def a_byte_of_the_evidence(folder: Path) -> None:
    flip(Layout(folder / "out").evidence("00000"), 300)


def a_byte_of_the_inherited_marks(folder: Path) -> None:
    flip(Layout(folder / "out").inherited("00001"), 30)


def a_byte_of_the_manifest(folder: Path) -> None:
    flip(manifest(folder), 300)


def a_byte_of_the_public_manifest(folder: Path) -> None:
    flip(Layout(folder / "out").published("00000"), 300)


def a_marker_lost(folder: Path) -> None:
    Layout(folder / "out").marker("00000", "separated").unlink()


def a_marker_of_nothing(folder: Path) -> None:
    marker = Layout(folder / "out").marker("00000", "examined")
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"outputs": {}}))


def a_marker_that_is_a_list(folder: Path) -> None:
    Layout(folder / "out").marker("00000", "examined").write_text("[]")


def a_card_changed(folder: Path) -> None:
    general(folder).with_name("README.md").write_text("all is well")


def a_checksum_changed(folder: Path) -> None:
    path = folder / "out" / "audit" / "sha256sums.txt"
    path.write_text("0" * 64 + path.read_text()[64:])


def a_checksum_less(folder: Path) -> None:
    path = folder / "out" / "audit" / "sha256sums.txt"
    path.write_text(path.read_text().partition("\n")[2])


def the_checksums_gone(folder: Path) -> None:
    (folder / "out" / "audit" / "sha256sums.txt").unlink()


NAMED: dict[Tamper, str] = {
    a_byte_of_the_quarantine: "restricted/quarantine/00000.parquet changed",
    a_byte_of_the_queue: "restricted/queue/00000.parquet changed",
    a_byte_of_the_evidence: "restricted/evidence/00000.parquet changed",
    a_byte_of_the_inherited_marks: "restricted/inherited/00001.parquet is not what was separated",
    a_byte_of_the_manifest: "restricted/manifest/00000.parquet changed",
    a_byte_of_the_public_manifest: "audit/manifest/00000.parquet changed",
    a_marker_lost: "restricted/commit/00000.separated.json is missing",
    a_marker_of_nothing: "restricted/evidence/00000.parquet is not bound",
    a_marker_that_is_a_list: "restricted/commit/00000.examined.json is damaged",
    a_card_changed: "clean/general/README.md is not as sha256sums.txt lists it",
    a_checksum_changed: " is not as sha256sums.txt lists it",
    a_checksum_less: "audit/manifest/00000.parquet is not in sha256sums.txt",
    the_checksums_gone: "sha256sums.txt",
}


def named(tamper: Tamper) -> str:
    return tamper.__name__.replace("_", " ")


def test_an_untouched_output_has_no_problem(finished: Path) -> None:
    assert verify(finished / "out") == []


def test_an_output_and_its_source_may_be_moved_together(copy: Path) -> None:
    cover_up(copy)  # which changes nothing here, so that the tests below rest on what they tamper with alone
    assert verify(copy / "out") == []


@pytest.mark.parametrize("tamper", [*NAMED_ALWAYS, *NAMED], ids=named)
def test_tampering_is_found_and_named(tamper: Tamper, copy: Path) -> None:
    tamper(copy)
    told = verify(copy / "out")
    assert [problem for problem in told if (NAMED_ALWAYS | NAMED)[tamper] in problem], told


@pytest.mark.parametrize("tamper", NAMED_ALWAYS, ids=named)
def test_tampering_is_found_where_every_digest_was_made_to_fit(tamper: Tamper, copy: Path) -> None:
    tamper(copy)
    cover_up(copy)
    told = verify(copy / "out")
    assert [problem for problem in told if NAMED_ALWAYS[tamper] in problem], told


def test_one_damaged_file_hides_no_other_fault(copy: Path) -> None:
    a_shard_cut_off(copy)
    a_marker_lost(copy)
    a_foreign_shard(copy)
    sizes_that_are_no_json(copy)
    told = "\n".join(verify(copy / "out"))
    for piece in ("general/00000.tar", "00000.separated.json", "99999.tar", "sizes.json"):
        assert piece in told


def test_no_problem_names_a_sample_or_quotes_what_it_holds(copy: Path) -> None:
    for tamper in (
        a_withheld_sample_appended,
        a_sidecar_with_a_row_more,
        a_public_row_of_a_withheld_sample,
        a_hidden_file,
    ):
        tamper(copy)
    told = "\n".join(verify(copy / "out"))
    for secret in ("known", "young", MINOR_WORD, "u.test", "page.test"):
        assert secret not in told


def test_the_command_ends_with_4_and_says_what_is_wrong_or_with_0(finished: Path, copy: Path) -> None:
    a_sample_removed(copy)
    command = [sys.executable, "-m", "pipelines", "verify"]
    wrong = subprocess.run([*command, str(copy / "out")], capture_output=True, text=True)
    right = subprocess.run([*command, str(finished / "out")], capture_output=True, text=True)
    assert (wrong.returncode, right.returncode) == (4, 0)
    assert "wrong: general/00000.tar does not hold" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert right.stderr == ""


@pytest.mark.parametrize(
    "record", [None, "", "[]", "{}", '{"key": "", "started": "", "shards": [], "policy_sha256": ""}']
)
def test_a_folder_without_a_sound_record_holds_no_run(record: str | None, tmp_path: Path) -> None:
    (tmp_path / "restricted").mkdir()
    if record is not None:
        (tmp_path / "restricted" / "run.json").write_text(record)
    with pytest.raises(ShardError, match="holds no run"):
        verify(tmp_path)


def test_the_corpus_of_these_tests_has_every_kind_of_end(finished: Path) -> None:
    rows = [row for shard in ("00000", "00001") for row in read_manifest(manifest(finished, shard))]
    assert {row.partition for row in rows} == {"general", "minors", "adult", WITHHELD}
    assert {row.key for row in rows if row.inherited} == {"tied"}
