"""The demonstration is what it says: ordinary, distinct, in img2dataset's layout, and planted with what it lists."""

import hashlib
import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pdqhash
import pyarrow.parquet as pq
import pytest
from PIL import Image

from filters.config import load_policy
from filters.encoder import ClipEncoder
from filters.errors import ShardError
from filters.members import parse
from filters.sample import Batch, Sample
from pipelines.demo import write_demo
from pipelines.demo.check import Tally, compare
from pipelines.demo.encode import bordered, jpeg
from pipelines.demo.known import known_files
from pipelines.demo.photos import Views
from pipelines.demo.rows import ADULT, GENERAL, KEPT, MINORS, NO_ROW, WITHHELD, Row
from pipelines.demo.shards import write_shard
from pipelines.demo.standins import adult_stand_in, minor_stand_in
from pipelines.demo.studio import Studio
from pipelines.shards import rows as shard_rows
from pipelines.shards import survey

# Order of the members of img2dataset's JSON, from its downloader.py, read 2026-11-21.
FIELDS = ["caption", "url", "key", "status", "error_message"]
FIELDS += ["width", "height", "original_width", "original_height", "exif", "sha256"]
CUT, FAULTY = "00007", "00006"
SOUND = [f"{number:05d}" for number in range(6)]
MATCHED = ("urls", "digests", "perceptual", "captions")  # filters that need no model


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder


@pytest.fixture(scope="module")
def planted(demo: Path) -> list[dict[str, str]]:
    loaded: list[dict[str, str]] = json.loads((demo / "planted.json").read_text())
    return loaded


def members(shard: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Return suffix and bytes of every file of a sound shard, by key."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    with tarfile.open(shard) as tar:
        for member in tar:
            key, _, suffix = member.name.partition(".")
            file = tar.extractfile(member) if member.isfile() else None
            found.setdefault(key, []).append((suffix, file.read() if file else b""))
    return found


def records(demo: Path, shard: str) -> Iterator[dict[str, Any]]:
    for sample in members(demo / "shards" / f"{shard}.tar").values():
        yield json.loads(dict(sample)["json"])


def test_there_are_enough_shards_and_samples(demo: Path) -> None:
    assert len(list((demo / "shards").glob("*.tar"))) >= 6
    stored = [len(members(demo / "shards" / f"{shard}.tar")) for shard in SOUND]
    assert sum(stored) >= 300


@pytest.mark.parametrize("shard", SOUND)
def test_a_shard_lies_as_img2dataset_leaves_it(demo: Path, shard: str) -> None:
    stored = members(demo / "shards" / f"{shard}.tar")
    table = pq.read_table(demo / "shards" / f"{shard}.parquet")
    stats = json.loads((demo / "shards" / f"{shard}_stats.json").read_text())
    assert table["key"].to_pylist() == [f"{shard}{index:04d}" for index in range(len(table))]
    success = [row["key"] for row in table.to_pylist() if row["status"] == "success"]
    assert success == list(stored)
    assert (stats["count"], stats["successes"]) == (len(table), len(stored))
    assert stats["failed_to_download"] == len(table) - len(stored) == stats["count"] - stats["status_dict"]["success"]
    assert stats["failed_to_download"] > 0
    assert table.schema.names[-len(FIELDS) :] == FIELDS


def test_every_member_of_a_sample_is_there_once_and_in_order(demo: Path) -> None:
    for shard in SOUND:
        for sample in members(demo / "shards" / f"{shard}.tar").values():
            suffixes = [suffix for suffix, _ in sample]
            assert suffixes == sorted(suffixes)
            assert len(suffixes) == 3
            assert {"json", "txt"} < set(suffixes)
            assert list(json.loads(dict(sample)["json"]))[-len(FIELDS) :] == FIELDS


def test_most_images_are_jpeg_and_the_other_formats_of_the_web_occur(demo: Path) -> None:
    formats: Counter[str] = Counter()
    for shard in SOUND:
        for sample in members(demo / "shards" / f"{shard}.tar").values():
            data = next(data for suffix, data in sample if suffix not in {"json", "txt"})
            with Image.open(io.BytesIO(data)) as image:
                formats[str(image.format)] += 1
    assert formats["JPEG"] > sum(formats.values()) / 2
    assert set(formats) == {"JPEG", "PNG", "WEBP", "GIF", "MPO"}


def test_border_mode_pads_to_256_pixels_with_white_and_records_the_original(demo: Path) -> None:
    seen = 0
    for sample in members(demo / "shards" / "00002.tar").values():
        record = json.loads(dict(sample)["json"])
        width, height = record["original_width"], record["original_height"]
        if (record["width"], record["height"]) != (256, 256) or width < height * 1.3:
            continue
        with Image.open(io.BytesIO(dict(sample)["jpg"])) as image:
            pixels = np.asarray(image)
        bar = (256 - round(height * 256 / width)) // 2 - 8  # JPEG rings up to a block into the bar
        assert pixels.shape == (256, 256, 3)
        assert int(pixels[:bar].min()) > 240
        assert int(pixels[256 - bar :].min()) > 240
        seen += 1
    assert seen > 10


def test_no_address_leads_anywhere(demo: Path) -> None:
    reserved = re.compile(r"(^|\.)example\.(com|org)$|\.test\.?$|^(192\.0\.2\.\d+|3221226001|0300.*|0xc0.*)$")
    for shard in SOUND[1:]:  # shard 0 holds the spellings that urlsplit does not understand
        for record in records(demo, shard):
            for address in (record["url"], record["page_url"]):
                assert reserved.search(urlsplit(address).hostname or "")


def test_views_are_too_far_apart_for_any_match() -> None:
    taken = [view.pixels for view in islice(Views(3).every(), 54)]
    forms = np.array([pdqhash.compute_dihedral(pixels)[0] for pixels in taken], dtype=bool)
    distances = (forms[:, None, :1] != forms[None, :]).sum(axis=-1).min(axis=-1)
    np.fill_diagonal(distances, 256)
    assert int(distances.min()) > 60


def test_the_same_seed_gives_the_same_rows_and_the_same_files(tmp_path: Path) -> None:
    written = []
    for name in "ab":
        studio = Studio(5)
        rows = [row for row, _ in known_files(studio)] + [studio.row(studio.view(), "border") for _ in range(4)]
        (tmp_path / name).mkdir()
        write_shard(tmp_path / name, 0, rows)
        written.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"00000.tar", "00000.parquet", "00000_stats.json"}


