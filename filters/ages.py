"""Ages and school grades that a text states, in the languages of the shipped term lists.

Own compilation from general grammar; not measured. Chosen for precision: a bare number of years is a guarantee or a
career as often as an age, so a pattern asks for what only an age has ("old", "aged", 歳), or leaves out what durations
have. An age "and up" is a notice on a toy, and is left out as well.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from filters.things import is_of_a_thing

OLDEST = 120  # years; a higher number is no age
_FIRST_GRADE = 5  # years to add to a school grade: children of grade 1 are 6, in some countries 7

_SPELLED = {  # the numbers from one to seventeen; a higher one is found as digits only
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "de": "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept",
    "es": "un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete",
    "pt": "um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete",
    "it": "un due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette",
    "han": "一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七",
}
_NUMBERS = {word: n for words in _SPELLED.values() for n, word in enumerate(words.split(), 1)}
_GRADES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINALS = {word: n for n, word in enumerate(_GRADES, 1)}
_DIGITS = r"(?<![\d:/+\-])(?<!\d[.,])\d{1,2}"
_N = {
    language: rf"(?P<n>{_DIGITS}|(?<!\w)(?:{'|'.join(sorted(words.split(), key=len, reverse=True))}))"
    for language, words in _SPELLED.items()
} | {"han": rf"(?P<n>{_DIGITS}|(?<![一二三四五六七八九十百])十?[一二三四五六七八九]|(?<![一二三四五六七八九百])十)"}
_D = rf"(?P<n>{_DIGITS})"

_UP = r"(?!\s*(?:\+|(?:and|&|or|to)\b|[-\u2013]\s*\d))"
_LONG = r"gar[ae]n|warranty|experien|experi[eê]n|esperienz|erfahrung|jubil|bestehen|geschicht|histori|stor[iy]a"
_NO_THING = rf"(?!\s+(?:de\s+|d['i]\s*|di\s+|von\s+)?(?:{_LONG}|gwaranc|doświadcz|гарант|опыт|истори|юбил|стаж))"
_NO_SPAN = r"(?<!\bhace )(?<!\bpor )(?<!\bhá )(?<!\bper )(?<!\bda )(?<!\bin )(?<!\bdopo )(?<!\bdepuis )(?<!\bpendant )"


@dataclass(frozen=True, slots=True)
class _Statement:
    """A way to state an age: a text that holds none of the cues states none in this way."""

    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    unit: str = "years"


def _years(cues: str, pattern: str, unit: str = "years") -> _Statement:
    return _Statement(tuple(cues.split("|")), re.compile(pattern), unit)


_STATEMENTS = (
    _years(
        "year old|year-old|years old|years-old|yr old|yrs old|yr-old|yrs-old|y/o|y.o",
        rf"{_N['en']}[\s-]?(?:(?:years?|yrs?)[\s-]?old|y/o|y\.o\b)",
    ),
    _years(
        "month old|month-old|months old|months-old",
        rf"{_N['en']}[\s-]months?[\s-]old",
        "months",
    ),
    _years(
        " aged | age | age: ",
        rf"(?<!\w)(?:aged|(?:at|of) age|at the age of|age:?) {_N['en']}(?!\w|\s*months){_UP}",
    ),
    _years(
        " grade|-grade",
        r"(?<!\w)(?P<n>\d{1,2})(?:st|nd|rd|th)[\s-]grade(?:rs?\b|\s+(?:pupil|student|class|girl|boy|kid))",
        " grade|-grade",
    ),
    _years(
        " grade|-grade",
        rf"(?<!\w)(?P<n>{'|'.join(_ORDINALS)})[\s-]grade(?:rs?\b|\s+(?:pupil|student|class|girl|boy|kid))",
        " grade|-grade",
    ),
    _years(" grade|-grade", r"(?<!\w)in (?:the )?(?P<n>\d{1,2})(?:st|nd|rd|th) grade\b", " grade|-grade"),
    _years(" jahre alt|jährig", rf"{_N['de']}(?: jahre alt|[\s-]?jährige?[rsnm]?\b{_NO_THING})"),
    _years("im alter von", rf"im alter von {_N['de']}(?!\w)"),
    _years(
        "klasse|klässler",
        r"(?<!\w)(?P<n>[3-9]|1[0-3])\. ?(?:klässler|klasse der\b|klasse (?:grund|real|haupt)schul)",
        " grade|-grade",
    ),
    _years("âg", rf"\bâgée?s? (?:de|d') ?{_N['fr']} ans\b"),
    _years(
        " ans", rf"(?:\b(?:de|à|a|ses)|[,(]) ?{_N['fr']} ans\b(?!\s+(?:d['e]|apr[eè]s|plus|dans|et plus)){_NO_THING}"
    ),
    _years(" años de | anos de ", rf"{_NO_SPAN}(?:{_N['es']} años|(?P<m>{_DIGITS}) anos) de (?:edad|idade)\b"),
    _years(
        " años",
        rf"(?:\b(?:tiene|con|cumple|(?:niñ|chic|hij)[oa] de)|[,(]) ?{_N['es']} años\b(?!\s+(?:de|desp|atr))",
    ),
    _years(
        " anos",
        rf"(?:\b(?:tem|com|faz|(?:menin|garot|filh)[oa] de)|[,(]) ?{_N['pt']} anos\b(?!\s+(?:de|atr[aá]s))",
    ),
    _years("primaria", r"(?<!\w)(?P<n>[1-6])[.ºªo°]* (?:grado )?de (?:educaci[oó]n )?primaria\b", " grade|-grade"),
    _years(
        "fundamental", r"(?<!\w)(?P<n>[1-9])[.ºªo°]* (?:ano|s[eé]rie) do (?:ensino )?fundamental\b", " grade|-grade"
    ),
    _years(
        " anni",
        rf"(?:\b(?:di|ha|compie)|[,(]) ?{_N['it']} anni\b(?!\s+(?:di|fa|dopo)\b)",
    ),
    _years("jaar oud|jarige", rf"{_D}(?: jaar oud\b|-?jarigen?\b{_NO_THING})"),
    _years("wieku", rf"\bw wieku {_D} lat\b"),
    _years("letn|latek|latk", rf"{_D}[\s-]?(?:letni\w{{0,3}}|latek|latk\w{{1,2}})\b{_NO_THING}"),
    _years("ve věku", rf"\bve věku {_D} let\b"),
    _years(" let |letý|letá|leté", rf"{_D}(?:-?let[ýáé]\w{{0,2}}\b| let star[ýáé]\w{{0,2}}\b){_NO_THING}"),
    _years("år gam|årig|åring", rf"{_D}(?: år gamm?[ae]l|[\s-]?åring|[\s-]?årige?\b{_NO_THING})"),
    _years("vuoti|vuotta vanha", rf"{_D}(?:-?vuotia[as]\w*| vuotta vanha\b)"),
    _years("yaş", rf"{_D} ?yaş(?:[ıi]nda|[ıi]ndaki|l[ıi])?\b(?! üstü| ve üzeri)"),
    _years(" лет| год", rf"(?:\b(?:в возрасте|возраст:?|мне|ей|ему|ребёнку|дочери|сыну)) {_D} (?:лет|год)"),
    _years("летн", rf"{_D}-? ?летн\w{{2,3}}\b{_NO_THING}"),
    _years(
        "класс",
        r"(?<!\w)(?:учени\w+|в) (?P<n>\d{1,2})(?:-?(?:го|м))? класса?е?\b(?! опасн)|(?<!\w)(?P<m>\d{1,2})-?классни",
        " grade|-grade",
    ),
    _years(
        " рок|-річн", rf"(?:\b(?:у віці|віком) {_D} рок|(?P<m>{_DIGITS})-?річн\w{{1,3}}\b(?!\s+(?:гарант|досв|юв)))"
    ),
    _years(" ani", rf"\b(?:în vârstă de|are|de) {_D} (?:de )?ani\b(?!\s+(?:de|garan))"),
    _years("éves", rf"{_D}[\s-]?éves\b(?!\s+(?:gar|tapaszt|jub))"),
    _years("ετών|χρον", rf"{_D} (?:ετών|χρονών|χρονων|χρόνων)\b"),
    _years("歳|才", rf"{_N['han']} ?[歳才](?!以上|未満|馬|牝|牡|から)"),
    _years("年生", r"(?:小学校?|小)(?P<n>[1-6一二三四五六])年生|中学校?(?P<m>[1-3一二三])年生", " grade|-grade"),
    _years("岁|歲", rf"{_N['han']} ?[岁歲](?!以[上下]|\+)"),
    _years("年级|年級", r"(?<!大学)(?<!大學)(?P<n>[1-9一二三四五六七八九]) ?年[级級]", " grade|-grade"),
    _years("살", rf"{_D} ?살(?!이상| 이상)"),
    _years("세", rf"(?:만 ?{_D} ?세|(?P<m>{_DIGITS}) ?세(?=[\s,.)의여남아]|$)(?! ?이상))"),
    _years("학년", r"(?:초등학교|초등|초) ?(?P<n>[1-6]) ?학년|중학교 ?(?P<m>[1-3]) ?학년", " grade|-grade"),
    _years("عمر", rf"(?:عمره|عمرها|بعمر|في عمر|يبلغ من العمر|تبلغ من العمر) {_D}(?!\w)"),
    _years("ساله", rf"{_D} ?[\u200c ]?ساله(?!\w)"),
    _years("בן |בת |בגיל ", rf"(?<!\w)(?:בן|בת|בגיל) {_D}(?!\w)"),
    _years("साल|वर्ष", rf"{_D} ?(?:साल|वर्ष) (?:का|की|के) (?:बच्च|लड़क|लड़क|बेट|उम्र|आयु)|(?P<m>{_DIGITS}) ?वर्षीय"),
    _years("বছর", rf"{_D} ?বছর(?: বয়সী| বয়সের| বয়সী| বয়সের)"),
    _years("ขวบ|อายุ|วัย", rf"(?:อายุ|วัย) ?{_D} ?(?:ปี|ขวบ)(?!ขึ้นไป)|(?P<m>{_DIGITS}) ?ขวบ"),
    _years("tuổi", rf"{_D} tuổi\b(?! trở lên)"),
    _years("usia | umur |berumur ", rf"(?:ber)?(?:usia|umur) {_D} tahun\b(?! ke atas)"),
)
CUES = tuple(dict.fromkeys(cue for statement in _STATEMENTS for cue in statement.cues))
# Cues of statements that never spell a number, so that a text without a digit states no age by them.
_WORDED = [each for each in _STATEMENTS if any(word in each.pattern.pattern for word in (*_NUMBERS, *_ORDINALS))]
CUES_OF_DIGITS = frozenset(CUES) - {cue for statement in _WORDED for cue in statement.cues}
_BY_CUE = {cue: [each for each in _STATEMENTS if cue in each.cues] for cue in CUES}


def stated_ages(form: str, cues: Iterable[str]) -> list[float]:
    """Return the ages in years that a text in `plain` form states; `cues` are those of CUES that it holds.

    A school grade counts as the age at which it begins.
    """
    statements = dict.fromkeys(each for cue in cues for each in _BY_CUE.get(cue, ()))
    found = [(match, each.unit) for each in statements for match in each.pattern.finditer(form)]
    ages = [_age(match, unit) for match, unit in found if not is_of_a_thing(form, *match.span())]
    return [age for age in ages if age <= OLDEST]


def _age(match: re.Match[str], unit: str) -> float:
    groups = match.groupdict()
    number = groups["n"] or groups.get("m") or ""
    value = _NUMBERS.get(number) or _ORDINALS.get(number)
    if value is None:
        value = int(number)
    return value / 12 if unit == "months" else float(value + _FIRST_GRADE if unit == " grade|-grade" else value)
