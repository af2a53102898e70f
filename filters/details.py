"""Personal details beside a person's name: an age, a school, an address, a phone number, an e-mail address.

Evidence that a text may single somebody out; nobody's name is known, looked up or kept. Own compilation, not measured:
names are found where a language introduces them, and in scripts with upper case as two capitalised words in a row.
"""

import re
from collections.abc import Collection

_CAPITAL = "[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĻŁŃŅŇŌŐŒŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-ЯЁІЇЄ]"
_WORD = rf"{_CAPITAL}[^\W\d_]+"
# Two or three capitalised words, no more: a longer run is a headline or the name of a product.
_FULL_NAME = rf"(?<![^\W_])(?<!{_CAPITAL}\. ){_WORD}(?: {_CAPITAL}\.)?(?: {_WORD}){{1,2}}(?![^\W_])"
_NAMED = re.compile(rf"{_FULL_NAME}(?! {_CAPITAL})")
_NAMED_AT_END = re.compile(rf"{_FULL_NAME}\Z")
_INTRODUCED = re.compile(
    r"(?i:\b(?:name(?: is|'s|:)|named|i am called|heißt|ich heiße|je m'appelle|s'appelle|prénommée?|me llamo|se llama"
    r"|chama-se|me chamo|mi chiamo|si chiama|heet|ik heet|nazywa się|mam na imię|jmenuje se|heter|hedder|adı|зовут"
    rf"|мене звати|με λένε)) ?{_WORD}"
    r"|我叫|名叫|名前は|(?:이름은|이름:)|اسمي|اسمها|اسمه|मेरा नाम|ชื่อ"
)
_AGE_BEHIND = re.compile(r", ?(?:aged )?[1-9]\d?(?=[,;.)]|$)(?![.,]\d)")  # the form of newspapers: Jo Bloggs, 34,
_SCHOOL = re.compile(
    r"(?i:\b(?:attends|student (?:at|of)|pupil (?:at|of)|goes to|enrolled (?:at|in)|besucht die"
    r"|schüler(?:in)? (?:der|am)|élève (?:à|au|de)|scolarisée? (?:à|au)|alumn[oa] del?|estudia en|alun[oa] d[aoe]"
    r"|alunn[oa] del\w{0,3}|leerling van|uczeń|uczennica|žák|žákyně|elev (?:på|vid)|учени(?:к|ца)|учень|учениця)"
    r" .{0,40}?(?:school|academy|college|kindergarten|schule|gymnasium|école|collège|lycée|colegio|escuela|instituto"
    r"|escola|scuola|liceo|szkoł|škol|skola|школ|гимнази|лице))|小学校?の?生徒|就读于|就讀於|초등학교에 다니"
)
_ADDRESSES = {  # by the cues for which each is worth a search
    " street| st.| avenue| ave.| road| rd.| lane| drive| boulevard| blvd": re.compile(
        r"\d(?<![\d.]\d)\d{0,4}[a-zA-Z]? (?:[^\W\d_]+\.? ){1,3}"
        r"(?i:street|st\.|avenue|ave\.|road|rd\.|lane|drive|boulevard|blvd)(?!\w)"
    ),
    "strasse|str.|gasse|weg ": re.compile(r"\b[^\W\d_]{3,}(?:straße|strasse|str\.|gasse|weg) \d{1,4}[a-z]?\b"),
    " rue ": re.compile(r"\b\d{1,4},? (?i:rue) (?:de |du |des |la |l'){0,3}[^\W\d_]{3,}"),
    " calle | avenida | via | viale | rua | ulica | ul.|улица|ул.": re.compile(
        r"(?i:\b(?:calle|avenida|via|viale|rua|ulica|ul\.|улица|ул\.)) [^\W\d_]{3,}[^,\d\n]{0,30}"
        r",? (?:n[.º°]* ?)?\d{1,4}\b"
    ),
    "路|街|丁目": re.compile(r"[\u4e00-\u9fff]{2,}[路街]\d{1,5}号|丁目\d"),
}
_SCHOOL_CUES = (
    "school|academy|college|kindergarten|schule|gymnasium|école|collège|lycée|colegio|escuela|instituto|escola|scuola"
    "|liceo|szkoł|škol|skola|школ|гимнази|лице|小学|就读|就讀|초등학교"
)
_ABROAD = re.compile(r"\+\d[\d ().\-]{7,17}\d(?!\d)")
_PHONE = re.compile(r"\d\d\d(?<![\d.]\d\d\d)(?:\) ?|[.\- ])\d{3}[.\- ]\d{4}(?![\w.]\d)")  # as in North America
_CALL_CUES = " tel| phone| call | whatsapp| mobile| handy| telefon| tél| móvil| celular| cellulare| тел|電話|电话|전화"
_CALL = re.compile(
    r"(?i:\b(?:tel|phone|call|whatsapp|mobile|handy|telefon\w{0,3}|tél|móvil|celular|cellulare|тел|телефон)|電話|电话|전화)"
    r"[.: ]{1,3}[\d(+][\d ().\-/]{5,17}\d"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w-])", re.IGNORECASE)
