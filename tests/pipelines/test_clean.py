import json
import tarfile
from pathlib import Path

import pytest

from filters.config import load_policy
from filters.errors import ModelError, PolicyError, ShardError
from manifests.manifest import Decision, read_manifest
from manifests.queue import read_queue
from pipelines.clean import clean
from pipelines.layout import Layout
from pipelines.verify import verify
from tests.corpora import (
    ADULT_WORD,
    LISTED_URL,
    LISTED_WORD,
    MINOR_WORD,
    Given,
    drawing,
    plain_samples,
    write_policy,
    write_shard,
    write_tar,
)

ONE = ["--direct_num_workers=1"]


def run(folder: Path, shards: dict[str, list[Given]], listed: list[bytes] | None = None) -> tuple[Path, dict[str, str]]:
    """Clean the shards and return the output and where each key went."""
    (folder / "in").mkdir(parents=True, exist_ok=True)
    for name, samples in shards.items():
        write_shard(folder / "in" / f"{name}.tar", samples)
    policy = load_policy(write_policy(folder / "policy", listed or []))
    clean(str(folder / "in"), folder / "out", policy, ONE)
    return folder / "out", {decision.key: decision.partition for decision in decisions(folder / "out")}


def decisions(output: Path) -> list[Decision]:
    files = sorted((output / "restricted" / "manifest").glob("*.parquet"))
    return [decision for path in files for decision in read_manifest(path)]


def names_in(shard: Path) -> list[str]:
    with tarfile.open(shard) as tar:
        return tar.getnames()


def test_each_sample_goes_where_its_evidence_says(tmp_path: Path) -> None:
    known = drawing(900)
    samples = [
        *plain_samples(3),
        Given("listed-digest", known),
        Given("listed-url", drawing(901), meta={"url": LISTED_URL}),
        Given("listed-word", drawing(902), f"says {LISTED_WORD}"),
        Given("young", drawing(903), f"a {MINOR_WORD} person"),
        Given("grown", drawing(904), f"a {ADULT_WORD} picture"),
        Given("both", drawing(905), f"{MINOR_WORD} and {ADULT_WORD}"),
        Given("broken", b"no picture"),
    ]
    output, placed = run(tmp_path, {"00000": samples}, [known])
    withheld = dict.fromkeys(("listed-digest", "listed-url", "listed-word", "both", "broken"), "withheld")
    general = dict.fromkeys((sample.key for sample in samples[:3]), "general")
    assert placed == {**general, **withheld, "young": "minors", "grown": "adult"}
    assert names_in(output / "clean" / "minors" / "00000.tar") == ["young.jpg", "young.json", "young.txt"]
    assert verify(output) == []


def test_a_mark_reaches_every_copy_in_every_shard_and_copies_of_copies(tmp_path: Path) -> None:
    """a and b share bytes, b and c a page: what holds against a holds against c."""
    page = {"page_url": "http://page.test/x"}
    shards = {
        "00000": [Given("a", drawing(1), f"{ADULT_WORD}"), Given("other", drawing(2))],
        "00001": [Given("b", drawing(1), meta=page), Given("c", drawing(3), f"{MINOR_WORD}", page)],
    }
    _, placed = run(tmp_path, shards)
    assert placed == {"a": "withheld", "b": "withheld", "c": "withheld", "other": "general"}


def test_a_near_duplicate_is_tied_across_shards(tmp_path: Path) -> None:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.open(io.BytesIO(drawing(5, 256))).resize((200, 200)).save(stream, "PNG")
    shards = {"00000": [Given("a", drawing(5, 256), MINOR_WORD)], "00001": [Given("b", drawing(6), ADULT_WORD)]}
    shards["00001"].append(Given("c", stream.getvalue(), ADULT_WORD))
    _, placed = run(tmp_path, shards)
    assert placed == {"a": "withheld", "b": "adult", "c": "withheld"}


