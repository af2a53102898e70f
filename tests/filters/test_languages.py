import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.languages import code, languages
from filters.textforms import plain


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a red bicycle leaning against a brick wall", "en"),
        ("ein rotes Fahrrad lehnt an einer Mauer", "de"),
        ("un vélo rouge appuyé contre un mur de briques", "fr"),
        ("lago de montaña al atardecer con pinos", "es"),
        ("uma bicicleta vermelha encostada na parede", "pt"),
        ("lago di montagna al tramonto con pini", "it"),
        ("een rode fiets tegen een bakstenen muur", "nl"),
        ("czerwony rower oparty o ceglany mur", "pl"),
        ("gün batımında çam ağaçlı dağ gölü", "tr"),
        ("красный велосипед у кирпичной стены", "ru"),
        ("гірське озеро на заході сонця", "uk"),
        ("λίμνη στο βουνό το ηλιοβασίλεμα", "el"),
        ("レンガの壁に立てかけた赤い自転車", "ja"),
        ("靠在砖墙上的红色自行车", "zh"),
        ("벽돌 벽에 기대어 있는 빨간 자전거", "ko"),
        ("دراجة حمراء متكئة على جدار من الطوب", "ar"),
        ("אופניים אדומים נשענים על קיר לבנים", "he"),
        ("ईंट की दीवार के सहारे खड़ी लाल साइकिल", "hi"),
        ("จักรยานสีแดงพิงกำแพงอิฐ", "th"),
    ],
)
def test_the_language_of_a_short_caption_is_told(text: str, language: str) -> None:
    assert languages(plain(text)) == (language,)


@pytest.mark.parametrize(
    "text",
    ["", "Machu Picchu Peru", "Kimono silk floral", "IMG_2043", "https://example.test/un-velo-rouge-appuye", "代"],
)
def test_what_has_no_clear_language_is_left_open(text: str) -> None:
    assert languages(plain(text)) == ()


def test_each_language_of_a_mixed_text_is_told() -> None:
    text = "a red bicycle is leaning against an old brick wall. красный велосипед стоит у старой кирпичной стены"
    assert set(languages(plain(text))) == {"en", "ru"}


@pytest.mark.parametrize(("tag", "same"), [("pt-BR", "pt"), ("zh_Hant", "zh"), ("IW", "he"), (" en ", "en"), ("", "")])
def test_codes_are_compared_by_their_base(tag: str, same: str) -> None:
    assert code(tag) == same


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_answered(text: str) -> None:
    assert isinstance(languages(plain(text)), tuple)
