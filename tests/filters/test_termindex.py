"""The compiled search and the automaton find the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.texts import english, evasive, made_up_terms, mixed
from filters import ages, details, termindex
from filters.termindex import automaton, skeleton_index, term, written_index
from filters.textforms import forms, plain
from filters.words import is_word

compiled = pytest.mark.skipif(not termindex.EXTENSION, reason="the extension was not built: no compiler")

PARTS = ["ab", "b", "a b", "ba", " ", "1", "-", "代", "号", "アル", "ア", "ค", "я", "ab1", "\n", "कि", "é"]
# In plain form, as every text and pattern here is: without ends of lines and lone surrogates.
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(st.characters(), max_size=3), max_size=12).map("".join).map(plain)
PATTERNS = TEXTS.map(str.strip).filter(bool)


@compiled
@given(
    st.sets(PATTERNS, max_size=12),
    st.sets(st.sampled_from([" a", "b ", "ab", "代", "1"])),
    st.lists(TEXTS, max_size=4),
)
def test_the_compiled_search_equals_the_automaton(patterns: set[str], cues: set[str], texts: list[str]) -> None:
    ordered = tuple(sorted(patterns | cues))
    found = termindex.compiled(ordered, frozenset(cues))(texts)
    assert list(found) == list(automaton(ordered, frozenset(cues))(texts))


@compiled
def test_they_find_the_same_in_captions() -> None:
    words = [each.split()[0] for each in english(200)]
    ordered = tuple(sorted({*made_up_terms(2000), *words, *ages.CUES, *details.CUES, "велосипед", "自行车", "จักรยาน"}))
    cues = frozenset((*ages.CUES, *details.CUES))
    texts = [each for text in [*english(300), *mixed(500), *evasive(300)] for each in (forms(text)[0], *forms(text)[1])]
    found = termindex.compiled(ordered, cues)(texts)
    assert len(found) > 200
    assert list(found) == list(automaton(ordered, cues)(texts))


@given(st.sets(PATTERNS, min_size=1, max_size=6), TEXTS)
def test_everything_that_stands_there_as_a_word_is_found(patterns: set[str], text: str) -> None:
    """The plain definition: every place of every pattern."""
    ordered = tuple(sorted(patterns))
    search = (termindex.compiled if termindex.EXTENSION else automaton)(ordered, frozenset())
    padded = f" {text} "
    expected = [
        (0, number, True)
        for start in range(len(padded))
        for number, pattern in sorted(enumerate(ordered), key=lambda each: len(each[1]))
        if padded.startswith(pattern, start) and is_word(padded, start, start + len(pattern))
    ]
    assert list(search([text])) == expected


def test_what_stands_in_no_form_is_not_reported() -> None:
    index = written_index([term("a-list", "coded", "Codeword")], ["cue"])
    assert index.find([]) == {}
    assert index.find(["", "codewords", "x"]) == {}


def test_a_hit_names_terms_and_cues_of_its_form() -> None:
    index = written_index(
        [term("a-list", "coded", "Codeword"), term("b-list", "coded", "codeword")], ["cue", "codeword"]
    )
    found = index.find(["nothing", "rescue codeword", "codewords"])
    assert {place: (len(hits.terms), hits.cues) for place, hits in found.items()} == {
        1: (2, {"cue", "codeword"}),
        2: (0, {"codeword"}),
    }


def test_a_term_is_found_in_its_look_alike_form_with_and_without_blanks() -> None:
    index = skeleton_index([term("a-list", "coded", "кодовое слово")], [])
    (alike,) = {form for form in forms("кодовое слово")[1] if " " in form}
    assert index.find([alike, alike.replace(" ", "")]).keys() == {0, 1}


@compiled
@pytest.mark.parametrize("patterns", [("b", "a"), ("a", "a"), ("",), (1,)])
def test_patterns_out_of_order_are_refused(patterns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="sorted"):
        termindex.compiled(patterns, frozenset())


@compiled
def test_a_term_is_content_and_in_no_repr() -> None:
    index = written_index([term("a-list", "coded", "gammaword")], [])
    assert "gammaword" not in repr(index) + repr(index.find(["gammaword"]))
