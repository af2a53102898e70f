import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.words import is_word

ANY = st.characters()  # lone surrogates as well, as JSON may hold them


def stands(term: str, text: str) -> bool:
    start = text.index(term)
    return is_word(text, start, start + len(term))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("alpha", "alpha"),
        ("alpha", "an alpha."),
        ("alpha", "_alpha_"),
        ("alpha", "alpha01"),
        ("alpha", "7alpha"),
        ("アルファ", "赤いアルファの絵"),
        ("アルファ", "alphaアルファbeta"),
        ("字母", "红色字母表"),
        ("字母", "x字母x"),
        ("글자", "빨간글자가"),
        ("ตัว", "สองตัวอักษร"),
        ("अक्षर", "दो अक्षर हैं"),
        ("буква", "«буква»"),
    ],
)
def test_a_term_stands_by_itself(term: str, text: str) -> None:
    assert stands(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("alpha", "alphabet"),
        ("alpha", "xalpha"),
        ("alpha", "alphaб"),
        ("11", "2112"),
        ("アルファ", "アルファベット"),
        ("буква", "буквальный"),
        ("अक्ष", "अक्षर"),
        ("अक्षर", "अक्षरा"),
        ("حرف", "الحرف"),
    ],
)
def test_a_part_of_a_longer_word_is_none(term: str, text: str) -> None:
    assert not stands(term, text)


@given(st.text(ANY), st.integers(0, 20), st.integers(1, 20))
def test_any_part_of_any_text_is_judged(text: str, start: int, length: int) -> None:
    text += "x" * 40
    assert is_word(text, start, start + length) in {True, False}


@given(st.text(ANY, min_size=1))
def test_a_whole_text_is_a_word(text: str) -> None:
    assert is_word(text, 0, len(text))