def test_a_second_run_changes_nothing_and_examines_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, _ = run(tmp_path, {"00000": plain_samples(4), "00001": plain_samples(4, 10)})
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.parquet")}

    def never(*_: object) -> None:
        raise AssertionError("examined again")

    monkeypatch.setattr("pipelines.examine.Examiner.examine", never)
    clean(str(tmp_path / "in"), output, load_policy(tmp_path / "policy" / "policy.toml"), ONE)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("place", ["evidence/00000.parquet", "manifest/00000.parquet", "commit/00000.examined.json"])
def test_a_file_that_was_lost_or_changed_is_made_again(tmp_path: Path, place: str) -> None:
    output, _ = run(tmp_path, {"00000": plain_samples(3)})
    path = output / "restricted" / place
    before = path.read_bytes()
    path.write_bytes(before[:-9])
    clean(str(tmp_path / "in"), output, load_policy(tmp_path / "policy" / "policy.toml"), ONE)
    assert path.read_bytes() == before
    assert verify(output) == []


def test_more_shards_may_join_a_corpus_later_and_change_what_was_decided(tmp_path: Path) -> None:
    _, first = run(tmp_path, {"00000": [Given("a", drawing(1), MINOR_WORD)]})
    output, second = run(tmp_path, {"00001": [Given("b", drawing(1), ADULT_WORD)]})
    assert (first["a"], second["a"], second["b"]) == ("minors", "withheld", "withheld")
    assert verify(output) == []


def test_another_policy_in_the_same_output_is_refused(tmp_path: Path) -> None:
    output, _ = run(tmp_path, {"00000": plain_samples(1)})
    other = load_policy(write_policy(tmp_path / "policy", more="\n[limits]\nmax_frames = 3\n"))
    with pytest.raises(ShardError, match="another policy"):
        clean(str(tmp_path / "in"), output, other, ONE)


