"""One coded word in the spellings by which words are hidden from a search and not from a reader, in many scripts."""

import pytest

from filters.captions import CaptionTerms
from filters.finding import Examine
from filters.lists import ListSource
from filters.sample import Batch, Sample

# Made-up words; no list of anybody holds one of them.
TERMS = (
    "gammaword codeword-alpha дельтаслово εψιλονλεξη կոդաբառ 代号词 アルファ語 コードネーム 암호말 คำรหัส "
    "कूटशब्द সংকেতশব্দ رمزية מילתקוד"
)

LATIN = {
    "upper case": "GAMMAWORD",
    "mixed case": "gAmMaWoRd",
    "full width": "ｇａｍｍａｗｏｒｄ",
    "full width, upper case": "ＧＡＭＭＡＷＯＲＤ",
    "mathematical bold": "𝐠𝐚𝐦𝐦𝐚𝐰𝐨𝐫𝐝",
    "mathematical script": "𝓰𝓪𝓶𝓶𝓪𝔀𝓸𝓻𝓭",
    "Fraktur": "𝔤𝔞𝔪𝔪𝔞𝔴𝔬𝔯𝔡",
    "double-struck": "𝕘𝕒𝕞𝕞𝕒𝕨𝕠𝕣𝕕",
    "monospace": "𝚐𝚊𝚖𝚖𝚊𝚠𝚘𝚛𝚍",
    "sans-serif bold italic": "𝙜𝙖𝙢𝙢𝙖𝙬𝙤𝙧𝙙",
    "circled": "ⓖⓐⓜⓜⓐⓦⓞⓡⓓ",
    "negative circled": "🅖🅐🅜🅜🅐🅦🅞🅡🅓",
    "squared": "🄶🄰🄼🄼🄰🅆🄾🅁🄳",
    "emoji of letters": "g🅰️mm🅰️w🅾️rd",
    "flags": "🇬🇦🇲🇲🇦🇼🇴🇷🇩",
    "parenthesised": "⒢⒜⒨⒨⒜⒲⒪⒭⒟",
    "small capitals": "ɢᴀᴍᴍᴀᴡᴏʀᴅ",
    "superscript": "ᵍᵃᵐᵐᵃʷᵒʳᵈ",
    "Cyrillic look-alikes": "gаmmаwоrd",
    "Cyrillic look-alikes, upper case": "GАММАWОRD",
    "Greek look-alikes": "gαmmαwοrd",
    "Greek look-alikes, upper case": "GΑΜΜΑWΟRD",
    "Armenian look-alikes": "ցammawօrd",
    "Cherokee look-alikes": "ᏀᎪᎷᎷᎪᎳᎾᏒᎠ".replace("Ꮎ", "o"),
    "Latin letters with strokes": "gammawørđ",
    "IPA letters": "ɡɑmmɑword",
    "accents": "gámmàwörd",
    "accents apart": "ga\u0301mma\u0300wo\u0308rd",
    "stroke through": "g\u0336a\u0336m\u0336m\u0336a\u0336w\u0336o\u0336r\u0336d\u0336",
    "many marks": "".join(letter + "\u0316\u0317\u0306\u0344\u0352" for letter in "gammaword"),
    "enclosing marks": "g\u20dda\u20ddm\u20ddm\u20dda\u20ddw\u20ddo\u20ddr\u20ddd\u20dd",
    "zero-width spaces": "\u200b".join("gammaword"),
    "zero-width joiners": "\u200d".join("gammaword"),
    "zero-width non-joiner": "gamma\u200cword",
    "soft hyphen": "gam\u00adma\u00adword",
    "word joiner": "gamma\u2060word",
    "byte order mark": "gamma\ufeffword",
    "variation selectors": "g\ufe0fa\ufe0fmmaword",
    "Mongolian vowel separator": "gamma\u180eword",
    "Hangul filler": "gamma\u3164word",
    "combining grapheme joiner": "gamma\u034fword",
    "empty Braille cell": "gamma\u2800word",
    "control characters": "gam\x00ma\x7fword",
    "tag characters": "gamma\U000e0061word",
    "leet": "g4mm4w0rd",
    "leet, other signs": "g@mm@w0rd",
    "leet, first letter": "6ammaword",
    "leet and look-alikes": "g4mmаw0rd",
    "spaced out": "g a m m a w o r d",
    "dots between": "g.a.m.m.a.w.o.r.d",
    "hyphens between": "g-a-m-m-a-w-o-r-d",
    "low lines between": "g_a_m_m_a_w_o_r_d",
    "stars between": "g*a*m*m*a*w*o*r*d",
    "commas between": "g, a, m, m, a, w, o, r, d",
    "tildes between": "g~a~m~m~a~w~o~r~d",
    "hearts between": "g♥a♥m♥m♥a♥w♥o♥r♥d",
    "emoji between": "g🔥a🔥m🔥m🔥a🔥w🔥o🔥r🔥d",
    "wide spaces between": "g\u2003a\u2003m\u2003m\u2003a\u2003w\u2003o\u2003r\u2003d",
    "ends of lines between": "\n".join("gammaword"),
    "brackets": "[g][a][m][m][a][w][o][r][d]",
    "spaced out behind an article": "a g a m m a w o r d",
    "spaced out in leet behind an article": "a g 4 m m 4 w 0 r d",
    "spaced out in leet": "g 4 m m 4 w 0 r d",
    "spaced out in look-alikes": "g а m m а w о r d",
    "a dot within": "gamma.word",
    "a star within": "gam*maword",
    "an apostrophe within": "gamma'word",
    "an emoji within": "gamma🔥word",
    "a middle dot within": "gam·ma·word",
    "a colon within": "gam:maword",
    "stretched": "gammaworrrrrd",
    "stretched, pairs kept": "gammmmmaword",
    "HTML, decimal": "".join(f"&#{ord(letter)};" for letter in "gammaword"),
    "HTML, hexadecimal": "g&#x61;mm&#x61;word",
    "HTML, twice": "g&amp;#97;mmaword",
    "HTML, soft hyphen": "gamma&shy;word",
    "HTML tags": "gam<b>ma</b>word",
    "percent-encoded": "".join(f"%{ord(letter):02x}" for letter in "gammaword"),
    "percent-encoded twice": "g%2561mmaword",
    "escapes of JSON": "g\\u0061mm\\u0061word",
    "escapes of JSON, in look-alikes": "g\\u0430mmaword",
    "hexadecimal escapes": "g\\x61mmaword",
    "right to left": "\u202edrowammag\u202c",
    "right to left, in part": "gam\u202edrowam\u202c",
    "as a hashtag": "#gammaword",
    "in a file name": "img_gammaword_0012.jpg",
    "in an address": "https://example.test/a/gammaword?x=1",
    "digits at the end": "gammaword2024",
}
OTHERS = {
    "hyphen as blank": "codeword alpha",
    "non-breaking hyphen": "codeword\u2011alpha",
    "en dash": "codeword–alpha",
    "no hyphen, upper case": "CODEWORDALPHA",
    "several blanks": "codeword \u3000 alpha",
    "Cyrillic": "ДЕЛЬТАСЛОВО",
    "Cyrillic in Latin letters": "дeльтacлoвo",
    "Cyrillic, spaced out": "д е л ь т а с л о в о",
    "Cyrillic, emoji between": "д🔥е🔥л🔥ь🔥т🔥а🔥с🔥л🔥о🔥в🔥о",
    "Cyrillic, stroke through": "".join(letter + "\u0336" for letter in "дельтаслово"),
    "Cyrillic, zero-width": "дельта\u200bслово",
    "Cyrillic, leet": "дельтасл0в0",
    "Greek": "ΕΨΙΛΟΝΛΕΞΗ",
    "Greek with accents": "εψιλονλέξη",
    "Greek in Latin letters": "εψιλoνλεξη",
    "Armenian": "ԿՈԴԱԲԱՌ",
    "Han in a sentence": "红色代号词图",
    "Han, zero-width": "代\u200b号\u200b词",
    "Han, blanks": "代 号 词",
    "Han, signs": "代*号*词",
    "Han, in brackets": "「代号词」",
    "kana in a sentence": "赤いアルファ語の絵",
    "kana, half width": "ｺｰﾄﾞﾈｰﾑ",
    "Hangul with a particle": "빨간암호말이",
    "Hangul in letters": "\u110b\u1161\u11b7\u1112\u1169\u1106\u1161\u11af",
    "Hangul, blanks": "암 호 말",
    "Thai in a sentence": "ภาพคำรหัสสีแดง",
    "Thai, zero-width": "คำ\u200bรหัส",
    "Hindi": "लाल कूटशब्द है",
    "Hindi, joiners": "कूट\u200dशब्\u200cद",
    "Bengali": "লাল সংকেতশব্দ আছে",
    "Arabic with vowels": "رَمْزِيَّة",
    "Arabic, lengthened": "رمـــزيـــة",
    "Arabic, presentation forms": "ﺭﻣﺰﻳﺔ",
    "Hebrew": "תמונה מילתקוד אדום",
    "right-to-left marks": "מילת\u200fקוד",
}


