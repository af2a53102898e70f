import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.config import load_policy
from filters.errors import ShardError
from filters.policy import WITHHELD
from manifests.evidence import read_evidence
from manifests.manifest import read_manifest, read_public
from manifests.quarantine import read_ledger
from manifests.queue import read_queue
from pipelines.clean import clean
from pipelines.explain import explain
from pipelines.parquet.card import NOT_EXAMINED
from pipelines.verify import verify
from tests.corpora import plain_samples, write_policy, write_shard, write_tar
from tests.tables import EVERY, address, coyo, datacomp, digest, laion, text, write, write_all
from tests.tree import digests, texts

COUNT = 250
SHARDS = {"00000": laion(COUNT), "00001": coyo(COUNT), "00002": datacomp(COUNT), "00003": datacomp(1).slice(0, 0)}
CLEAN = coyo(60).filter(pa.array([row % EVERY not in range(1, 6) for row in range(60)]))
TIED = {
    "url": ["https://ok.test/1", "https://ok.test/2", "https://ok.test/3", "https://ok.test/4"],
    "text": ["codeword-young one", "two", "three", "four"],
    "md5": ["ab" * 16, "ab" * 16, "cd" * 16, None],
    "page_url": ["https://page.test/x", None, "https://page.test/x#top", "https://page.test/y"],
    "key": ["a", "a", "b", "c"],
}
DEAD = digest(10)  # a picture on the hash list, whose address nobody could follow any more
PICTURES = '\n[[filters]]\nname = "adult"\n'


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora, clean rows and tied rows under a policy with a filter of pictures; `out` is what came of them."""
    folder = tmp_path_factory.mktemp("tables")
    write_all(folder / "in", SHARDS)
    write(folder / "in" / "clean.parquet", CLEAN, compression="zstd")
    write(folder / "in" / "tied.parquet", pa.table(TIED), rows=2)
    path = write_policy(folder / "policy", more=PICTURES)
    (folder / "policy" / "hashes.csv").write_text(f"hash\n{DEAD}\n")
    summary = clean(str(folder / "in"), folder / "out", load_policy(path), ["--direct_num_workers=1"])
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def kept_rows(table: pa.Table, keep: Any) -> pa.Table:
    return table.filter(pa.array([keep(row) for row in range(table.num_rows)], pa.bool_()))


def general(row: int, kind: str) -> bool:
    """Tell whether a row of these corpora has nothing against it."""
    silent = kind == "00000" and row % 10 == 0
    if row % EVERY == 5 or (row % EVERY in (1, 2, 3, 4) and not silent):
        return False
    return not (kind == "00002" and row == 10)


def same(one: pa.Table, other: pa.Table) -> bool:
    return one.schema.equals(other.schema, check_metadata=True) and repr(one.to_pydict()) == repr(other.to_pydict())


@pytest.mark.parametrize("name", SHARDS)
def test_a_partition_has_exactly_its_rows_in_the_schema_order_and_values_of_the_source(ran: Path, name: str) -> None:
    source = pq.read_table(ran / "in" / f"{name}.parquet")
    written = pq.read_table(ran / "out" / "clean" / "general" / f"{name}.parquet")
    assert same(written, kept_rows(source, lambda row: general(row, name)))


def test_row_groups_stay_about_as_they_were(ran: Path) -> None:
    found = pq.read_metadata(ran / "out" / "clean" / "general" / "00000.parquet")
    assert found.num_row_groups == 3
    assert found.row_group(0).column(0).compression == "SNAPPY"


def test_every_row_is_in_exactly_one_place(ran: Path) -> None:
    for name, table in SHARDS.items():
        rows = list(read_manifest(ran / "out" / "restricted" / "manifest" / f"{name}.parquet"))
        assert [row.index for row in rows] == [row.offset for row in rows] == list(range(table.num_rows))
        assert {row.length for row in rows} <= {1}
        sizes = Counter(row.partition for row in rows)
        for partition in ("general", "minors", "adult"):
            written = pq.read_metadata(ran / "out" / "clean" / partition / f"{name}.parquet")
            assert written.num_rows == sizes[partition]
    summary = json.loads((ran / "summary.json").read_text())
    assert sum(summary["kept"].values()) + sum(summary["withheld"].values()) == summary["samples"]
    assert summary["samples"] == 3 * COUNT + CLEAN.num_rows + 4


def test_the_output_proves_itself(ran: Path) -> None:
    assert verify(ran / "out") == []
    told = subprocess.run(["sha256sum", "--check", "--quiet", "audit/sha256sums.txt"], cwd=ran / "out", check=False)
    assert told.returncode == 0


def test_a_dead_link_is_found_by_its_recorded_digest(ran: Path) -> None:
    row = list(read_manifest(ran / "out" / "restricted" / "manifest" / "00002.parquet"))[10]
    assert row.partition == WITHHELD
    assert row.reasons[0] == "known material (digest)"
    assert [each.form for each in row.findings if not each.unexamined] == ["recorded in the table"]


def test_keys_are_those_of_a_unique_column_else_the_number_of_the_row(ran: Path) -> None:
    keys = {
        name: [row.key for row in read_evidence(ran / "out" / "restricted" / "evidence" / f"{name}.parquet")][:2]
        for name in ("00000", "00001", "00002")
    }
    assert keys == {"00000": ["0", "1"], "00001": ["1000000", "1000001"], "00002": [digest(0)[:32], digest(1)[:32]]}


def test_filters_of_pictures_are_not_applicable_and_everybody_is_told(ran: Path) -> None:
    evidence = list(read_evidence(ran / "out" / "restricted" / "evidence" / "00002.parquet"))
    assert evidence[1].not_applicable == ("adult",)
    assert evidence[9].not_applicable == ("digests", "adult")  # no digest was recorded
    assert evidence[8].examined == ("urls", "digests", "captions")
    for folder in ("audit", "restricted"):
        told = json.loads((ran / "out" / folder / "summary.json").read_text())["not_applicable"]
        assert told == {
            "why": "not applicable: no picture in this corpus",
            "filters": ["adult"],
            "notice": NOT_EXAMINED,
        }
    card = (ran / "out" / "clean" / "general" / "README.md").read_text()
    assert NOT_EXAMINED[1:] in card
    (answer,) = explain(ran / "out", "00002", digest(1)[:32])
    assert answer.not_applicable == ("adult",)
    assert answer.table


def test_the_ledger_points_at_rows_and_the_queue_at_the_same(ran: Path) -> None:
    ledger = list(read_ledger(ran / "out" / "restricted" / "quarantine" / "00001.parquet"))
    source = SHARDS["00001"]
    for pointer in ledger:
        assert pointer.length == 1
        assert source["text"][pointer.offset].as_py() == text(pointer.offset)
        assert source["url"][pointer.offset].as_py() == address(pointer.offset, 0)
        assert not general(pointer.offset, "00001")
    cases = {case.offset for case in read_queue(ran / "out" / "restricted" / "queue") if case.shard == "00001"}
    assert cases == {pointer.offset for pointer in ledger}


def test_the_public_manifest_has_the_kept_rows_alone(ran: Path) -> None:
    public = list(read_public(ran / "out" / "audit" / "manifest" / "00001.parquet"))
    decided = list(read_manifest(ran / "out" / "restricted" / "manifest" / "00001.parquet"))
    assert [row.index for row in public] == [row.index for row in decided if row.partition != WITHHELD]


def test_nothing_of_a_withheld_row_is_in_what_may_be_published(ran: Path) -> None:
    words = [b"codeword-alpha", b"listed.test", DEAD.encode(), bytes.fromhex(DEAD)]
    for name, data in [*texts(ran / "out" / "clean"), *texts(ran / "out" / "audit")]:
        assert not [word for word in words if word in data], name


def test_datasets_reads_a_partition_by_its_readme(ran: Path, tmp_path: Path) -> None:
    import datasets

    folder = tmp_path / "general"
    folder.mkdir()
    write(folder / "00001.parquet", pq.read_table(ran / "out" / "clean" / "general" / "00001.parquet"))
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"), split="train")
    assert loaded["text"] == pq.read_table(folder / "00001.parquet")["text"].to_pylist()


def test_the_number_of_workers_cannot_be_seen(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "restricted").mkdir()
    (tmp_path / "restricted" / "run.json").write_bytes((ran / "out" / "restricted" / "run.json").read_bytes())
    clean(str(ran / "in"), tmp_path, load_policy(ran / "policy" / "policy.toml"), ["--direct_num_workers=4"])
    assert digests(tmp_path) == digests(ran / "out")


def test_identity_of_a_table_in_which_nothing_is_found_every_row_comes_back(ran: Path) -> None:
    written = ran / "out" / "clean" / "general" / "clean.parquet"
    assert same(pq.read_table(written), CLEAN)
    assert pq.read_metadata(written).row_group(0).column(0).compression == "ZSTD"


def test_rows_of_one_digest_or_one_page_share_their_marks(ran: Path) -> None:
    rows = list(read_manifest(ran / "out" / "restricted" / "manifest" / "tied.parquet"))
    assert [row.partition for row in rows] == ["minors", "minors", "minors", "general"]
    assert [row.key for row in rows] == ["0", "1", "2", "3"]  # "a" is there twice


def test_a_tar_without_a_picture_stays_unexamined(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_tar(tmp_path / "in" / "a.tar", plain_samples(1)[0].members[1:])
    clean(str(tmp_path / "in"), tmp_path / "out", load_policy(write_policy(tmp_path / "policy")))
    (row,) = read_manifest(tmp_path / "out" / "restricted" / "manifest" / "a.parquet")
    (seen,) = read_evidence(tmp_path / "out" / "restricted" / "evidence" / "a.parquet")
    assert row.partition == WITHHELD
    assert seen.not_applicable == ()
    assert json.loads((tmp_path / "out" / "audit" / "summary.json").read_text())["not_applicable"] == {}


REFUSED = [
    (pa.table({"url": ["u"], "image": [b"bytes"]}), "column 'image' holds bytes"),
    (pa.table({"url": ["u"], "image": [{"bytes": b"x", "path": "p"}]}), "column 'image' holds bytes"),
    (pa.table({"url": ["u"], "x": pa.array([[1, 2]], pa.list_(pa.uint8()))}), "column 'x' holds bytes"),
    (pa.table({"url": ["u"], "<odd\nname>": [b"bytes"]}), "column number 1 holds bytes"),
    (pa.table({"caption": ["c"], "score": [1.0]}), "no column of text is named like an address"),
    (pa.table({"url": [1]}), "no column of text is named like an address"),
]


@pytest.mark.parametrize(("table", "why"), REFUSED)
def test_a_table_that_is_no_corpus_of_addresses_is_refused_before_anything_is_written(
    tmp_path: Path, table: pa.Table, why: str
) -> None:
    write(tmp_path / "in" / "a.parquet", table)
    with pytest.raises(ShardError, match=why):
        clean(str(tmp_path / "in"), tmp_path / "out", load_policy(write_policy(tmp_path / "policy")))
    assert not (tmp_path / "out").exists()


def test_an_output_of_tars_takes_no_tables(tmp_path: Path) -> None:
    policy = load_policy(write_policy(tmp_path / "policy"))
    (tmp_path / "tars").mkdir()
    write_shard(tmp_path / "tars" / "a.tar", plain_samples(1))
    clean(str(tmp_path / "tars"), tmp_path / "out", policy)
    write(tmp_path / "in" / "a.parquet", coyo(3))
    with pytest.raises(ShardError, match="files of another kind"):
        clean(str(tmp_path / "in"), tmp_path / "out", policy)
