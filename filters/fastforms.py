"""The forms of many texts at once: by filters/_textforms.c where it was built, else one after the other."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from filters import characters
from filters.textforms import forms, is_mixed, lookalike, plain

_COMPOSED = (*range(0xC0, 0x3100), *range(0x11000, 0x12000))  # where characters fall apart into two
_HANGUL = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))  # vowels and final consonants compose by rule
_CASED = re.compile(f"[{characters.CASED}]")
_OTHER_CASED = re.compile(f"[{characters.OTHER_CASED}]")
_ALPHA, _ALNUM, _CASE, _SEPARATOR, _TIE, _DECORATED, _OTHER = 1, 2, 4, 8, 16, 32, 64
_LEFT, _VANISHES, _SHOWN, _STEADY, _JOINS = range(5)
_MOST_PARTNERS = 60
_NO_SIGNS = bytes(set(range(256)) - set(b"0123456789@"))
_REVERSED = "\u202e"


@dataclass(frozen=True, slots=True, repr=False)
class Reads:
    """Texts as they are searched, by their places.

    `written` is the plain form of each. `others` are the forms to be searched with terms in look-alike form, of the
    texts at `places`: the respelled ones, and the plain one as well where two alphabets meet in a word. `signs` counts
    the ASCII digits and "@" of each text, up to 255, and `digits` says whose form has a decimal digit of any script.
    """

    written: list[str]
    others: list[str]
    places: list[int]
    signs: bytearray
    digits: bytearray


def read(texts: Sequence[str]) -> Reads:
    """Return the texts as they are searched."""
    if _COMPILED is None:
        return one_by_one(texts)
    written, others, places, signs, digits = _COMPILED.forms(_table(), tuple(texts))
    reads = Reads(written, others, places, bytearray(signs), bytearray(digits))
    if None in written:
        for place, text in enumerate(texts):
            if written[place] is None:
                _add(reads, place, text)
    return reads


def one_by_one(texts: Sequence[str]) -> Reads:
    """Return the same without the compiled loops."""
    reads = Reads([""] * len(texts), [], [], bytearray(len(texts)), bytearray(len(texts)))
    for place, text in enumerate(texts):
        _add(reads, place, text)
    return reads


def _add(reads: Reads, place: int, text: str) -> None:
    written, others = forms(text)
    if is_mixed(written):
        others = (*others, written)
    reads.written[place] = written
    reads.others.extend(others)
    reads.places.extend([place] * len(others))
    reads.signs[place] = min(255, len(text.encode("ascii", "ignore").translate(None, _NO_SIGNS)))
    reads.digits[place] = any(map(str.isdecimal, written))


def describe(point: int) -> tuple[str, str, str, str, int, int, int, int]:
    """Tell of a character what it is as `plain`, as `lookalike` and undecorated, and whether that holds in any text.

    Then come what it composes with where that matters, its sort and its flags in filters/_textforms.c, and the
    combining classes that it begins and ends with.
    """
    character = chr(point)
    written, alike, bare = plain(character), lookalike(character), _bare(character)
    apart = [unicodedata.normalize("NFKD", each) for each in (character, written, alike) if each]
    begins = [unicodedata.combining(each[0]) for each in apart]
    ends = [unicodedata.combining(each[-1]) for each in apart]
    partners = _partners().get(character, "")
    is_same = {character, written, alike, bare, *apart} == {character}
    if character == _REVERSED or (any(map(_composes, apart)) and not (is_same and len(partners) <= _MOST_PARTNERS)):
        sort = _LEFT
    elif any(map(_composes, apart)):
        sort = _JOINS
    elif is_same and begins == ends == [0] * len(apart):
        sort = _STEADY
    else:
        sort = _SHOWN if alike and _bare(alike) else _VANISHES
    flags = _kinds(character) | (_DECORATED if characters.MAY_BE_DECORATED.search(character) else 0)
    least, most = min(filter(None, begins), default=0), max(ends, default=0)
    return written, alike, bare, partners if sort == _JOINS else "", sort, flags, least, most


def _bare(character: str) -> str:
    stripped = characters.DECORATION.sub("", unicodedata.normalize("NFD", character))
    composed = unicodedata.normalize("NFC", characters.ARABIC_DECORATION.sub("", stripped))
    return composed.translate(characters.LOOKALIKES)


def _kinds(character: str) -> int:
    kinds = (
        (_ALPHA, character.isalpha()),
        (_ALNUM, character.isalnum()),
        (_CASE, bool(_CASED.match(character))),
        (_OTHER, bool(_OTHER_CASED.match(character))),
        (_SEPARATOR, bool(characters.SEPARATORS.match(character))),
        (_TIE, bool(characters.MAY_TIE_WORDS.match(character + "a"))),
    )
    return sum(kind for kind, holds in kinds if holds)


def _composes(apart: str) -> bool:
    """Tell whether a character that is taken apart may compose with what stands before it."""
    partners = _partners()
    return apart[0] in partners or (unicodedata.combining(apart[0]) != 0 and any(each in partners for each in apart))


@cache
def _partners() -> dict[str, str]:
    """Return, for each character that composes with one before it, all those that it composes with."""
    partners = dict.fromkeys(map(chr, _HANGUL), "\u1100" * (_MOST_PARTNERS + 1))  # more than are told
    for point in _COMPOSED:
        pair = unicodedata.decomposition(chr(point)).split()
        if len(pair) == 2 and not pair[0].startswith("<"):
            first, second = (chr(int(each, 16)) for each in pair)
            if unicodedata.normalize("NFC", first + second) == chr(point):
                partners[second] = partners.get(second, "") + first
    return partners


@cache
def _table() -> Any:
    assert _COMPILED is not None
    return _COMPILED.table(describe)


def _built() -> Any:
    try:
        from filters import _textforms
    except ImportError:  # setup.py goes on without a compiler
        return None
    return _textforms


_COMPILED = _built()
EXTENSION = _COMPILED is not None
