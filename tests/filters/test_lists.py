"""Lists are read strictly: what is wrong is told by the list's name and line, and nothing of an entry is."""

import hashlib
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.errors import ListError
from filters.lists import ListSource, Row, check, hash_material, material, read_hashes, read_lists, read_rows
from filters.urllists import read_urls

TODAY = date(2026, 11, 21)
Make = Callable[..., ListSource]


def planted(kind: str, *words: str) -> str:
    """Return digests of coded words: no one's list has them."""
    return "".join(f"{hashlib.new(kind, word.encode()).hexdigest()}\n" for word in words)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(text: str | bytes, kind: str = "hashes", **said: object) -> ListSource:
        path = tmp_path / str(said.pop("file", "list.txt"))
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        source = ListSource("codeword list", str(path), kind, "opt-out")  # type: ignore[arg-type]
        return replace(source, **said)  # type: ignore[arg-type]

    return write


def message(source: ListSource) -> str:
    with pytest.raises(ListError) as caught:
        list(read_rows(source, TODAY))
    assert caught.value.__cause__ is None
    assert "'codeword list'" in str(caught.value)
    return str(caught.value)


def test_one_value_a_line_tells_md5_and_sha1_by_length(make: Make) -> None:
    rows = list(read_rows(make(planted("md5", "alpha").upper() + planted("sha1", "alpha"))))
    assert [(row.line, row.algorithm) for row in rows] == [(1, "md5"), (2, "sha1")]
    assert rows[0].value == hashlib.md5(b"alpha").hexdigest()


def test_sixty_four_digits_need_the_algorithm_said(make: Make) -> None:
    text = planted("sha256", "alpha")
    assert "does not tell the algorithm" in message(make(text))
    for algorithm in ("sha256", "pdq", "SHA-256"):
        (row,) = read_rows(make(text, columns=(("algorithm", f"={algorithm}"),)))
        assert row.algorithm == algorithm.lower().replace("-", "")


def test_a_csv_is_read_by_the_names_of_its_columns(make: Make) -> None:
    text = "note,what,kind,tongue,who\n" + f'"a, b",{planted("md5", "alpha").strip()},ncii,de,7\n'
    columns = (("value", "what"), ("category", "kind"), ("language", "tongue"), ("id", "who"), ("algorithm", "=md5"))
    source = make(text, columns=columns, categories=("ncii",))
    digest = hashlib.md5(b"alpha").hexdigest()
    assert list(read_rows(source)) == [Row(2, "ncii", digest, algorithm="md5", language="de", id="7")]


def test_a_tsv_is_read_by_its_name(make: Make) -> None:
    source = make(
        "word\ttongue\ncodeword-alpha, and more\ten\n", "terms", file="list.tsv", columns=(("value", "word"),)
    )
    assert [row.value for row in read_rows(source)] == ["codeword-alpha, and more"]


def test_a_row_without_a_category_has_that_of_the_list(make: Make) -> None:
    source = make("word,kind\ncodeword-alpha,\n", "terms", columns=(("value", "word"), ("category", "kind")))
    assert [row.category for row in read_rows(source)] == ["opt-out"]


def test_comments_blank_lines_and_a_byte_order_mark_are_no_entries(make: Make) -> None:
    source = make(b"\xef\xbb\xbf# head\r\n\r\n#####\r\n  example.com \r\n#example.org\r\n", "urls")
    assert [(row.line, row.value) for row in read_rows(source)] == [(4, "example.com")]


def test_a_hashtag_is_a_term_and_not_a_comment(make: Make) -> None:
    source = make("# head\n#codeword-alpha\n", "terms")
    assert [row.value for row in read_rows(source)] == ["#codeword-alpha"]


BAD_LINES = [
    ("codeword-alpha", "does not tell the algorithm"),
    ("g" * 32, "not 32 hex digits"),
    ("0" * 32, "placeholder"),
    ("deadbeef" * 4, "placeholder"),
    (hashlib.md5(b"").hexdigest(), "empty file"),
    (hashlib.sha1(b"").hexdigest(), "empty file"),
]


