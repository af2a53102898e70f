"""The sidecars of a shard are inputs of its separation: what becomes of them becomes of what was made from them."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.config import load_policy
from filters.errors import ShardError
from pipelines.clean import clean
from pipelines.separate import separate_shard
from pipelines.verify import verify
from tests.corpora import LISTED_WORD, Given, drawing, plain_samples, write_policy, write_shard

SAMPLES = [*plain_samples(2), Given("listed", drawing(70), LISTED_WORD)]
KEYS = [sample.key for sample in SAMPLES]


def write_sidecar(folder: Path, note: str) -> None:
    table = pa.table({"key": KEYS, "note": [f"{note} {key}" for key in KEYS]})
    pq.write_table(table, folder / "in" / "00000.parquet")


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A run over one shard that can be started again."""
    folder = tmp_path_factory.mktemp("separate")
    (folder / "in").mkdir()
    write_shard(folder / "in" / "00000.tar", SAMPLES)
    policy = load_policy(write_policy(folder / "policy"))

    def run() -> Path:
        clean(str(folder / "in"), folder / "out", policy, ["--direct_num_workers=1"])
        assert verify(folder / "out") == []
        return folder

    return run


def test_a_sidecar_that_comes_changes_or_goes_is_followed_by_what_was_made_of_it(again: Callable[[], Path]) -> None:
    folder = again()
    made = folder / "out" / "clean" / "general" / "00000.parquet"
    assert not made.exists()
    for note in ("first", "second"):
        write_sidecar(folder, note)
        again()
        assert pq.read_table(made)["note"].to_pylist() == [f"{note} {key}" for key in KEYS[:2]]
    (folder / "in" / "00000.parquet").unlink()
    again()
    assert not made.exists()


def test_hostile_stats_neither_stop_the_run_nor_come_out_of_it(again: Callable[[], Path]) -> None:
    folder = again()
    stats = folder / "in" / "00000_stats.json"
    stats.write_text("[" * 100_000)
    again()
    assert json.loads((folder / "out" / "clean" / "general" / stats.name).read_text())["count"] == 2
    stats.unlink()
    again()


def test_a_shard_that_changed_after_it_was_examined_is_not_separated(again: Callable[[], Path]) -> None:
    from pipelines.inputs import Shard
    from pipelines.job import make_job

    folder = again()
    write_shard(folder / "in" / "00001.tar", plain_samples(3))
    job = make_job(folder / "out", load_policy(folder / "policy" / "policy.toml"))
    with pytest.raises(ShardError, match="changed after it was examined"):
        separate_shard(job, Shard("00000", str(folder / "in" / "00001.tar")))
    (folder / "in" / "00001.tar").unlink()
