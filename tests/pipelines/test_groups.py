"""How samples are told apart, from where that is known, and that no message quotes a sample."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.errors import LabelError, ShardError
from manifests.manifest import Decision
from pipelines.commit import write_json
from pipelines.groups import NONE, Groups, groups_by
from pipelines.layout import Layout

CANARY = "canary-key"
SIDECAR = {
    "key": ["a", "b", "c", "d", CANARY],
    "url": ["https://www.Site.test/1", "http://site.test:80/2", "not an address", "", None],
    "caption": ["ein Hund läuft über die grüne Wiese am Fluss", "a dog runs over the green meadow", "", "x", None],
}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The record of a run over two shards, of which one has a sidecar."""
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table(SIDECAR), tmp_path / "in" / "crawl-00000.parquet")
    shards = {name: str(tmp_path / "in" / f"{name}.tar") for name in ("crawl-00000", "web-00001")}
    layout = Layout(tmp_path / "out")
    layout.create()
    write_json(layout.run, {"key": "00", "started": "", "shards": shards, "policy_sha256": ""})
    return tmp_path / "out"


def group(groups: Groups, key: str, shard: str = "crawl-00000") -> str:
    return groups.group(Decision(shard, 0, key, 0, 1, "general"))


def written(folder: Path, text: str) -> Path:
    path = folder / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_shards_and_sources_are_known_from_the_name(output: Path) -> None:
    assert group(groups_by(output, "shard", None), "a") == "crawl-00000"
    assert group(groups_by(output, "source", None), "a") == "crawl"


def test_a_domain_is_the_host_in_the_sidecar_whatever_its_spelling(output: Path) -> None:
    found = groups_by(output, "domain", None)
    assert [group(found, key) for key in ("a", "b", "c", "d", CANARY, "another")] == ["site.test"] * 2 + [
        group(found, "c"),
        NONE,
        NONE,
        NONE,
    ]


def test_a_language_is_that_of_the_caption_in_the_sidecar(output: Path) -> None:
    found = groups_by(output, "language", None)
    assert [group(found, key) for key in ("a", "b", "d", CANARY)] == ["de", "en", NONE, NONE]


def test_a_shard_without_a_sidecar_tells_no_domain(output: Path) -> None:
    with pytest.raises(ShardError, match=r"web-00001\.tar has no Parquet sidecar"):
        group(groups_by(output, "domain", None), "a", "web-00001")


@pytest.mark.parametrize("content", [b"PAR1 canary-key PAR1", None])
def test_a_sidecar_that_cannot_be_read_is_told_without_its_content(output: Path, content: bytes | None) -> None:
    path = output.parent / "in" / "web-00001.parquet"
    if content is None:
        pq.write_table(pa.table({"key": [CANARY]}), path)
    else:
        path.write_bytes(content)
    with pytest.raises(ShardError, match="cannot be read, or has no columns") as caught:
        group(groups_by(output, "domain", None), "a", "web-00001")
    assert CANARY not in str(caught.value)


def test_a_file_of_ones_own_tells_samples_apart_by_any_column(output: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "key,topic,shard\na,food,crawl-00000.tar\nb,,crawl-00000\na,sport,web-00001\n")
    found = groups_by(output, "topic", path)
    assert [group(found, key) for key in ("a", "b", "c")] == ["food", NONE, NONE]
    assert group(found, "a", "web-00001") == "sport"
    pq.write_table(pa.table({"shard": ["crawl-00000"], "key": ["a"], "topic": ["food"]}), tmp_path / "g.parquet")
    assert group(groups_by(output, "topic", tmp_path / "g.parquet"), "a") == "food"


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("shard,key\n", "topic", "has no column 'topic'"),
        ("shard,key,topic\n", "key", "that names samples"),
        (f"shard,key,topic\ns,{CANARY},a\ns,{CANARY},b\n", "topic", "row 3 puts a sample into a second group"),
        (f"shard,key,topic\ns,k,{CANARY * 20}\n", "topic", "row 2 holds text that names no group"),
        (f"shard,key,topic\ns,{CANARY},a\x1b[31m\n", "topic", "row 2 holds text that names no group"),
        ("shard,key,topic\n" + "".join(f"s,{n},{CANARY}{n}\n" for n in range(1_001)), "topic", "more than 1000 values"),
        ("", "topic", "it is empty"),
    ],
)
def test_a_file_that_names_no_groups_is_refused(
    output: Path, tmp_path: Path, text: str, column: str, told: str
) -> None:
    with pytest.raises(LabelError, match=told) as caught:
        groups_by(output, column, written(tmp_path, text))
    assert CANARY not in str(caught.value)


def test_a_column_that_only_a_file_could_have_asks_for_one(output: Path) -> None:
    with pytest.raises(LabelError, match="or give a file with the columns shard, key and topic"):
        groups_by(output, "topic", None)
