"""Published metadata under a shipped profile, whose terms hold words that are also names of columns."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.config import load_policy
from pipelines.clean import clean
from pipelines.verify import verify
from tests.tables import write_all

POLICY = """
extends = "partition"
name = "metadata"
without = ["digests", "perceptual"]
[[lists]]
name = "addresses"
path = "addresses.txt"
kind = "urls"
category = "csam"
"""
COLUMNS = {"SAMPLE_ID": 1, "LICENSE": "?", "NSFW": "UNLIKELY", "similarity": 0.3, "punsafe": 0.1, "pwatermark": 0.2}


def published(count: int, note: str = "") -> pa.Table:
    """Return rows in the columns of LAION-400M, with what pandas writes beside them."""
    rows = [
        {
            "URL": f"https://a{n}.example/{n}.jpg",
            "TEXT": f"a red bicycle, number {n}",
            "HEIGHT": 9,
            "WIDTH": 9,
            **COLUMNS,
        }
        for n in range(count)
    ]
    table = pa.Table.from_pylist(rows)
    pandas = json.dumps({"columns": [{"name": name, "pandas_type": "unicode"} for name in table.column_names]})
    return table.replace_schema_metadata({"pandas": pandas, "note": note})


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    (folder / "policy.toml").write_text(POLICY)
    (folder / "addresses.txt").write_text("listed.example/a/\n")
    write_all(folder / "in", {"0": published(40), "1": published(40, "see http://listed.example/a/b.jpg")})
    clean(str(folder / "in"), folder / "out", load_policy(folder / "policy.toml"), ["--direct_num_workers=1"])
    return folder / "out"


def test_a_column_named_like_a_term_says_nothing_of_the_rows(output: Path) -> None:
    kept = pq.read_table(output / "clean" / "general" / "0.parquet")
    assert kept.num_rows == 40
    assert "NSFW" in kept.column_names


def test_a_listed_address_beside_the_columns_withholds_the_file(output: Path) -> None:
    assert not (output / "clean" / "general" / "1.parquet").exists()
    (fault,) = json.loads((output / "restricted" / "summary.json").read_text())["faults"]
    assert (fault["shard"], fault["kind"]) == ("1", "its metadata has what a rule of the policy marks")


def test_such_an_output_proves_itself(output: Path) -> None:
    assert verify(output) == []
