import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.ages import CUES, OLDEST, stated_ages
from filters.textforms import plain

ANY = st.characters()


def ages(text: str) -> list[float]:
    """Return what the filter would: the index finds cues in the text with a blank at either end."""
    form = plain(text)
    return stated_ages(form, [cue for cue in CUES if cue in f" {form} "])


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("a 7 year old with a kite", 7),
        ("a 7-year-old", 7),
        ("seven-year-old with a kite", 7),
        ("7 yrs old", 7),
        ("6 months old", 0.5),
        ("aged 12", 12),
        ("Anna, aged nine, paints", 9),
        ("at the age of 11", 11),
        ("age: 8", 8),
        ("8th grader at a science fair", 13),
        ("third grade class", 8),
        ("7 Jahre alt", 7),
        ("der 9-jährige Junge", 9),
        ("neunjähriges Mädchen", 9),
        ("im Alter von 12 Jahren", 12),
        ("âgée de 6 ans", 6),
        ("une fille de 12 ans", 12),
        ("Léa, 12 ans", 12),
        ("niña de 5 años", 5),
        ("5 años de edad", 5),
        ("tiene siete años", 7),
        ("menino de 8 anos", 8),
        ("10 anos de idade", 10),
        ("bambina di 4 anni", 4),
        ("7 jaar oud", 7),
        ("een 8-jarige", 8),
        ("w wieku 7 lat", 7),
        ("10-letni chłopiec", 10),
        ("8letý chlapec", 8),
        ("ve věku 7 let", 7),
        ("7 år gammal", 7),
        ("7-åring", 7),
        ("7-vuotias poika", 7),
        ("7 yaşında", 7),
        ("в возрасте 7 лет", 7),
        ("7-летний мальчик", 7),
        ("ученик 5 класса", 10),
        ("7-річний хлопець", 7),
        ("în vârstă de 7 ani", 7),
        ("7 éves kislány", 7),
        ("7 ετών", 7),
        ("7歳の子", 7),
        ("七歳", 7),
        ("小学3年生", 8),
        ("十二岁", 12),
        ("7岁", 7),
        ("三年级学生", 8),
        ("7살", 7),
        ("만 7세", 7),
        ("초등학교 3학년", 8),
        ("عمره 7 سنوات", 7),
        ("۷ ساله", 7),
        ("בן 7", 7),
        ("7 साल की बच्ची", 7),
        ("৭ বছর বয়সী", 7),
        ("อายุ 7 ปี", 7),
        ("7 ขวบ", 7),
        ("7 tuổi", 7),
        ("berumur 7 tahun", 7),
    ],
)
def test_an_age_is_read_in_many_languages(text: str, age: float) -> None:
    assert set(ages(text)) == {age}


@pytest.mark.parametrize(
    "text",
    [
        "12 year old single malt whisky",
        "10 years warranty",
        "10-jährige Garantie",
        "5 ans de garantie",
        "10 ans d'expérience",
        "depuis 10 ans",
        "10 años de experiencia",
        "hace 5 años",
        "10 anos de garantia",
        "5 anni fa",
        "20 lat doświadczenia",
        "10-letnia gwarancja",
        "10 лет гарантии",
        "2-летняя гарантия",
        "21세기",
        "2세트",
        "3歳以上",
        "3歳馬",
        "12岁以上",
        "ages 3 and up",
        "age 3+",
        "aged 12 months",
        "aged cheese",
        "1. Klasse Ticket",
        "grade 8 bolt",
        "first grade beef",
        "10 éves garancia",
        "18歳未満",
        "3-5 years",
        "大学三年级",
        "2 класс опасности",
        "vintage 1980s",
        "2,500-year-old temple",
        "",
    ],
)
def test_a_duration_a_notice_and_a_grade_of_things_are_no_age(text: str) -> None:
    assert ages(text) == []


def test_several_ages_are_all_told() -> None:
    assert ages("a 7-year-old and a 70-year-old, 3 Jahre alt") == [7, 70, 3]


def test_a_hostile_text_is_answered_in_linear_time() -> None:
    # A quadratic search of a megabyte takes minutes.
    for cue in CUES:
        ages(f"1{cue}" * (20_000 // len(cue)))
        ages(cue + "1 " * 20_000)


@given(st.lists(st.sampled_from([*CUES, "7", "12", " ", "-", "歳", "old"]) | st.text(ANY, max_size=4), max_size=12))
def test_any_text_is_answered_with_ages_of_people(parts: list[str]) -> None:
    assert all(0 <= age <= OLDEST for age in ages("".join(parts)))