@pytest.fixture(name="coded", scope="module")
def fixture_coded(tmp_path_factory: pytest.TempPathFactory) -> Examine:
    path = tmp_path_factory.mktemp("terms") / "terms.csv"
    path.write_text("\n".join(TERMS.split()), encoding="utf-8")
    return CaptionTerms(lists=(ListSource("coded", str(path), "terms", "coded"),)).load()


def found(coded: Examine, text: str) -> bool:
    (answer,) = coded(Batch([Sample("s", "k", texts=(text,))]))
    return any(each.label == "coded" for each in answer)


@pytest.mark.parametrize("spelling", [*LATIN, *OTHERS])
def test_a_word_is_found_however_it_is_spelled(coded: Examine, spelling: str) -> None:
    text = {**LATIN, **OTHERS}[spelling]
    assert found(coded, text)
    assert found(coded, f"a picture: {text}, 2019")


def test_the_table_is_as_large_as_it_says() -> None:
    assert len(LATIN) + len(OTHERS) > 110
    assert len({*LATIN.values(), *OTHERS.values()}) == len(LATIN) + len(OTHERS)


@pytest.mark.parametrize(
    "text",
    [
        "gammawords",
        "supergammaword",
        "gamma wording",
        "gamma and word",
        "a game, a map, a word",
        "g a m m a",
        "дельтаслова",
        "дельта и слово",
        "代词号",
        "アルファ版",
        "コードネームズ",
        "ภาพสีแดง",
        "कूटशब्दों",
        "الرمزيةات",
        "G, A, M, M, A, W",
        "www.gamma.example and word.example",
    ],
)
def test_a_near_miss_stays_one(coded: Examine, text: str) -> None:
    assert not found(coded, text)


@pytest.mark.parametrize(
    "text", ["gamma woord", "ɐɯɯɐƃ", "drowammag", "gamma" + "word"[::-1], "gámma vvord", "ga mmaw ord"]
)
def test_what_is_not_undone_is_known(coded: Examine, text: str) -> None:
    """Upside down, mirrored without a sign, two letters for one, blanks at odd places: documented limits."""
    assert not found(coded, text)