@pytest.mark.parametrize(("bad", "why"), BAD_LINES)
def test_a_line_that_is_no_hash_refuses_the_list(make: Make, bad: str, why: str) -> None:
    told = message(make(planted("md5", "alpha") + bad + "\n" + planted("md5", "beta") + bad + "\n"))
    assert why in told
    assert "(lines 2, 4)" in told
    assert bad not in told


FLAT = [("pdq", "00" * 32), ("pdq", "ff" * 32), ("pdq", "00" * 24 + "ff" * 7 + "0f"), ("phash", "8" + "0" * 15)]


@pytest.mark.parametrize(("algorithm", "value"), FLAT)
def test_the_perceptual_hash_of_a_flat_picture_is_refused(make: Make, algorithm: str, value: str) -> None:
    assert "flat picture" in message(make(value, columns=(("algorithm", f"={algorithm}"),)))


def test_every_fault_is_counted_and_the_first_lines_are_named(make: Make) -> None:
    told = message(make("x\n" * 9 + "0" * 32 + "\n"))
    assert "9 whose length does not tell the algorithm: name it in `columns` (lines 1, 2, 3, 4, 5, ...)" in told
    assert "1 with a placeholder for a hash (line 10)" in told


def table(*lines: str) -> str:
    return "\n".join(("hash,algorithm,kind", *lines))


MD5 = hashlib.md5(b"codeword-alpha").hexdigest()
BAD_ROWS = [
    (f"{MD5},md5", "as many fields"),
    (f'"{MD5},md5,', "as many fields"),
    (f'{MD5},md5,"', "as many fields"),
    (f"{MD5},md5,csam", "does not declare"),
    (f"{MD5},netclean,", "of an algorithm that is not one of"),
    (f"{MD5},sha1,", "not 40 hex digits"),
    (",md5,", "without a value"),
]


@pytest.mark.parametrize(("bad", "why"), BAD_ROWS)
def test_a_row_that_does_not_fit_its_header_refuses_the_list(make: Make, bad: str, why: str) -> None:
    columns = (("value", "hash"), ("algorithm", "algorithm"), ("category", "kind"))
    told = message(make(table(f"{MD5},md5,", bad), columns=columns))
    assert why in told
    assert "(line 3)" in told
    assert MD5 not in told


@pytest.mark.parametrize("columns", [(("value", "sum"),), (("value", "kind"), ("category", "x"))])
def test_a_header_without_the_column_refuses_the_list(make: Make, columns: tuple[tuple[str, str], ...]) -> None:
    assert "header" in message(make(table(f"{MD5},md5,"), columns=columns))


def test_two_columns_of_one_name_are_ambiguous(make: Make) -> None:
    assert "exactly one column" in message(make(f"hash,hash\n{MD5},{MD5}\n", columns=(("value", "hash"),)))


BAD_COLUMNS = [(("hash", "x"),), (("value", "a"), ("value", "b")), (("category", "x"),), (("value", "=x"),)]


@pytest.mark.parametrize("columns", BAD_COLUMNS)
def test_columns_that_say_nothing_sensible_are_refused(make: Make, columns: tuple[tuple[str, str], ...]) -> None:
    assert "`columns`" in message(make(planted("md5", "alpha"), columns=columns))


@pytest.mark.parametrize("text", ["", "\n\n", "# codeword-alpha\n"])
@pytest.mark.parametrize("kind", ["hashes", "urls", "terms"])
def test_an_empty_list_is_refused(make: Make, text: str, kind: str) -> None:
    assert "no entry" in message(make(text, kind))


def test_a_csv_of_a_header_alone_is_empty(make: Make) -> None:
    assert "no entry" in message(make("hash\n", columns=(("value", "hash"),)))


