import csv
import pickle
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.texts import evasive, mixed, web
from filters import ages, details, fastforms, termindex, textsearch
from filters.captions import CaptionTerms
from filters.errors import ListError
from filters.finding import Examine, Finding
from filters.lists import ListSource
from filters.sample import Batch, Sample
from filters.textforms import plain

ANY = st.characters()  # lone surrogates as well, as JSON may hold them

POLICIES = Path(__file__).parents[2] / "policies"
COLUMNS = (("value", "term"), ("language", "language"), ("category", "category"))
CODED = """term,language,category
codeword-alpha,xx,solicitation
codeword beta,xx,solicitation
gammaword,xx,grooming
дельтаслово,ru,ncii
εψιλονλεξη,el,ncii
代号,zh,ncii
アルファ,ja,ncii
암호말,ko,ncii
คำรหัส,th,ncii
कूटशब्द,hi,ncii
رمزية,ar,ncii
"""


def a_list(folder: Path, rows: str = CODED, name: str = "terms-a") -> ListSource:
    path = folder / f"{name}.csv"
    path.write_text(rows, encoding="utf-8")
    categories = ("solicitation", "grooming", "ncii")
    return ListSource(name, str(path), "terms", "solicitation", columns=COLUMNS, categories=categories)


def batch_of(*texts: str) -> Batch:
    return Batch([Sample("s", str(n), texts=(text,)) for n, text in enumerate(texts)])


@pytest.fixture(name="coded", scope="module")
def fixture_coded(tmp_path_factory: pytest.TempPathFactory) -> Examine:
    return CaptionTerms(lists=(a_list(tmp_path_factory.mktemp("terms")),)).load()


@pytest.mark.parametrize(
    "text",
    [
        "a codeword-alpha b",
        "CODEWORD-ALPHA!",
        "codeword alpha",
        "codeword_alpha01.jpg",
        "(codeword\u2011alpha)",
        "code\u200bword-alpha",
        "code\u00adword-alpha",
        "ｃｏｄｅｗｏｒｄ－ａｌｐｈａ",
        "𝒄𝒐𝒅𝒆𝒘𝒐𝒓𝒅-𝒂𝒍𝒑𝒉𝒂",
        "сodеwоrd-аlрhа",
        "СОDЕWОRD-АLРНА",
        "c0d3w0rd-4lph4",
        "codew0rd-@1pha",
        "códéwörd-älphâ",
        "c\u0336o\u0336d\u0336e\u0336w\u0336o\u0336r\u0336d\u0336-alpha",
        "\u202eahpla-drowedoc\u202c",
        "codeword&#45;alpha",
        "http://example.test/codeword%2Dalpha.jpg",
        "codeword   beta",
        "codeword\nbeta",
        "codeword-beta",
        "g a m m a w o r d",
        "g.a.m.m.a.w.o.r.d",
        "G-A-M-M-A-W-O-R-D",
        "the gammaword.",
        "gammaword2",
        "g_a_m_m_a_w_o_r_d",
        "дельтаслово",
        "ДЕЛЬТАСЛОВО",
        "дeльтacлoвo",
        "д е л ь т а с л о в о",
        "ΕΨΙΛΟΝΛΕΞΗ",
        "ΕΨΙΛOΝΛΕΞΗ",  # with a Latin O
        "红色代号图",
        "赤いアルファの絵",
        "빨간암호말이",
        "ภาพคำรหัสสีแดง",
        "लाल कूटशब्द है",
        "صورة رَمْزِيَّة",
    ],
)
def test_a_term_is_found_however_it_is_spelled(coded: Examine, text: str) -> None:
    (answer,) = coded(batch_of(text))
    assert answer, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red square",
        "codeword alphabet",
        "codewords-alpha",
        "codeword, alpha",
        "codeword",
        "supergammaword",
        "gammawordы",
        "g a m m a",
        "дельтаслова",
        "アルファベット",
        "代の号",
        "कूटशब्दा",
        "1337 4444",
    ],
)
def test_a_near_miss_is_examined_and_not_found(coded: Examine, text: str) -> None:
    assert coded(batch_of(text)) == [()]


def test_a_finding_says_which_list_and_text_but_not_in_its_repr(coded: Examine) -> None:
    (answer,) = coded(Batch([Sample("s", "k", texts=("a square", "GammaWord", "g4mmaw0rd codeword-alpha"))]))
    assert answer == (
        Finding("captions", "grooming", source="terms-a", entry="gammaword", form="text 1"),
        Finding("captions", "solicitation", source="terms-a", entry="codeword-alpha", form="text 2"),
    )
    assert "word" not in repr(answer)


