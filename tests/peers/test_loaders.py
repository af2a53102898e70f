"""Other people's readers find in the output what was kept, sample for sample, and nothing else.

They are GNU tar and coreutils, webdataset 1.0.2, `datasets` 5.2, open_clip's training loader and pyarrow.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from filters.config import load_policy
from manifests.manifest import read_manifest
from pipelines.clean import clean
from tests.corpora import Given, plain_samples, write_policy, write_shard
from tests.peers.img2dataset import ENCODERS, Drawn, write_corpus

ROOT = Path(__file__).parents[2]
# Each encoding has the shapes in another order: general and minors begin with an empty shard, or not.
SHAPES = ("wub", "gwmg", "ggggg", "mbm", "gum")
ORDERS = {"jpg": SHAPES, "png": SHAPES[1:] + SHAPES[:1], "webp": SHAPES[2:] + SHAPES[:2]}
RANGE = "{00000..00004}.tar"
RANGE_FILES = tuple(f"{number:05d}.tar" for number in range(5))
LONGEST = 300  # seconds; open_clip, told of more samples than there are, looks for them for ever
FILLED = ("general", "minors")
EMPTY = "adult"
EACH = [(suffix, partition) for suffix in ENCODERS for partition in FILLED]

each_encoding = pytest.mark.parametrize("suffix", ENCODERS)
each_partition = pytest.mark.parametrize(("suffix", "partition"), EACH)
files_left_open = pytest.mark.filterwarnings("ignore::ResourceWarning")  # by webdataset


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A corpus and what was made of it."""

    source: Path
    output: Path
    samples: list[Drawn] = field(repr=False)

    def folder(self, partition: str) -> Path:
        return self.output / "clean" / partition

    def kept(self, partition: str) -> list[Drawn]:
        return [sample for sample in self.samples if sample.place == partition]

    def by_shard(self, partition: str) -> dict[str, list[Drawn]]:
        kept = self.kept(partition)
        return {shard: [s for s in kept if s.shard == shard] for shard in sorted({s.shard for s in self.samples})}


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cleaned]:
    """A corpus of each encoding, and what `shardwall clean` made of it."""
    found = {}
    for suffix, shapes in ORDERS.items():
        folder = tmp_path_factory.mktemp(suffix)
        samples = write_corpus(folder / "in", suffix, shapes)
        policy = load_policy(write_policy(folder / "policy"))
        clean(str(folder / "in"), folder / "out", policy, ["--direct_num_workers=1"])
        found[suffix] = Cleaned(folder / "in", folder / "out", samples)
    return found