def test_a_missing_list_is_refused(make: Make, tmp_path: Path) -> None:
    assert "FileNotFoundError" in message(make("x", path=str(tmp_path / "none")))
    assert "IsADirectoryError" in message(make("x", "urls", path=str(tmp_path)))


@pytest.mark.parametrize("bad", [b"codeword\xff", b"code\x00word", "code\x85word".encode()])
def test_bytes_that_are_no_text_refuse_the_list(make: Make, bad: bytes) -> None:
    told = message(make(b"codeword-alpha\n" + bad + b"\n", "terms"))
    assert "(line 2)" in told
    assert "codeword-" not in told


def test_a_joiner_inside_a_term_is_kept(make: Make) -> None:
    assert [row.value for row in read_rows(make("code\u200cword\n", "terms"))] == ["code\u200cword"]


@pytest.mark.parametrize(
    ("dated", "limit", "why"),
    [
        ("2026-11-13", 7, "8 days old"),
        ("", 7, "no `date`"),
        ("2026-11-23", None, "future"),
        ("21.11.2026", None, "not a day"),
    ],
)
def test_a_stale_or_undated_list_is_refused(make: Make, dated: str, limit: int | None, why: str) -> None:
    assert why in message(make(planted("md5", "alpha"), date=dated, max_age_days=limit))


@pytest.mark.parametrize(("dated", "limit"), [("2026-11-14", 7), ("2026-11-22", 0), ("2020-01-01", None), ("", None)])
def test_a_fresh_list_is_read(make: Make, dated: str, limit: int | None) -> None:
    source = make(planted("md5", "alpha"), date=dated, max_age_days=limit)
    assert len(list(read_rows(source, TODAY))) == 1
    assert check(source, TODAY).problem == ""


def test_health_counts_by_algorithm_and_digests_the_file(make: Make) -> None:
    text = planted("md5", "alpha", "beta") + planted("sha1", "alpha")
    health = check(make(text, date="2026-11-11"), TODAY)
    assert health.entries == (("md5", 2), ("sha1", 1))
    assert (health.faults, health.age_days, health.problem) == ((), 10, "")
    assert health.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_health_counts_terms_by_category(make: Make) -> None:
    columns = (("value", "word"), ("category", "kind"))
    text = "word,kind\ncodeword-alpha,grooming\ncodeword-beta,minor\ncodeword-gamma,minor\n"
    health = check(make(text, "terms", columns=columns, categories=("minor", "grooming")))
    assert health.entries == (("grooming", 1), ("minor", 2))


def test_health_of_a_bad_list_is_told_and_not_raised(make: Make) -> None:
    health = check(make("x\n" + planted("md5", "alpha"), date="2026-01-01", max_age_days=1), TODAY)
    assert [(fault.count, fault.lines) for fault in health.faults] == [(1, (1,))]
    assert "line 1" in health.problem
    assert "324 days old" in health.problem


def test_a_manifest_records_the_list_as_it_was_read(make: Make) -> None:
    source = make("example.com\nexample.org\n", "urls", version="v7")
    found = material(source)
    assert (found.kind, found.name, found.version, found.entries) == ("list", "codeword list", "v7", 2)
    assert found.sha256 == hashlib.sha256(b"example.com\nexample.org\n").hexdigest()
    with pytest.raises(ListError, match="no entry"):
        material(make("", "urls"))


def test_a_filter_is_given_the_tables_that_it_can_match(make: Make) -> None:
    mixed = make(planted("md5", "alpha") + planted("sha1", "alpha", "beta"))
    other = make(planted("sha256", "alpha"), file="other.txt", columns=(("algorithm", "=pdq"),))
    (found,) = read_lists("digests", (mixed, other), ("sha1", "sha256"))
    assert found.entries == (("sha1", 2),)
    assert hash_material(found).entries == 2


def test_a_filter_without_anything_to_match_is_refused(make: Make) -> None:
    with pytest.raises(ListError, match=r"'perceptual' has no list"):
        read_lists("perceptual", (), ("pdq",))
    with pytest.raises(ListError, match=r"none of its lists has a hash of pdq"):
        read_lists("perceptual", (make(planted("md5", "alpha")),), ("pdq",))


