"""The compiled loops and the slow path say the same of any text."""

import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.texts import english, evasive, mixed, web
from filters import fastforms
from filters.fastforms import Reads, one_by_one, read
from filters.textforms import forms, is_mixed

compiled = pytest.mark.skipif(not fastforms.EXTENSION, reason="the extension was not built: no compiler")
ROOT = Path(__file__).parents[2]

# Characters among which something happens: signs of leet and spelling out, and scripts with marks and composition.
RANGES = {
    "leet and ties": "ab 12.-_|!@&%x\u0430\u00e9\n\t$*/+",
    "Latin": "".join(map(chr, range(0x20, 0x250))),
    "marks": "aeiou n" + "".join(map(chr, range(0x300, 0x370))),
    "Greek and Cyrillic": "abc .1" + "".join(map(chr, range(0x370, 0x530))),
    "Arabic and Hebrew": " ab" + "".join(map(chr, range(0x590, 0x700))),
    "scripts of India": " -" + "".join(map(chr, range(0x900, 0xE00))),
    "Thai, Tibetan, Hangul letters": " " + "".join(map(chr, range(0xE00, 0x1200))),
    "more Latin and Greek": "abc 3" + "".join(map(chr, range(0x1E00, 0x2000))),
    "punctuation and symbols": "abc -" + "".join(map(chr, range(0x2000, 0x2500))),
    "kana, Han": "a " + "".join(map(chr, range(0x3000, 0x3200))) + "儿童가각",
    "compatibility": "a " + "".join(map(chr, range(0xFB00, 0x10000))),
    "beyond": "a " + "".join(map(chr, range(0x1D400, 0x1D800, 7))) + "".join(map(chr, range(0x1F100, 0x1F650, 5))),
    "anything": "".join(map(chr, range(0, 0x110000, 11))),
}
TEXTS = st.one_of(
    st.text(st.characters(), max_size=40),
    *(st.text(st.sampled_from(letters), max_size=16) for letters in RANGES.values()),
    st.lists(
        st.sampled_from(["a b c", "4k", "x.y-z", "c0d3", "1!", "a|b", "&amp;", "%41", "&", "50%", "ё", "\u202eab"])
    ).map(" ".join),
)


def told(reads: Reads) -> tuple[list[str], dict[int, list[str]], bytes, bytes]:
    """Return what was read with the other forms by place, as those of one text may stand before another's."""
    others: dict[int, list[str]] = {}
    for place, form in zip(reads.places, reads.others, strict=True):
        others.setdefault(place, []).append(form)
    return reads.written, others, bytes(reads.signs), bytes(reads.digits)


@compiled
@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=6))
def test_the_compiled_loops_equal_the_slow_path(texts: list[str]) -> None:
    assert told(read(texts)) == told(one_by_one(texts))


@compiled
@pytest.mark.parametrize("name", RANGES)
def test_they_are_equal_for_characters_of_a_script_in_any_order(name: str) -> None:
    chance = random.Random(name)
    texts = ["".join(chance.choices(RANGES[name], k=chance.randint(1, 12))) for _ in range(1500)]
    assert told(read(texts)) == told(one_by_one(texts))


@compiled
def test_they_are_equal_for_every_character_but_some_of_the_large_blocks() -> None:
    texts = [f"a{chr(point)}b" for point in (*range(0x3400), *range(0xA000, 0xAC00), *range(0xD700, 0x20000))] + [
        f"a{chr(point)}" for point in range(0x3400, 0x110000, 61)
    ]
    assert told(read(texts)) == told(one_by_one(texts))


@compiled
@pytest.mark.parametrize("captions", [english, web, mixed, evasive], ids=lambda made: made.__name__)
def test_they_are_equal_for_captions(captions: object) -> None:
    assert callable(captions)
    texts = captions(3000)
    assert told(read(texts)) == told(one_by_one(texts))


@compiled
def test_ordinary_captions_are_not_left_to_the_slow_path(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fastforms, "_add", lambda reads, place, text: asked.append(text))
    texts = [*english(500), *web(500), *mixed(500)]
    read(texts)
    assert len(asked) < 0.05 * len(texts)


@given(st.text(st.characters()))
def test_what_is_read_is_what_the_forms_are(text: str) -> None:
    reads = read([text])
    written, others = forms(text)
    assert reads.written == [written]
    assert reads.others == [*others, *([written] if is_mixed(written) else [])]
    assert reads.signs[0] == min(255, sum(each in "0123456789@" for each in text))
    assert reads.digits[0] == any(map(str.isdecimal, written))


def test_every_character_that_composes_with_one_before_it_is_known() -> None:
    """So a new version of Unicode with new ones is noticed."""
    pairs = (unicodedata.decomposition(chr(point)).split() for point in range(0x110000))
    seconds = {chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}
    composing = {each for each in seconds if each in fastforms._partners()}
    excluded = seconds - composing
    assert composing
    assert all(
        unicodedata.normalize("NFC", unicodedata.normalize("NFD", chr(point))) != chr(point)
        for point in range(0x110000)
        if any(each in excluded for each in unicodedata.decomposition(chr(point)).split()[1:])
    )


def test_without_a_compiler_the_slow_path_is_taken() -> None:
    code = (
        "import sys; sys.modules['filters._textforms'] = None; sys.modules['filters._termindex'] = None\n"
        "from filters import fastforms, termindex\n"
        "print(fastforms.EXTENSION, termindex.EXTENSION, fastforms.read(['C0deword']).others)\n"
        "index = termindex.written_index([termindex.term('l', 'c', 'codeword')], [' x'])\n"
        "print(sorted(index.find(['a codeword x'])[0].cues), len(index.find(['a codeword'])[0].terms))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["False False ['codeword']", "[' x'] 1"]