def judge(program: str, jobs: list[dict[str, Any]], folder: Path) -> Any:
    """Give jobs to a program of this folder, without network and with a home of its own, and return its answers."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "HF_HOME": str(folder / "hf"),
        "OMP_NUM_THREADS": "1",
    }
    environment |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "LC_ALL": "C.UTF-8"}
    words = [sys.executable, "-m", f"tests.peers.{program}"]
    done = subprocess.run(
        words, input=json.dumps(jobs), capture_output=True, text=True, env=environment, cwd=ROOT, timeout=LONGEST
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def told(*words: str, folder: Path) -> bytes:
    """Return what a program of the system prints, once it has succeeded without a word of complaint."""
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.defpath}
    done = subprocess.run(words, capture_output=True, check=True, env=environment, cwd=folder)
    assert not done.stderr, done.stderr
    return done.stdout


def test_the_samples_went_where_this_file_takes_them_to_be(corpora: dict[str, Cleaned]) -> None:
    for cleaned in corpora.values():
        files = sorted((cleaned.output / "restricted" / "manifest").glob("*.parquet"))
        decided = {decision.key: decision.partition for path in files for decision in read_manifest(path)}
        assert decided == {sample.key: sample.place for sample in cleaned.samples}
        assert [len(cleaned.kept(name)) for name in (*FILLED, EMPTY, "withheld")] == [8, 4, 0, 6]


@each_encoding
def test_gnu_tar_lists_and_unpacks_exactly_the_kept_members(corpora: dict[str, Cleaned], suffix: str) -> None:
    for partition in (*FILLED, EMPTY):
        for shard, kept in corpora[suffix].by_shard(partition).items():
            folder = corpora[suffix].folder(partition)
            expected = {f"{sample.key}.{name}": data for sample in kept for name, data in sample.members.items()}
            assert told("tar", "-tf", f"{shard}.tar", folder=folder).decode().split() == list(expected)
            for name, data in expected.items():
                assert told("tar", "-xOf", f"{shard}.tar", name, folder=folder) == data


def test_the_source_has_the_extended_headers_that_img2dataset_leaves(corpora: dict[str, Cleaned]) -> None:
    for cleaned in corpora.values():
        assert b" mtime=1" in (cleaned.source / "00000.tar").read_bytes()
        assert b" mtime=1" in (cleaned.folder("general") / f"{cleaned.kept('general')[0].shard}.tar").read_bytes()


@files_left_open
@each_partition
def test_webdataset_reads_a_brace_range(corpora: dict[str, Cleaned], suffix: str, partition: str) -> None:
    import webdataset

    cleaned = corpora[suffix]
    shards = str(cleaned.folder(partition) / RANGE)
    read = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [(each["__key__"], members(each)) for each in read] == [(s.key, s.members) for s in cleaned.kept(partition)]
    decoded = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple(suffix, "txt", "json"))
    assert [image.size for image, _, _ in decoded] == [(96, 96)] * len(read)
    assert [(text, row) for _, text, row in decoded] == [(s.caption, s.row) for s in cleaned.kept(partition)]


def members(sample: dict[str, Any]) -> dict[str, bytes]:
    return {name: data for name, data in sample.items() if not name.startswith("__")}


@files_left_open
def test_webdataset_finds_nothing_in_an_empty_partition_and_says_so(corpora: dict[str, Cleaned]) -> None:
    import webdataset

    shards = str(corpora["jpg"].folder(EMPTY) / RANGE)
    assert list(webdataset.WebDataset(shards, shardshuffle=False, empty_check=False)) == []
    with pytest.raises(ValueError, match="No samples found"):
        list(webdataset.WebDataset(shards, shardshuffle=False))


@pytest.fixture(scope="module")
def by_datasets(corpora: dict[str, Cleaned], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Any]:
    """What `datasets` made of every partition, in one process and with one cache, as on the machine of a user."""
    jobs: dict[tuple[str, ...], dict[str, Any]] = {}
    for suffix, cleaned in corpora.items():
        for partition in (*FILLED, EMPTY):
            folder = cleaned.folder(partition)
            every = [str(folder / f"{shard}.tar") for shard in cleaned.by_shard(partition)]
            filled = [str(folder / f"{shard}.tar") for shard, kept in cleaned.by_shard(partition).items() if kept]
            jobs[suffix, partition, "folder"] = {"folder": str(folder)}
            jobs[suffix, partition, "streamed"] = {"folder": str(folder), "streaming": True}
            jobs[suffix, partition, "filled"] = {"files": filled}
            jobs[suffix, partition, "every"] = {"files": every}
    asked = [job | {"suffix": key[0]} for key, job in jobs.items()]
    answers = judge("datasets_loader", asked, tmp_path_factory.mktemp("datasets"))
    return dict(zip(jobs, answers, strict=True))


@pytest.mark.parametrize("way", ["folder", "streamed", "filled"])
@each_partition
def test_datasets_loads_a_partition(
    corpora: dict[str, Cleaned], by_datasets: dict[tuple[str, ...], Any], suffix: str, partition: str, way: str
) -> None:
    kept = corpora[suffix].kept(partition)
    expected = [[s.key, hashlib.sha256(s.image).hexdigest(), s.caption, s.row] for s in kept]
    assert by_datasets[suffix, partition, way] == {"samples": expected, "sizes": [[96, 96]] * len(kept)}


def test_the_card_alone_keeps_datasets_from_taking_one_output_for_another(corpora: dict[str, Cleaned]) -> None:
    """Two outputs above have the same folder names and the same files; `datasets` knows them apart by their digests."""
    cards = [(corpora[suffix].folder("general") / "README.md").read_text() for suffix in ("png", "webp")]
    heads = [card.split("---")[1].splitlines() for card in cards]
    (differing,) = [pair for pair in zip(*heads, strict=True) if len(set(pair)) > 1]
    tars = told("sha256sum", *RANGE_FILES, folder=corpora["png"].folder("general"))
    assert differing[0].strip() == f'description: "8 samples in shards of SHA-256 {hashlib.sha256(tars).hexdigest()}"'


def test_datasets_cannot_begin_with_an_empty_shard_which_is_why_the_card_names_others(
    corpora: dict[str, Cleaned], by_datasets: dict[tuple[str, ...], Any]
) -> None:
    for suffix, partition in EACH:
        begins_empty = not corpora[suffix].by_shard(partition)["00000"]
        found = by_datasets[suffix, partition, "every"]
        assert ("ArrowInvalid" in found.get("error", "")) == begins_empty
        card = (corpora[suffix].folder(partition) / "README.md").read_text()
        assert ('- "*.tar"' in card) == (not begins_empty)


def test_datasets_refuses_an_empty_partition_rather_than_loading_what_lies_beside_it(
    by_datasets: dict[tuple[str, ...], Any],
) -> None:
    for suffix in ENCODERS:
        for way in ("folder", "streamed"):
            assert "DataFilesNotFoundError" in by_datasets[suffix, EMPTY, way]["error"]


def test_datasets_finds_shards_whose_names_hold_signs_of_yaml_and_of_globs(tmp_path: Path) -> None:
    name = 'odd "[1]" \\n #*'
    (tmp_path / "in").mkdir()
    write_shard(tmp_path / "in" / "00000.tar", [Given("broken", b"no picture")])
    write_shard(tmp_path / "in" / f"{name}.tar", plain_samples(2))
    policy = load_policy(write_policy(tmp_path / "policy"))
    clean(str(tmp_path / "in"), tmp_path / "out", policy, ["--direct_num_workers=1"])
    folder = tmp_path / "out" / "clean" / "general"
    (answer,) = judge("datasets_loader", [{"folder": str(folder), "suffix": "jpg"}], tmp_path / "home")
    assert [sample[0] for sample in answer["samples"]] == ["000000000", "000000001"]
    told("sha256sum", "--check", "--strict", "--quiet", "audit/sha256sums.txt", folder=tmp_path / "out")


@pytest.fixture(scope="module")
def by_open_clip(corpora: dict[str, Cleaned], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """What open_clip's training loader made of every partition."""
    jobs = {
        (suffix, partition): {
            "shards": str(cleaned.folder(partition) / RANGE),
            "source": str(cleaned.source),
            "batch": 2,
        }
        for suffix, cleaned in corpora.items()
        for partition in (*FILLED, EMPTY)
    }
    found = judge("open_clip_loader", list(jobs.values()), tmp_path_factory.mktemp("open_clip"))
    assert found["webdataset"] == "0.2.86"
    return dict(zip(jobs, found["answers"], strict=True))


