import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sidecar import UnusableSidecarError, filter_rows, rewrite_stats, sidecars

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
keys = st.sampled_from(["a", "b", "c", "00001", "é", "a b", ""])


def table(names: list[Any], **metadata: str) -> pa.Table:
    schema = pa.schema([("url", pa.string()), ("key", pa.string()), ("score", pa.float64())], metadata=metadata)
    return pa.table([[f"http://u.test/{name}" for name in names], names, [math.nan] * len(names)], schema=schema)


@shared
@given(st.lists(keys | st.none(), max_size=12), st.sets(keys, max_size=5), st.integers(1, 5))
def test_rows_of_what_was_kept_stay_as_they_were_and_no_other(
    tmp_path: Path, named: list[str | None], kept: set[str], group: int
) -> None:
    source, target = tmp_path / "source.parquet", tmp_path / "target.parquet"
    pq.write_table(table(named), source, row_group_size=group)
    counted = Counter(name for name in named if name in kept)
    if any(count > 1 for count in counted.values()):
        with pytest.raises(UnusableSidecarError):
            filter_rows(source, kept, target)
        return
    filter_rows(source, kept, target)
    expected = table([name for name in named if name in kept])
    assert repr(pq.read_table(target).to_pydict()) == repr(expected.to_pydict())  # NaN is like no other


def test_schema_and_metadata_stay(tmp_path: Path) -> None:
    pq.write_table(table(["a", "b"], huggingface="{}", origin="x"), tmp_path / "source.parquet")
    filter_rows(tmp_path / "source.parquet", ["a"], tmp_path / "target.parquet")
    found = pq.read_schema(tmp_path / "target.parquet")
    assert found.equals(pq.read_schema(tmp_path / "source.parquet"), check_metadata=True)


def test_a_row_twice_is_refused_even_where_another_kept_key_has_none(tmp_path: Path) -> None:
    """Their number alone would fit."""
    pq.write_table(table(["a", "a"]), tmp_path / "source.parquet", row_group_size=1)
    with pytest.raises(UnusableSidecarError):
        filter_rows(tmp_path / "source.parquet", ["a", "b"], tmp_path / "target.parquet")


def test_nothing_of_a_withheld_row_is_left_in_the_file_not_even_in_its_statistics(tmp_path: Path) -> None:
    pq.write_table(table(["a", "zz-codeword-withheld"]), tmp_path / "source.parquet", compression="none")
    assert b"codeword-withheld" in (tmp_path / "source.parquet").read_bytes()
    filter_rows(tmp_path / "source.parquet", ["a"], tmp_path / "target.parquet")
    assert b"codeword-withheld" not in (tmp_path / "target.parquet").read_bytes()
    groups = pq.read_metadata(tmp_path / "target.parquet").to_dict()["row_groups"]
    assert "codeword-withheld" not in repr(groups)


@pytest.mark.parametrize("keys_as", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_keys_may_be_stored_in_other_ways(tmp_path: Path, keys_as: pa.DataType) -> None:
    pq.write_table(pa.table({"key": pa.array(["a", "b", "a2"]).cast(keys_as)}), tmp_path / "source.parquet")
    filter_rows(tmp_path / "source.parquet", ["a", "a2"], tmp_path / "target.parquet")
    assert pq.read_table(tmp_path / "target.parquet")["key"].to_pylist() == ["a", "a2"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"PAR1",
        b"PAR1" + bytes(64) + b"PAR1",
        pa.table({"url": ["http://u.test"]}),
        pa.table({"key": [["a"]]}),
        pa.table({"key": pa.array([b"\xff\xfe"])}),
        pa.table([["a"], ["a"]], names=["key", "key"]),
    ],
    ids=["empty", "too short", "no footer", "no key", "keys in lists", "keys that are no text", "two key columns"],
)
def test_a_file_whose_rows_cannot_be_told_apart_is_unusable_and_not_quoted(tmp_path: Path, damage: Any) -> None:
    source = tmp_path / "source.parquet"
    source.write_bytes(damage) if isinstance(damage, bytes) else pq.write_table(damage, source)
    with pytest.raises(UnusableSidecarError) as raised:
        filter_rows(source, ["a"], tmp_path / "target.parquet")
    assert (str(raised.value), raised.value.__cause__) == ("", None)


@shared
@given(st.data())
def test_no_damage_to_a_file_is_met_with_anything_but_refusal_or_its_rows(tmp_path: Path, data: st.DataObject) -> None:
    source = tmp_path / "source.parquet"
    pq.write_table(table(["a", "b", "c"]), source)
    damaged = bytearray(source.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=3)):
        damaged[at] ^= data.draw(st.integers(1, 255))
    source.write_bytes(damaged)
    try:
        filter_rows(source, ["a"], tmp_path / "target.parquet")
    except UnusableSidecarError:
        return
    assert pq.read_table(tmp_path / "target.parquet").num_rows <= 1


def test_only_files_that_are_there_count_as_sidecars(tmp_path: Path) -> None:
    shard = tmp_path / "a.b.tar"
    assert sidecars(shard) == {}
    (tmp_path / "a.b.parquet").mkdir()
    assert sidecars(shard) == {}
    (tmp_path / "a.b.parquet").rmdir()
    (tmp_path / "a.b.parquet").write_bytes(b"")
    (tmp_path / "a.b_stats.json").write_bytes(b"")
    assert sidecars(shard) == {"parquet": tmp_path / "a.b.parquet", "stats": tmp_path / "a.b_stats.json"}


COUNTS = {"count": 2, "successes": 2, "failed_to_download": 0, "failed_to_resize": 0, "status_dict": {"success": 2}}


def test_times_are_carried_over_and_counts_are_those_of_what_was_kept(tmp_path: Path) -> None:
    given = {"count": 9, "successes": 7, "failed_to_download": 2, "duration": 1.5, "start_time": 10, "end_time": 11.5}
    status = {"success": 7, "HTTP Error 404: http://u.test/codeword": 2}
    (tmp_path / "stats").write_text(json.dumps({**given, "status_dict": status, "more": "codeword"}))
    assert rewrite_stats(tmp_path / "stats", 2) == {**COUNTS, "duration": 1.5, "start_time": 10, "end_time": 11.5}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"[1]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"duration": NaN, "start_time": 1e999, "end_time": "2"}',
        b'{"duration": [1], "end_time": null}',
        b'{"duration": 1' + b"0" * 400 + b"}",
    ],
)
def test_stats_that_are_no_use_still_count_what_was_kept(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "stats").write_bytes(damage)
    found = rewrite_stats(tmp_path / "stats", 2)
    assert found == COUNTS
    json.dumps(found, allow_nan=False)


def test_stats_that_are_gone_still_count_what_was_kept(tmp_path: Path) -> None:
    assert rewrite_stats(tmp_path / "stats", 2) == COUNTS