def test_shards_that_lie_there_already_are_left_alone(demo: Path) -> None:
    with pytest.raises(ShardError, match="new folder"):
        write_demo(demo)


def test_every_planted_sample_is_in_its_shard(demo: Path, planted: list[dict[str, str]]) -> None:
    for shard in [*SOUND, FAULTY]:
        keys = members(demo / "shards" / f"{shard}.tar").keys()
        assert {each["key"] for each in planted if each["shard"] == shard} <= keys


def test_every_planted_case_has_one_expected_end(planted: list[dict[str, str]]) -> None:
    ends: dict[str, set[str]] = {}
    for each in planted:
        ends.setdefault(each["case"], set()).add(each["expected"])
    assert all(len(found) == 1 for found in ends.values())
    assert set.union(*ends.values()) == {ADULT, MINORS, WITHHELD, KEPT, NO_ROW}
    assert len(ends) >= 90


def test_expected_ends_are_partitions_of_the_policy(demo: Path) -> None:
    names = {partition.name for partition in load_policy(demo / "policy.toml").partitions}
    assert names == {GENERAL, MINORS, ADULT}


def test_the_last_shard_is_cut_off_inside_a_member(demo: Path, planted: list[dict[str, str]]) -> None:
    path = demo / "shards" / f"{CUT}.tar"
    found = survey(path)
    assert found.fault is not None
    assert found.fault.kind == "truncated member"
    whole = {row.key for row in shard_rows(path, found, 1 << 26)}
    lost = {each["key"] for each in planted if each["shard"] == CUT}
    assert len(whole) > 10
    assert lost
    assert not whole & lost
    assert whole | lost == set(pq.read_table(path.with_suffix(".parquet"))["key"].to_pylist())


def test_the_policy_is_the_shipped_profile_with_lists_and_a_test_encoder(demo: Path) -> None:
    shipped, own = load_policy("partition"), load_policy(demo / "policy.toml")
    assert [each.name for each in own.filters] == [*(each.name for each in shipped.filters), "encoder"]
    assert own.rules[: len(shipped.rules)] == shipped.rules
    assert own.partitions == shipped.partitions
    assert {rule.filter for rule in own.rules[len(shipped.rules) :]} == {"encoder"}


def test_the_hash_list_says_that_it_is_about_ordinary_photographs(demo: Path) -> None:
    assert "ordinary photograph" in (demo / "lists" / "hashes.csv").read_text().splitlines()[0]
    assert "coded test category" in (demo / "lists" / "hashes.csv").read_text().splitlines()[1]
    assert "coded test category" in (demo / "policy.toml").read_text()


