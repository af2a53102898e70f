"""Tables of characters that are written in place of others, and cheap tests of whether a text holds any.

Most texts hold nothing that could be read in another way, so every step of `filters.textforms` first asks a test here:
a search that can skip to the first of a set of characters. A test may say yes in vain, but never no in vain.
"""

import re

# Letters of other scripts that look like Latin ones, by shape and before case is folded. Own selection of what is used
# in place of Latin letters, after Unicode UTS #39 confusables (https://www.unicode.org/reports/tr39/, read 2026-11-21);
# full-width, circled and mathematical letters are left to NFKC.
ALIKE = (
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
LOOKALIKES = str.maketrans(
    {ord(each): latin for alike, latin in ALIKE for each in alike}
    | {start + n: letter for start in (0x1F150, 0x1F170, 0x1F1E6) for n, letter in enumerate(_LETTERS)}
)
# A set that reaches beyond U+FFFF is searched many times slower than one below and one beyond.
_LOOKALIKE = re.compile(f"[{''.join(chr(each) for each in LOOKALIKES if each < 0x10000)}]")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")

LEET = str.maketrans(
    {"0": "o", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s"}
)
LEET_ONES = ("i", "l")  # "1", "!" and "|" stand for either
LEET_ONE = re.compile(r"1|[!|](?=[\w@$!|])")
# Letters of scripts with upper and lower case: leet stands beside these. A digit in Chinese text is a number.
CASED = "a-zA-Z\u00aa-\u058f\u10a0-\u10ff\u13a0-\u13fd\u1c80-\u1cbf\u1d00-\u1fff\u2c00-\u2dff\ua640-\ua7ff\uab30-\uabbf"
# Beside a letter: a number or a price of its own, and the sign that ends a sentence, are no leet.
LEET_CHARACTER = re.compile(rf"[013-9@$!|](?:(?=[{CASED}])|(?<=[{CASED}][013-9@$])|(?<=[{CASED}][!|])(?=\w))")

# Punctuation, symbols and emoji that may stand between the letters of a word, none of them a letter or a number.
_ASCII_SIGNS = r"!-/:-@\[-`{-~"
_SIGNS = _ASCII_SIGNS + (
    "\u00a1-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u2010-\u205e\u2190-\u245f\u2500-\u2775"
    "\u2794-\u2bff\u3001-\u3003\u3008-\u3020\U0001f1e6-\U0001f64f\U0001f680-\U0001faff"
)
SPELLED = re.compile(rf"(?<![^\W_])[^\W_](?:([ {_SIGNS}]{{1,3}})[^\W_](?![^\W_])){{2,}}")
SEPARATORS = re.compile(rf"[ {_SIGNS}]+")
MAY_BE_SPELLED = re.compile(rf"[ {_SIGNS}][^\W_][ {_SIGNS}]{{1,3}}[^\W_](?![^\W_])")
MAY_BE_SPELLED_ASCII = re.compile(rf"[ {_ASCII_SIGNS}][A-Za-z0-9][ {_ASCII_SIGNS}]{{1,3}}[A-Za-z0-9](?![A-Za-z0-9])")
WITHIN_WORDS = re.compile(rf"(?<=[^\W\d_])[{_SIGNS}]{{1,3}}(?=[^\W\d_])")
STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\-_.+/\\~·•]+(?=[^\W_])")
MAY_TIE_WORDS = re.compile(r"[\-_.+/\\~·•][^\W_]")

SPACE = re.compile(r"\s+")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
SURROGATE = re.compile("[\ud800-\udfff]")
# What shows nothing, but parts a word from its spelling: all format characters (category Cf), variation selectors, and
# letters without a shape (fillers, joiners, the empty Braille cell).
INVISIBLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
PUNCTUATION = str.maketrans(
    dict.fromkeys(map(chr, (*range(0x2010, 0x2016), 0x2212, 0x30FB)), "-") | dict.fromkeys("‘’ʼ", "'")
)
# Of what is invisible, or punctuation written in another way, that which Python calls printable.
_PRINTABLE_BUT_ODD = re.compile(
    "[\u02bc\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2010-\u2015\u2018\u2019\u2212\u2800\u30fb\u3164\ufe00-\ufe0f"
    "\uffa0\ufffc\ufffd]"
)
ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\x[0-9a-fA-F]{2}|\\u\{[0-9a-fA-F]{1,6}\}")  # of JSON and its kin
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*-->")
REVERSED = re.compile("\u202e([^\u202c\n]*)\u202c?")  # right-to-left override, up to its end

# Marks that decorate Latin, Greek and Cyrillic letters; the marks of other scripts carry meaning and stay.
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# Vowel signs and lengthening that Arabic may add without changing the word.
_ARABIC_MARKS = "\u0640\u064b-\u065f\u0670"
DECORATION = re.compile(f"[{_MARKS}]")
ARABIC_DECORATION = re.compile(f"[{_ARABIC_MARKS}]")
# The marks themselves, and the letters that fall apart into one of them and a letter.
MAY_BE_DECORATED = re.compile(
    f"[{_MARKS}{_ARABIC_MARKS}\u00c0-\u024f\u0370-\u0409\u040b-\u0419\u0439\u0450-\u045f\u0476\u0477\u04c0-\u04ff"
    "\u0622-\u0626\u06c0-\u06d3\u1e00-\u1fff\u2100-\u22ff\u2a00-\u2aff]"
)
OTHER_CASED = "\u0370-\u058f\u13a0-\u13fd\u1f00-\u1fff\uab70-\uabbf"  # Greek, Cyrillic, Armenian, Cherokee
MIXED = re.compile(rf"[{OTHER_CASED}](?:(?=[a-z])|(?<=[a-z].))")


def may_look_alike(text: str) -> bool:
    """Tell whether a letter of the text may be a look-alike of a Latin one."""
    return _LOOKALIKE.search(text) is not None or _BEYOND.search(text) is not None


def may_be_odd(text: str) -> bool:
    """Tell whether a character that is not ASCII may be invisible, white space, or another way to write punctuation."""
    return not text.isprintable() or _PRINTABLE_BUT_ODD.search(text) is not None or _BEYOND.search(text) is not None