def test_a_respelled_term_is_told_as_such(coded: Examine) -> None:
    (answer,) = coded(batch_of("g4mmaw0rd"))
    assert [(each.entry, each.form) for each in answer] == [("gammaword", "text 0, respelled")]


def test_a_list_says_each_category_once_and_each_list_speaks_for_itself(tmp_path: Path) -> None:
    lists = (a_list(tmp_path, name="terms-a"), a_list(tmp_path, name="terms-b"))
    text = "codeword-alpha codeword beta codeword-alpha"
    (answer,) = CaptionTerms(lists=lists).load()(batch_of(text))
    assert Counter((each.source, each.label) for each in answer) == {
        ("terms-a", "solicitation"): 1,
        ("terms-b", "solicitation"): 1,
    }


def test_a_longer_term_that_is_no_word_there_does_not_hide_a_shorter_one(tmp_path: Path) -> None:
    rows = "term,language,category\nbeta,xx,grooming\nalpha beta gamma,xx,solicitation\nbeta gamma,xx,solicitation\n"
    (answer,) = CaptionTerms(lists=(a_list(tmp_path, rows),)).load()(batch_of("alpha beta gammaray"))
    assert [each.label for each in answer] == ["grooming"]


def test_a_sample_without_text_is_examined_and_an_empty_batch_has_no_answers(coded: Examine) -> None:
    assert coded(Batch([Sample("s", "k")])) == [()]
    assert coded(Batch()) == []


def test_no_label_is_conclusive_and_every_category_is_a_label(tmp_path: Path) -> None:
    filter_ = CaptionTerms(lists=(a_list(tmp_path),))
    assert filter_.conclusive == ()
    assert filter_.labels == ("solicitation", "grooming", "ncii", "minor", "personal-details")
    assert replace(filter_, require_coverage=True).labels[-1] == "language-not-covered"


def test_the_filter_travels_without_its_terms_and_gives_the_same_answers(tmp_path: Path) -> None:
    filter_ = CaptionTerms(lists=(a_list(tmp_path),))
    assert b"gammaword" not in pickle.dumps(filter_)
    travelled = pickle.loads(pickle.dumps(filter_))
    assert travelled == filter_
    assert travelled.load()(batch_of("gammaword")) == filter_.load()(batch_of("gammaword")) != [()]


def test_the_list_is_recorded(tmp_path: Path) -> None:
    (material,) = CaptionTerms(lists=(a_list(tmp_path),)).materials()
    assert (material.kind, material.name, material.entries) == ("list", "terms-a", 11)


@pytest.mark.parametrize("method", ["load", "materials"])
def test_without_a_list_the_run_does_not_start(method: str) -> None:
    with pytest.raises(ListError, match="no list"):
        getattr(CaptionTerms(), method)()


@pytest.mark.parametrize("term", ["!!!", "\u200b", "\u00ad-"])
def test_a_term_without_letters_stops_the_run_by_its_line(tmp_path: Path, term: str) -> None:
    with pytest.raises(ListError, match=r"line 3"):
        CaptionTerms(lists=(a_list(tmp_path, f"term,language,category\nok,xx,grooming\n{term},xx,grooming\n"),)).load()


@given(st.lists(st.text(ANY, max_size=60) | st.sampled_from(["gammaword", "x codeword-alpha y"]), max_size=5))
def test_neighbours_do_not_matter_and_no_text_raises(coded: Examine, texts: list[str]) -> None:
    together = coded(batch_of(*texts))
    assert together == [coded(batch_of(text))[0] for text in texts]


@given(st.text(ANY, max_size=30), st.text(ANY, max_size=30))
def test_a_term_between_any_words_is_found(coded: Examine, before: str, after: str) -> None:
    # A right-to-left override, an escape or a mark before the term may change how it reads.
    before, after = (
        text.encode("ascii", "ignore").decode().replace("&", "").replace("%", "") for text in (before, after)
    )
    (answer,) = coded(batch_of(f"{before} gammaword {after}"))
    assert any(each.label == "grooming" for each in answer)


# Ages, personal details, languages


def of(examine: Examine, text: str, label: str) -> list[Finding]:
    return [each for each in examine(batch_of(text))[0] if each.label == label]