@pytest.fixture(scope="module")
def scores(demo: Path) -> dict[str, dict[str, list[float]]]:
    """Scores of both heads for new drawings and new views, by what is shown: none of these was fitted on."""
    encoder = next(each for each in load_policy(demo / "policy.toml").filters if isinstance(each, ClipEncoder))
    random = np.random.default_rng(11)
    pictures = [view.image for view in islice(Views(11).every(), 54)]
    shown = {
        "adult-stand-in": [adult_stand_in(random) for _ in range(30)],
        "minor-stand-in": [minor_stand_in(random) for _ in range(30)],
        "photograph": [*pictures, *map(bordered, pictures[:18])],
    }
    examine = encoder.load()
    found: dict[str, dict[str, list[float]]] = {}
    for name, images in shown.items():
        answers = examine(Batch([Sample("s", "k", images=(jpeg(image),)) for image in images]))
        findings = [finding for answer in answers for finding in answer]
        assert all(finding.value is not None for finding in findings)
        found[name] = {label: [float(f.value or 0) for f in findings if f.label == label] for label in list(shown)[:2]}
    return found


@pytest.mark.parametrize("label", ["adult-stand-in", "minor-stand-in"])
def test_a_head_knows_its_stand_in_and_nothing_else(scores: dict[str, dict[str, list[float]]], label: str) -> None:
    assert min(scores[label][label]) > 0.8
    for other in set(scores) - {label}:
        assert max(scores[other][label]) < 0.2


def test_what_filters_without_a_model_must_find_is_found(demo: Path, planted: list[dict[str, str]]) -> None:
    chain = {each.name: each for each in load_policy(demo / "policy.toml").filters if each.name in MATCHED}
    loaded = {name: each.load() for name, each in chain.items()}
    stored = {shard: members(demo / "shards" / f"{shard}.tar") for shard in SOUND}
    for each in planted:
        if each["shard"] not in stored or each["because"] not in MATCHED:
            continue
        sample = parse(each["shard"], each["key"], stored[each["shard"]][each["key"]])
        assert sample.problems == ()
        found = loaded[each["because"]](Batch([sample]))[0]
        assert any(f.label in chain[each["because"]].labels or f.unexamined for f in found), each["case"]


def test_what_is_planted_to_be_left_alone_is_on_no_list(demo: Path, planted: list[dict[str, str]]) -> None:
    chain = [each.load() for each in load_policy(demo / "policy.toml").filters if each.name in MATCHED]
    kept = [each for each in planted if each["expected"] == KEPT]
    assert len(kept) >= 5
    for each in kept:
        sample = parse("s", "k", members(demo / "shards" / f"{each['shard']}.tar")[each["key"]])
        assert [find(Batch([sample]))[0] for find in chain] == [()] * len(chain), each["case"]


def test_the_recorded_digest_is_of_the_download_not_of_what_was_stored(demo: Path) -> None:
    sample = next(iter(members(demo / "shards" / "00000.tar").values()))
    stored = dict(sample)
    assert json.loads(stored["json"])["sha256"] != hashlib.sha256(stored["jpg"]).hexdigest()


def test_rows_keep_url_caption_and_bytes_out_of_their_repr() -> None:
    row = Row("https://canary-url.test/", "canary caption", b"canary bytes", sha256="canary")
    assert "canary" not in repr(replace(row, columns={"page_url": "canary"}, text=b"canary", meta=b"canary"))


PLANT = {"shard": "00000", "key": "1", "case": "a", "expected": WITHHELD, "because": "urls"}


def test_an_end_counts_only_with_its_reason() -> None:
    decisions = {("00000", "1", 0): (WITHHELD, {"urls", "listed"})}
    assert compare([PLANT], decisions) == [Tally("a", WITHHELD, 1, 1, ())]
    assert compare([{**PLANT, "because": "captions"}], decisions)[0].as_expected == 0


def test_a_planted_sample_without_a_decision_is_a_mismatch() -> None:
    assert compare([PLANT], {}) == [Tally("a", WITHHELD, 1, 0, ("no decision",))]


def test_all_samples_of_one_key_must_end_as_expected() -> None:
    decisions = {("00000", "1", 0): (WITHHELD, {"urls"}), ("00000", "1", 1): ("general", set[str]())}
    assert compare([PLANT], decisions) == [Tally("a", WITHHELD, 1, 0, ("ended in general",))]


def test_kept_is_any_partition_and_no_row_is_none() -> None:
    for partition in ("general", "minors", "adult", WITHHELD):
        decisions = {("00000", "1", 0): (partition, set[str]())}
        kept, lost = ({**PLANT, "expected": expected, "because": ""} for expected in (KEPT, NO_ROW))
        assert compare([kept], decisions)[0].as_expected == (partition != WITHHELD)
        assert compare([lost], decisions)[0].as_expected == (partition == WITHHELD)
    assert compare([{**PLANT, "expected": NO_ROW}], {})[0].as_expected == 1


def test_planted_samples_of_one_case_share_a_line() -> None:
    decisions = {("00000", "1", 0): (WITHHELD, {"urls"}), ("00000", "2", 1): ("adult", {"urls"})}
    assert compare([PLANT, {**PLANT, "key": "2"}], decisions) == [Tally("a", WITHHELD, 2, 1, ("ended in adult",))]
