"""The quick way to read a row says what the ordinary way says; and what a picture could hide in is unexamined."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.fingerprints import IN_TABLE, Fingerprint
from filters.members import NOT_UTF8, TEXT_TOO_LARGE, record
from filters.sample import Sample
from pipelines.parquet.columns import columns
from pipelines.parquet.numbers import crowded
from pipelines.parquet.recorded import BAD_DIGEST
from pipelines.parquet.rows import ARRAY, ENCODED, read
from tests.tables import coyo, datacomp, laion

PIECES = st.sampled_from(
    [
        *("http://ok.test/a", "https://ok.test/b.jpg?x=1", "www.ok.test", "WWW.Ok.Test/x", "ok.test/c", "//ok.test"),
        *("a drawing", "two words", "codeword-alpha", "12345", "1.5e3", "deadbeef" * 4, "0" * 129, "", " ", "\t"),
        *(
            "see http://ok.test/z now",
            "（ｗｗｗ．ok.test）",
            "http：//ok.test/wide",
            "İstanbul",
            "東京",
            "a\u200bb",
            "ſ://k",
        ),
        *("data:image/png;base64,AAAA", "x" * 300, "x y" * 100, "A" * 255, "A" * 256, "ht\ntp://ok.test"),
        *(
            "ªº²³¼",
            "１２３",
            "ｗｗｗ.ok.test",
            "w\u200bww.ok.test",
            "\u2100//x",
            "ａ：／／ok.test",
            "deadbeef" * 4 + "\u0663",
        ),
        *("a\x00b", "e", "E5", "-", "#", "g", "é", "%41", "[::1]", "javascript:x"),
    ]
)
STRINGS = st.none() | PIECES | st.text(max_size=12)
NAMES = ("url", "TEXT", "caption", "page_url", "sha256", "key")


def ordinary(table: pa.RecordBatch) -> list[Sample]:
    """Read every row as a dict, without any look at a column."""
    return [record("s", str(row), each) for row, each in enumerate(table.to_pylist())]


def quick(table: pa.RecordBatch) -> list[Sample]:
    return read(table, "s", [str(row) for row in range(table.num_rows)], columns(table.schema)).samples


def sound(sample: Sample) -> Sample:
    """Return the sample without what the reader of tables alone finds wrong."""
    own = (ENCODED, ARRAY, BAD_DIGEST)
    fields = (sample.shard, sample.key, sample.images, sample.texts, sample.urls, sample.meta)
    return Sample(*fields, problems=tuple(each for each in sample.problems if each not in own))


@given(st.lists(st.tuples(*(STRINGS for _ in NAMES)), min_size=1, max_size=6), st.sampled_from(["", "large", "dict"]))
def test_the_quick_way_says_what_the_ordinary_way_says(rows: list[tuple[Any, ...]], kind: str) -> None:
    arrays = [pa.array(each, pa.string()) for each in zip(*rows, strict=True)]
    if kind == "large":
        arrays = [each.cast(pa.large_string()) for each in arrays]
    if kind == "dict":
        arrays = [each.dictionary_encode() for each in arrays]
    table = pa.RecordBatch.from_arrays(arrays, names=list(NAMES))
    assert [sound(each) for each in quick(table)] == ordinary(table)


@pytest.mark.parametrize("make", [laion, coyo])
def test_real_shapes_are_read_like_json(make: Any) -> None:
    table = make(60).select(
        [name for name in make(1).schema.names if pa.types.is_string(make(1).schema.field(name).type)]
    )
    batch = table.combine_chunks().to_batches()[0]
    assert quick(batch) == ordinary(batch)


NESTED = {
    "url": ["http://ok.test/1", "http://ok.test/2"],
    "all_captions": [["one", "two http://ok.test/in"], None],
    "meta": [{"note": "a note", "links": ["ok.test/x"], "n": 1}, {"note": None, "links": [], "n": None}],
    "tags": pa.array([[("lang", "words here")], []], pa.map_(pa.string(), pa.string())),
}


def test_strings_in_lists_structs_and_maps_are_texts_and_addresses() -> None:
    first, second = quick(pa.table(NESTED).to_batches()[0])
    assert {"one", "a note", "words here", "lang", "two http://ok.test/in"} <= set(first.texts)
    assert {"http://ok.test/1", "http://ok.test/in", "ok.test/x"} <= set(first.urls)
    assert second.urls == ("http://ok.test/2",)


def test_what_is_not_utf8_leaves_its_own_row_unexamined() -> None:
    broken = pa.array([b"http://ok.test/a", b"\xff\xfe", None], pa.binary()).view(pa.string())
    table = pa.RecordBatch.from_arrays([broken, pa.array(["one", "two", "three"])], names=["url", "text"])
    assert [each.problems for each in quick(table)] == [(), (NOT_UTF8,), ()]
    assert quick(table)[1].texts == ("two",)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("x" * 1_100_000, TEXT_TOO_LARGE),
        ("/9j/4AAQSkZJRgABAQ" + "Ab0+" * 80, ENCODED),
        ("look: DATA:image/png;base64,iVBOR", ENCODED),
    ],
)
def test_what_could_be_a_picture_or_is_too_much_is_unexamined(value: str, problem: str) -> None:
    (sample,) = quick(pa.RecordBatch.from_pydict({"url": ["http://ok.test/a"], "x": [value]}))
    assert problem in sample.problems


def test_long_prose_and_long_addresses_are_no_pictures() -> None:
    prose = "many plain words without a stop " * 40
    (sample,) = quick(pa.RecordBatch.from_pydict({"url": ["https://ok.test/" + "a" * 600], "text": [prose]}))
    assert sample.problems == ()


def test_numbers_enough_for_a_picture_are_unexamined_and_an_embedding_passes() -> None:
    lists = pa.array([[[0.5] * 32] * 33, [[0.5] * 768], None, []], pa.list_(pa.list_(pa.float32())))
    table = pa.RecordBatch.from_arrays([pa.array(["http://ok.test/a"] * 4), lists], names=["url", "x"])
    assert [each.problems for each in quick(table)] == [(ARRAY,), (), (), ()]


@given(
    st.lists(st.none() | st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=4), max_size=6), st.integers(0, 3)
)
def test_values_are_counted_through_every_level_and_any_slice(rows: list[Any], start: int) -> None:
    from pipelines.parquet.numbers import _leaves

    array = pa.array(rows, pa.list_(pa.list_(pa.int32()))).slice(min(start, len(rows)))
    expected = [sum(map(len, row or ())) for row in rows[min(start, len(rows)) :]]
    assert np.array_equal(_leaves(array), expected)


def test_no_column_of_lists_crowds_no_row() -> None:
    table = coyo(3).to_batches()[0]
    assert not crowded(table, columns(table.schema)).any()


def test_recorded_digests_are_taken_by_name_and_length() -> None:
    table = pa.RecordBatch.from_pydict(
        {
            "url": ["u.test"] * 4,
            "SHA256": ["AB" * 32, None, "", "short"],
            "md5": ["cd" * 16, "cd" * 16, None, None],
            "hash": ["ef" * 20, "no digest", None, "ab" * 7],
        }
    )
    found = read(table, "s", ["0", "1", "2", "3"], columns(table.schema))
    assert found.prints[0] == (
        Fingerprint("sha256", IN_TABLE, bytes.fromhex("ab" * 32)),
        Fingerprint("md5", IN_TABLE, bytes.fromhex("cd" * 16)),
        Fingerprint("sha1", IN_TABLE, bytes.fromhex("ef" * 20)),
    )
    assert [len(each) for each in found.prints] == [3, 1, 0, 0]
    assert [each.problems for each in found.samples] == [(), (), (), (BAD_DIGEST,)]


DIGESTS = st.none() | st.sampled_from(
    ["ab" * 16, "AB" * 16, "cd" * 20, "", "zz" * 16, "²" * 32, "ab" * 15 + " a", "é" * 8]
)


@given(st.lists(DIGESTS | st.just("ab" * 16), max_size=4), st.lists(st.just("0f" * 16), max_size=4))
def test_digests_that_are_read_at_once_are_those_that_are_read_one_by_one(some: list[Any], more: list[Any]) -> None:
    values = [*some, *more]
    table = pa.RecordBatch.from_pydict({"url": ["u.test"] * len(values), "md5": pa.array(values, pa.string())})
    found = read(table, "s", [""] * len(values), columns(table.schema))
    alone = [read(table.slice(row, 1), "s", [""], columns(table.schema)) for row in range(len(values))]
    assert found.prints == [each.prints[0] for each in alone]
    assert [each.problems for each in found.samples] == [each.samples[0].problems for each in alone]
    assert [bool(each) for each in found.prints] == [one in ("ab" * 16, "AB" * 16, "0f" * 16) for one in values]


def test_the_perceptual_hash_of_coyo_is_left_alone_and_pdq_needs_its_quality() -> None:
    assert columns(coyo(1).schema).pdq is None
    assert columns(datacomp(1).schema).pdq is None
    table = pa.RecordBatch.from_pydict({"url": ["u.test"], "pdq": ["a1" * 32], "pdq_quality": [77]})
    (prints,) = read(table, "s", ["0"], columns(table.schema)).prints
    assert prints == (Fingerprint("pdq", IN_TABLE, bytes.fromhex("a1" * 32), 77),)
    assert columns(pa.schema([("url", pa.string()), ("pdq", pa.string())])).pdq is None
