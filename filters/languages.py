"""The languages a text is written in, as Google's Compact Language Detector 2 tells them without any network."""

import re
from functools import cache

ANY = "mul"  # ISO 639-2 for "multiple languages": a term of every language
# CLD2 has codes of its own, and takes short Hindi for Bihari: https://github.com/CLD2Owners/cld2, read 2026-11-21.
_SAME = {"iw": "he", "bh": "hi", "jw": "jv", "nb": "no", "nn": "no", "fil": "tl", "in": "id"}
_UNKNOWN = "un"
_LEAST_SHARE = 30  # percent of the letters; below it lie names and quotations
# A few words in Latin script are often names, of things and of places, and those are of no language.
_LEAST_LATIN_WORDS = 5
_OTHER_SCRIPT = re.compile("[\u0370-\u1cff\u2c80-\ua63f\uac00-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufefc]{2}")
_ADDRESS = re.compile(r"\S*(?:://|www\.|@)\S*")
_MOST = 2_000  # characters looked at


def code(tag: str) -> str:
    """Return the code by which languages are compared here: "pt" for "pt-BR", "he" for "iw"."""
    base = tag.strip().lower().replace("_", "-").partition("-")[0]
    return _SAME.get(base, base)


def known(base: str) -> bool:
    """Tell whether a text can be found to be in the language of this code, as `code` gives it."""
    return base in _known()


@cache
def _known() -> frozenset[str]:
    import pycld2  # type: ignore[import-untyped]

    return frozenset(code(tag) for _, tag in pycld2.LANGUAGES)


def languages(form: str) -> tuple[str, ...]:
    """Return the ISO 639 codes of the languages of a text in `plain` form; none where it is too short or not clear."""
    import pycld2

    prose = form[:_MOST]
    if "://" in prose or "www." in prose or "@" in prose:
        prose = " ".join(word for word in prose.split(" ") if not _ADDRESS.fullmatch(word))
    if prose.isascii() or not _OTHER_SCRIPT.search(prose):
        words = sum(word.isalpha() for word in prose.replace(",", " ").split())
        if words < _LEAST_LATIN_WORDS:
            return ()
    try:
        reliable, _, shares = pycld2.detect(prose)
    except pycld2.error:  # characters that are assigned to nothing
        return ()
    told = [code(tag) for _, tag, share, _ in shares if tag != _UNKNOWN and share >= _LEAST_SHARE]
    return tuple(dict.fromkeys(told)) if reliable else ()
