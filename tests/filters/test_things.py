import pytest

from filters.ages import CUES, stated_ages
from filters.textforms import plain
from filters.things import is_of_a_thing


def ages(text: str) -> list[float]:
    form = plain(text)
    return stated_ages(form, [cue for cue in CUES if cue in f" {form} "])


@pytest.mark.parametrize(
    "text",
    [
        "a 12 year old car for sale",
        "my car is 15 years old",
        "16-year-old scotch",
        "a 12-year-old single malt",
        "a wine aged 12 years",
        "9 month old puppy",
        "2 year old filly wins",
        "dog aged 7",
        "the 16 years old kitchen",
        "a 10-year-old Honda",
        "un chien de 5 ans",
        "cavallo di 4 anni",
        "12-jähriger Whisky",
        "ein 12 Jahre alter Hund",
        "12-letni samochód",
        "12-летний виски",
        "5岁犬",
        "犬 5歳",
    ],
)
def test_an_age_of_a_thing_is_none_of_a_person(text: str) -> None:
    assert ages(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "7 year old girl, dog in the garden",
        "a 7 year old boy, car behind him",
        "7-year-old girl with a horse",
        "7 year old girl dog lover",
        "Mia, 7 years old, and her dog",
        "our dog and a girl aged 7",
        "a house, and in it a boy aged 7",
        "Kind, 7 Jahre alt, Hund",
        "car: girl, 7 years old",
        "7歳の女の子と犬",
    ],
)
def test_a_person_beside_a_thing_keeps_the_age(text: str) -> None:
    assert set(ages(text)) == {7}


def test_what_lies_far_from_the_age_does_not_matter() -> None:
    form = "the dog of a friend of ours who is 7 years old"
    assert not is_of_a_thing(form, form.index("7"), len(form))