def test_a_stated_age_is_evidence_of_a_minor_with_the_youngest_as_value(coded: Examine) -> None:
    (answer,) = coded(
        Batch([Sample("s", "k", texts=("a red vase", "Jo, 9 years old, beside a boy of 7 years", "aged 6"))])
    )
    minors = [each for each in answer if each.label == "minor"]
    assert minors == [Finding("captions", "minor", 6.0, "age patterns", form="text 2")]


def test_the_line_of_adult_age_is_a_parameter(tmp_path: Path) -> None:
    text = batch_of("a runner, 19 years old")
    for line, minor in ((18, False), (19, False), (20, True)):
        (answer,) = CaptionTerms(lists=(a_list(tmp_path),), adult_age=line).load()(text)
        assert any(each.label == "minor" for each in answer) == minor


def test_an_age_in_look_alike_letters_is_read(coded: Examine) -> None:
    assert of(coded, "7 y\u0435ars old", "minor") == [
        Finding("captions", "minor", 7.0, "age patterns", form="text 0, respelled")
    ]


def test_a_detail_beside_a_name_is_told_without_any_word_of_it(coded: Examine) -> None:
    (found,) = of(coded, "Jo Example, student at Sample High School, jo@example.test", "personal-details")
    assert found == Finding("captions", "personal-details", source="detail patterns", form="text 0")


@pytest.fixture(name="covering", scope="module")
def fixture_covering(tmp_path_factory: pytest.TempPathFactory) -> Examine:
    folder = tmp_path_factory.mktemp("covering")
    french = a_list(folder, "term,language,category\nun mot codé,fr-CA,grooming\nalphaword,en,grooming\n", "french")
    every = a_list(folder, "term,language,category\nbetaword,mul,grooming\n", "every")
    unsaid = a_list(folder, "term,language,category\ndeltaword,,grooming\n", "unsaid")
    return CaptionTerms(lists=(french, every, unsaid), require_coverage=True).load()


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("a red bicycle leaning against a brick wall", {"unsaid"}),
        ("un vélo rouge appuyé contre un mur de briques", {"unsaid"}),
        ("ein rotes Fahrrad lehnt an einer Mauer", {"french", "unsaid"}),
        ("レンガの壁に立てかけた赤い自転車", {"french", "unsaid"}),
        ("Sagrada Familia", set()),
        ("IMG_2043.jpg", set()),
        ("https://example.test/un-velo-rouge-contre-un-mur", set()),
        ("", set()),
    ],
)
def test_a_list_without_a_term_in_the_language_of_a_text_is_named(
    covering: Examine, text: str, lists: set[str]
) -> None:
    found = of(covering, text, "language-not-covered")
    assert {each.source for each in found} == lists
    assert all(each.entry == "" and not each.unexamined for each in found)


def test_the_language_that_is_not_covered_is_told_by_its_code(covering: Examine) -> None:
    found = of(covering, "ein rotes Fahrrad lehnt an einer Mauer", "language-not-covered")
    assert {each.form for each in found} == {"text 0, language de"}


def test_nobody_who_does_not_ask_is_told_of_languages(coded: Examine) -> None:
    assert coded(batch_of("ein rotes Fahrrad lehnt an einer Mauer")) == [()]


# The term lists that are shipped


