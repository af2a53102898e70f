import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import members
from filters.members import parse
from filters.sample import Sample

ANY = st.characters()  # lone surrogates as well, as JSON may hold them

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ANY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(ANY, max_size=5), inner, max_size=4),
    max_leaves=20,
)


def of_json(data: bytes) -> Sample:
    return parse("00000.tar", "k", [("json", data)])


def of(meta: Mapping[str, Any], text: str = "") -> Sample:
    both = [("json", json.dumps(meta).encode())] + ([("txt", text.encode())] if text else [])
    return parse("00000.tar", "k", both)


def test_a_sample_of_img2dataset_is_read_whole() -> None:
    meta = {"url": "http://a.test/1.jpg", "caption": "a red square", "key": "000000001", "status": "success"}
    sample = parse(
        "00000.tar", "000000001", [("jpg", b"J"), ("json", json.dumps(meta).encode()), ("txt", b"a red square")]
    )
    assert sample.images == (b"J",)
    assert sample.texts == ("a red square", "http://a.test/1.jpg", "success")
    assert sample.urls == ("http://a.test/1.jpg",)
    assert sample.meta == meta
    assert sample.problems == ()


@pytest.mark.parametrize("suffix", ["jpg", "JPG", "jpeg", "img.png", "1.webp", "gif", "bmp", "tif", "tiff", "avif"])
def test_images_are_told_by_the_last_part_of_the_suffix(suffix: str) -> None:
    assert parse("s", "k", [(suffix, b"x")]).images == (b"x",)


@pytest.mark.parametrize("suffix", ["", "jpg.gz", "pyd", "pickle", "npz", "svg", "mp4", "cls"])
def test_a_member_of_another_kind_is_a_problem_and_no_image(suffix: str) -> None:
    sample = parse("s", "k", [(suffix, b"x")])
    assert sample.images == ()
    assert sample.problems == (members.UNKNOWN_KIND,)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", members.JSON_NOT_VALID),
        (b"{", members.JSON_NOT_VALID),
        (b'{"a": NaN}', members.JSON_NOT_VALID),
        (b'{"a": -Infinity}', members.JSON_NOT_VALID),
        (b'{"a": 1e999}', members.JSON_NUMBER),
        (b'{"a": ' + b"9" * 5000 + b"}", members.JSON_NOT_VALID),
        (b'{"a": 1, "a": 2}', members.JSON_DUPLICATE_KEYS),
        (b'{"b": {"a": 1, "\\u0061": 2}}', members.JSON_DUPLICATE_KEYS),
        (b'{"a": "\xff"}', members.JSON_NOT_UTF8),
        ('{"a": "x"}'.encode("utf-16"), members.JSON_NOT_UTF8),
        (b'\xef\xbb\xbf{"a": "x"}', members.JSON_NOT_VALID),
        (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", members.JSON_TOO_DEEP),
        (b"[1]", members.JSON_NOT_OBJECT),
        (b'"text"', members.JSON_NOT_OBJECT),
        (b'{"a": "' + b"x" * members.MAX_TEXT_BYTES + b'"}', members.JSON_TOO_LARGE),
    ],
)
def test_json_that_readers_could_read_differently_is_a_fixed_problem(data: bytes, problem: str) -> None:
    sample = of_json(data)
    assert sample.problems == (problem,)
    assert sample.meta == {}


def test_a_second_json_member_is_a_problem_and_its_strings_are_examined_all_the_same() -> None:
    sample = parse("s", "k", [("json", b'{"caption": "one"}'), ("b.json", b'{"caption": "two"}')])
    assert sample.problems == (members.JSON_SEVERAL,)
    assert sample.texts == ("one", "two")


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"caf\xe9", members.NOT_UTF8), (b"a" * (members.MAX_TEXT_BYTES + 1), members.TEXT_TOO_LARGE)],
)
def test_a_text_that_cannot_be_read_is_a_problem(data: bytes, problem: str) -> None:
    assert parse("s", "k", [("txt", data)]).problems == (problem,)


def test_problems_of_the_reader_are_kept_and_each_is_told_once() -> None:
    sample = parse("s", "k", [("a", b""), ("b", b"")], ("key: not adjacent",))
    assert sample.problems == ("key: not adjacent", members.UNKNOWN_KIND)


def test_strings_at_any_depth_are_texts_in_the_order_of_the_document() -> None:
    sample = of({"caption": "one", "all_captions": ["two", {"deep": ["three"]}], "alt": "one", "top_caption": "four"})
    assert sample.texts == ("one", "two", "three", "four")


@pytest.mark.parametrize("value", ["", "  ", "42", "3.14", "-1e5", "1, 2, 3", "a" * 32, "0" * 64, "DEADBEEFDEADBEEF"])
def test_digests_numbers_and_blanks_are_no_texts(value: str) -> None:
    assert of({"x": value}).texts == ()


@pytest.mark.parametrize("value", ["a 3 year old tree", "facade", "deadbeef", "x"])
def test_short_words_are_texts_even_when_they_could_be_hexadecimal(value: str) -> None:
    assert of({"x": value}).texts == (value,)


@pytest.mark.parametrize("key", ["url", "URL", "image_url", "page_url", "source_page", "page", "href", "src", "urls"])
def test_an_address_field_needs_no_scheme(key: str) -> None:
    assert of({key: "a.test/1.jpg"}).urls == ("a.test/1.jpg",)
    assert of({key: ["a.test/1.jpg"]}).urls == ("a.test/1.jpg",)
    assert of({key: "see the picture"}).urls == ()
    assert of({key: "12"}).urls == ()


