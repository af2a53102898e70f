"""The forms a text is searched in: as written, and as respelled to pass a filter by eye but not by code.

Each form is meant to be searched beside the others, never instead of them.
"""

import html
import unicodedata
import urllib.parse
from collections.abc import Iterator

from filters import characters


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
    """Return the forms a text takes when look-alikes, decoration, leet, escapes, spelling out and reversal are undone.

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
    if "&" in text or "%" in text or "\u202e" in text:
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


def _readings(text: str) -> Iterator[str]:
    """Yield what else is read where the text holds HTML references, percent-escapes or reversed runs."""
    if "&" in text:
        yield html.unescape(text)
    if "%" in text:
        yield urllib.parse.unquote(text)
    if "\u202e" in text:
        yield characters.REVERSED.sub(lambda match: match[1][::-1], text)


def _forms(alike: str) -> Iterator[str]:
    bare = undecorated(alike)
    joined = _joined(bare)
    yield from (alike, parted(alike), joined)
    if bare is not alike:
        yield from (bare, parted(bare), _joined(alike))
    for base in (bare, joined) if joined is not bare else (bare,):
        if characters.LEET_CHARACTER.search(base):
            for each in _leet(base):
                yield from (each, parted(each), _joined(each))


def _leet(text: str) -> Iterator[str]:
    tokens = text.split(" ")
    # A token without any letter is a number or a price, not a word.
    odd = [place for place, token in enumerate(tokens) if not token.isalpha() and any(map(str.isalpha, token))]
    for one in characters.LEET_ONES if characters.LEET_ONE.search(text) else characters.LEET_ONES[:1]:
        changed = tokens.copy()
        for place in odd:
            changed[place] = characters.LEET_ONE.sub(one, tokens[place]).translate(characters.LEET)
        yield " ".join(changed)


def _joined(text: str) -> str:
    """Return the text with words that are spelled out letter by letter put together."""
    may_be_spelled = characters.MAY_BE_SPELLED_ASCII if text.isascii() else characters.MAY_BE_SPELLED
    if not may_be_spelled.search(text):
        return text
    return characters.SPELLED.sub(lambda match: unseparated(match[0]), text)
