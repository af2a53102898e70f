import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.characters import ALIKE
from filters.textforms import forms, is_mixed, lookalike, parted, plain, respelled, undecorated

ANY = st.characters()  # lone surrogates as well, as JSON may hold them

SAME_WHEN_PLAIN = [
    "CODEWORD alpha",
    "codeword  \n alpha",
    "ｃｏｄｅｗｏｒｄ　ａｌｐｈａ",
    "𝓬𝓸𝓭𝓮𝔀𝓸𝓻𝓭 𝖆𝖑𝖕𝖍𝖆",
    "ⓒⓞⓓⓔⓦⓞⓡⓓ ⓐⓛⓟⓗⓐ",
    "code\u200bword al\u00adpha",
    "c\u2060o\ufeffdew\u200dord alpha\ufe0f",
    "code\x00word al\x7fpha",
]
SAME_WHEN_RESPELLED = [
    "сodеwоrd аlрhа",
    "ϲοdewοrd αlρhα",
    "СОDЕWОRD АLРНА",
    "ᴄᴏᴅᴇᴡᴏʀᴅ ᴀʟᴘʜᴀ",
    "🅒🅞🅓🅔🅦🅞🅡🅓 🅰🅛🅟🅗🅰",
    "🇨🇴🇩🇪🇼🇴🇷🇩 🇦🇱🇵🇭🇦",
    "c\u0336o\u0336d\u0336e\u0336word a\u0301lpha\u0300",
    "cödéwòrd ålphâ",
    "c0d3w0rd 4lph@",
    "codew0rd a1pha",
    "codew0rd a|pha",
    "codew0rd a!pha",
    "c0dew0rd аlpha",
    "codeword-alpha",
    "codeword_alpha",
    "codeword.alpha",
    "&#99;odeword &#x61;lpha",
    "%63odeword%20alpha",
    "\u202eahpla drowedoc\u202c",
    "c_o_d_e_w_o_r_d alpha",
]


@pytest.mark.parametrize("text", SAME_WHEN_PLAIN)
def test_what_shows_alike_is_plainly_alike(text: str) -> None:
    assert plain(text) == "codeword alpha"


@pytest.mark.parametrize("text", SAME_WHEN_RESPELLED)
def test_respelled_words_are_read(text: str) -> None:
    assert plain(text) != "codeword alpha"
    assert "codeword alpha" in respelled(text)


@pytest.mark.parametrize(
    "text", ["c o d e w o r d", "c.o.d.e.w.o.r.d", "C-O-D-E-W-O-R-D", "c 0 d e w 0 r d", "ⓒ*o*d*e*w*o*r*d"]
)
def test_a_word_spelled_out_is_put_together(text: str) -> None:
    assert any("the codeword, " in each for each in respelled(f"the {text}, here"))


@pytest.mark.parametrize("text", ["plain words", "1337 5.99 $5", "a row of 3", "words, and more: words", "9-11 a b"])
def test_an_ordinary_text_has_no_word_that_it_does_not_have(text: str) -> None:
    assert set(respelled(text)) <= {parted(text)}


def test_numbers_are_not_read_as_letters() -> None:
    assert respelled("1337 007 80085") == ()


def test_vowel_signs_that_carry_meaning_stay() -> None:
    assert undecorated("बच्चा ที่ が") == unicodedata.normalize("NFC", "बच्चा ที่ が")
    assert undecorated("مُعَلَّم") == "معلم"


def test_parted_opens_what_ties_words_and_nothing_else() -> None:
    assert parted("one-two_three.four five. - six") == "one two three four five. - six"


def test_every_lookalike_stands_in_the_table_once_and_for_a_latin_letter() -> None:
    places = [each for alike, _ in ALIKE for each in alike]
    assert len(places) == len(set(places))
    assert all(latin.isascii() and latin.isalpha() and len(latin) == 1 for _, latin in ALIKE)
    assert not any(each.isascii() for each in places)
    # NFKC comes first, so a letter that it changes would never be looked up.
    assert all(unicodedata.normalize("NFKC", each) == each for each in places)


def test_no_format_character_is_left_in_a_word() -> None:
    invisible = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Cf"]
    assert plain("code" + "".join(invisible) + "word") == "codeword"


@given(st.text(ANY))
def test_any_text_has_its_forms_and_the_main_ones_are_fixed_points(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert lookalike(lookalike(text)) == lookalike(text)
    assert plain(text) not in respelled(text)
    for form in (plain(text), lookalike(text), *respelled(text)):
        form.encode()  # no lone surrogate is left


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_the_short_way_of_ascii_equals_the_long_way(text: str) -> None:
    assert lookalike(text + "é") == lookalike(text) + "é"
    assert plain(text + "é") == plain(text) + "é"


@given(st.text(ANY))
def test_both_forms_made_together_equal_each_alone(text: str) -> None:
    assert forms(text) == (plain(text), respelled(text))


@pytest.mark.parametrize(
    ("text", "mixed"),
    [("д\u0065льта", True), ("дельта", False), ("delta", False), ("delta дельта", False), ("δelta", True)],
)
def test_two_alphabets_in_one_word_are_told(text: str, mixed: bool) -> None:
    assert is_mixed(plain(text)) == mixed