def test_a_broken_shard_keeps_what_is_sound_and_counts_the_rest(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shard = tmp_path / "in" / "00000.tar"
    write_shard(shard, plain_samples(5))
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    policy = load_policy(write_policy(tmp_path / "policy"))
    summary = clean(str(tmp_path / "in"), tmp_path / "out", policy, ONE)
    (fault,) = summary["faults"]
    kept = sum(summary["kept"].values())
    assert 0 < kept < 5
    assert summary["samples"] == kept + sum(summary["withheld"].values())
    assert fault["offset"] < len(whole) // 2 <= fault["bytes"] + sum(d.length for d in decisions(tmp_path / "out"))
    assert verify(tmp_path / "out") == []


def test_a_sidecar_is_cut_down_to_what_was_kept(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    samples = [*plain_samples(2), Given("listed", drawing(70), LISTED_WORD)]
    keys = [sample.key for sample in samples] + ["failed-download"]
    (tmp_path / "in").mkdir()
    schema = pa.schema([("key", pa.string()), ("url", pa.string())], metadata={"huggingface": "{}"})
    rows = pa.table([keys, [f"http://u.test/{key}" for key in keys]], schema=schema)
    pq.write_table(rows, tmp_path / "in" / "00000.parquet")
    stats = {"count": 4, "successes": 3, "failed_to_download": 1, "failed_to_resize": 0, "duration": 1.5}
    (tmp_path / "in" / "00000_stats.json").write_text(json.dumps(stats))
    output, _ = run(tmp_path, {"00000": samples})
    kept = pq.read_table(output / "clean" / "general" / "00000.parquet")
    assert kept["key"].to_pylist() == keys[:2]
    assert kept.schema.metadata[b"huggingface"] == b"{}"
    rewritten = json.loads((output / "clean" / "general" / "00000_stats.json").read_text())
    assert (rewritten["count"], rewritten["successes"], rewritten["failed_to_download"]) == (2, 2, 0)


@pytest.mark.parametrize("table", [{"url": ["http://u.test/0"]}, {"key": ["000000000"] * 2}, b"PAR1 no parquet PAR1"])
def test_a_sidecar_that_cannot_be_cut_down_is_left_out_and_told(
    tmp_path: Path, table: dict[str, list[str]] | bytes
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "in").mkdir()
    sidecar = tmp_path / "in" / "00000.parquet"
    if isinstance(table, bytes):
        sidecar.write_bytes(table)
    else:
        pq.write_table(pa.table(table), sidecar)
    output, _ = run(tmp_path, {"00000": plain_samples(1)})
    assert not (output / "clean" / "general" / "00000.parquet").exists()
    summary = json.loads((output / "restricted" / "summary.json").read_text())
    assert summary["sidecars_left_out"] == ["00000"]


def test_the_queue_points_at_every_withheld_sample_that_asks_for_a_person(tmp_path: Path) -> None:
    known = drawing(900)
    samples = [Given("known", known), Given("both", drawing(801), f"{MINOR_WORD} {ADULT_WORD}"), *plain_samples(2)]
    output, _ = run(tmp_path, {"00000": samples}, [known])
    cases = read_queue(output / "restricted" / "queue")
    assert [(case.key, case.kind) for case in cases] == [("known", "known_material"), ("both", "adult_and_minor")]
    shard = (tmp_path / "in" / "00000.tar").read_bytes()
    assert known in shard[cases[0].offset : cases[0].offset + cases[0].length]


def test_no_file_of_the_output_holds_the_bytes_of_a_withheld_picture(tmp_path: Path) -> None:
    known = drawing(900)
    output, _ = run(tmp_path, {"00000": [Given("known", known), *plain_samples(2)]}, [known])
    middle = known[len(known) // 3 : len(known) // 3 + 64]
    assert not [path for path in output.rglob("*") if path.is_file() and middle in path.read_bytes()]


def test_restricted_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    output, _ = run(tmp_path, {"00000": plain_samples(1)})
    layout = Layout(output)
    assert layout.restricted.stat().st_mode & 0o777 == 0o700
    assert [p for p in layout.restricted.rglob("*") if p.is_file() and p.stat().st_mode & 0o077] == []


def test_a_missing_list_stops_the_run_before_the_first_shard(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_shard(tmp_path / "in" / "00000.tar", plain_samples(1))
    path = write_policy(tmp_path / "policy")
    (tmp_path / "policy" / "hashes.csv").unlink()
    with pytest.raises(Exception, match="hashes"):
        clean(str(tmp_path / "in"), tmp_path / "out", load_policy(path), ONE)
    assert not (tmp_path / "out").exists()


def test_an_encoder_without_weights_stops_the_run_and_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_shard(tmp_path / "in" / "00000.tar", plain_samples(1))
    head = '{ label = "x", path = "head.safetensors", sha256 = "' + "0" * 64 + '" }'
    more = f'\n[[filters]]\nname = "encoder"\nmodel = "ViT-B-32"\nheads = [{head}]\n'
    with pytest.raises(ModelError, match="checkpoint"):
        clean(str(tmp_path / "in"), tmp_path / "out", load_policy(write_policy(tmp_path / "p", more=more)), ONE)


def test_an_option_that_beam_does_not_know_is_refused_with_the_nearest(tmp_path: Path) -> None:
    policy = load_policy(write_policy(tmp_path / "policy"))
    with pytest.raises(PolicyError, match="--runner"):
        clean(str(tmp_path), tmp_path / "out", policy, ["--runer=FnApiRunner"])


def test_repeated_and_split_keys_are_withheld_whole(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    one, two, three = (Given(key, drawing(n)) for n, key in enumerate("abc"))
    members = [*one.members[:1], *two.members, *one.members[1:], *three.members, *three.members]
    write_tar(tmp_path / "in" / "00000.tar", members)
    policy = load_policy(write_policy(tmp_path / "policy"))
    summary = clean(str(tmp_path / "in"), tmp_path / "out", policy, ONE)
    assert {(d.key, d.partition) for d in decisions(tmp_path / "out")} == {
        ("a", "withheld"),
        ("b", "general"),
        ("c", "withheld"),
    }
    assert summary["malformed"] > 0
