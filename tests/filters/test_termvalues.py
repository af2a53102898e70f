from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import termvalues
from filters.captions import CaptionTerms
from filters.errors import ListError
from filters.lists import ListSource, check
from filters.sample import Batch, Sample
from filters.termvalues import wrong_term

COLUMNS = (("value", "term"), ("language", "language"), ("category", "category"))


def a_list(folder: Path, *rows: str, **more: str) -> ListSource:
    path = folder / "terms.csv"
    path.write_text("term,language,category\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return ListSource("coded", str(path), "terms", "coded", columns=COLUMNS, categories=("other",), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("term", "wrong"),
    [
        ("!!!", termvalues.NO_LETTER),
        ("\u200b\u00ad", termvalues.NO_LETTER),
        ("q", termvalues.ONE_CHARACTER),
        ("7.", termvalues.ONE_CHARACTER),
        ("子", termvalues.ONE_CHARACTER),
        ("Ｑ", termvalues.ONE_CHARACTER),
        ("the", termvalues.IN_ANY_TEXT),
        ("PHOTO", termvalues.IN_ANY_TEXT),
        ("фото", termvalues.IN_ANY_TEXT),
        ("и", termvalues.IN_ANY_TEXT),
        ("codeword " * 30, termvalues.TOO_LONG),
    ],
)
def test_a_term_that_would_flood_or_is_none_stops_the_run_and_check_says_so(
    tmp_path: Path, term: str, wrong: str
) -> None:
    assert wrong_term(term) == wrong
    source = a_list(tmp_path, "gammaword,en,coded", f"{term},en,coded")
    assert f"{wrong} (line 3)" in check(source).problem
    with pytest.raises(ListError) as told:
        CaptionTerms(lists=(source,)).load()
    assert f"{wrong} (line 3)" in str(told.value)
    assert term not in str(told.value) or len(term) < 9


@pytest.mark.parametrize("term", ["xy", "代号", "ab c", "photo of gammaword", "7a", "代 号", "the gammaword"])
def test_a_short_term_is_a_term(term: str) -> None:
    assert wrong_term(term) == ""


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["gammaword,en"], "without as many fields as the header"),
        (["gammaword,en,unheard"], "with a category that `categories` does not declare"),
        ([",en,coded"], "without a value"),
        (["gamma\x07word,en,coded"], "with control characters"),
        (['"gammaword,en,coded'], "without as many fields"),
        ([], "it has no entry"),
    ],
)
def test_check_says_what_load_refuses(tmp_path: Path, rows: list[str], why: str) -> None:
    source = a_list(tmp_path, *rows)
    assert why in check(source).problem
    with pytest.raises(ListError, match="cannot be used"):
        CaptionTerms(lists=(source,)).load()


def test_a_stale_list_and_a_missing_canary_are_told_alike(tmp_path: Path) -> None:
    (tmp_path / "canary.txt").write_text("deltaword\n")
    stale = a_list(tmp_path, "gammaword,en,coded", date="2020-01-01")
    old = ListSource(
        **{
            **{
                name: getattr(stale, name)
                for name in ("name", "path", "kind", "category", "columns", "categories", "date")
            },
            "max_age_days": 7,
        }
    )
    assert "days old" in check(old).problem
    canary = a_list(tmp_path, "gammaword,en,coded", canary=str(tmp_path / "canary.txt"))
    assert "`canary`" in check(canary).problem
    for source in (old, canary):
        with pytest.raises(ListError):
            CaptionTerms(lists=(source,)).load()


def test_what_no_run_minds_is_worth_a_look(tmp_path: Path) -> None:
    source = a_list(
        tmp_path,
        "gammaword,en,coded",
        "GAMMAWORD,en,coded",
        "gammaword,en,other",
        "deltaword,english,coded",
        "etaword,mul,coded",
        "theta,,coded",
        "iotaword,pt-BR,coded",
    )
    health = check(source)
    assert health.problem == ""
    assert [(each.why, each.lines) for each in health.remarks] == [
        (termvalues.SEVERAL_TIMES, (3,)),
        (termvalues.UNKNOWN_LANGUAGE, (5,)),
    ]


def test_faulty_terms_may_be_left_out_on_purpose(tmp_path: Path) -> None:
    rows = a_list(tmp_path, "gammaword,en,coded", "the,en,coded")
    lenient = ListSource("coded", rows.path, "terms", "coded", columns=COLUMNS, max_faults=1)
    assert check(lenient).problem == ""
    texts = ("the square", "the gammaword")
    found = CaptionTerms(lists=(lenient,)).load()(Batch([Sample("s", "k", texts=(text,)) for text in texts]))
    assert [len(each) for each in found] == [0, 1]


@given(st.text(st.characters(), max_size=20))
def test_any_term_is_judged_without_quoting_it(term: str) -> None:
    told = wrong_term(term)
    assert told in {"", termvalues.NO_LETTER, termvalues.ONE_CHARACTER, termvalues.IN_ANY_TEXT, termvalues.TOO_LONG}