def test_one_bad_list_among_good_ones_is_refused(make: Make) -> None:
    with pytest.raises(ListError):
        read_lists("digests", (make(planted("md5", "alpha")), make("", file="other.txt")), ("md5",))


def test_a_source_pickles_and_no_repr_tells_an_entry(make: Make) -> None:
    source = make("codeword-alpha\n", "terms")
    assert pickle.loads(pickle.dumps(source)) == source
    (row,) = read_rows(source)
    shown = repr((row, source, check(source), read_hashes(make(MD5))))
    assert "alpha" not in shown
    assert MD5 not in shown
    assert MD5[:8] not in shown


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(text=st.binary(max_size=200), kind=st.sampled_from(["hashes", "urls", "terms"]), as_csv=st.booleans())
def test_any_bytes_are_a_list_or_a_list_error(make: Make, text: bytes, kind: str, as_csv: bool) -> None:
    columns = (("value", "a"),) if as_csv else ()
    source = make(b"a,b\n" + text if as_csv else text, kind, columns=columns)
    health = check(source)
    try:
        read = dict(read_urls(source).entries) if kind == "urls" else Counter("" for _ in read_rows(source))
    except ListError:
        assert health.problem
    else:
        assert not health.problem
        assert sum(count for _, count in health.entries) == sum(read.values()) > 0


def test_a_row_may_have_a_column_for_each_algorithm(make: Make) -> None:
    """As the files of national image databases have them: one picture a row, its digests beside each other."""
    text = f"MD5,SHA1,Category,MediaID\n{MD5.upper()},{planted('sha1', 'alpha')[:40]},1,7\n,{'a1' * 20},2,8\n"
    text = text.replace("a1" * 20, hashlib.sha1(b"beta").hexdigest())
    columns = (("md5", "MD5"), ("sha1", "SHA1"), ("classification", "Category"), ("id", "MediaID"))
    rows = [(row.line, row.algorithm, row.classification, row.id) for row in read_rows(make(text, columns=columns))]
    assert rows == [(2, "md5", "1", "7"), (2, "sha1", "1", "7"), (3, "sha1", "2", "8")]


def test_a_row_without_any_digest_is_a_fault(make: Make) -> None:
    text = f"MD5,SHA1\n{MD5},\n,\n"
    assert "1 without a value (line 3)" in message(make(text, columns=(("md5", "MD5"), ("sha1", "SHA1"))))


def test_a_classification_is_kept_word_for_word(make: Make) -> None:
    columns = (("value", "hash"), ("classification", "grade"))
    source = make(f'hash,grade\n{MD5},"Grade 2, Copine: 7"\n', columns=columns)
    assert [row.classification for row in read_rows(source)] == ["Grade 2, Copine: 7"]
    assert read_hashes(source).classifications == ("Grade 2, Copine: 7",)


def test_as_many_faults_as_the_policy_accepts_are_left_out_and_still_told(make: Make) -> None:
    text = planted("md5", "alpha") + "x\n" + "0" * 32 + "\n"
    source = make(text, max_faults=2)
    assert len(list(read_rows(source))) == 1
    assert [fault.lines for fault in check(source).faults] == [(2,), (3,)]
    assert "placeholder" in message(make(text, max_faults=1))


@pytest.mark.parametrize("term", ["!!!", "\u200b", "\u00ad-"])
def test_a_term_that_no_text_could_hold_is_told_by_the_check_and_left_out_where_faults_are(
    make: Make, term: str
) -> None:
    source = make(f"codeword\n{term}\n", kind="terms")
    assert "1 without any letter or digit (line 2)" in check(source, TODAY).problem
    assert term not in check(source, TODAY).problem
    (row,) = read_rows(replace(source, max_faults=1))
    assert row.value == "codeword"