@each_partition
def test_open_clip_trains_on_every_kept_sample_once_an_epoch(
    corpora: dict[str, Cleaned], by_open_clip: dict[tuple[str, str], Any], suffix: str, partition: str
) -> None:
    kept = [sample.key for sample in corpora[suffix].kept(partition)]
    found = by_open_clip[suffix, partition]
    assert (found["size"], found["num_samples"]) == ([len(kept), 5], len(kept))
    assert found["shapes"] == [[[2, 3, 224, 224], [2, 77]]] * (len(kept) // 2)
    assert sorted(found["keys"]) == kept


def test_open_clip_refuses_to_train_on_an_empty_partition(by_open_clip: dict[tuple[str, str], Any]) -> None:
    for suffix in ENCODERS:
        assert by_open_clip[suffix, EMPTY]["size"] == [0, 5]
        assert "number of dataset samples" in by_open_clip[suffix, EMPTY]["error"]


@each_encoding
def test_pyarrow_reads_the_rows_of_exactly_the_kept_samples(corpora: dict[str, Cleaned], suffix: str) -> None:
    for partition in (*FILLED, EMPTY):
        for shard, kept in corpora[suffix].by_shard(partition).items():
            table = pq.read_table(corpora[suffix].folder(partition) / f"{shard}.parquet")
            assert table.to_pylist() == [sample.row for sample in kept]
            assert table.schema.equals(pq.read_schema(corpora[suffix].source / f"{shard}.parquet"), check_metadata=True)


@each_encoding
def test_sizes_and_stats_count_what_gnu_tar_lists(corpora: dict[str, Cleaned], suffix: str) -> None:
    for partition in (*FILLED, EMPTY):
        folder = corpora[suffix].folder(partition)
        listed = {name: len(told("tar", "-tf", name, folder=folder).split()) // 3 for name in RANGE_FILES}
        assert json.loads((folder / "sizes.json").read_text()) == listed
        for name, count in listed.items():
            stats = json.loads((folder / name.replace(".tar", "_stats.json")).read_text())
            assert (stats["count"], stats["successes"], stats["status_dict"]) == (count, count, {"success": count})


def published(output: Path) -> Iterator[str]:
    for path in output.rglob("*"):
        if path.is_file() and path.relative_to(output).parts[0] != "restricted":
            yield str(path.relative_to(output))


@each_encoding
def test_coreutils_checks_every_published_file(corpora: dict[str, Cleaned], suffix: str, tmp_path: Path) -> None:
    output = shutil.copytree(corpora[suffix].output, tmp_path / "out")
    check = ("sha256sum", "--check", "--strict", "audit/sha256sums.txt")
    lines = told(*check, folder=output).decode().splitlines()
    assert sorted(lines) == sorted(f"{name}: OK" for name in published(output) if name != check[-1])
    changed = output / "clean" / "general" / "00001.tar"
    changed.write_bytes(changed.read_bytes()[:-1] + b"\1")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        told(*check, folder=output)
    assert b"clean/general/00001.tar: FAILED" in failed.value.stdout