def test_an_address_field_may_be_broken_by_what_parsers_ignore() -> None:
    assert of({"url": "ht\ntp://a.te\tst/x"}).urls == ("ht\ntp://a.te\tst/x",)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a square, http://a.test/x", "http://a.test/x"),
        ("(see https://a.test/x).", "https://a.test/x"),
        ("photo by WWW.a.test!", "WWW.a.test"),
        ("hxxp://a.test/x", "hxxp://a.test/x"),
        ("foohttp://a.test/x", "foohttp://a.test/x"),
        ("見てhttp://a.test/xです", "http://a.test/x"),
        ("ｈｔｔｐ：／／a.test/x", "http://a.test/x"),
        ("ht\u200btp://a.test/x", "http://a.test/x"),
        ('<a href="http://a.test/x">', "http://a.test/x"),
    ],
)
def test_an_address_is_found_wherever_it_stands_in_a_text(text: str, address: str) -> None:
    assert address in parse("s", "k", [("txt", text.encode())]).urls
    assert address in of({"caption": text}).urls
    assert address in of({"x": [{"y": [text]}]}).urls


@pytest.mark.parametrize("text", ["http://", "www.", "http://...", "a://—", "1 : 2 // 3", "the www of things"])
def test_what_only_looks_like_an_address_is_none(text: str) -> None:
    assert parse("s", "k", [("txt", text.encode())]).urls == ()


def test_a_failed_download_with_an_image_is_data_like_any_other() -> None:
    sample = parse("s", "k", [("jpg", b"J"), ("json", b'{"status": "failed_to_download", "url": "http://a.test"}')])
    assert sample.images == (b"J",)
    assert sample.problems == ()


def test_a_sample_does_not_show_its_content() -> None:
    sample = parse("s", "codeword", [("txt", b"codeword"), ("json", b'{"url": "codeword.test"}'), ("jpg", b"codeword")])
    assert "codeword" not in repr(sample)


@given(st.lists(st.tuples(st.sampled_from(["json", "txt", "jpg", "x", ""]), st.binary(max_size=200)), max_size=4))
def test_any_bytes_make_a_sample(parts: list[tuple[str, bytes]]) -> None:
    sample = parse("s", "k", parts)
    assert all(problem.partition(":")[0] in {"json", "text", "member"} for problem in sample.problems)


@given(st.dictionaries(st.text(ANY, max_size=8), JSON_VALUES, max_size=5))
def test_any_json_object_makes_a_sample(meta: dict[str, Any]) -> None:
    sample = of(meta)
    assert set(sample.problems) <= {members.JSON_NOT_VALID}
    assert len(set(sample.texts)) == len(sample.texts)
    assert len(set(sample.urls)) == len(sample.urls)


# Everything a trainer could read as text

CODED = "codeword-alpha"


@pytest.mark.parametrize(
    "meta",
    [
        {"caption": CODED},
        {"CAPTION": CODED},
        {"all_captions": ["a square", CODED]},
        {"all_captions": [["a square", {"text": CODED}]]},
        {"captions": {"blip": "a square", "cogvlm": CODED}},
        {"top_caption": CODED},
        {"alt": CODED, "title": "a square"},
        {"exif": json.dumps({"Image ImageDescription": CODED})},
        {"exif": {"ImageDescription": CODED}},
        {"a": {"b": {"c": [{"d": [[CODED]]}]}}},
        {"tags": [CODED, "outdoors"]},
        {"tags": {"outdoors": 0.98, CODED: 0.7}},
        {"tags": {"general": {CODED: 0.7}}},
        {"Keywords": [{CODED: 1}]},
        {"wd14_tags": {CODED: None}},
        {"license": CODED},
        {"url": f"http://a.test/{CODED}.jpg"},
        {"key": CODED},
        {"x": [1, None, True, 2.5, CODED]},
        {"": CODED},
    ],
)
def test_a_word_is_among_the_texts_wherever_it_stands(meta: Mapping[str, Any]) -> None:
    assert any(CODED in text for text in of(meta).texts)


@pytest.mark.parametrize("suffix", ["txt", "TXT", "en.txt", "caption.txt", "json", "b.json"])
def test_every_text_member_is_read(suffix: str) -> None:
    data = CODED if suffix.lower().endswith("txt") else json.dumps({"x": CODED})
    assert CODED in parse("s", "k", [("jpg", b"J"), (suffix, data.encode())]).texts


@pytest.mark.parametrize("key", [CODED, f"{CODED}/00001", "代号", "00012_codeword"])
def test_a_key_with_a_word_is_a_text(key: str) -> None:
    assert parse("s", key, [("txt", b"a square")]).texts == ("a square", key)


@pytest.mark.parametrize("key", ["000000012", "k", "00/12-a", "a1b2c3"])
def test_a_key_that_only_counts_is_none(key: str) -> None:
    assert parse("s", key, [("txt", b"a square")]).texts == ("a square",)


@pytest.mark.parametrize("meta", [{"nsfw": 0.01}, {"scores": {"nsfw": 0.01, "child": 0.2}}, {"NSFW": True}])
def test_the_name_of_a_field_is_no_text(meta: Mapping[str, Any]) -> None:
    assert of(meta).texts == ()


@given(st.dictionaries(st.text(ANY, max_size=5), JSON_VALUES, max_size=4))
def test_every_string_of_the_json_is_a_text_or_no_word(meta: dict[str, Any]) -> None:
    def strings(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [each for item in value.values() for each in strings(item)]
        return [each for item in value for each in strings(item)] if isinstance(value, list) else [value]

    sample = of(meta)
    missing = {each for each in strings(meta) if isinstance(each, str)} - set(sample.texts)
    assert sample.problems or all(
        not any(letter.isalpha() and letter not in "abcdefABCDEF" for letter in each) for each in missing
    )