def shipped(category: str) -> list[dict[str, str]]:
    lines = (POLICIES / "terms" / f"{category}.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("# ")))


@pytest.fixture(name="shipped_terms", scope="module")
def fixture_shipped_terms() -> Examine:
    return CaptionTerms(
        lists=tuple(
            ListSource(
                f"{category}-terms", str(POLICIES / "terms" / f"{category}.csv"), "terms", category, columns=COLUMNS
            )
            for category in ("minor", "adult")
        )
    ).load()


@pytest.mark.parametrize("category", ["minor", "adult"])
def test_a_shipped_list_is_of_one_category_in_many_languages_and_names_its_source(category: str) -> None:
    rows = shipped(category)
    assert {row["category"] for row in rows} == {category}
    assert {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "zh", "ja", "ko", "ar", "tr", "hi"} <= {
        row["language"] for row in rows
    }
    head = (POLICIES / "terms" / f"{category}.csv").read_text(encoding="utf-8").partition("\nterm,")[0]
    assert "Source:" in head
    assert "Date: 2026-11-22" in head


@pytest.mark.parametrize("category", ["minor", "adult"])
def test_every_shipped_term_stands_there_once_in_lower_case_and_finds_itself(
    shipped_terms: Examine, category: str
) -> None:
    rows = shipped(category)
    assert len({plain(row["term"]) for row in rows}) == len(rows)
    answers = shipped_terms(batch_of(*(f"« {row['term'].title()} »" for row in rows)))
    assert [
        row["term"] for row, found in zip(rows, answers, strict=True) if category not in {each.label for each in found}
    ] == []


def test_no_shipped_term_speaks_of_both_sides_of_the_wall(shipped_terms: Examine) -> None:
    answers = shipped_terms(batch_of(*(row["term"] for each in ("minor", "adult") for row in shipped(each))))
    assert all(len({each.label for each in found}) == 1 for found in answers)


@pytest.mark.parametrize(
    "text",
    [
        "baby blue kid leather gloves",
        "nude lipstick and naked oak flooring",
        "size XXXL, Super Bowl XXX ticket",
        "teenage mutant ninja turtles poster",
        "A minor chord, a minor scratch",
        "Parental Advisory Explicit Content logo",
        "adults only hotel in Spain",
        "カップヌードル",
        "아이스크림",
        "官能基の化学",
        "kinder chocolate, barn door, bayi",
        "Essex, Sussex and Middlesex map",
        "mountain landscape at sunset",
        "a chair by Julia",
    ],
)
def test_other_senses_of_a_word_are_left_alone(shipped_terms: Examine, text: str) -> None:
    assert shipped_terms(batch_of(text)) == [()]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A TODDLER playing with blocks", "minor"),
        ("t0ddl3r in the park", "minor"),
        ("tоddlеr", "minor"),
        ("school_children_01.jpg, schoolchildren", "minor"),
        ("Kleinkinder im Garten", "minor"),
        ("Ребёнок и собака", "minor"),
        ("公园里的儿童", "minor"),
        ("公園で遊ぶ子供たち", "minor"),
        ("어린이가 놀고 있다", "minor"),
        ("बच्चे खेल रहे हैं", "minor"),
        ("İlkokul bahçesi", "minor"),
        ("ERÓTICA", "adult"),
        ("n s f w", "adult"),
        ("p0rn", "adult"),
        ("成人视频网站", "adult"),
    ],
)
def test_shipped_terms_are_found_in_sentences(shipped_terms: Examine, text: str, label: str) -> None:
    (answer,) = shipped_terms(batch_of(text))
    assert {each.label for each in answer} == {label}


def test_a_policy_that_brings_term_lists_reads_their_columns() -> None:
    sources = [
        source
        for path in POLICIES.glob("*.toml")
        for source in tomllib.loads(path.read_text(encoding="utf-8")).get("lists", [])
        if source["kind"] == "terms"
    ]
    assert sources
    assert all(source.get("columns", {}).get("value") == "term" for source in sources)


# The compiled loops


def test_the_findings_are_the_same_without_the_compiled_loops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filter_ = CaptionTerms(lists=(a_list(tmp_path),))
    words = ["gammaword", "codeword beta", "g4mmaw0rd", "дельтаcлово", "代号", "7 years old", "Jo Example, 34,", "รหัส"]
    texts = [f"{text} {word} {text}" for text, word in zip([*mixed(100), *web(100)], words * 25, strict=True)]
    fast = filter_.load()(batch_of(*texts, *evasive(100)))
    monkeypatch.setattr(fastforms, "_COMPILED", None)
    monkeypatch.setattr(termindex, "EXTENSION", False)
    assert filter_.load()(batch_of(*texts, *evasive(100))) == fast
    assert sum(map(len, fast)) > 100


def test_a_text_without_a_digit_is_only_passed_over_where_nothing_is_lost(
    coded: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cues = [*ages.CUES, *details.CUES]
    texts = ["Jo Example, jo@example.test", "Jo Example, 34, runs", "Jo Example +44 20 7946 0958"]
    texts += [f"{word}{cue}{word}" for cue in cues for word in ("Jo Example", "seven", "⑦", "٧", "12", "sieben", "")]
    passed_over = coded(batch_of(*texts, *mixed(300), *web(300), *evasive(200)))
    monkeypatch.setattr(textsearch, "_CUES_OF_DIGITS", frozenset())
    assert coded(batch_of(*texts, *mixed(300), *web(300), *evasive(200))) == passed_over
    assert all(passed_over[:3])
    assert sum(map(bool, passed_over)) > 20


@pytest.mark.parametrize("text", ["⑦ years old", "seven years old", "𝟕 years old", "７ years old", "٧ years old"])
def test_an_age_needs_no_ascii_digit(coded: Examine, text: str) -> None:
    assert [each.value for each in of(coded, text, "minor")] == [7.0]
