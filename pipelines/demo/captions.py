"""Planted captions: coded words that stand for what a term list would hold, and evidence about who is depicted.

No word here says anything by itself: "codeword-alpha" and its like are the only entries of the demonstration list.
"""

from collections.abc import Iterator
from dataclasses import replace

from pipelines.demo.rows import ADULT, KEPT, MINORS, WITHHELD, Plant, Row
from pipelines.demo.studio import Mode, Studio
from pipelines.demo.urls import ADULT_SITE

FILTER = "captions"
SOLICITATION, GROOMING, MINOR_WORD, ADULT_WORD = "codeword-alpha", "codeword-beta", "codeword-gamma", "codeword-delta"
TERMS: tuple[tuple[str, str], ...] = (
    (SOLICITATION, "solicitation"),
    (GROOMING, "grooming"),
    (MINOR_WORD, "minor"),
    (ADULT_WORD, "adult"),
)

WRITTEN: tuple[tuple[str, str], ...] = (
    ("as listed", SOLICITATION),
    ("upper case", "CodeWord-ALPHA"),
    ("full-width letters", "\uff43\uff4f\uff44\uff45\uff57\uff4f\uff52\uff44\uff0d\uff41\uff4c\uff50\uff48\uff41"),
    ("zero-width characters inside", "code\u200bword\u2060-al\u200cpha"),
    ("Cyrillic look-alikes", "\u0441\u043ed\u0435w\u043erd-\u0430lph\u0430"),
    ("digits for letters", "c0d3w0rd-4lph4"),
    ("combining marks", "c\u0336o\u0336d\u0336e\u0336word-alpha\u0301"),
    ("mathematical letters", "\U0001d41c\U0001d428\U0001d41d\U0001d41e\U0001d430\U0001d428\U0001d42b\U0001d41d-alpha"),
    ("another hyphen", "codeword\u2011alpha"),
    ("spelled out", "c.o.d.e.w.o.r.d-a.l.p.h.a"),
    ("right-to-left override", "\u202eahpla-drowedoc\u202c"),
    ("second listed word", GROOMING),
)
HARMLESS: tuple[tuple[str, str], ...] = (
    ("only one half", "an alpha and a codeword"),
    ("other words", "alphabet of codewords"),
)


def planted_captions(studio: Studio, mode: Mode) -> Iterator[Row]:
    """Yield rows with coded words in every guise and place, and harmless ones that come near."""
    for case, word in WRITTEN:
        row = studio.row(studio.view(), mode, Plant(f"coded word: {case}", WITHHELD, FILTER))
        yield replace(row, caption=f"{row.caption} {word}")
    row = studio.row(studio.view(), mode, Plant("coded word: in the txt member only", WITHHELD, FILTER))
    yield replace(row, text=f"{row.caption} {SOLICITATION}".encode())
    row = studio.row(studio.view(), mode, Plant("coded word: in another JSON field", WITHHELD, FILTER))
    yield replace(row, columns={**row.columns, "alt_text": f"see {SOLICITATION}"})
    for case, words in HARMLESS:
        row = studio.row(studio.thing(), mode, Plant(f"word that is not listed: {case}", KEPT, ""))
        yield replace(row, caption=f"{row.caption}, {words}")


def planted_evidence(studio: Studio, mode: Mode) -> Iterator[Row]:
    """Yield rows with evidence of one side of the wall, and of both.

    Adult evidence alone reaches the adult partition only where a clear face shows a grown-up; with no face in sight,
    doubt meets evidence and the sample is withheld.
    """
    for _ in range(2):
        row = studio.row(studio.face(), mode, Plant("adult evidence: caption, a grown-up's face", ADULT, FILTER))
        yield replace(row, caption=f"{row.caption} {ADULT_WORD}")
        row = studio.row(studio.face(), mode, Plant("adult evidence: site, a grown-up's face", ADULT, "urls"))
        yield replace(row, url=f"https://cdn.{ADULT_SITE}/{row.url.rpartition('/')[2]}")
        row = studio.row(studio.thing(), mode, Plant("adult evidence: caption, nobody in sight", WITHHELD, "minors"))
        yield replace(row, caption=f"{row.caption} {ADULT_WORD}")
        row = studio.row(studio.thing(), mode, Plant("adult evidence: site, nobody in sight", WITHHELD, "minors"))
        yield replace(row, url=f"https://{ADULT_SITE}/{row.url.rpartition('/')[2]}")
        row = studio.row(studio.thing(), mode, Plant("minor evidence: caption", MINORS, FILTER))
        yield replace(row, caption=f"{row.caption} {MINOR_WORD}")
        row = studio.row(studio.face(), mode, Plant("both kinds of evidence: caption", WITHHELD, FILTER))
        yield replace(row, caption=f"{row.caption} {ADULT_WORD} {MINOR_WORD}")
        row = studio.row(studio.face(), mode, Plant("both kinds of evidence: caption and site", WITHHELD, FILTER))
        yield replace(row, caption=f"{row.caption} {MINOR_WORD}", url=f"https://{ADULT_SITE}/{row.sha256[:12]}.jpg")
