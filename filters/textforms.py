"""The forms a text is searched in: as written, and as respelled to pass a filter by eye but not by code.

Each form is meant to be searched beside the others, never instead of them.
"""

import html
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator

# Letters of other scripts that look like Latin ones, by shape and before case is folded. Own selection of what is used
# in place of Latin letters, after Unicode UTS #39 confusables (https://www.unicode.org/reports/tr39/, read 2026-11-21);
# full-width, circled and mathematical letters are left to NFKC.
_ALIKE = (
    ("АаΑαɑᴀᎪꓮⲀ", "a"),
    ("ВΒвʙᏴꓐⲂ", "b"),
    ("СсςᴄᏟꓚⲤ", "c"),
    ("ԁᴅᎠꓓđĐðƊ", "d"),
    ("ЕеЁёΕεєҽᴇᎬꓰɛⲈ", "e"),
    ("ꓝꜰƒҒ", "f"),
    ("ɡɢᏀꓖցԌ", "g"),
    ("НнΗһհʜᎻꓧⲎħĦ", "h"),
    ("ІіΙιıɪӀӏᎥꓲⲒɩ", "i"),
    ("ЈјᴊᎫꓙϳ", "j"),
    ("КкΚκᴋᏦꓗⲔ", "k"),
    ("ʟᏞꓡłŁⳐ", "l"),
    ("МмΜᴍᎷꓟⲘϺ", "m"),
    ("ΝηɴոպꓠⲚ", "n"),
    ("ОоΟοσօᴏⲞөѳøØꓳ", "o"),
    ("РрΡρᴘᏢꓑⲢ", "p"),
    ("ԛզԚ", "q"),
    ("ʀᎡꓣгᏒ", "r"),
    ("ЅѕꜱՏᏚꓢ", "s"),
    ("ТтΤτᴛᎢꓔⲦŧŦ", "t"),
    ("υսᴜՍꓴʋ", "u"),
    ("νѵᴠᏙꓦѴ", "v"),
    ("ԝᴡшωᎳꓪԜ", "w"),
    ("ХхΧχⲬꓫ", "x"),
    ("УуΥγүʏᎩҮꓬⲨ", "y"),
    ("ΖᴢᏃꓜⲌʐ", "z"),
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Negative circled, negative squared and regional-indicator letters have no compatibility mapping.
_LOOKALIKES = str.maketrans(
    {ord(each): latin for alike, latin in _ALIKE for each in alike}
    | {start + n: letter for start in (0x1F150, 0x1F170, 0x1F1E6) for n, letter in enumerate(_LETTERS)}
)
_LEET = str.maketrans({"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s"})
_ONES = ("i", "l")  # "1", "!" and "|" stand for either
# Beside a letter: a number or a price of its own, and the sign that ends a sentence, are no leet.
_LEET_CHARACTER = re.compile(r"[^\W\d_](?:[013457-9@$]|[!|](?=\w))|[013457-9@$!|][^\W\d_]")
_TOKEN = re.compile(r"[^ ]+")
_INNER_STROKE = re.compile(r"1|[!|](?=[\w@$!|])")
_LETTER = re.compile(r"[^\W\d_]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What shows nothing, but parts a word from its spelling: all format characters (category Cf), variation selectors, and
# letters without a shape (fillers, joiners, the empty Braille cell).
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_SPELLED = re.compile(r"(?<!\w)\w(?:([ .\-_*·/|+]{1,3})\w(?!\w)){2,}")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\-_.+/\\~·•]+(?=[^\W_])")
_SEPARATORS = re.compile(r"[ .\-_*·/|+]+")
_REVERSED = re.compile("\u202e([^\u202c\n]*)\u202c?")  # right-to-left override, up to its end
# Marks that decorate Latin, Greek and Cyrillic letters; the marks of other scripts carry meaning and stay.
_DECORATION = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_PUNCTUATION = str.maketrans(
    dict.fromkeys(map(chr, (*range(0x2010, 0x2016), 0x2212, 0x30FB)), "-") | dict.fromkeys("‘’ʼ", "'")
)
# Vowel signs and lengthening that Arabic may add without changing the word.
_ARABIC_DECORATION = re.compile("[\u0640\u064b-\u065f\u0670]")


def plain(text: str) -> str:
    """Return the text in NFKC, case folded, without invisible characters, with every run of white space one space."""
    if text.isascii():
        return _SPACE.sub(" ", _CONTROL.sub("", text).lower())
    return _folded(_visible(text))


def lookalike(text: str) -> str:
    """Return `plain` with letters of other scripts replaced by the Latin ones they look like, whatever their case."""
    if text.isascii():
        return plain(text)
    # Before and after case is folded: capitals have look-alikes of their own, and some only get one by folding.
    folded = _folded(_visible(text).translate(_LOOKALIKES))
    return folded if folded.isascii() else unicodedata.normalize("NFKC", folded.translate(_LOOKALIKES))


def respelled(text: str) -> tuple[str, ...]:
    """Return the forms a text takes when look-alikes, decoration, leet, escapes, spelling out and reversal are undone.

    To be searched with terms in `lookalike` form; the result may be empty and never holds `plain(text)` itself.
    """
    forms: dict[str, None] = {}
    for each in _readings(text):
        alike = lookalike(each)
        bare = alike if alike.isascii() else undecorated(alike)
        for form in (alike, bare, *_leet(bare), *_leet(_joined(bare))):
            forms.update(dict.fromkeys((form, parted(form), _joined(form))))
    forms.pop(plain(text), None)
    return tuple(forms)


def parted(text: str) -> str:
    """Return the text with the hyphens, dots and low lines that tie words together as blanks."""
    return _BETWEEN_WORDS.sub(" ", text)


def unseparated(text: str) -> str:
    """Return the text without blanks, hyphens, dots and the like: what is left of a term that was spelled out."""
    return _SEPARATORS.sub("", text)


def undecorated(text: str) -> str:
    """Return the text without accents and strokes over letters of alphabets in which they only decorate."""
    stripped = _DECORATION.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", _ARABIC_DECORATION.sub("", stripped))


def _visible(text: str) -> str:
    composed = unicodedata.normalize("NFKC", _SURROGATE.sub("\ufffd", _CONTROL.sub("", text)))
    if composed.isascii():
        return composed
    return _INVISIBLE.sub("", composed.translate(_PUNCTUATION))


def _folded(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text.casefold()))


def _readings(text: str) -> Iterator[str]:
    """Yield the text, and what is read where it holds HTML references, percent-escapes or reversed runs."""
    yield text
    if "&" in text:
        yield html.unescape(text)
    if "%" in text:
        yield urllib.parse.unquote(text)
    if "\u202e" in text:
        yield _REVERSED.sub(lambda match: match[1][::-1], text)


def _leet(text: str) -> Iterator[str]:
    if _LEET_CHARACTER.search(text):
        for one in _ONES:
            yield _TOKEN.sub(lambda match, one=one: _unleeted(match[0], one), text)  # type: ignore[misc]


def _unleeted(token: str, one: str) -> str:
    # A token without any letter is a number or a price, not a word.
    return _INNER_STROKE.sub(one, token).translate(_LEET) if _LETTER.search(token) else token


def _joined(text: str) -> str:
    """Return the text with words that are spelled out letter by letter put together."""
    return _SPELLED.sub(lambda match: unseparated(match[0]), text)