_LONGEST_NAME = 80
_LEAST_PHONE = 6  # digits
_OTHERS = bytes(set(range(256)) - set(b"0123456789@"))
_MOST = 20_000  # characters looked at: a caption is far shorter, and a whole page names people all the time
_PATTERNS = {
    cue: pattern
    for cues, pattern in (*_ADDRESSES.items(), (_SCHOOL_CUES, _SCHOOL), (_CALL_CUES, _CALL))
    for cue in cues.split("|")
}
CUES = tuple(_PATTERNS)
_WITHOUT_DIGITS = frozenset(cue for cue, pattern in _PATTERNS.items() if pattern is _SCHOOL)
CUES_OF_DIGITS = frozenset(CUES) - _WITHOUT_DIGITS


def may_have_details(cues: Collection[str], signs: int, digits: bool) -> bool:
    """Tell whether a text that states no age is worth asking for details.

    `cues` are those of CUES that it holds, `signs` its ASCII digits and "@", `digits` any decimal digit.
    """
    return signs > 0 or (digits and bool(cues)) or not _WITHOUT_DIGITS.isdisjoint(cues)


def may_name(text: str) -> bool:
    """Tell whether a text may have a name in it, in the sense of this module: one in ASCII needs a capital."""
    return not text.isascii() or text != text.lower()


def has_personal_details(text: str, cues: Collection[str], ages: bool) -> bool:
    """Tell whether a personal detail stands beside a name in a text, as it is written: case tells names.

    `cues` are those of CUES that the text holds in `plain` form; `ages` says that it states somebody's age.
    """
    if not may_name(text):
        return False
    text = text[:_MOST]
    signs = text.encode("ascii", "ignore").translate(None, _OTHERS)
    if not (ages or cues or signs):
        return False
    if signs and _AGE_BEHIND.search(text) and _has_name_and_age(text):
        return True
    # A street and a school have capitalised names of their own, so the name is sought in what is left.
    rest = text
    always = ((_EMAIL,) if b"@" in signs else ()) + ((_ABROAD, _PHONE) if len(signs) >= _LEAST_PHONE else ())
    for pattern in always:
        rest = pattern.sub("\n", rest)
    for pattern in dict.fromkeys(_PATTERNS[cue] for cue in cues if cue in _PATTERNS):
        rest = pattern.sub("\n", rest)
    return (ages or rest != text) and any(each.search(rest) for each in (_INTRODUCED, _NAMED))


def _has_name_and_age(text: str) -> bool:
    places = (match.start() for match in _AGE_BEHIND.finditer(text))
    return any(_NAMED_AT_END.search(text[max(0, place - _LONGEST_NAME) : place]) for place in places)
