"""Things and animals that have an age in years as people have: what a stated age is left out for.

Own selection of nouns that are no people in any reading; not measured. One stands next to the age, or before it with no
more than a verb or a preposition between; a person beside it ("7 year old girl with a dog") is never left out.
"""

import re

from filters.textforms import undecorated

_NOUNS = {
    "en": "whisky whiskey scotch bourbon malt rum wine port brandy cognac tequila mezcal cheese cheddar gouda parmesan"
    " vinegar beef ham balsamic tree trees oak bonsai olive house home building barn church castle bridge temple roof"
    " kitchen car cars truck van bike motorcycle tractor boat ship yacht engine honda toyota ford volvo bmw company"
    " business brand tradition warranty software bug laptop computer phone camera printer mattress sofa guitar violin"
    " dog dogs cat cats horse horses pony colt filly mare stallion gelding puppy puppies kitten kittens calf foal bull"
    " cow tortoise parrot elephant labrador retriever shepherd terrier collie painting carpet rug mummy fossil glacier",
    "de": "whisky wein käse hund katze pferd auto wagen baum haus gebäude kirche firma",
    "fr": "whisky rhum vin fromage cognac chien chat cheval voiture arbre maison bâtiment entreprise",
    "es": "whisky ron vino queso tequila perro gato caballo coche carro árbol casa edificio empresa crianza",
    "pt": "whisky rum vinho queijo cachorro cão gato cavalo carro árvore casa prédio empresa",
    "it": "whisky rum vino formaggio cane gatto cavallo auto macchina albero casa edificio azienda",
    "nl": "whisky wijn kaas hond kat paard auto boom huis gebouw bedrijf",
    "pl": "whisky wino ser pies psa kot kota koń konia samochód samochodu drzewo dom firma",
    "sv": "whisky vin ost hund katt häst bil träd hus",
    "ru": "виски вино коньяк сыр собака собаки кошка кошки кот лошадь машина машины машине дерево дом дома завод",
    "uk": "віскі вино коньяк сир собака кіт кішка кінь машина дерево дім",
    "tr": "viski şarap peynir köpek kedi araba ağaç bina",
}
_WORDS = {word for words in _NOUNS.values() for word in words.split()}
_CHARACTERS = "犬狗猫馬马酒车車樹树木"  # written without blanks: one of them, before or behind
_PEOPLE = (
    "boy|girl|child|kid|son|daughter|baby|toddler|teen|student|pupil|schoolboy|schoolgirl|sister|brother|niece|nephew"
    "|cousin|model|actor|actress|man|woman|male|female|twin|junge|mädchen|kind|fille|garçon|enfant|niñ[oa]|menin[oa]"
    "|bambin[oa]|ragazz[oa]"
)
_LINKS = "is|was|are|were|aged|ist|war|est|a|de|del|di|con|com|ha|tem|tiene|von|van|is|jest|ma|är"
_THINGS = "|".join(sorted(_WORDS | set(map(undecorated, _WORDS))))
_BEHIND = re.compile(
    rf"\w{{0,3}}[ -](?:(?!(?:{_PEOPLE})s?\b)[^\W\d_]+[ -])?(?:{_THINGS})\b(?!-)|[ 的の]?[{_CHARACTERS}]"
)
_BEFORE = re.compile(rf"(?:\b(?:{_THINGS})(?: (?:{_LINKS})){{0,2}},? ?|[{_CHARACTERS}][ ,，(（]?)\Z")
_LONGEST = 40  # characters looked at before an age


def is_of_a_thing(form: str, start: int, end: int) -> bool:
    """Tell whether the age that a text in plain form states at form[start:end] is that of a thing or an animal."""
    return _BEHIND.match(form, end) is not None or _BEFORE.search(form[max(0, start - _LONGEST) : start]) is not None
