"""The forms a text is searched in: as written, and as respelled to pass a filter by eye but not by code.

Each form is meant to be searched beside the others, never instead of them.
"""

import html
import re
import sys
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator

from filters import characters

_ESCAPES = "&%\\<\u202e"  # where one stands, a text may be read in another way
_MOST_READINGS = 8


def plain(text: str) -> str:
    """Return the text in NFKC, case folded, without invisible characters, with every run of white space one space."""
    return _plain_ascii(text) if text.isascii() else _folded(_visible(text))


def lookalike(text: str) -> str:
    """Return `plain` with letters of other scripts replaced by the Latin ones they look like, whatever their case."""
    if text.isascii():
        return _plain_ascii(text)
    visible = _visible(text)
    return _alike(visible, _folded(visible))


def respelled(text: str) -> tuple[str, ...]:
    """Return the forms a text takes when look-alikes, decoration, leet, escapes and the like are undone.

    To be searched with terms in `lookalike` form; the result may be empty and never holds `plain(text)` itself.
    """
    return forms(text)[1]


def forms(text: str) -> tuple[str, tuple[str, ...]]:
    """Return `plain(text)` and `respelled(text)`, made together in less time."""
    if text.isascii():
        written = alike = _plain_ascii(text)
    else:
        visible = _visible(text)
        written = _folded(visible)
        alike = _alike(visible, written)
    others = dict.fromkeys(_forms(alike))
    if any(sign in text for sign in _ESCAPES):
        for reading in _readings(text):
            others |= dict.fromkeys(_forms(lookalike(reading)))
    others.pop(written, None)
    return written, tuple(others)


def is_mixed(form: str) -> bool:
    """Tell whether a Latin letter touches a Greek, Cyrillic, Armenian or Cherokee one in a text in plain form."""
    return not form.isascii() and characters.MIXED.search(form) is not None


def parted(text: str) -> str:
    """Return the text with the hyphens, dots and low lines that tie words together as blanks."""
    return characters.BETWEEN_WORDS.sub(" ", text) if characters.MAY_TIE_WORDS.search(text) else text


def unseparated(text: str) -> str:
    """Return the text without blanks, hyphens, dots and the like: what is left of a term that was spelled out."""
    return characters.SEPARATORS.sub("", text)


def solid(text: str) -> str:
    """Return the text without the signs that stand between two letters."""
    return characters.WITHIN_WORDS.sub("", text)


def undecorated(text: str) -> str:
    """Return the text without accents and strokes over letters of alphabets in which they only decorate.

    A text that has none is returned as it is, in whatever normalisation form.
    """
    if text.isascii() or not characters.MAY_BE_DECORATED.search(text):
        return text
    stripped = characters.DECORATION.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", characters.ARABIC_DECORATION.sub("", stripped))


def _plain_ascii(text: str) -> str:
    if text.isprintable() and "  " not in text:
        return text.lower()
    return characters.SPACE.sub(" ", characters.CONTROL.sub("", text).lower())


def _visible(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text)
    if text.isprintable() and (composed.isascii() or not characters.may_be_odd(composed)):
        return composed
    # Before letters and marks are composed: what stands between them would keep them apart.
    cleaned = characters.SURROGATE.sub("\ufffd", characters.CONTROL.sub("", text))
    composed = unicodedata.normalize("NFKC", cleaned)
    return composed if composed.isascii() else characters.INVISIBLE.sub("", composed.translate(characters.PUNCTUATION))


def _folded(visible: str) -> str:
    folded = unicodedata.normalize("NFKC", visible.casefold())
    return folded if folded.isprintable() and "  " not in folded else characters.SPACE.sub(" ", folded)


def _alike(visible: str, folded: str) -> str:
    # Before and after case is folded: capitals have look-alikes of their own, and some only get one by folding.
    if characters.may_look_alike(visible):
        folded = _folded(visible.translate(characters.LOOKALIKES))
    if folded.isascii() or not characters.may_look_alike(folded):
        return folded
    return unicodedata.normalize("NFKC", folded.translate(characters.LOOKALIKES))


def _readings(text: str) -> list[str]:
    """Return what else is read where escapes, tags and reversed runs are undone, once and again."""
    readings = {text: None}
    for each in (waiting := [text]):
        for undone in [undo(each) for undo in _UNDO]:
            if undone not in readings and len(readings) <= _MOST_READINGS:
                readings[undone] = None
                waiting.append(undone)
    return list(readings)[1:]


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        if match[0].startswith(("\\x", "\\u{")):
            point = int(match[0][2:].strip("{}"), 16)
            return chr(point) if point <= sys.maxunicode else match[0]
        return bytes.fromhex(match[0].replace("\\u", "")).decode("utf-16-be", "surrogatepass")

    return characters.ESCAPED.sub(character, text)


_UNDO: tuple[Callable[[str], str], ...] = (
    html.unescape,
    urllib.parse.unquote,
    _unescaped,
    lambda text: characters.TAG.sub("", text),
    lambda text: characters.REVERSED.sub(lambda match: match[1][::-1], text),
)


def bared(alike: str) -> str:
    """Return a text in `lookalike` form without decoration, and again without the look-alikes that were under it."""
    bare = undecorated(alike)
    return bare if bare is alike else bare.translate(characters.LOOKALIKES)


def _forms(alike: str) -> Iterator[str]:
    bare = bared(alike)
    joined, apart = _joined(bare), _joined(bare, apart=True)
    yield from (alike, parted(alike), joined, apart)
    if bare is not alike:
        yield from (bare, parted(bare), _joined(alike))
    yield solid(bare)
    for base in (bare, joined, apart) if joined is not bare else (bare,):
        if characters.LEET_CHARACTER.search(base):
            for each in _leet(base):
                yield from (each, parted(each), _joined(each), solid(each))
    if characters.STRETCHED.search(bare):
        yield from (characters.STRETCHED.sub(kept, bare) for kept in (r"\1", r"\1\1"))


def _leet(text: str) -> Iterator[str]:
    tokens = text.split(" ")
    # A token without any letter is a number or a price, not a word.
    odd = [place for place, token in enumerate(tokens) if not token.isalpha() and any(map(str.isalpha, token))]
    for one in characters.LEET_ONES if characters.LEET_ONE.search(text) else characters.LEET_ONES[:1]:
        changed = tokens.copy()
        for place in odd:
            changed[place] = characters.LEET_ONE.sub(one, tokens[place]).translate(characters.LEET)
        yield " ".join(changed)


def _joined(text: str, apart: bool = False) -> str:
    """Return the text with words that are spelled out put together, but for the first letter if it is to stay apart.

    That may be a word by itself: "a w o r d".
    """
    may_be_spelled = characters.MAY_BE_SPELLED_ASCII if text.isascii() else characters.MAY_BE_SPELLED
    if not may_be_spelled.search(text):
        return text
    blank = " " if apart else ""
    return characters.SPELLED.sub(lambda match: match[0][0] + blank + unseparated(match[0][1:]), text)
