import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.details import _INTRODUCED, _NAMED, _NAMED_AT_END, CUES, has_personal_details, may_name
from filters.textforms import plain

NAMES = (_INTRODUCED, _NAMED, _NAMED_AT_END)
PIECES = st.sampled_from(
    ["jo", "Jo", "Bloggs", " ", ", 34", "name is", "name: ", "NAMED", "é", "Ä", "我叫", "K", "\u212a", "1"]
)


def found(text: str, ages: bool = False) -> bool:
    form = f" {plain(text)} "
    return has_personal_details(text, [cue for cue in CUES if cue in form], ages)


# Made-up people, reserved numbers (555-01xx, https://www.nanpa.com; 020 7946 0xxx of Ofcom) and names (RFC 2606).
@pytest.mark.parametrize(
    "text",
    [
        "Jo Example, 34, runs",
        "my name is Jo, write to jo@example.test",
        "Jo Example, phone: 555 0100 123",
        "Jo Example, +44 20 7946 0958",
        "Jo Example (555) 555-0100",
        "Jo Example lives at 12 Sample Street",
        "Jo Example, student at Sample High School",
        "Ich heiße Jo, Musterstraße 12",
        "Jo Muster besucht die Grundschule Musterstadt, eine Musterschule",
        "Je m'appelle Jo, j'habite 12 rue de la Paix",
        "Иван Пример, ул. Ленина 12",
        "Me llamo Ana, vivo en la calle Mayor 12",
    ],
)
def test_a_detail_beside_a_name_is_seen(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text", ["Jo Example is 12 years old", "Меня зовут Иван, мне 12 лет", "我叫小明，7岁", "名前は山田、7歳"]
)
def test_an_age_is_a_detail(text: str) -> None:
    assert found(text, ages=True)
    assert not found(text, ages=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red bicycle",
        "Blue Vase (12)",
        "12 Main Street at night",
        "Sample High School building",
        "New York in 2019",
        "Call 555-555-0100 now",
        "mail to info@example.test",
        "Lake House, 1905",
        "The Big Blue Mountain Railway Company Poster 1920x1080",
        "7 years old",
        "Oil On Canvas 1,200",
    ],
)
def test_a_name_or_a_detail_alone_is_none(text: str) -> None:
    assert not found(text, ages="years" in text)


@given(st.text(st.characters()), st.booleans())
def test_any_text_is_answered(text: str, ages: bool) -> None:
    assert found(text, ages) in {True, False}


@given(st.lists(PIECES, max_size=6).map("".join) | st.text(st.characters()))
def test_a_text_that_may_have_no_name_has_none(text: str) -> None:
    assert may_name(text) or not any(each.search(text) for each in NAMES)


def test_a_hostile_text_is_answered_in_linear_time() -> None:
    # A quadratic search of a megabyte takes minutes.
    for part in ("A", "Aa ", "1", "1 ", "+1", "a@", ", 1,", "школа ", "via a"):
        found(part * (1_000_000 // len(part)))
