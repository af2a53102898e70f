"""Where a word begins and ends, in scripts that part words by blanks and in scripts that do not."""

import bisect
import unicodedata

# First and last code points of blocks of scripts written without blanks between words or, as Korean, with particles
# attached: Thai, Lao; Tibetan, Myanmar; Hangul; Khmer; iteration marks; Hiragana; Bopomofo, Hangul; Han; Hangul; Han.
# Katakana is not among them: a run of it is one word. Source: https://www.unicode.org/Public/UNIDATA/Blocks.txt, 2026.
_CONTINUOUS = (
    (0x0E00, 0x0EFF),
    (0x0F00, 0x109F),
    (0x1100, 0x11FF),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3041, 0x309F),
    (0x3105, 0x318F),
    (0x3400, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_STARTS = [first for first, _ in _CONTINUOUS]


_KINDS = ("", "letter", "katakana", "digit")


def is_word(text: str, start: int, end: int) -> bool:
    """Tell whether text[start:end] stands by itself: no letter or digit of its kind goes on at either edge."""
    return not (
        (start > 0 and _joins(text[start - 1], text[start])) or (end < len(text) and _joins(text[end - 1], text[end]))
    )


def kind_of(point: int) -> int:
    """Return a number for what a character joins with, 0 for nothing; only characters of one number join."""
    return _KINDS.index(_kind(chr(point)))


def _joins(left: str, right: str) -> bool:
    kind = _kind(left)
    return kind != "" and kind == _kind(right)


def _kind(character: str) -> str:
    """Return "letter", "katakana" or "digit", and "" for what never joins: blanks, signs, continuous scripts."""
    if character.isascii():
        return "letter" if character.isalpha() else "digit" if character.isdigit() else ""
    major = unicodedata.category(character)[0]
    if major == "N":
        return "digit"
    if major not in "LM" or _is_continuous(ord(character)):
        return ""
    return "katakana" if 0x30A0 <= ord(character) <= 0x30FF or 0x31F0 <= ord(character) <= 0x31FF else "letter"


def _is_continuous(point: int) -> bool:
    place = bisect.bisect_right(_STARTS, point) - 1
    return place >= 0 and point <= _CONTINUOUS[place][1]
